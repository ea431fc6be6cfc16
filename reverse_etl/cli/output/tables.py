"""Results on stdout: lines and tables for people, JSON for programs."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click
from rich.cells import cell_len

from reverse_etl.formatting import escape_unsafe, escape_unsafe_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MAX_NAME_COLUMNS = 2  # leading columns that name a row
_GAP = 3  # blanks between columns


def print_line(text: str = "", **style: Any) -> None:
    """Print one line; `style` are click's styles. Line breaks at the beginning make empty lines before it."""
    line = text.lstrip("\n")
    click.echo("\n" * (len(text) - len(line)) + click.style(escape_unsafe(line), **style))


def print_text(text: str) -> None:
    """Print a text of several lines, such as a file."""
    click.echo(escape_unsafe(text, keep="\n\t"))


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(escape_unsafe_json(json.dumps(value, default=str, indent=2, ensure_ascii=False)))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[Any]], *, text_columns: int = 1) -> None:
    """Print a table: the first `text_columns` columns are text, the others numbers.

    If a terminal is too narrow, the table is split into several; each begins with the columns that name a
    row. Output to a file or pipe is never split.
    """
    cells = [
        [f"{value:,}" if isinstance(value, int) else escape_unsafe(str(value)) for value in row]
        for row in rows
    ]
    widths = [max(map(cell_len, column)) for column in zip(headings, *cells, strict=True)]
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _line_width(widths)
    for number, columns in enumerate(_split_columns(widths, min(text_columns, _MAX_NAME_COLUMNS), width)):
        if number:
            print_line()
        lines = [[line[column] for column in columns] for line in (headings, *cells)]
        heading, *rest = _align_cells(lines, [column < text_columns for column in columns])
        rule = "─" * _line_width([widths[column] for column in columns])
        click.echo("\n".join([click.style(heading, bold=True), rule, *rest]))


def _split_columns(widths: Sequence[int], name_columns: int, width: int) -> Iterator[list[int]]:
    """Yield the column numbers of each table; each begins with the first `name_columns` columns."""
    part = first = [*range(name_columns)]
    for column in range(name_columns, len(widths)):
        if len(part) > name_columns and _line_width([widths[index] for index in (*part, column)]) > width:
            yield part
            part = first
        part = [*part, column]
    yield part


def _line_width(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _align_cells(lines: Sequence[Sequence[str]], is_text: Sequence[bool]) -> Iterator[str]:
    """Yield each line as text, whose cells are as wide as those above and below."""
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = map(_pad_cell, line, widths, is_text)
        yield (" " * _GAP).join(cells).rstrip()


def _pad_cell(cell: str, width: int, is_text: bool) -> str:  # noqa: FBT001 - of a row of cells
    blanks = " " * (width - cell_len(cell))
    return cell + blanks if is_text else blanks + cell


def print_mapping(values: Mapping[str, Any], width: int) -> None:
    """Print names, padded to `width`, and values, one pair per line."""
    for name, value in values.items():
        print_line(f"{name:<{width}} {value}")
