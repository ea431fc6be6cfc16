"""Tell rows that are refused for an identifier of another profile from rows that are bad.

Klaviyo may refuse a row whose identifiers belong to two profiles. Such a row is not rejected: it is sent once
more without the secondary identifier, and so by later runs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.progress import Warned
from reverse_etl.domain.receipts import RowExceptionKind
from reverse_etl.formatting import format_count
from reverse_etl.klaviyo.profiles import FIELD_BY_IDENTIFIER_TYPE
from reverse_etl.state.omissions import Omission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.delivery.pending_rows import PendingRows
    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.domain.receipts import RowException
    from reverse_etl.warehouse.model_tables import ModelTables

DUPLICATE_CODE: Final = "duplicate"  # a part of Klaviyo's code, which is duplicate_profile today


def note_refused_identifiers(
    delivery: ListDelivery, row_exceptions: Sequence[RowException]
) -> tuple[RowException, ...]:
    """Return the row exceptions like `find_omissions`, and keep the omissions for later."""
    changed, omissions = find_omissions(delivery.pending_rows, row_exceptions)
    delivery.omissions.extend(omissions)
    return changed


def find_omissions(
    pending_rows: PendingRows, row_exceptions: Sequence[RowException]
) -> tuple[tuple[RowException, ...], list[Omission]]:
    """Return the row exceptions, those for an identifier of another profile as unknown, and the omissions.

    Record the exceptions first, then the omissions with `record_omissions`: without its identifier a row is
    not recognized in an error that names it.
    """
    refused = [
        exception
        for exception in row_exceptions
        if exception.kind is RowExceptionKind.REJECTED and DUPLICATE_CODE in exception.code.lower()
    ]
    if not refused:
        return (*row_exceptions,), []
    seqs = [exception.seq for exception in refused]
    identifiers = {row.seq: row.identifiers for row in pending_rows.read_identifiers(min(seqs), max(seqs))}
    omissions = [
        Omission(exception.seq, kind, exception.code)
        for exception in refused
        for kind in _find_refused_kinds(
            pending_rows.tables, identifiers.get(exception.seq, {}), exception.field
        )
    ]
    omitted_seqs = {omission.seq for omission in omissions}
    changed = tuple(
        replace(exception, kind=RowExceptionKind.UNKNOWN) if exception.seq in omitted_seqs else exception
        for exception in row_exceptions
    )
    return changed, omissions


def record_omissions(
    context: DeliveryContext, pending_rows: PendingRows, model: str, omissions: Sequence[Omission]
) -> None:
    """Record which identifier each row is sent without from now on, and report it."""
    if not omissions:
        return
    context.state.omissions.record(pending_rows.run_id, model, pending_rows.tables, omissions)
    seqs = {omission.seq for omission in omissions}
    are = "is" if len(seqs) == 1 else "are"
    context.on_progress(
        Warned(
            f"{model}: {format_count(len(seqs), 'row')} {are} sent from now on without an identifier that "
            "another profile has. To see them: reverse-etl status"
        )
    )


def _find_refused_kinds(
    tables: ModelTables, identifiers: Mapping[IdentifierType, str | None], field: str
) -> list[IdentifierType]:
    """Return the secondary identifier that an error names; all of the row if it names none of them."""
    present = [kind for kind in tables.identifiers if identifiers.get(kind) is not None]
    secondary = [kind for kind in present[1:] if kind in tables.secondary_identifiers]
    named = [kind for kind in secondary if FIELD_BY_IDENTIFIER_TYPE[kind] == field]
    return named or secondary
