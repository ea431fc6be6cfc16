"""Status: where each list stands, from what the state remembers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reverse_etl.state import PastList, PastRun, SentModel, State


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
    last = _newest(state.run_lists())
    rejected: Counter[tuple[str, str]] = Counter()
    for rejection in state.rejections():
        rejected[rejection.model, rejection.list_id] += rejection.rows
    names = {known.id: known.name for known in state.lists()}
    lists = [one for sent in state.models().values() for one in _lists_of(state, sent, last, rejected, names)]
    return Status(
        state.owner.account, tuple(sorted(lists, key=lambda one: (one.list_name, one.model))), state.runs()
    )


def _newest(past: tuple[PastList, ...]) -> dict[tuple[str, str], PastList]:
    newest: dict[tuple[str, str], PastList] = {}
    for one in past:
        newest.setdefault((one.model, one.list_id), one)
    return newest


def _lists_of(
    state: State,
    sent: SentModel,
    last: dict[tuple[str, str], PastList],
    rejected: Counter[tuple[str, str]],
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
    rejected: Counter[tuple[str, str]],
    last: dict[tuple[str, str], PastList],
) -> ListStatus:
    newest = last.get((model, list_id))
    counts = newest.counts if newest else {}
    return ListStatus(
        model=model,
        list_id=list_id,
        list_name=names.get(list_id) or (newest.list_name if newest else ""),
        applied=applied.get(list_id, 0),
        rejected=rejected[model, list_id],
        held=counts.get("held", 0) + counts.get("held_back", 0),
        unsettled=unsettled.get(list_id, 0),
        last=newest,
    )
