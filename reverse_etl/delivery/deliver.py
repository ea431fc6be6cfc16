"""Deliver: one model's plan, list by list.

Each list is settled before the next, so that a person has at most one unended import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.delivery.add import add
from reverse_etl.delivery.at import At, Recorder
from reverse_etl.delivery.remove import forget, remove
from reverse_etl.delivery.settle import ReadRows, SentRow, settle, wait_for_open_jobs
from reverse_etl.delivery.submit import count, submit
from reverse_etl.delivery.tally import Outcome, Tally
from reverse_etl.errors import KlaviyoError
from reverse_etl.events import ListDone, Settling
from reverse_etl.identifiers import IdentifierType
from reverse_etl.phrases import counted
from reverse_etl.receipts import Receipt, ReceiptState
from reverse_etl.sql import takeover
from reverse_etl.surfaces import Surface

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.plan import ListPlan, ModelPlan
    from reverse_etl.sql.shape import Shape


def deliver(at: At, plan: ModelPlan, before: Sequence[Tally] = ()) -> tuple[Tally, ...]:
    """Send a model's deltas and take what was proved over into the snapshot.

    Returns a tally for each list of the plan.

    Upserts first; then removes, if nothing stopped the list and no import is left that could still put
    someone on it. `before` are the tallies of the models before: while an import of theirs has not ended,
    nothing is sent, since the same person may be in it.
    """
    at.warehouse.tag(model=plan.model.name)
    recorder = Recorder(at, plan.model.name)
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
                _deliver_list(at, plan, one, recorder, tally)
            _count_unsent(one, tally)
            at.tell(
                ListDone(
                    plan.model.name,
                    one.list.name,
                    {str(end): rows for end, rows in tally.counts.items()},
                    tally.reason,
                )
            )
            tallies.append(tally)
    finally:
        recorder.flush()
    at.state.advance(at.run_id, plan.model.name, plan.shape, plan.model.checksum)
    at.state.forget_unsent(at.run_id, plan.model.name, plan.shape)
    return tuple(tallies)


def rows_of(at: At, shape: Shape, run_id: str) -> ReadRows:
    """Return what reads the deltas of a receipt's range."""

    def read(receipt: Receipt) -> list[SentRow]:
        statement = takeover.delta_rows(
            at.warehouse.dialect, shape, run_id, receipt.first_seq, receipt.last_seq
        )
        return [
            SentRow(seq, dict(zip(IdentifierType, values, strict=True)))
            for seq, *values in at.warehouse.fetch(statement)
        ]

    return read


def _deliver_list(at: At, plan: ModelPlan, one: ListPlan, recorder: Recorder, tally: Tally) -> None:
    if one.upserts:
        if plan.model.config.surface is Surface.LIST_MEMBERSHIPS_BY_PROFILE_ID:
            add(at, plan, one, recorder, tally)
        else:
            accepted, lost = submit(at, plan, one, recorder, tally)
            recorder.flush()
            _settle(at, plan, one, accepted, recorder, tally)
            if lost:
                _wait(at, plan, one, tally)
    if one.removes and not tally.stopped:
        recorder.flush()
        if plan.model.config.surface is Surface.PROFILES:
            forget(at, plan, one, recorder, tally)
        else:
            remove(at, plan, one, recorder, tally)


def _settle(  # noqa: PLR0913, PLR0917 - what it is made of, each from its own place
    at: At, plan: ModelPlan, one: ListPlan, accepted: Sequence[Receipt], recorder: Recorder, tally: Tally
) -> None:
    settled: set[int] = set()
    read = rows_of(at, plan.shape, at.run_id)
    tell = _tell(at, plan, one)
    try:
        for result in settle(at.klaviyo, at.clock, accepted, at.begun, read, at.job_seconds, tell):
            if result.receipt.state is ReceiptState.ACCEPTED:
                continue
            settled.add(result.receipt.first_seq)
            recorder.add((result.receipt,), result.refusals)
            count(tally, (result.receipt,), result.refusals)
            if result.stop:
                tally.stop(result.stop)
    except KlaviyoError as error:
        tally.stop(str(error))
    left = [receipt for receipt in accepted if receipt.first_seq not in settled]
    if left:
        tally.add(Outcome.ACCEPTED, sum(receipt.rows for receipt in left))
        tally.pause(
            f"{counted(len(left), 'import job')} had not ended "
            f"after {counted(round(at.job_seconds / 60), 'minute')}; "
            "the next run settles what is left."
        )


def _wait(at: At, plan: ModelPlan, one: ListPlan, tally: Tally) -> None:
    """After a lost reply, wait for the imports that nobody here knows by name."""
    try:
        ended = wait_for_open_jobs(at.klaviyo, at.clock, at.begun, at.job_seconds, _tell(at, plan, one))
    except KlaviyoError as error:
        tally.open_jobs = True
        tally.stop(str(error))
        return
    if not ended:
        tally.open_jobs = True
        tally.pause("An import whose reply was lost may still be under way; the next run waits for it.")


def _tell(at: At, plan: ModelPlan, one: ListPlan) -> Callable[[int], None]:
    def tell(jobs: int) -> None:
        at.state.heartbeat()  # jobs may take hours
        at.tell(Settling(plan.model.name, one.list.name, jobs))

    return tell


def _count_unsent(one: ListPlan, tally: Tally) -> None:
    """Count what a limit kept back, and what was planned and never drawn from the warehouse.

    So every planned row is in one count.
    """
    tally.add(Outcome.NOT_SENT, one.upserts + one.removes + one.deferred - sum(tally.counts.values()))
