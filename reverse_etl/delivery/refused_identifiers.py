"""Tell rows that are refused for an identifier of another profile from rows that are bad.

Klaviyo may refuse a row whose identifiers belong to two profiles. Such a row is not rejected: from the next
run on it is sent without the secondary identifier.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.events import Warned
from reverse_etl.domain.receipts import RowExceptionKind
from reverse_etl.formatting import format_count
from reverse_etl.klaviyo.profiles import FIELD_BY_IDENTIFIER_TYPE
from reverse_etl.state.omissions import Omission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.delivery.pending_rows import PendingRows
    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.domain.receipts import RowException
    from reverse_etl.warehouse.model_tables import ModelTables

DUPLICATE_CODE: Final = "duplicate"  # a part of Klaviyo's code, which is duplicate_profile today


def omit_refused_identifiers(
    context: DeliveryContext, pending_rows: PendingRows, model: str, row_exceptions: Sequence[RowException]
) -> tuple[RowException, ...]:
    """Return the row exceptions; those for an identifier of another profile as unknown, not as rejected.

    Records which identifier each such row is sent without from now on.
    """
    refused = [
        row_exception
        for row_exception in row_exceptions
        if row_exception.kind is RowExceptionKind.REJECTED and DUPLICATE_CODE in row_exception.code.lower()
    ]
    if not refused:
        return (*row_exceptions,)
    seqs = [row_exception.seq for row_exception in refused]
    identifiers = {row.seq: row.identifiers for row in pending_rows.read_identifiers(min(seqs), max(seqs))}
    omissions = [
        Omission(row_exception.seq, kind, row_exception.code)
        for row_exception in refused
        for kind in _find_refused_kinds(
            pending_rows.tables, identifiers.get(row_exception.seq, {}), row_exception.field
        )
    ]
    omitted_seqs = {omission.seq for omission in omissions}
    if omissions:
        context.state.omissions.record(pending_rows.run_id, model, pending_rows.tables, omissions)
        rows = format_count(len(omitted_seqs), "row")
        context.on_event(
            Warned(
                f"{model}: {rows} refused, since another profile has one of their identifiers. "
                "From the next run on they are sent without it. To see them: reverse-etl status"
            )
        )
    return tuple(
        replace(row_exception, kind=RowExceptionKind.UNKNOWN)
        if row_exception.seq in omitted_seqs
        else row_exception
        for row_exception in row_exceptions
    )


def _find_refused_kinds(
    tables: ModelTables, identifiers: Mapping[IdentifierType, str | None], field: str
) -> list[IdentifierType]:
    """Return the secondary identifier that an error names; all of the row if it names none of them."""
    present = [kind for kind in tables.identifiers if identifiers.get(kind) is not None]
    secondary = [kind for kind in present[1:] if kind in tables.secondary_identifiers]
    named = [kind for kind in secondary if FIELD_BY_IDENTIFIER_TYPE[kind] == field]
    return named or secondary
