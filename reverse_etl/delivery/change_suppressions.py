"""Suppress the e-mails of a model's rows, or lift its suppressions, and read back what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.read_back import READ_BACK_SECONDS, wait_until_shown
from reverse_etl.delivery.suppression_group import (
    EmailResult,
    EmailRow,
    GroupResult,
    GroupSender,
    Rule,
    SuppressRule,
    UnsuppressRule,
    may_be_own,
    suppression_time,
)
from reverse_etl.domain.batched import batched
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import split_identity
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.errors import KlaviyoError
from reverse_etl.state.own_suppressions import OwnSuppression
from reverse_etl.state.people import find_suppressing_models
from reverse_etl.state.tables import ROWS_PER_STATEMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.surfaces.operations import ChangeSuppressions

_READ_REMOVES: Final = 1_000  # at a time, with what the state knows of their suppressions
_MAX_OPEN: Final = 100_000  # rows that wait for a read-back; more are read back in between
_MAX_JOBS_SHOWN: Final = 5
_OPEN: Final = frozenset({Outcome.UNVERIFIED, Outcome.UNKNOWN})
_STATES: Final = {
    Outcome.UNVERIFIED: ReceiptState.UNKNOWN,
    Outcome.UNKNOWN: ReceiptState.UNKNOWN,
    Outcome.NO_PROFILE: ReceiptState.UNKNOWN,
    Outcome.NOT_SENT: ReceiptState.NOT_SENT,
}
_DETAILS: Final = {Outcome.NO_PROFILE: "No profile has this e-mail. The next run looks again."}


def change_suppressions(delivery: ListDelivery, operation: ChangeSuppressions) -> None:
    """Suppress a model's new rows, or free its leaving ones.

    A failed request stops the model; its counter holds the reason. A row counts as applied or removed once a
    read shows it. One that no read shows yet is unverified and blocks nothing: the next run reads it again.
    """
    change = _Change(delivery, operation)
    groups = change.read_removes() if operation.lifts else change.read_upserts()
    for rule, result in map_concurrently(delivery.context, change.send_group, groups):
        change.take(rule, result)
    change.read_back()


@dataclass
class _Change:
    """The change of one model's suppressions.

    `open_spans` are the rows, each with its rule, that wait for a read-back; the rows of a span share a
    receipt. `patient` is whether it is worth waiting: it is not, once rows did not show in time.
    """

    delivery: ListDelivery
    operation: ChangeSuppressions
    sender: GroupSender = field(init=False)
    pending: dict[str, OwnSuppression] = field(default_factory=dict)
    open_spans: list[tuple[Rule, list[EmailResult]]] = field(default_factory=list)
    own_entries: list[OwnSuppression] = field(default_factory=list)
    patient: bool = True
    done: int = 0

    def __post_init__(self) -> None:
        context = self.delivery.context
        self.sender = GroupSender(context.klaviyo, self.operation, self.delivery.refusals)

    def send_group(self, group: tuple[Rule, Sequence[EmailRow]]) -> tuple[Rule, GroupResult]:
        """Read and send one group; in a thread of its own."""
        rule, rows = group
        return rule, self.sender.send(rows, rule)

    def read_upserts(self) -> Iterator[tuple[Rule, Sequence[EmailRow]]]:
        """Yield the rows to suppress, until the model stops."""
        self.pending = self.delivery.context.state.own_suppressions.find_pending(self.delivery.model_name)
        rule, list_id = SuppressRule(), self.delivery.list_id
        for rows in self.delivery.pending_rows.read_upserts(list_id, self.operation.max_rows):
            if self.delivery.counter.stopped:
                return
            yield rule, [EmailRow(seq, f"email:{email}", email) for seq, email, *_ in rows]

    def read_removes(self) -> Iterator[tuple[Rule, Sequence[EmailRow]]]:
        """Yield the rows to free, until the model stops, with what the state knows of them."""
        state, list_id = self.delivery.context.state, self.delivery.list_id
        for rows in self.delivery.pending_rows.read_removes(list_id, _READ_REMOVES):
            if self.delivery.counter.stopped:
                return
            state.renew_lease_or_raise()  # a run that lost the lease must not free anybody
            email_rows = [EmailRow(seq, identity, split_identity(identity)[1]) for seq, identity, *_ in rows]
            identities = [row.identity for row in email_rows]
            rule = UnsuppressRule(
                state.own_suppressions.find(self.delivery.model_name, identities),
                find_suppressing_models(state, identities, except_model=self.delivery.model_name),
            )
            for part in batched(email_rows, self.operation.max_rows):
                yield rule, part

    def take(self, rule: Rule, group: GroupResult) -> None:
        """Record what came of a group; rows that were sent wait for a read-back."""
        if group.stop_reason:
            self.delivery.counter.fail(group.stop_reason)
        self._record_own(
            OwnSuppression(r.row.identity, r.asked_at) for r in group.results if _was_sent(r) and r.asked_at
        )
        self._settle_pending(group.results)
        self._release(rule, group.results)
        self._record_refused(group.results)
        for outcome, rows in _split_spans(group.results):
            self.delivery.receipt_buffer.add((self._receipt(rows),))
            if outcome in _OPEN:
                self.open_spans.append((rule, rows))
            else:
                self._count(rows)
        if sum(len(rows) for _, rows in self.open_spans) >= _MAX_OPEN:
            self.read_back()

    def read_back(self) -> None:
        """Read the open rows until they show what was asked for, or the time is over; then record them."""
        self._flush_own()
        if not self.open_spans:
            return
        self.delivery.receipt_buffer.flush()
        schedule = READ_BACK_SECONDS if self.patient else READ_BACK_SECONDS[:1]
        try:
            self.patient &= wait_until_shown(self.delivery.context, self._read_open, schedule)
        except KlaviyoError as error:
            self.delivery.counter.fail(str(error))
        statuses = self._read_job_statuses()
        for rule, rows in self.open_spans:
            for outcome, span in _split_spans(rows):
                receipt = self._receipt(span)
                detail = _describe_open(span[0], statuses) if outcome in _OPEN else ""
                self.delivery.receipt_buffer.add((replace(receipt, detail=detail),))
                self._count(span)
            self._release(rule, rows)
        self.open_spans = []

    def _read_open(self) -> bool:
        """Read the open rows once, and give those that show their outcome; return whether all do."""
        self._report_open()
        open_rows = [
            (rule, result.row.email)
            for rule, rows in self.open_spans
            for result in rows
            if result.outcome in _OPEN
        ]
        rules = {email: rule for rule, email in open_rows}
        shown: dict[str, datetime | None] = {}
        klaviyo = self.delivery.context.klaviyo
        for part, states in map_concurrently(
            self.delivery.context,
            lambda part: (part, {state.email: state for state in klaviyo.find_email_states(part)}),
            batched(rules, self.operation.max_rows),
        ):
            for email in part:
                state = states.get(email)
                if rules[email].is_done(state):
                    shown[email] = suppression_time(state)
        for rule, rows in self.open_spans:
            rows[:] = [
                replace(result, outcome=rule.done, suppressed_at=shown[result.row.email])
                if result.outcome in _OPEN and result.row.email in shown
                else result
                for result in rows
            ]
        self._record_own(
            OwnSuppression(result.row.identity, result.asked_at, result.suppressed_at)
            for _, rows in self.open_spans
            for result in rows
            if result.row.email in shown and result.suppressed_at and result.asked_at
        )
        self._flush_own()
        return len(shown) == len(rules)

    def _record_own(self, entries: Iterable[OwnSuppression]) -> None:
        """Keep which suppressions are the model's own; a thousand at a time."""
        if self.operation.lifts:
            return
        self.own_entries += entries
        if len(self.own_entries) >= ROWS_PER_STATEMENT:
            self._flush_own()

    def _flush_own(self) -> None:
        self.delivery.context.state.own_suppressions.record(self.delivery.model_name, self.own_entries)
        self.own_entries = []

    def _settle_pending(self, results: Sequence[EmailResult]) -> None:
        """Keep the time of suppressions that an earlier run asked for and that show only now."""
        self._record_own(
            replace(entry, suppressed_at=result.suppressed_at)
            for result in results
            if (entry := self.pending.get(result.row.identity)) is not None
            and result.outcome is Outcome.APPLIED
            and result.suppressed_at is not None
            and may_be_own(entry, result.suppressed_at)
        )

    def _release(self, rule: Rule, results: Sequence[EmailResult]) -> None:
        """Forget the suppressions of rows that left, or hand them to the model that still has the row."""
        if not isinstance(rule, UnsuppressRule):
            return
        own = self.delivery.context.state.own_suppressions
        ended = [result for result in results if result.outcome not in {*_STATES, Outcome.REJECTED}]
        for result in ended:
            entry = rule.own.get(result.row.identity)
            if result.outcome is Outcome.REPLACED and entry is not None:
                own.record(rule.wanted[result.row.identity], [entry])
        own.delete(self.delivery.model_name, [result.row.identity for result in ended])

    def _record_refused(self, results: Sequence[EmailResult]) -> None:
        lifts = self.operation.lifts
        refused = [result for result in results if result.error is not None]
        self.delivery.receipt_buffer.add(
            (),
            [
                RowException(
                    result.row.seq,
                    RowExceptionKind.HELD if lifts else RowExceptionKind.REJECTED,
                    result.error.code or str(result.error.status),
                    "email",
                    result.error.detail or str(result.error),
                )
                for result in refused
                if result.error is not None
            ],
        )
        self.delivery.counter.add(Outcome.NOT_SENT if lifts else Outcome.REJECTED, len(refused))

    def _receipt(self, rows: Sequence[EmailResult]) -> Receipt:
        first = rows[0]
        return Receipt(
            self.delivery.list_id,
            Op.REMOVE if self.operation.lifts else Op.ADD,
            first.row.seq,
            rows[-1].row.seq,
            _STATES.get(first.outcome, ReceiptState.APPLIED),
            len(rows),
            first.job_id,
            detail=_DETAILS.get(first.outcome, ""),
        )

    def _count(self, rows: Sequence[EmailResult]) -> None:
        self.delivery.counter.add(rows[0].outcome, len(rows))
        self.done += len(rows)
        if self.operation.lifts:
            self.delivery.report_removed(self.done)
        else:
            self.delivery.report_sent(self.done)

    def _report_open(self) -> None:
        jobs = {result.job_id for _, rows in self.open_spans for result in rows if result.outcome in _OPEN}
        self.delivery.report_open_jobs(len(jobs))

    def _read_job_statuses(self) -> dict[str, str]:
        """Return the status of the first jobs whose rows do not show. It proves nothing."""
        job_ids = dict.fromkeys(
            result.job_id
            for _, rows in self.open_spans
            for result in rows
            if result.outcome is Outcome.UNVERIFIED and result.job_id
        )
        statuses: dict[str, str] = {}
        read = partial(self.delivery.context.klaviyo.get_suppression_job, self.operation.job_endpoint)
        for job_id in [*job_ids][:_MAX_JOBS_SHOWN]:
            try:
                job = read(job_id)
            except KlaviyoError:
                return statuses  # the key may lack subscriptions:read, which nothing else needs
            statuses[job_id] = job.status_text if job else "not found"
        return statuses


def _was_sent(result: EmailResult) -> bool:
    return result.outcome is Outcome.UNVERIFIED


def _split_spans(results: Sequence[EmailResult]) -> list[tuple[Outcome, list[EmailResult]]]:
    """Return runs of rows that share an outcome and a job, without the refused ones."""
    accepted = (result for result in results if result.error is None)
    return [
        (outcome, [*rows])
        for (outcome, _), rows in groupby(accepted, key=lambda result: (result.outcome, result.job_id))
    ]


def _describe_open(result: EmailResult, statuses: dict[str, str]) -> str:
    if result.outcome is Outcome.UNKNOWN:
        return "The reply was lost, and the change does not show yet. The next run looks again."
    status = statuses.get(result.job_id or "")
    job = f" (its job is {status!r})" if status else ""
    return f"Klaviyo accepted the request{job}, and the change does not show yet. The next run looks again."
