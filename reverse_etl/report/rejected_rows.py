"""The rejected rows of each list, one by one, from the state only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import mask_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from contextlib import AbstractContextManager

    from reverse_etl.domain.rejections import RejectedRow
    from reverse_etl.state import State


@dataclass(frozen=True)
class ListedRejection:
    """A rejected row with the name of its list, and when the run began that rejected it first.

    `list_name` is '' for a surface without lists; `since` is '' if that run is not on record any more.
    E-mails and phones in the reason's detail are masked.
    """

    row: RejectedRow
    list_name: str
    since: str


def load_rejected_rows(
    open_state: Callable[[], AbstractContextManager[State]], models: Collection[str] | None
) -> Iterator[ListedRejection]:
    """Yield the rejected rows, of all models or of some, by model, list and row, in bounded memory."""
    with open_state() as state:
        names = {registered.id: registered.name for registered in state.lists.registered() if registered.id}
        starts = {run.run_id: run.started_at for run in state.runs.history()}
        for row in state.rejections.rows(models):
            reason = replace(row.reason, detail=mask_text(row.reason.detail))
            yield ListedRejection(
                replace(row, reason=reason), names.get(row.list_id, ""), starts.get(row.first_run_id, "")
            )
