"""Read whether the e-mails of a group of rows are suppressed, and send those that have to change.

How a row ends without a request is a pure decision: `SuppressRule` and `UnsuppressRule`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from reverse_etl.delivery.halving import send_in_halves
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.timestamps import CLOCK_SKEW_TOLERANCE
from reverse_etl.errors import ReplyLost

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reverse_etl.delivery.halving import HalvedRequest
    from reverse_etl.delivery.refusals import ListRefusals
    from reverse_etl.errors import UnusableReply
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.suppressions import EmailState
    from reverse_etl.state.own_suppressions import OwnSuppression
    from reverse_etl.surfaces.operations import ChangeSuppressions

SHOWS_WITHIN: Final = timedelta(hours=6)  # after a request; jobs have taken four hours


@dataclass(frozen=True)
class EmailRow:
    """A row to suppress or to free: its number, its identity and its canonical e-mail."""

    seq: int
    identity: str
    email: str


@dataclass(frozen=True)
class EmailResult:
    """The result of a row.

    UNVERIFIED means sent: only a read-back can tell more, as of an UNKNOWN row. `error` is why Klaviyo
    refused the row alone. `asked_at` is Klaviyo's time when it was read, `suppressed_at` the time of the
    suppression that was read.
    """

    row: EmailRow
    outcome: Outcome
    asked_at: datetime | None = None
    suppressed_at: datetime | None = None
    job_id: str | None = None
    detail: str = ""
    error: UnusableReply | None = None


@dataclass(frozen=True)
class GroupResult:
    """The results of a group of rows, in their order. `stop_reason` is why the model stops, or empty."""

    results: tuple[EmailResult, ...]
    stop_reason: str = ""


class Rule(Protocol):
    """Decides what a row is due to, by what Klaviyo shows."""

    @property
    def done(self) -> Outcome:
        """Return the outcome of a row whose request is proved."""
        ...

    def decide(self, row: EmailRow, state: EmailState | None) -> Outcome | None:
        """Return how a row ends without a request, None if one must be sent. None: nobody has the e-mail."""
        ...

    def is_done(self, state: EmailState | None) -> bool:
        """Return whether a read-back proves what was asked for."""
        ...


@dataclass(frozen=True)
class SuppressRule:
    """The rule for rows to suppress: no request for people who are suppressed, or for an unknown e-mail.

    Whether Klaviyo makes a profile of an unknown e-mail is not documented.
    """

    done: Outcome = Outcome.APPLIED

    def decide(self, row: EmailRow, state: EmailState | None) -> Outcome | None:
        """Return how a row ends without a request."""
        del row
        if state is None:
            return Outcome.NO_PROFILE
        return Outcome.APPLIED if state.suppressed_at is not None else None

    def is_done(self, state: EmailState | None) -> bool:
        """Return whether the person is suppressed."""
        return state is not None and state.suppressed_at is not None


@dataclass(frozen=True)
class UnsuppressRule:
    """Only a suppression that the model's own request made is lifted, and only if no other model wants it.

    `own` are the model's suppressions and `wanted` the identities that another model has a row of.
    """

    own: Mapping[str, OwnSuppression]
    wanted: Mapping[str, str]
    done: Outcome = Outcome.REMOVED

    def decide(self, row: EmailRow, state: EmailState | None) -> Outcome | None:
        """Return how a row ends without a request."""
        if row.identity in self.wanted:
            return Outcome.REPLACED
        if state is None:
            return Outcome.NOT_FOUND
        if state.suppressed_at is None:
            return Outcome.REMOVED
        return None if is_own(self.own.get(row.identity), state.suppressed_at) else Outcome.UNMANAGED

    def is_done(self, state: EmailState | None) -> bool:
        """Return whether the person is not suppressed."""
        return state is None or state.suppressed_at is None


def suppression_time(state: EmailState | None) -> datetime | None:
    """Return since when an e-mail is suppressed, None if it is not or nobody has it."""
    return None if state is None else state.suppressed_at


def is_own(entry: OwnSuppression | None, suppressed_at: datetime) -> bool:
    """Return whether a suppression is the one that a request made, and not a later or an earlier one."""
    return entry is not None and suppressed_at == entry.suppressed_at


def may_be_own(entry: OwnSuppression, suppressed_at: datetime) -> bool:
    """Return whether a suppression that shows only now followed a request; a later one is by hand."""
    if entry.suppressed_at is not None:
        return suppressed_at == entry.suppressed_at
    first = entry.requested_at - CLOCK_SKEW_TOLERANCE
    return first <= suppressed_at <= entry.requested_at + SHOWS_WITHIN


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
            return GroupResult(tuple(unsent), str(read.error))
        states = {state.email: state for part in read.results for state in part}
        asked_at = self.klaviyo.server_time
        results: dict[int, EmailResult] = {}
        to_send: list[EmailRow] = []
        for row in rows:
            state = states.get(row.email)
            if (error := read.refused.get(row.email)) is not None:
                results[row.seq] = EmailResult(row, Outcome.REJECTED, error=error)
            elif (outcome := rule.decide(row, state)) is not None:
                results[row.seq] = EmailResult(row, outcome, asked_at, suppression_time(state))
            else:
                to_send.append(row)
        sent, stop_reason = self._send_rows(to_send, asked_at)
        results |= {result.row.seq: result for result in sent}
        return GroupResult(tuple(results[row.seq] for row in rows), stop_reason)

    def _send_rows(self, rows: Sequence[EmailRow], asked_at: datetime) -> tuple[Sequence[EmailResult], str]:
        if not rows:
            return (), ""
        jobs = _JobIds()
        request = self.klaviyo.unsuppress if self.operation.lifts else self.klaviyo.suppress
        halved = send_in_halves([row.email for row in rows], partial(jobs.send, request), self.refusals)
        if halved.done:
            self.refusals.note_applied_rows()
        at_fault = _is_at_fault(halved, self.refusals)
        results = [self._conclude(row, halved, jobs, asked_at) for row in rows]
        if at_fault is not None:
            results = [
                replace(result, outcome=Outcome.NOT_SENT, error=None) if result.error else result
                for result in results
            ]
        reason = halved.error or at_fault
        return results, "" if reason is None else str(reason)

    def _conclude(
        self, row: EmailRow, halved: HalvedRequest[None], jobs: _JobIds, asked_at: datetime
    ) -> EmailResult:
        if row.email in jobs.by_email:
            return EmailResult(row, Outcome.UNVERIFIED, asked_at, job_id=jobs.by_email[row.email])
        if (error := halved.refused.get(row.email)) is not None:
            return EmailResult(row, Outcome.REJECTED, error=error)
        lost = isinstance(halved.error, ReplyLost)
        return EmailResult(row, Outcome.UNKNOWN if lost else Outcome.NOT_SENT, asked_at)


def _is_at_fault(halved: HalvedRequest[None], refusals: ListRefusals) -> UnusableReply | None:
    """Return a refusal that is most likely not the fault of its row: nothing was ever accepted."""
    if halved.refused and not refusals.has_applied_rows:
        return next(iter(halved.refused.values()))
    return None


@dataclass
class _JobIds:
    """The jobs that took e-mails."""

    by_email: dict[str, str] = field(default_factory=dict)

    def send(self, request: _Request, emails: Sequence[str]) -> None:
        job_id = request(emails)
        self.by_email |= dict.fromkeys(emails, job_id)


class _Request(Protocol):
    def __call__(self, emails: Sequence[str], /) -> str: ...
