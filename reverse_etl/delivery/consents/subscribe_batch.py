"""Subscribe the people of one batch: read their consent, send those who may be subscribed, read again.

Each attempt of the request reads first, when the rate limit lets it out, so that nobody is subscribed who is
shown as opted out. Klaviyo refuses a whole request because of one row: the rows at fault are
rejected, and the others are sent again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.consents.consent_reader import AmbiguousPerson
from reverse_etl.delivery.consents.consent_rules import Decision, Verdict, decide_subscription
from reverse_etl.delivery.refusals import BUDGET_SPENT
from reverse_etl.delivery.row_exceptions import make_row_exception
from reverse_etl.delivery.systematic_failure import find_systematic_failure
from reverse_etl.domain.batched import batched, split_in_half
from reverse_etl.domain.receipts import RowException, RowExceptionKind
from reverse_etl.domain.rejections import OPTED_OUT, UNDELIVERABLE, OptOut
from reverse_etl.errors import FailureReason, KlaviyoError, ReplyLost
from reverse_etl.klaviyo.consents import Subscriber, subscribe_request
from reverse_etl.klaviyo.imports import RequestRefused, RowError, RowsRefused
from reverse_etl.klaviyo.lists import MAX_MEMBERS
from reverse_etl.klaviyo.profiles import FIELD_BY_IDENTIFIER_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.delivery.consents.consent_reader import ConsentReader
    from reverse_etl.delivery.consents.consent_rules import ReadPerson
    from reverse_etl.delivery.refusals import ListRefusals
    from reverse_etl.delivery.resubscriptions import Resubscriptions
    from reverse_etl.klaviyo.messages import Request

IGNORED_WITHIN: Final = timedelta(minutes=30)  # of another consent of the same person


@dataclass(frozen=True)
class SubscriptionRow:
    """A row to send, by the number of its delta.

    `is_recent`: the identity was subscribed within `IGNORED_WITHIN`, so that Klaviyo would ignore
    present consent. `is_suppressed`: another model of the project suppresses the person, which subscribing
    would lift.
    """

    seq: int
    identity: str
    subscriber: Subscriber
    is_recent: bool = False
    is_suppressed: bool = False


@dataclass
class SubscribedBatch:
    """The results of the rows of a batch: each is accepted, subscribed, or has an exception.

    `accepted` are those that Klaviyo accepted, with or without a reply, and that are to be confirmed.
    `subscribed` were so before.
    `recent` rows wait until Klaviyo takes another consent. `problem` is why rows were not sent, if that stops
    nothing else. `stop_reason` is why the list stops.
    """

    rows: Sequence[SubscriptionRow]
    accepted: list[SubscriptionRow] = field(default_factory=list)
    subscribed: list[SubscriptionRow] = field(default_factory=list)
    row_exceptions: list[RowException] = field(default_factory=list)
    recent: int = 0
    problem: str = ""
    stop_reason: str = ""


def subscribe_batch(
    reader: ConsentReader,
    rows: Sequence[SubscriptionRow],
    refusals: ListRefusals,
    resubscriptions: Resubscriptions | None = None,
) -> SubscribedBatch:
    """Subscribe the people of a batch. Never raises KlaviyoError.

    With `resubscriptions`, as many as are left are subscribed although they unsubscribed.
    """
    sender = _BatchSender(reader, refusals, SubscribedBatch(rows), resubscriptions)
    past = [row for row in rows if row.subscriber.consented_at is not None]
    present = [row for row in rows if row.subscriber.consented_at is None]
    sender.waiting = [part for part in (past, present) if part]  # Klaviyo takes them in separate requests
    while sender.waiting and not sender.batch.stop_reason:
        sender.send_part(sender.waiting.pop(0))
    sender.join_list()
    for part in sender.waiting:
        sender.leave(part, RowExceptionKind.NOT_SENT)
    return sender.batch


@dataclass
class _Part:
    """The rows of one request, and what the newest read says of them.

    `requested` are the rows of the newest attempt, and `ever_requested` those of all attempts.
    """

    rows: Sequence[SubscriptionRow]
    people: Mapping[str, ReadPerson] = field(default_factory=dict)
    decisions: dict[int, Decision] = field(default_factory=dict)
    requested: list[SubscriptionRow] = field(default_factory=list)
    ever_requested: set[int] = field(default_factory=set)


@dataclass
class _BatchSender:
    """Sends the rows of a batch part by part.

    `refused` are rows at which Klaviyo's errors pointed. `over_unsubscription` are those that are sent
    although their person unsubscribed. `joining` are those whose profiles join the list by id. `shown` are
    those that an attempt without a reply asked for, and that the read before the next attempt shows.
    """

    reader: ConsentReader
    refusals: ListRefusals
    batch: SubscribedBatch
    resubscriptions: Resubscriptions | None
    waiting: list[Sequence[SubscriptionRow]] = field(default_factory=list)
    refused: dict[int, RowError] = field(default_factory=dict)
    over_unsubscription: set[int] = field(default_factory=set)
    joining: list[tuple[SubscriptionRow, str]] = field(default_factory=list)
    shown: set[int] = field(default_factory=set)

    def send_part(self, rows: Sequence[SubscriptionRow]) -> None:
        """Send rows in one request, and conclude about each of them, or let the smaller parts wait."""
        part = _Part(rows)
        try:
            refusal = self.reader.klaviyo.subscribe(lambda: self._prepare(part))
        except AmbiguousPerson:
            self._send_again(*split_in_half(rows))
        except ReplyLost as error:
            self._stop(FailureReason.of(error))
            unknown = [row for row in rows if row.seq in part.ever_requested]
            self.leave(unknown, RowExceptionKind.UNKNOWN)
            self._conclude(part, [row for row in rows if row.seq not in part.ever_requested])
        except KlaviyoError as error:
            self._stop(FailureReason.of(error))
            self.leave(rows, RowExceptionKind.NOT_SENT)
        else:
            match refusal:
                case None:
                    self._accept(part)
                case RowsRefused() if all(index < len(part.requested) for index in refusal.errors):
                    self._handle_refused_rows(part, refusal)
                case RowsRefused():
                    self._handle_refused_request(part, next(iter(refusal.errors.values())))
                case RequestRefused():
                    self._handle_refused_request(part, refusal.error)

    def join_list(self) -> None:
        """Put people on the list who are subscribed and not on it, unless it stopped. No consent changes."""
        rows = [*dict.fromkeys(row for row, _ in self.joining)]
        if self.batch.stop_reason:
            self.leave(rows, RowExceptionKind.NOT_SENT)
            return
        ids = [*dict.fromkeys(profile_id for _, profile_id in self.joining)]
        try:
            for part in batched(ids, MAX_MEMBERS):
                self.reader.klaviyo.add_members(self.reader.options.list_id, part)
        except KlaviyoError as error:
            self._stop(FailureReason.of(error))
            lost = isinstance(error, ReplyLost)
            self.leave(rows, RowExceptionKind.UNKNOWN if lost else RowExceptionKind.NOT_SENT)
        else:
            self.batch.subscribed += rows

    def leave(
        self, rows: Sequence[SubscriptionRow], kind: RowExceptionKind, error: RowError | None = None
    ) -> None:
        """Note that rows were not subscribed."""
        error = error or RowError("", "", "")
        self.batch.row_exceptions += [make_row_exception(row.seq, error, kind) for row in rows]

    def _prepare(self, part: _Part) -> Request | None:
        """Return the request for the rows that may be sent by what a read shows now, None for none."""
        identifiers = [row.subscriber.identifier for row in part.rows]
        may_have_been_sent = bool(part.ever_requested)
        people = part.people = self.reader.read_for_attempt(
            identifiers, may_have_been_sent=may_have_been_sent
        )
        part.decisions = {
            row.seq: decide_subscription(
                people[row.subscriber.identifier],
                row.subscriber.consented_at,
                over_unsubscription=row.seq in self.over_unsubscription,
            )
            for row in part.rows
        }
        part.requested = [
            row
            for row in part.rows
            if part.decisions[row.seq].verdict is Verdict.SEND
            and not row.is_suppressed
            and row.seq not in self.refused
            and not (row.is_recent and row.subscriber.consented_at is None)
        ]
        subscribed = {
            seq for seq, decision in part.decisions.items() if decision.verdict is Verdict.SUBSCRIBED
        }
        self.shown |= part.ever_requested & subscribed
        part.ever_requested |= {row.seq for row in part.requested}
        if not part.requested:
            return None
        return subscribe_request([row.subscriber for row in part.requested], self.reader.options)

    def _accept(self, part: _Part) -> None:
        requested = {row.seq for row in part.requested}
        self.batch.accepted += part.requested
        if requested:
            self.refusals.note_applied_rows()
        self._conclude(part, [row for row in part.rows if row.seq not in requested])

    def _conclude(self, part: _Part, rows: Sequence[SubscriptionRow]) -> None:
        """Conclude about rows that were not sent, by what the newest read says of them."""
        for row in rows:
            decision = part.decisions[row.seq]
            match decision.verdict:
                case Verdict.SUBSCRIBED:
                    (self.batch.accepted if row.seq in self.shown else self.batch.subscribed).append(row)
                case Verdict.JOIN:
                    profiles = part.people[row.subscriber.identifier].left_by_email
                    self.joining += [(row, profile.id) for profile in profiles]
                case Verdict.OPTED_OUT if self._may_resubscribe(row, decision):
                    self._resubscribe(row)
                case Verdict.OPTED_OUT | Verdict.UNDELIVERABLE:
                    code = OPTED_OUT if decision.verdict is Verdict.OPTED_OUT else UNDELIVERABLE
                    self._reject(row, RowError(code, decision.cause, decision.detail))
                case Verdict.UNREADABLE:
                    self.batch.problem = decision.detail
                    self.leave([row], RowExceptionKind.NOT_SENT)
                case Verdict.SEND if row.is_suppressed:
                    self._reject(row, RowError(OPTED_OUT, OptOut.SUPPRESSED_BY_MODEL, ""))
                case Verdict.SEND if row.seq in self.refused:
                    self._reject(row, self.refused[row.seq])
                case Verdict.SEND:
                    self.batch.recent += 1
                    self.leave([row], RowExceptionKind.NOT_SENT)
                case _:
                    raise AssertionError(f"no verdict of a subscription: {decision.verdict}")

    def _may_resubscribe(self, row: SubscriptionRow, decision: Decision) -> bool:
        return (
            self.resubscriptions is not None
            and decision.is_unsubscription
            and not self.batch.stop_reason
            and row.seq not in self.over_unsubscription | self.refused.keys()
            and self.resubscriptions.reserve()
        )

    def _resubscribe(self, row: SubscriptionRow) -> None:
        """Send the row by itself, as present consent: Klaviyo refuses a past one that is older."""
        self.over_unsubscription.add(row.seq)
        now = replace(row, subscriber=replace(row.subscriber, consented_at=None))
        self.waiting.append([now])

    def _reject(self, row: SubscriptionRow, error: RowError) -> None:
        self.leave([row], RowExceptionKind.REJECTED, error)

    def _handle_refused_rows(self, part: _Part, refusal: RowsRefused) -> None:
        """Exclude the rows at fault; the next read says whether they opted out in between."""
        self.refused |= {part.requested[index].seq: error for index, error in refusal.errors.items()}
        own_field = FIELD_BY_IDENTIFIER_TYPE[self.reader.options.channel.identifier]
        # A refused identifier is its row's fault, however many: the phones of a country follow one another.
        others = [error for error in self.refused.values() if error.field != own_field]
        if reason := find_systematic_failure(others, len(self.batch.rows)):
            self._stop(reason)
            self.leave(part.rows, RowExceptionKind.NOT_SENT)
        else:
            self._send_again(part.rows)

    def _handle_refused_request(self, part: _Part, error: RowError) -> None:
        """Halve a request that was refused without an error at one of its rows."""
        if len(part.rows) > 1:
            self._send_again(*split_in_half(part.rows))
        elif self.refusals.has_applied_rows:
            self._reject(part.rows[0], error)
        else:
            self._stop(f"Klaviyo refused the request: {error.code}: {error.detail}")
            self.leave(part.rows, RowExceptionKind.NOT_SENT)

    def _send_again(self, *parts: Sequence[SubscriptionRow]) -> None:
        self.waiting = [*parts, *self.waiting]
        if not self.refusals.reserve_extra_request():
            self._stop(BUDGET_SPENT)

    def _stop(self, reason: str) -> None:
        self.batch.stop_reason = self.batch.stop_reason or reason
