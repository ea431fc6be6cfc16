"""Rejected rows as a table, as CSV, or as a JSON document; docs/cli.md describes the columns and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.csv import print_record
from reverse_etl.domain.identifiers import mask_identity, row_key_text
from reverse_etl.formatting import format_count
from reverse_etl.report.document import reason_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reverse_etl.report.rejected_rows import ListedRejection

_MAX_SHOWN: Final = 100  # rows of the table; a terminal is no place for more
_NO_IDENTIFIER: Final = "(no identifier)"
_COLUMNS: Final = ("model", "list_id", "list", "row", "rows", "source", "code", "field", "reason", "since")


def show_rejected_rows(rejections: Iterable[ListedRejection], *, show_values: bool) -> None:
    """Print the first rejected rows as a table, and how many more there are."""
    cells: list[tuple[str | int, ...]] = []
    others = 0
    for rejection in rejections:
        if len(cells) == _MAX_SHOWN:
            others += 1
            continue
        row = rejection.row
        label = rejection.list_name or "(no list)"
        reason = row.reason.describe()
        since = rejection.since[:16].replace("T", " ")
        cells.append(
            (label, row.model, _row_text(rejection, show_values=show_values), reason, since, row.rows)
        )
    if not cells:
        show.print_line("No row is rejected.")
        return
    show.print_table(("list", "model", "row", "reason", "since (UTC)", "rows"), cells, text_columns=5)
    if not show_values and (notes := _mask_notes(cells)):
        show.print_line(" ".join(notes))
    if others:
        more = format_count(others, "more row", "more rows")
        show.print_line(f"… and {more}. All of them: reverse-etl status --rejected --format csv")


def _mask_notes(cells: Sequence[tuple[str | int, ...]]) -> list[str]:
    """Return that lines with the same mask are different rows, and how to look up a masked row."""
    look_alike = len({cell[:4] for cell in cells}) < len(cells)
    is_masked = any("*" in str(cell[2]) for cell in cells)
    return [
        *(
            ["Lines that look alike are different rows; --show-values shows their values."]
            if look_alike
            else []
        ),
        *(
            ["To look up a masked row: add --show-values, then reverse-etl explain VALUE."]
            if is_masked
            else []
        ),
    ]


def print_rejected_csv(rejections: Iterable[ListedRejection], *, show_values: bool) -> None:
    """Print the rejected rows as CSV, one by one."""
    print_record(_COLUMNS)
    for rejection in rejections:
        reason = rejection.row.reason
        print_record(
            (
                rejection.row.model,
                rejection.row.list_id,
                rejection.list_name,
                _row_text(rejection, show_values=show_values),
                str(rejection.row.rows),
                reason.source.value,
                reason.code,
                reason.field,
                reason.describe(),
                rejection.since,
            )
        )


def rejected_rows_document(rejections: Iterable[ListedRejection], *, show_values: bool) -> dict[str, Any]:
    """Return the rejected rows as plain values."""
    return {
        "rejected": [
            {
                "model": rejection.row.model,
                "list_id": rejection.row.list_id,
                "list": rejection.list_name,
                "row": _identity_text(rejection, show_values=show_values),
                "rows": rejection.row.rows,
                **reason_document(rejection.row.reason),
                "since": rejection.since or None,
            }
            for rejection in rejections
        ]
    }


def _identity_text(rejection: ListedRejection, *, show_values: bool) -> str | None:
    identity = rejection.row.identity
    if identity is None:
        return None
    return row_key_text(identity) if show_values else mask_identity(identity)


def _row_text(rejection: ListedRejection, *, show_values: bool) -> str:
    return _identity_text(rejection, show_values=show_values) or _NO_IDENTIFIER
