"""Finds what the journal has of one person, also from before an identifier changed, and of nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reverse_etl.config.journal import Pii
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.report.explanation import ListExplanation
    from reverse_etl.state import State
    from reverse_etl.state.journal import JournalRow, JournalSearch

# They do not pass from one person to another, as an e-mail or a phone may.
_OWN_IDS: Final = (IdentifierType.EXTERNAL_ID, IdentifierType.PROFILE_ID)


def find_person_rows(
    state: State, search: JournalSearch, lists: Sequence[ListExplanation]
) -> tuple[JournalRow, ...]:
    """Return the newest rows of the person of a search.

    `lists` are those on which the models or the state know the person.
    If nothing else knows the person, the id of the rows with the text does, if they have only one.
    """
    search = replace(search, own_ids=_find_own_ids(state, lists))
    rows = state.journal.find(search)
    if not lists and (own_ids := _find_recorded_ids(state, rows)):
        rows = state.journal.find(replace(search, own_ids=own_ids))
    return tuple(replace(row, replaced_by=_find_replacement(state, row, rows)) for row in rows)


def _find_own_ids(state: State, lists: Sequence[ListExplanation]) -> Mapping[IdentifierType, Sequence[str]]:
    """Return the ids that all rows agree on; none if they disagree on one, as several people share the text.

    The models' rows decide before those that were sent, which an address's earlier owner may have left.
    """
    known = [row.identifiers for found in lists for row in found.rows]
    known = known or [row.identifiers for found in lists for row in found.sent]
    own_ids: dict[IdentifierType, Sequence[str]] = {}
    for kind in _OWN_IDS:
        values = {identifiers[kind.value] for identifiers in known if kind.value in identifiers}
        if len(values) > 1:
            return {}
        for value in values:
            own_ids[kind] = state.journal.kept_texts(kind, value)
    return own_ids


def _find_recorded_ids(state: State, rows: Sequence[JournalRow]) -> Mapping[IdentifierType, Sequence[str]]:
    """Return the ids that all rows of the journal agree on; none if they disagree on one."""
    own_ids: dict[IdentifierType, Sequence[str]] = {}
    for kind in _OWN_IDS:
        texts = {(row.pii, text) for row in rows if (text := getattr(row, kind.value))}
        kept = {state.journal.kept_texts(kind, text) if pii == Pii.VALUES else (text,) for pii, text in texts}
        if len({options[-1] for options in kept}) > 1:  # the last one is the hash
            return {}
        if kept:
            own_ids[kind] = max(kept, key=len)
    return own_ids


def _find_replacement(state: State, replaced: JournalRow, rows: Sequence[JournalRow]) -> str:
    """Return the identity of the row that took the place of a replaced one, '' if that is not known.

    It is the only one of the person that the same run applied to the same list.
    """
    if replaced.outcome != Outcome.REPLACED:
        return ""
    where = (replaced.run_id, replaced.model, replaced.list_id)
    applied = [
        row
        for row in rows
        if (row.run_id, row.model, row.list_id) == where
        and row.op != Op.REMOVE
        and row.outcome == Outcome.APPLIED
    ]
    if len(applied) != 1:
        return ""
    (row,) = applied
    if row.pii == Pii.VALUES:
        return row.identity
    record = state.models.records().get(row.model)
    tables = state.models.load_tables(record) if record else None
    return state.journal.find_identity(tables, row.identity) if tables else ""
