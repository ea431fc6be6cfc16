"""Deliver: one model's plan, list by list.

Each list is settled before the next, so that a person has at most one unended import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.delivery.add_members import add
from reverse_etl.delivery.import_results import settle, wait_for_open_jobs
from reverse_etl.delivery.imports import submit
from reverse_etl.delivery.list_delivery import Delivery
from reverse_etl.delivery.outcomes import Outcome, Tally
from reverse_etl.delivery.pending_rows import Deltas
from reverse_etl.delivery.receipt_buffer import Recorder
from reverse_etl.delivery.remove_members import forget, remove
from reverse_etl.domain.events import ListDone, Settling
from reverse_etl.domain.receipts import Receipt, ReceiptState
from reverse_etl.errors import KlaviyoError
from reverse_etl.formatting import counted
from reverse_etl.surfaces.interface import Surface

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.delivery.context import At
    from reverse_etl.planning.plan import ListPlan, ModelPlan


def deliver(at: At, plan: ModelPlan, before: Sequence[Tally] = ()) -> tuple[Tally, ...]:
    """Send a model's deltas and take what was proved over into the snapshot.

    Returns a tally for each list of the plan.

    Upserts first; then removes, if nothing stopped the list and no import is left that could still put
    someone on it. `before` are the tallies of the models before: while an import of theirs has not ended,
    nothing is sent, since the same person may be in it.
    """
    at.warehouse.tag(model=plan.model.name)
    recorder = Recorder(at, plan.model.name)
    deltas = Deltas(at.warehouse, plan.shape, at.run_id)
    tallies: list[Tally] = []
    try:
        for one in plan.lists:
            tally = Tally()
            if any(earlier.unended for earlier in (*before, *tallies)):
                tally.pause(
                    "Imports of another list have not ended, and a person may have one at a time; "
                    "the next run goes on."
                )
            else:
                _deliver_list(Delivery(at, plan, one, deltas, recorder, tally))
            _count_unsent(one, tally)
            counts = {str(end): rows for end, rows in tally.counts.items()}
            at.tell(ListDone(plan.model.name, one.list.name, counts, tally.reason))
            tallies.append(tally)
    finally:
        recorder.flush()
    at.state.advance(at.run_id, plan.model.name, plan.shape, plan.model.checksum)
    return tuple(tallies)


def _deliver_list(to: Delivery) -> None:
    surface = to.plan.model.config.surface
    if to.one.upserts:
        if surface is Surface.LIST_MEMBERSHIPS_BY_PROFILE_ID:
            add(to)
        else:
            accepted, lost = submit(to)
            to.recorder.flush()
            _settle(to, accepted)
            if lost:
                _wait(to)
    if to.one.removes and not to.tally.stopped:
        to.recorder.flush()
        if surface is Surface.PROFILES:
            forget(to)
        else:
            remove(to)


def _settle(to: Delivery, accepted: Sequence[Receipt]) -> None:
    """Follow the imports to their end."""
    settled: set[int] = set()
    try:
        for result in settle(to.at, accepted, to.at.begun, to.deltas.sent_rows, _tell(to)):
            if result.receipt.state is ReceiptState.ACCEPTED:
                continue
            settled.add(result.receipt.first_seq)
            to.note((result.receipt,), result.refusals)
            if result.stop:
                to.tally.stop(result.stop)
    except KlaviyoError as error:
        to.tally.stop(str(error))
    left = [receipt for receipt in accepted if receipt.first_seq not in settled]
    if left:
        to.tally.add(Outcome.ACCEPTED, sum(receipt.rows for receipt in left))
        to.tally.pause(
            f"{counted(len(left), 'import job')} had not ended "
            f"after {counted(round(to.at.job_seconds / 60), 'minute')}; "
            "the next run settles what is left."
        )


def _wait(to: Delivery) -> None:
    """After a lost reply, wait for the imports that nobody here knows by name."""
    try:
        ended = wait_for_open_jobs(to.at, to.at.begun, _tell(to))
    except KlaviyoError as error:
        to.tally.open_jobs = True
        to.tally.stop(str(error))
        return
    if not ended:
        to.tally.open_jobs = True
        to.tally.pause("An import whose reply was lost may still be under way; the next run waits for it.")


def _tell(to: Delivery) -> Callable[[int], None]:
    def tell(jobs: int) -> None:
        to.at.state.heartbeat()  # jobs may take hours
        to.at.tell(Settling(to.plan.model.name, to.one.list.name, jobs))

    return tell


def _count_unsent(one: ListPlan, tally: Tally) -> None:
    """Count what a limit kept back, and what was planned and never drawn from the warehouse.

    So every planned row is in one count.
    """
    tally.add(Outcome.NOT_SENT, one.upserts + one.removes + one.deferred - sum(tally.counts.values()))
