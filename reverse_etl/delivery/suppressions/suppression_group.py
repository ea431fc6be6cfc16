"""Read whether the e-mails of a group of rows are suppressed, and send those that have to change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from reverse_etl.delivery.halving import send_in_halves
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.suppressions.suppression_rules import suppression_time
from reverse_etl.errors import FailureReason, ReplyLost

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.delivery.halving import HalvedRequest
    from reverse_etl.delivery.refusals import ListRefusals
    from reverse_etl.delivery.suppressions.suppression_rules import Rule
    from reverse_etl.errors import UnusableReply
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.surfaces.operations import ChangeSuppressions


@dataclass(frozen=True)
class EmailRow:
    """A row to suppress or to unsuppress: its number, its identity and its canonical e-mail."""

    seq: int
    identity: str
    email: str


@dataclass(frozen=True)
class EmailResult:
    """The result of a row.

    UNVERIFIED means sent, in this run if `was_requested`. `error` is why Klaviyo
    refused the row alone. `asked_at` is Klaviyo's time when it was read, `suppressed_at` the time of the
    suppression that was read.
    """

    row: EmailRow
    outcome: Outcome
    asked_at: datetime | None = None
    suppressed_at: datetime | None = None
    job_id: str | None = None
    error: UnusableReply | None = None
    was_requested: bool = False

    @property
    def is_open(self) -> bool:
        """Return whether only a read-back can tell what came of the row."""
        return self.was_requested and self.outcome in {Outcome.UNVERIFIED, Outcome.UNKNOWN}


@dataclass(frozen=True)
class GroupResult:
    """The results of a group of rows, in their order. `stop_reason` is why the model stops, or empty."""

    results: tuple[EmailResult, ...]
    stop_reason: str = ""


def split_spans(results: Iterable[EmailResult]) -> list[list[EmailResult]]:
    """Return runs of rows that share an outcome and a job, and so a receipt; without the refused ones."""
    accepted = (result for result in results if result.error is None)
    return [[*span] for _, span in groupby(accepted, key=lambda result: (result.outcome, result.job_id))]


@dataclass(frozen=True)
class GroupSender:
    """Reads and sends groups of rows; in threads."""

    klaviyo: Klaviyo
    operation: ChangeSuppressions
    refusals: ListRefusals

    def send(self, rows: Sequence[EmailRow], rule: Rule) -> GroupResult:
        """Read the rows' e-mails, and send those that have to change. Never raises KlaviyoError."""
        emails = [row.email for row in rows]
        read = send_in_halves(emails, self.klaviyo.find_email_states, self.refusals)
        if read.error is not None:
            unsent = (EmailResult(row, Outcome.NOT_SENT) for row in rows)
            return GroupResult(tuple(unsent), FailureReason.of(read.error))
        states = {state.email: state for part in read.results for state in part}
        asked_at = self.klaviyo.server_time
        results: dict[int, EmailResult] = {}
        to_send: list[EmailRow] = []
        for row in rows:
            state = states.get(row.email)
            if (error := read.refused.get(row.email)) is not None:
                results[row.seq] = EmailResult(row, Outcome.REJECTED, error=error)
            elif (outcome := rule.decide_outcome(row.identity, state)) is not None:
                results[row.seq] = EmailResult(row, outcome, asked_at, suppression_time(state))
            else:
                to_send.append(row)
        sent, stop_reason = self._send_rows(to_send, asked_at)
        results |= {result.row.seq: result for result in sent}
        return GroupResult(tuple(results[row.seq] for row in rows), stop_reason)

    def _send_rows(self, rows: Sequence[EmailRow], asked_at: datetime) -> tuple[Sequence[EmailResult], str]:
        if not rows:
            return (), ""
        job_ids: dict[str, str] = {}
        start_job = self.klaviyo.unsuppress if self.operation.removes else self.klaviyo.suppress

        def send(emails: Sequence[str]) -> None:
            job_ids.update(dict.fromkeys(emails, start_job(emails)))

        halved = send_in_halves([row.email for row in rows], send, self.refusals)
        if halved.done:
            self.refusals.note_applied_rows()
        results = [_conclude(EmailResult(row, Outcome.NOT_SENT, asked_at), halved, job_ids) for row in rows]
        at_fault = None
        if halved.refused and not self.refusals.has_applied_rows:  # most likely not the fault of its row
            at_fault = next(iter(halved.refused.values()))
            results = [
                replace(result, outcome=Outcome.NOT_SENT, error=None) if result.error else result
                for result in results
            ]
        reason = halved.error or at_fault
        return results, "" if reason is None else str(reason)


def _conclude(result: EmailResult, halved: HalvedRequest[None], job_ids: Mapping[str, str]) -> EmailResult:
    """Return a result that is not sent as what came of its request."""
    email = result.row.email
    if email in job_ids:
        return replace(result, outcome=Outcome.UNVERIFIED, job_id=job_ids[email], was_requested=True)
    if (error := halved.refused.get(email)) is not None:
        return EmailResult(result.row, Outcome.REJECTED, error=error)
    if isinstance(halved.error, ReplyLost):
        return replace(result, outcome=Outcome.UNKNOWN, was_requested=True)
    return result
