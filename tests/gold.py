"""Gold files: texts that tests keep in files, and that people read when they change.

`pytest --update-gold` writes them again, for the whole suite or for the tests that are named.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

OPTION = "--update-gold"


@dataclass(frozen=True)
class Gold:
    """Compares texts with gold files, or writes the files again."""

    update: bool

    def check(self, path: Path, text: str) -> None:
        """Fail with the difference unless the file holds exactly this text."""
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        kept = path.read_text(encoding="utf-8") if path.exists() else None
        lines = [] if kept is None else kept.splitlines()
        difference = difflib.unified_diff(lines, text.splitlines(), str(path), "now", lineterm="", n=2)
        advice = f"If this is meant: pytest {OPTION}, then read the diff."
        assert text == kept, "\n".join([f"{path} differs:", *difference, advice])
