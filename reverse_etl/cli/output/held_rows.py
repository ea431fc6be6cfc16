"""Held rows as a table, as CSV, or as a JSON document; docs/cli.md describes the columns and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.csv import print_record
from reverse_etl.domain.identifiers import (
    mask_person,
    row_key_text,
)
from reverse_etl.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reverse_etl.report.held_rows import HeldRow

_MAX_SHOWN: Final = 100  # rows of the table; a terminal is no place for more
_COLUMNS: Final = (
    "model",
    "list_id",
    "list",
    "row",
    "code",
    "omitted",
    "reason",
    "other_row",
    "shared",
    "advice",
    "since",
)


def show_held_rows(held_rows: Iterable[HeldRow], *, show_values: bool) -> None:
    """Print the first held rows as a table, how many more there are, and what to do about each kind."""
    cells: list[tuple[str, ...]] = []
    advice: dict[str, str] = {}
    others = 0
    for held in held_rows:
        advice[held.code] = held.advice
        if len(cells) == _MAX_SHOWN:
            others += 1
            continue
        label = held.list_name or "(no list)"
        why = _why_text(held, show_values=show_values)
        cells.append((label, held.model, _row_text(held, show_values=show_values), held.code, why))
    if not cells:
        show.print_line("No row is held.")
        return
    show.print_table(("list", "model", "row", "code", "why"), cells, text_columns=5)
    if not show_values and any("*" in cell for row in cells for cell in row[2::2]):
        show.print_line("To look up a masked row: add --show-values, then reverse-etl explain VALUE.")
    if others:
        more = format_count(others, "more row", "more rows")
        show.print_line(f"… and {more}. All of them: reverse-etl status --held --format csv")
    show.print_line("\nNext steps:")
    width = max(map(len, advice))
    for code, text in advice.items():
        show.print_line(f"  {code:<{width}}  {text}")


def print_held_csv(held_rows: Iterable[HeldRow], *, show_values: bool) -> None:
    """Print the held rows as CSV, one by one."""
    print_record(_COLUMNS)
    for held in held_rows:
        document = _held_document(held, show_values=show_values)
        print_record(document[name] or "" for name in _COLUMNS)


def held_rows_document(held_rows: Iterable[HeldRow], *, show_values: bool) -> dict[str, Any]:
    """Return the held rows as plain values."""
    return {"held": [_held_document(held, show_values=show_values) for held in held_rows]}


def _held_document(held: HeldRow, *, show_values: bool) -> dict[str, str | None]:
    other = held.other
    return {
        "model": held.model,
        "list_id": held.list_id,
        "list": held.list_name,
        "row": _row_text(held, show_values=show_values),
        "code": held.code,
        "omitted": held.omitted or None,
        "reason": held.reason,
        "other_row": other.describe(show_values=show_values) if other else None,
        "shared": other.shared.value if other else None,
        "advice": held.advice,
        "since": held.since or None,
    }


def _row_text(held: HeldRow, *, show_values: bool) -> str:
    return row_key_text(held.identity) if show_values else mask_person(held.identity, held.identifiers)


def _why_text(held: HeldRow, *, show_values: bool) -> str:
    since = f" (since {held.since[:16].replace('T', ' ')} UTC)" if held.since else ""
    return f"{held.describe(show_values=show_values)}{since}"
