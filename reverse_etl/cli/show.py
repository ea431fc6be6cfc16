"""What commands print on stdout: lines and tables for people, JSON for programs."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDE = 160  # columns of a table that goes to a file


def line(text: str = "") -> None:
    """Print a line."""
    click.echo(text)


def json_out(value: Any) -> None:
    """Print a value as JSON."""
    line(json.dumps(value, default=str, indent=2, ensure_ascii=False))


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]], *, words: int = 1) -> None:
    """Print a table: the first `words` columns are text, the others numbers."""
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, heading in enumerate(headings):
        shown.add_column(heading, justify="left" if number < words else "right", overflow="fold")
    for row in rows:
        shown.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row))
    _console().print(shown)


def _console() -> Console:
    """Return stdout, as wide as the terminal, or wide enough for a table in a file."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDE
    return Console(width=width, highlight=False, markup=False)


def mapping(values: Mapping[str, Any], width: int) -> None:
    """Print names, filled up to `width`, and values: one a line."""
    for name, value in values.items():
        line(f"{name:<{width}} {value}")
