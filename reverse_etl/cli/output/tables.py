"""What commands print on stdout: lines and tables for people, JSON for programs."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_NAMES = 2  # columns at most that say what a line is of
_GAP = 3  # blanks between columns


def line(text: str = "") -> None:
    """Print a line."""
    click.echo(text)


def json_out(value: Any) -> None:
    """Print a value as JSON."""
    line(json.dumps(value, default=str, indent=2, ensure_ascii=False))


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]], *, words: int = 1) -> None:
    """Print a table: the first `words` columns are text, the others numbers.

    Where a terminal is too narrow for all columns, the others follow in tables below, each beginning with
    the columns that say what its lines are of. In a file a line is as long as it is.
    """
    cells = [[f"{value:,}" if isinstance(value, int) else str(value) for value in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(headings, *cells, strict=True)]
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _line(widths)
    console = Console(width=width, highlight=False, markup=False)
    for number, columns in enumerate(_parts(widths, min(words, _NAMES), width)):
        if number:
            line()
        console.print(_table(headings, cells, columns, words))


def _parts(widths: Sequence[int], names: int, width: int) -> Iterator[list[int]]:
    """Yield the numbers of the columns of each table; the first `names` columns begin all of them."""
    part = first = [*range(names)]
    for column in range(names, len(widths)):
        if len(part) > names and _line([widths[each] for each in (*part, column)]) > width:
            yield part
            part = first
        part = [*part, column]
    yield part


def _line(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _table(
    headings: Sequence[str], cells: Sequence[Sequence[str]], columns: Sequence[int], words: int
) -> Table:
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        shown.add_column(headings[column], justify="left" if column < words else "right", overflow="fold")
    for row in cells:
        shown.add_row(*(row[column] for column in columns))
    return shown


def mapping(values: Mapping[str, Any], width: int) -> None:
    """Print names, filled up to `width`, and values: one a line."""
    for name, value in values.items():
        line(f"{name:<{width}} {value}")
