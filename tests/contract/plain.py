"""Documents without what differs each time: times of this machine, run ids, places."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from reverse_etl import __version__

RUN_ID = re.compile(r"\b\d{8}T\d{6}-[0-9a-f]{6}\b")
_DAY = r"-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00)?"
# What Klaviyo dates here is of 2020, and what stands in the warehouse older still.
MACHINE_TIME = re.compile(rf"\b20(?:2[5-9]|[3-9]\d){_DAY}")
ANY_TIME = re.compile(rf"\b20\d\d{_DAY}")
_DURATIONS = {"at", "seconds", "elapsed_time", "execution_time"}


@dataclass
class Plain:
    """Replaces what differs; a run has the same name wherever it is named.

    `names` are texts to be replaced, each with its replacement. `time` matches the times that differ.
    """

    names: dict[str, str]
    time: re.Pattern[str] = MACHINE_TIME
    runs: dict[str, str] = field(default_factory=dict)

    def text(self, text: str) -> str:
        """Return a text without what differs."""
        for name, replacement in self.names.items():
            text = text.replace(name, replacement)
        text = RUN_ID.sub(lambda found: self._run(found[0]), text)
        text = self.time.sub("<time>", text)
        text = re.sub(r"\b\d+\.\d+ s\b", "<seconds> s", text)
        return text.replace(f"reverse-etl {__version__}", "reverse-etl <version>")

    def value(self, value: Any, name: str = "") -> Any:
        """Return a value of a JSON document without what differs."""
        match value:
            case dict():
                return {self.text(key): self.value(each, key) for key, each in value.items()}
            case list():
                return [self.value(each) for each in value]
            case str() if name == "digest":  # over all of a file, its times too
                return "<digest>"
            case str():
                return self.text(value)
            case float() if name in _DURATIONS:
                return f"<{name}>"
            case _:
                return value

    def document(self, text: str) -> str:
        """Return a JSON document, indented."""
        return json.dumps(self.value(json.loads(text)), indent=2, ensure_ascii=False) + "\n"

    def lines(self, text: str) -> str:
        """Return JSON lines, one a line."""
        values = [self.value(json.loads(line)) for line in text.splitlines()]
        return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)

    def _run(self, run_id: str) -> str:
        return self.runs.setdefault(run_id, f"<run {len(self.runs) + 1}>")
