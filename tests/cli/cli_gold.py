"""Texts that are kept in files and read by people.

To write them anew: REWRITE_GOLD=1 pytest tests/cli, then read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

GOLD = Path(__file__).parent / "gold"


def assert_gold(name: str, text: str) -> None:
    """Hold a text against the file of that name."""
    path = GOLD / f"{name}.txt"
    if "REWRITE_GOLD" in os.environ:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
