"""Status: where each list stands, from what the state remembers."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.state import PastList, PastRun, Rejection, SentModel, State

_EMAIL = re.compile(r"\S+@\S+")


@dataclass(frozen=True)
class Reason:
    """Why rows of a list are rejected: a check's code, or Klaviyo's with its field; the commonest detail."""

    source: str
    code: str
    field: str
    detail: str
    rows: int


@dataclass(frozen=True)
class ListStatus:
    """One list of one model.

    `applied` rows are in the snapshot; `unsettled` rows may or may not be at Klaviyo.

    `held` removals were not made in the last run that touched the list, whose counts and reason are in
    `last`.
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


@dataclass(frozen=True)
class Status:
    """All lists that the project ever sent to, by name, and its runs, newest first.

    `account` is '' before the first run.
    """

    account: str
    lists: tuple[ListStatus, ...]
    runs: tuple[PastRun, ...]


def status(state: State) -> Status:
    """Return where each list stands. Reads the state only."""
    last = _newest(state.runs.past_lists())
    rejected: dict[tuple[str, str], list[Rejection]] = defaultdict(list)
    for rejection in state.rejections.standing():
        rejected[rejection.model, rejection.list_id].append(rejection)
    names = {known.id: known.name for known in state.lists.known()}
    lists = [one for sent in state.models().values() for one in _lists_of(state, sent, last, rejected, names)]
    return Status(
        state.owner.account,
        tuple(sorted(lists, key=lambda one: (one.list_name, one.model))),
        state.runs.past(),
    )


def reasons(rejections: Sequence[Rejection]) -> tuple[Reason, ...]:
    """Return why rows are rejected, the commonest reason first. An e-mail in a detail is left out."""
    by_reason: dict[tuple[str, str, str], list[Rejection]] = defaultdict(list)
    for one in rejections:
        by_reason[one.source, one.code, one.field].append(one)
    found = [
        Reason(*key, _EMAIL.sub("...", Counter(one.detail for one in many).most_common(1)[0][0]), rows)
        for key, many in by_reason.items()
        if (rows := sum(one.rows for one in many))
    ]
    return tuple(sorted(found, key=lambda reason: (-reason.rows, reason.source, reason.code, reason.field)))


def _newest(past: tuple[PastList, ...]) -> dict[tuple[str, str], PastList]:
    newest: dict[tuple[str, str], PastList] = {}
    for one in past:
        newest.setdefault((one.model, one.list_id), one)
    return newest


def _lists_of(
    state: State,
    sent: SentModel,
    last: dict[tuple[str, str], PastList],
    rejected: dict[tuple[str, str], list[Rejection]],
    names: dict[str, str],
) -> list[ListStatus]:
    applied, unsettled = state.rows_by_list(sent.table_key)
    ids = (
        {list_id for model, list_id in (*last, *rejected) if model == sent.name}
        | applied.keys()
        | unsettled.keys()
    )
    return [_status(sent.name, list_id, names, applied, unsettled, rejected, last) for list_id in sorted(ids)]


def _status(  # noqa: PLR0913, PLR0917 - what is known of a list, each from its own table
    model: str,
    list_id: str,
    names: dict[str, str],
    applied: dict[str, int],
    unsettled: dict[str, int],
    rejected: dict[tuple[str, str], list[Rejection]],
    last: dict[tuple[str, str], PastList],
) -> ListStatus:
    newest = last.get((model, list_id))
    counts = newest.counts if newest else {}
    return ListStatus(
        model=model,
        list_id=list_id,
        list_name=names.get(list_id) or (newest.list_name if newest else ""),
        applied=applied.get(list_id, 0),
        rejected=sum(one.rows for one in rejected[model, list_id]),
        held=counts.get("held", 0) + counts.get("held_back", 0),
        unsettled=unsettled.get(list_id, 0),
        last=newest,
        reasons=reasons(rejected[model, list_id]),
    )
