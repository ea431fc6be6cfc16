"""Replaces what differs from run to run in documents: this machine's times, run ids, folders, addresses."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from reverse_etl import __version__

RUN_ID = re.compile(r"\b\d{8}T\d{6}-[0-9a-f]{6}\b")
_DAY = r"-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00)?"
# The sandbox's time is 2020, and dates in the warehouse are older.
MACHINE_TIMES = re.compile(rf"\b20(?:2[5-9]|[3-9]\d){_DAY}")
ALL_TIMES = re.compile(rf"\b20\d\d{_DAY}")
_DURATIONS = {"timestamp", "seconds", "elapsed_time", "execution_time"}


@dataclass
class Normalizer:
    """Replaces what differs from run to run, also across documents: a run keeps its number.

    `replacements` maps texts to what replaces them. `times` matches the times to replace.
    """

    replacements: dict[str, str]
    times: re.Pattern[str] = MACHINE_TIMES
    runs: dict[str, str] = field(default_factory=dict)

    def text(self, text: str) -> str:
        """Return a normalized text."""
        for original, replacement in self.replacements.items():
            text = text.replace(original, replacement)
        text = RUN_ID.sub(lambda match: self._number_run(match[0]), text)
        text = self.times.sub("<time>", text)
        text = re.sub(r"\b\d+\.\d+ s\b", "<seconds> s", text)
        text = re.sub(r"\(\d+ days? old", "(<age> old", text)  # of the revision
        return text.replace(f"reverse-etl {__version__}", "reverse-etl <version>")

    def value(self, value: Any, name: str = "") -> Any:
        """Return a normalized value of a JSON document; `name` is its key."""
        match value:
            case dict():
                return {self.text(key): self.value(item, key) for key, item in value.items()}
            case list():
                return [self.value(item) for item in value]
            case str() if name == "digest":  # covers the times in the file
                return "<digest>"
            case str():
                return self.text(value)
            case float() if name in _DURATIONS:
                return f"<{name}>"
            case _:
                return value

    def document(self, text: str) -> str:
        """Return a normalized JSON document, indented."""
        return json.dumps(self.value(json.loads(text)), indent=2, ensure_ascii=False) + "\n"

    def lines(self, text: str) -> str:
        """Return normalized JSON lines."""
        values = [self.value(json.loads(line)) for line in text.splitlines()]
        return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)

    def _number_run(self, run_id: str) -> str:
        return self.runs.setdefault(run_id, f"<run {len(self.runs) + 1}>")
