"""Recover: settle what earlier runs left open, before anything is planned on top of it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reverse_etl.delivery.import_results import settle, wait_for_open_jobs
from reverse_etl.delivery.pending_rows import Deltas
from reverse_etl.domain.events import Recovering
from reverse_etl.domain.receipts import ReceiptState
from reverse_etl.errors import KlaviyoError
from reverse_etl.state import OpenReceipt, RunEnd

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.delivery.context import At


def recover(at: At) -> None:
    """Follow the jobs that earlier runs started to their end, and take over what they prove.

    Imports of which only Klaviyo knows (a run died before it kept their receipts) are waited for. May be
    repeated. Raises KlaviyoError while jobs have not ended.
    """
    open_receipts, dead = at.state.runs.open_receipts(), at.state.runs.dead()
    if not open_receipts and not dead:
        return
    at.tell(Recovering(len(dead), len(open_receipts)))
    by_model: dict[tuple[str, str], list[OpenReceipt]] = defaultdict(list)
    for entry in open_receipts:
        by_model[entry.run_id, entry.model].append(entry)
    for (run_id, model), entries in by_model.items():
        _settle(at, run_id, model, entries)
    if dead and not wait_for_open_jobs(at, min(dead.values()), _beating(at)):
        raise _not_ended()
    for run_id in sorted({*dead, *(run_id for run_id, _ in by_model)}):
        for name, sent in at.state.models().items():
            if (shape := at.state.kept_shape(sent)) is not None:
                at.state.advance(run_id, name, shape, sent.checksum)
    for run_id in dead:
        at.state.runs.end(run_id, RunEnd.RECOVERED)


def _settle(at: At, run_id: str, model: str, entries: list[OpenReceipt]) -> None:
    sent = at.state.models().get(model)
    shape = at.state.kept_shape(sent) if sent else None
    if shape is None:
        return
    receipts = [entry.receipt for entry in entries]
    since = min(entry.begun for entry in entries)
    rows_of = Deltas(at.warehouse, shape, run_id).sent_rows
    for result in settle(at, receipts, since, rows_of, _beating(at)):
        if result.receipt.state is ReceiptState.ACCEPTED:
            raise _not_ended()
        at.state.record(run_id, model, (result.receipt,), result.refusals)


def _not_ended() -> KlaviyoError:
    return KlaviyoError.of(
        "Import jobs of an earlier run have not ended at Klaviyo; nothing can be planned on top of them.",
        advice="Run again later. Nothing was sent.",
    )


def _beating(at: At) -> Callable[[int], None]:
    """Return what keeps the lease while jobs are waited for, which may take hours."""

    def beat(jobs: int) -> None:
        del jobs
        at.state.heartbeat()

    return beat
