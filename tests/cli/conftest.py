"""Fixtures of the command line's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.command_line import CommandLine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CommandLine]:
    """Give a project in a folder of its own."""
    (tmp_path / "home").mkdir()
    made = CommandLine(tmp_path)
    yield made
    made.close()
