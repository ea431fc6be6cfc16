"""Status: where each list stands, from what the state remembers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import masked
from reverse_etl.planning.orphans import Orphan, perhaps_renamed
from reverse_etl.report.counts import HELD, sum_counts
from reverse_etl.state.runs import driven_last

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reverse_etl.state import PastList, PastRun, Rejection, SentModel, State


@dataclass(frozen=True)
class Reason:
    """Why rows of a list are rejected: a check's code, or Klaviyo's with its field; the commonest detail.

    `example` is the identity of one of them, if any has one.
    """

    source: str
    code: str
    field: str
    detail: str
    rows: int
    example: str | None


@dataclass(frozen=True)
class ListStatus:
    """One list of one model.

    `applied` rows are in the snapshot; `unsettled` rows may or may not be at Klaviyo.

    `held` removals were not made in the last run that touched the list, whose counts and reason are in
    `last`. `note` says that the model drives the list no more, and what to do; '' where it does.
    """

    model: str
    list_id: str
    list_name: str
    applied: int
    rejected: int
    held: int
    unsettled: int
    last: PastList | None
    reasons: tuple[Reason, ...]
    note: str = ""


@dataclass(frozen=True)
class Status:
    """All lists that the project ever sent to, by name, and its runs, newest first.

    `account` is '' before the first run. `refused` says why a guard kept the newest run from writing; nothing
    where none did. `notes` are for people.
    """

    account: str
    lists: tuple[ListStatus, ...]
    runs: tuple[PastRun, ...]
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def status(state: State, models: Collection[str]) -> Status:
    """Return where each list stands. Reads the state only; `models` are those that the project has now."""
    said, runs = _said(state), state.runs.past()
    lists = [
        replace(one, note=_note(one, models, said))
        for sent in state.models().values()
        for one in _lists_of(state, sent, said)
    ]
    return Status(
        state.owner.account,
        tuple(sorted(lists, key=lambda one: (one.list_name, one.model))),
        runs,
        state.runs.refusal(runs[0].run_id) if runs else (),
        perhaps_renamed(state),
    )


def _note(one: ListStatus, models: Collection[str], said: _Said) -> str:
    gone = one.model not in models
    rows = max(one.applied, one.unsettled)
    if not (one.list_id and rows) or (not gone and one.list_id in said.driven.get(one.model, ())):
        return ""
    owners = {list_id: model for model, ids in said.driven.items() if model in models for list_id in ids}
    owner = owners.get(one.list_id, "")
    return Orphan(one.model, one.list_id, one.list_name, rows, gone, owner).told()


def reasons(rejections: Sequence[Rejection]) -> tuple[Reason, ...]:
    """Return why rows are rejected, the commonest reason first. E-mails and phones in a detail are masked."""
    found = [
        Reason(one.source, one.code, one.field, masked(one.detail), one.rows, one.example)
        for one in rejections
        if one.rows
    ]
    return tuple(sorted(found, key=lambda reason: (-reason.rows, reason.source, reason.code, reason.field)))


@dataclass(frozen=True)
class _Said:
    """What the tables that all models share say of lists.

    Rejections and the last run by model and list id; the lists that each model drove in its last run.
    """

    names: Mapping[str, str]
    rejected: Mapping[tuple[str, str], Sequence[Rejection]]
    last: Mapping[tuple[str, str], PastList]
    driven: Mapping[str, frozenset[str]]


def _said(state: State) -> _Said:
    rejected: dict[tuple[str, str], list[Rejection]] = defaultdict(list)
    for one in state.rejections.standing():
        rejected[one.model, one.list_id].append(one)
    last: dict[tuple[str, str], PastList] = {}
    past = state.runs.past_lists()
    for each in past:
        last.setdefault((each.model, each.list_id), each)
    names = {known.id: known.name for known in state.lists.known()}
    return _Said(names, rejected, last, driven_last(past))


def _lists_of(state: State, sent: SentModel, said: _Said) -> list[ListStatus]:
    applied, unsettled = state.rows_by_list(sent.table_key)
    mentioned = {list_id for model, list_id in (*said.last, *said.rejected) if model == sent.name}
    return [
        _status(sent.name, list_id, said, applied.get(list_id, 0), unsettled.get(list_id, 0))
        for list_id in sorted(mentioned | applied.keys() | unsettled.keys())
    ]


def _status(model: str, list_id: str, said: _Said, applied: int, unsettled: int) -> ListStatus:
    newest = said.last.get((model, list_id))
    rejected = said.rejected.get((model, list_id), ())
    return ListStatus(
        model=model,
        list_id=list_id,
        list_name=said.names.get(list_id) or (newest.list_name if newest else ""),
        applied=applied,
        rejected=sum(one.rows for one in rejected),
        held=sum_counts(newest.counts, HELD) if newest else 0,
        unsettled=unsettled,
        last=newest,
        reasons=reasons(rejected),
    )
