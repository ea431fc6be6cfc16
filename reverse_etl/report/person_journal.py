"""Finds what the journal has of one person, also from before an identifier changed, and of nobody else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.config.journal import Pii
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import UNIQUE_IDENTIFIERS, IdentifierType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.report.text_owner import TextOwner
    from reverse_etl.state import State
    from reverse_etl.state.journal import JournalRow, JournalSearch


def find_person_rows(state: State, search: JournalSearch, owner: TextOwner) -> tuple[JournalRow, ...]:
    """Return the newest rows of the person of a search, who is the owner of its text.

    If no row of the models or of the state has an id of the owner, the newest row with the text does.
    """
    search = replace(
        search,
        own_ids={
            kind: [text for value in values for text in state.journal.kept_texts(kind, value)]
            for kind, values in owner.ids.items()
        },
        since=owner.since,
        follows=owner.is_one_person,
    )
    rows = state.journal.find(search)
    if owner.has_lost_id:  # nothing says whose the rows with an id are
        return tuple(replace(row, changes=_hide_values(row)) for row in rows)
    if not owner.has_id and (recorded := _find_recorded_owner(state, search, rows)) != search:
        rows = state.journal.find(recorded)
        search = recorded
    return tuple(
        replace(
            row,
            replaced_by=_find_replacement(state, row, rows),
            changes=_hide_former_values(row, search.since, owner),
        )
        for row in rows
    )


def _hide_former_values(row: JournalRow, since: str, owner: TextOwner) -> str:
    """Return the changes of a row, without the values before if these may be another person's.

    The row has another id since then, or it has no id, and is the first that has the owner's values.
    """
    changes = json.loads(row.changes)
    has_other_id = any(change["column"] in UNIQUE_IDENTIFIERS and change.get("before") for change in changes)
    takes_over = (
        since
        and not (row.external_id or row.klaviyo_profile_id)
        and (row.recorded_at <= owner.find_first_application(row.model, row.list_id, since))
    )
    if not (has_other_id or takes_over):
        return row.changes
    return json.dumps([{key: change[key] for key in change if key != "before"} for change in changes])


def _hide_values(row: JournalRow) -> str:
    """Return the changes of a row without the values before; of a row with an id, without any."""
    shown = {"column"} if row.external_id or row.klaviyo_profile_id else {"column", "after"}
    return json.dumps(
        [{key: change[key] for key in change if key in shown} for change in json.loads(row.changes)]
    )


def _find_recorded_owner(state: State, search: JournalSearch, rows: Sequence[JournalRow]) -> JournalSearch:
    """Return the search for the person that the newest row with an id names, and for nobody before."""
    newest = next((row for row in rows if any(_hashes(state, row).values())), None)
    if newest is None:
        return search
    own = {kind: text for kind, text in _hashes(state, newest).items() if text}
    others = [
        row.recorded_at
        for row in rows
        if any(text not in {None, own.get(kind, text)} for kind, text in _hashes(state, row).items())
    ]
    own_rows = (row for row in rows if any(text in own.values() for text in _hashes(state, row).values()))
    starts = (row.recorded_at for row in own_rows if row.recorded_at > max(others, default=""))
    texts = {
        kind: state.journal.kept_texts(kind, getattr(newest, kind)) if newest.pii == Pii.VALUES else (text,)
        for kind, text in own.items()
    }
    return replace(search, own_ids=texts, since=min(starts) if others else "")


def _hashes(state: State, row: JournalRow) -> Mapping[IdentifierType, str | None]:
    """Return the ids of a row as hashes, which rows of every `pii` can be compared by."""
    texts = {kind: getattr(row, kind) for kind in UNIQUE_IDENTIFIERS}
    return {
        kind: state.journal.kept_texts(kind, text)[-1] if text and row.pii == Pii.VALUES else text
        for kind, text in texts.items()
    }


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
