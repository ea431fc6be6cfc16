"""CSV on stdout, whose cells a spreadsheet shows as text."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

import click

from reverse_etl.formatting import escape_unsafe

if TYPE_CHECKING:
    from collections.abc import Iterable

_FORMULA_STARTS: Final = ("=", "+", "-", "@")  # a spreadsheet would run such a cell


def print_record(cells: Iterable[str]) -> None:
    """Print one record. A cell that a spreadsheet would run gets an apostrophe in front."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([_inert_text(escape_unsafe(cell)) for cell in cells])
    click.echo(line.getvalue())


def _inert_text(cell: str) -> str:
    is_phone = cell.removeprefix("+").replace("*", "").isdigit()  # as in data, or masked
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) and not is_phone else cell
