"""Unsubscribe the people of rows that left, if their model subscribed them and nobody else has since.

Klaviyo unsubscribes somebody from everything who is not on the list of the request. So the memberships of a
batch are read just before its request, and nobody else is in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.consents.confirm_consents import make_reader
from reverse_etl.delivery.consents.consent_reader import AmbiguousPerson, ConsentReader
from reverse_etl.delivery.consents.consent_rules import Decision, Verdict, decide_unsubscription
from reverse_etl.delivery.known_people import find_people
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.read_back import wait_until_shown
from reverse_etl.delivery.receipt_buffer import EndedConsents
from reverse_etl.domain.batched import batched, split_in_half
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import row_key_text
from reverse_etl.domain.receipts import HoldCode, Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.errors import FailureReason, KlaviyoError, ReplyLost
from reverse_etl.klaviyo.consents import ConsentStatus, unsubscribe_request
from reverse_etl.klaviyo.filters import batch_values
from reverse_etl.models.model import Model
from reverse_etl.planning.sql.staging import select_staged_identities
from reverse_etl.state.consents import ConsentState
from reverse_etl.state.tables import ROWS_PER_STATEMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reverse_etl.delivery.consents.consent_rules import ReadPerson
    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.klaviyo.messages import Request
    from reverse_etl.state.consents import OwnConsent
    from reverse_etl.surfaces.interface import Surface
    from reverse_etl.surfaces.operations import UnsubscribePeople

_READ_ROWS: Final = 10_000  # at a time from the warehouse
_READ_BACK_SECONDS: Final = (0.0, 15.0, 60.0)
_OUTSIDE: Final = "The person is not on the list, and would be unsubscribed from everything."


@dataclass(frozen=True)
class LeavingRow:
    """A row that left the model, and the consent that the model asked for; None if it is not its own.

    `was_sent`: an earlier run may have unsubscribed the person: it was killed, or a reply was lost. A row
    that it held, or did not send, is uncertain too, but still counts as in the snapshot.
    """

    seq: int
    identity: str
    own: OwnConsent | None
    was_sent: bool = False

    @property
    def identifier(self) -> str:
        """Return the person's e-mail or phone."""
        return row_key_text(self.identity)


@dataclass
class UnsubscribedBatch:
    """The results of the leaving rows of a batch; each is in one of the lists. `held` has the reasons.

    `outside` are those of people who are not on the list, and who would be unsubscribed from everything.
    `unknown` are those of a lost reply, `stop_reason` is why the list stops, or empty. `off_list` are the
    identifiers of the people that a request may have removed from the list.
    """

    rows: Sequence[LeavingRow]
    sent: list[LeavingRow] = field(default_factory=list)
    left: list[LeavingRow] = field(default_factory=list)
    held: list[tuple[LeavingRow, str]] = field(default_factory=list)
    outside: list[LeavingRow] = field(default_factory=list)
    unknown: list[LeavingRow] = field(default_factory=list)
    unsent: list[LeavingRow] = field(default_factory=list)
    off_list: set[tuple[IdentifierType, str]] = field(default_factory=set)
    stop_reason: str = ""


def unsubscribe_people(delivery: ListDelivery, operation: UnsubscribePeople) -> None:
    """Unsubscribe one list's leaving people. A failed request stops the list; its counter says why."""
    reader = make_reader(delivery.context, operation, delivery.model_name, delivery.list_id)
    unsubscriber = _Unsubscriber(delivery, operation, reader)
    for batch in map_concurrently(delivery.context, unsubscriber.send, unsubscriber.prepare_batches()):
        unsubscriber.record(batch)


@dataclass
class _Unsubscriber:
    """Unsubscribes the leaving rows of one list."""

    delivery: ListDelivery
    operation: UnsubscribePeople
    reader: ConsentReader
    done: int = 0

    def prepare_batches(self) -> Iterator[Sequence[LeavingRow]]:
        """Yield the rows of each read and request until the list stops.

        A receipt is stored before they are sent: after a kill, a row without a receipt was not sent.
        """
        context = self.delivery.context
        for rows in self.delivery.pending_rows.read_removes(self.delivery.list_id, _READ_ROWS):
            # A run that lost the lease must not unsubscribe anybody: another may have the row again.
            context.state.renew_lease_or_raise()
            own = self._find_own([identity for _, identity, *_ in rows])
            leaving = iter(
                LeavingRow(seq, identity, own.get(identity), was_sent=uncertain and not in_snapshot)
                for seq, identity, *_, in_snapshot, uncertain in rows
            )
            for values in batch_values([row_key_text(identity) for _, identity, *_ in rows]):
                for part in batched([next(leaving) for _ in values], self.operation.max_rows):
                    if self.delivery.counter.stopped:
                        return
                    try:
                        leaving_part = self._leave_desired(part)
                    except KlaviyoError as error:
                        self.delivery.counter.fail(FailureReason.of(error))
                        return
                    intent = self._make_receipt(part, ReceiptState.UNKNOWN, len(part))
                    self.delivery.receipt_buffer.add((intent,))
                    self.delivery.receipt_buffer.flush()
                    yield leaving_part

    def _find_own(self, identities: Sequence[str]) -> Mapping[str, OwnConsent]:
        """Return the consents that this model gave; without a list, those that no other model asks for.

        To unsubscribe somebody from everything would undo what the other model asked for.
        """
        state, model = self.delivery.context.state, self.delivery.model_name
        list_id = self.delivery.list_id
        own = state.consents.read_confirmed(model, list_id, identities)
        others = frozenset() if list_id else find_people(self.delivery.context, [*own], self._asks_too)
        return {identity: consent for identity, consent in own.items() if identity not in others}

    def _leave_desired(self, rows: Sequence[LeavingRow]) -> Sequence[LeavingRow]:
        """Return the rows; those are not the model's own any more whose person a desired row names, too.

        A profile that was found by a second address shows another one. Raises KlaviyoError.
        """
        kind = self.operation.channel.identifier
        asked = [row.identifier for row in rows if row.own is not None]
        consents = self.reader.klaviyo.read_consents(self.operation.channel, asked).found if asked else ()
        if all(profile.identifier in asked for profile in consents):
            return rows
        people = self.reader.read_in_parts(asked)
        shown = {
            identifier: {
                f"{kind}:{value}"
                for profile in person.profiles
                for shown_kind, value in profile.identifiers
                if shown_kind is kind and value != identifier
            }
            for identifier, person in people.items()
        }
        desired = self._find_desired(sorted(set().union(*shown.values())))
        return [replace(row, own=None) if shown.get(row.identifier, set()) & desired else row for row in rows]

    def _find_desired(self, identities: Sequence[str]) -> frozenset[str]:
        """Return those identities that rows of now have of what a request would take away."""
        context, list_id = self.delivery.context, self.delivery.list_id
        tables = self.delivery.model_plan.tables
        own = frozenset(
            identity
            for part in batched(identities, ROWS_PER_STATEMENT)
            for (identity,) in context.warehouse.fetch(
                select_staged_identities(tables, part, list_id or None)
            )
        )
        return own | (frozenset() if list_id else find_people(context, identities, self._asks_too))

    def _asks_too(self, name: str, surface: Surface) -> bool:
        """Return whether another model asks for people's consent to the same channel.

        One whose file is gone may have: its channel is not known.
        """
        if name == self.delivery.model_name or not surface.asks_for_consent:
            return False
        return not any(
            isinstance(model, Model)
            and model.name == name
            and model.config.surface.read_back != self.delivery.surface.read_back  # of another channel
            for model in self.delivery.context.project_models
        )

    def send(self, rows: Sequence[LeavingRow]) -> UnsubscribedBatch:
        """Unsubscribe the people of a batch, and read back what came of it; in a thread of its own."""
        batch = UnsubscribedBatch(rows, left=[row for row in rows if row.own is None])
        _send_rows(self.reader, batch, [row for row in rows if row.own is not None])
        return batch

    def record(self, batch: UnsubscribedBatch) -> None:
        """Read back who is unsubscribed, and record what came of a batch."""
        list_id = self.delivery.list_id
        try:
            unproved = self._wait_for(batch.sent)
        except KlaviyoError as error:
            unproved, batch.stop_reason = (
                {row.seq for row in batch.sent},
                batch.stop_reason or FailureReason.of(error),
            )
        removed = [row for row in batch.sent if row.seq not in unproved]
        held = self._hold_rows(batch)
        unknown = [*batch.unknown, *(row for row in batch.sent if row.seq in unproved)]
        exceptions = [
            *held,
            *(RowException(row.seq, RowExceptionKind.UNKNOWN, "", "", batch.stop_reason) for row in unknown),
            *(RowException(row.seq, RowExceptionKind.NOT_SENT, "") for row in batch.unsent),
        ]
        done = [*removed, *batch.left]
        off_list = batch.off_list if list_id else ()
        ended = EndedConsents(list_id, [row.identity for row in done], off_list)
        receipt = self._make_receipt(batch.rows, ReceiptState.APPLIED, len(done))
        left = dict.fromkeys((row.seq for row in batch.left), Outcome.UNMANAGED)
        self.delivery.receipt_buffer.add_outcomes(left)
        self.delivery.receipt_buffer.add((receipt,), exceptions, ended_consents=(ended,))
        counter = self.delivery.counter
        counter.add(Outcome.REMOVED, len(removed))
        counter.add(Outcome.UNMANAGED, len(batch.left))
        counter.count_receipts((), exceptions)
        if batch.stop_reason:
            counter.fail(batch.stop_reason)
        self.done += len(batch.rows)
        self.delivery.report_progress(Op.REMOVE, self.done)

    def _hold_rows(self, batch: UnsubscribedBatch) -> list[RowException]:
        """Return the exceptions of the rows that are held.

        People who are not on the list need attention once: they may be put on it again. The next run forgets
        their rows, since off the list they get none of its mails.
        """
        new = [row for row in batch.outside if row.own is not None and not row.own.was_held]
        batch.left += [row for row in batch.outside if row not in new]
        self.delivery.context.state.consents.mark(
            self.delivery.model_name,
            self.delivery.list_id,
            [row.identity for row in new],
            ConsentState.OFF_LIST,
        )
        return [
            *(_hold(row, HoldCode.UNREADABLE_CONSENT, why) for row, why in batch.held),
            *(_hold(row, HoldCode.NOT_A_MEMBER, _OUTSIDE) for row in new),
        ]

    def _make_receipt(self, rows: Sequence[LeavingRow], state: ReceiptState, count: int) -> Receipt:
        return Receipt(self.delivery.list_id, Op.REMOVE, rows[0].seq, rows[-1].seq, state, count)

    def _wait_for(self, sent: Sequence[LeavingRow]) -> set[int]:
        """Return the rows whose people are still subscribed after the last read. Raises KlaviyoError."""
        waiting = [*sent]

        def are_unsubscribed() -> bool:
            people = self.reader.read_in_parts([row.identifier for row in waiting])
            waiting[:] = [row for row in waiting if people[row.identifier].is_subscribed]
            return not waiting

        if sent:
            wait_until_shown(self.delivery.context, are_unsubscribed, _READ_BACK_SECONDS)
        return {row.seq for row in waiting}


@dataclass
class _Attempt:
    """The rows of one request, as the newest read decides about them."""

    reader: ConsentReader
    rows: Sequence[LeavingRow]
    people: Mapping[str, ReadPerson] = field(default_factory=dict)
    decisions: dict[int, Decision] = field(default_factory=dict)
    ever_requested: set[int] = field(default_factory=set)

    def prepare(self) -> Request | None:
        """Return the request for the rows that may be sent by what a read shows now, None for none."""
        identifiers = [row.identifier for row in self.rows]
        may_have_been_sent = bool(self.ever_requested)
        people = self.people = self.reader.read_for_attempt(
            identifiers, may_have_been_sent=may_have_been_sent
        )
        source = self.reader.options.source
        self.decisions = {
            row.seq: decide_unsubscription(
                people[row.identifier], row.own.consented_at, source, was_sent=row.was_sent
            )
            for row in self.rows
            if row.own is not None
        }
        requested = self.select(Verdict.SEND)
        self.ever_requested |= {row.seq for row in requested}
        if not requested:
            return None
        shown = [identifier for row in requested for identifier in self._find_shown(row)]
        return unsubscribe_request(shown, self.reader.options)

    def _find_shown(self, row: LeavingRow) -> Sequence[str]:
        """Return the identifiers that a row's subscribed profiles show, or the row's own if it is among them.

        A profile that was found by a second address may not be found by it for the request. The others that
        were found are not to be unsubscribed.
        """
        shown = {
            profile.identifier or row.identifier
            for profile in self.people[row.identifier].profiles
            if profile.consent.status is ConsentStatus.SUBSCRIBED
        }
        return [row.identifier] if row.identifier in shown else sorted(shown)

    def find_identifiers(self, rows: Iterable[LeavingRow]) -> set[tuple[IdentifierType, str]]:
        """Return the identifiers of rows, and those that the profiles found for them show."""
        kind = self.reader.options.channel.identifier
        identifiers = {(kind, row.identifier) for row in rows}
        profiles = (profile for row in rows for profile in self.people[row.identifier].profiles)
        return identifiers.union(*(profile.identifiers for profile in profiles))

    def select(self, *verdicts: Verdict) -> list[LeavingRow]:
        """Return the rows with one of these verdicts."""
        return [row for row in self.rows if self.decisions[row.seq].verdict in verdicts]


def _send_rows(reader: ConsentReader, batch: UnsubscribedBatch, rows: Sequence[LeavingRow]) -> None:
    """Send rows in one request; in smaller ones if a read does not say whose profile it shows."""
    if not rows or batch.stop_reason:
        batch.unsent += rows
        return
    attempt = _Attempt(reader, rows)
    try:
        reader.klaviyo.unsubscribe(attempt.prepare)
    except AmbiguousPerson:
        for half in split_in_half(rows):
            _send_rows(reader, batch, half)
    except KlaviyoError as error:
        batch.stop_reason = FailureReason.of(error)
        lost = attempt.ever_requested if isinstance(error, ReplyLost) else set()
        unknown = [row for row in rows if row.seq in lost]
        batch.unknown += unknown
        batch.off_list |= attempt.find_identifiers(unknown)
        batch.unsent += [row for row in rows if row.seq not in lost]
    else:
        # An earlier attempt whose reply was lost may have unsubscribed them: read again.
        ended = attempt.select(Verdict.NOT_A_MEMBER, Verdict.LEAVE)
        repeated = [row for row in ended if row.seq in attempt.ever_requested]
        sent, off_list = attempt.select(Verdict.SEND) + repeated, attempt.select(Verdict.OFF_LIST)
        batch.sent += sent
        batch.left += [row for row in attempt.select(Verdict.LEAVE) if row not in repeated] + off_list
        batch.off_list |= attempt.find_identifiers(sent + off_list)
        batch.held += [
            (row, attempt.decisions[row.seq].detail)
            for row in attempt.select(Verdict.UNREADABLE)
            if row not in repeated
        ]
        batch.outside += [row for row in attempt.select(Verdict.NOT_A_MEMBER) if row not in repeated]


def _hold(row: LeavingRow, code: HoldCode, why: str) -> RowException:
    return RowException(row.seq, RowExceptionKind.HELD, code, "", why)
