"""Fixtures of the command line's tests."""

from __future__ import annotations

from contextlib import closing
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
    with closing(CommandLine(tmp_path)) as made:
        yield made


@pytest.fixture(scope="module")
def shared_cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """Give a project for all tests of a file, of which each takes a copy."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "home").mkdir()
    with closing(CommandLine(folder)) as made:
        yield made
