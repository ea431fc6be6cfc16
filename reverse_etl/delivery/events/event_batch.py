"""Send the events of one request, and take the request apart as long as Klaviyo refuses it.

Events at which Klaviyo's errors point are refused, and the others are sent again. Alone go the events that
an earlier request may have stored: the endpoint of single events drops a repeated id. Only its answer, or a
pointer, makes an event the one at fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from reverse_etl.delivery.refusals import BUDGET_SPENT
from reverse_etl.delivery.row_exceptions import make_row_exception
from reverse_etl.delivery.systematic_failure import find_systematic_failure
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.errors import FailureReason, KlaviyoError, ReplyLost
from reverse_etl.formatting import end_sentence
from reverse_etl.klaviyo.custom_requests import CustomAccepted, CustomRefused
from reverse_etl.klaviyo.events import EventBatch, is_repeat, points_into_event, strip_pointer
from reverse_etl.klaviyo.imports import TOO_LARGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.delivery.refusals import ListRefusals
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.imports import RowError

_OTHERS_STOPPED: Final = "Another event of the same request stopped the list."


@dataclass(frozen=True)
class PreparedEvents:
    """Events to be sent, in one request or, if an earlier one may have stored them, each alone."""

    batch: EventBatch
    alone: bool = False


@dataclass(frozen=True)
class SentEvents:
    """The result of prepared events. `stop_reason` is why the list stops, '' if it does not."""

    receipts: tuple[Receipt, ...]
    row_exceptions: tuple[RowException, ...]
    stop_reason: str = ""


class _End(NamedTuple):
    """The outcome of an event."""

    state: ReceiptState
    detail: str = ""


def send_prepared(klaviyo: Klaviyo, prepared: PreparedEvents, refusals: ListRefusals) -> SentEvents:
    """Send events until each is taken, refused, or given up. Never raises KlaviyoError."""
    pieces = _EventPieces(klaviyo, prepared, refusals)
    if prepared.alone:
        pieces.send_alone(prepared.batch, may_be_stored=True)
    else:
        pieces.send_together()
    return pieces.finish()


@dataclass
class _EventPieces:
    """The pieces of a request: those that wait, and what came of the others."""

    klaviyo: Klaviyo
    prepared: PreparedEvents
    refusals: ListRefusals
    waiting: list[EventBatch] = field(default_factory=list)
    ends: dict[int, _End] = field(default_factory=dict)
    rejected: dict[int, RowError] = field(default_factory=dict)
    maybe_rejected: set[int] = field(default_factory=set)
    refused_alone: list[RowError] = field(default_factory=list)
    accepted: int = 0
    stop_reason: str = ""

    def send_together(self) -> None:
        """Send the events in one request, and its parts in others if Klaviyo refuses it."""
        self.waiting = [self.prepared.batch]
        while self.waiting and not self.stop_reason:
            self._send_piece(self.waiting.pop(0))
        for piece in self.waiting:
            self._record_end(piece.seqs, ReceiptState.NOT_SENT)

    def _send_piece(self, piece: EventBatch) -> None:
        try:
            reply = self.klaviyo.create_events(piece)
        except ReplyLost:
            self.send_alone(piece, may_be_stored=True)
        except KlaviyoError as error:
            self._stop(piece.seqs, ReceiptState.NOT_SENT, FailureReason.of(error))
        else:
            match reply:
                case CustomAccepted():
                    self._accept(piece.seqs)
                case CustomRefused():
                    self._handle_refusal(piece, reply)

    def _handle_refusal(self, piece: EventBatch, reply: CustomRefused) -> None:
        """Reject the events at fault and send the others; alone, if one may be stored already."""
        if not self.refusals.reserve_extra_request():
            self._stop(piece.seqs, ReceiptState.NOT_SENT, BUDGET_SPENT)
            return
        errors = piece.match_errors(reply.errors)
        if any(map(is_repeat, errors.values())) or (not errors and len(piece) == 1):
            self.send_alone(piece, may_be_stored=False)
        elif not errors:
            self.waiting = [*piece.split_in_half(), *self.waiting]
        else:
            self.rejected |= {piece.seqs[index]: error for index, error in errors.items()}
            rest = piece.exclude(errors)
            reason = find_systematic_failure([*self.rejected.values()], len(self.prepared.batch))
            if reason is not None:
                self._blame_model(rest.seqs if rest else (), ReceiptState.NOT_SENT, reason)
            elif rest is not None:
                self.waiting.insert(0, rest)

    def send_alone(self, piece: EventBatch, *, may_be_stored: bool) -> None:
        """Send each event alone. If `may_be_stored`, one that is not sent stays unknown."""
        unsent = ReceiptState.UNKNOWN if may_be_stored else ReceiptState.NOT_SENT
        for index, (seq, event) in enumerate(zip(piece.seqs, piece.events, strict=True)):
            try:
                reply = self.klaviyo.create_event(event)
            except ReplyLost as error:
                self._record_end(piece.seqs[index + 1 :], unsent, _OTHERS_STOPPED)
                self._stop([seq], ReceiptState.UNKNOWN, FailureReason.of(error))
                return
            except KlaviyoError as error:
                self._stop(piece.seqs[index:], unsent, FailureReason.of(error))
                return
            match reply:
                case CustomAccepted():
                    self._accept([seq])
                case CustomRefused(response, (first, *_)):
                    self.refused_alone.append(first)
                    self.rejected[seq] = strip_pointer(first)
                    if response.earlier_reply_lost:
                        self.maybe_rejected.add(seq)
                    if (reason := self._find_common_fault(first)) is not None:
                        self._blame_model(piece.seqs[index + 1 :], unsent, reason)
                        return

    def _find_common_fault(self, error: RowError) -> str | None:
        """Return why the refusal of an event that was sent alone is not its own fault, None if it may be."""
        is_of_event = points_into_event(error) or error.code == TOO_LARGE.code
        if not is_of_event and not self.accepted and not self.refusals.has_applied_rows:
            return (
                "Klaviyo refused an event without pointing into it, and took none before. "
                f"{end_sentence(error.detail)}"
            )
        return find_systematic_failure(self.refused_alone, self.accepted + len(self.refused_alone))

    def _accept(self, seqs: Sequence[int]) -> None:
        """Count events as taken by Klaviyo."""
        self._record_end(seqs, ReceiptState.APPLIED)
        self.accepted += len(seqs)
        self.refusals.note_applied_rows()

    def _record_end(self, seqs: Sequence[int], state: ReceiptState, detail: str = "") -> None:
        self.ends |= dict.fromkeys(seqs, _End(state, detail))

    def _stop(self, seqs: Sequence[int], state: ReceiptState, reason: str) -> None:
        """Stop the list; the events `seqs` end in a state."""
        self.stop_reason = reason
        self._record_end(seqs, state, reason)

    def _blame_model(self, seqs: Sequence[int], state: ReceiptState, reason: str) -> None:
        """Stop the list, since the model or the account is at fault, and reject no event.

        All of them end in the state: one that was refused alone may be stored already like the others.
        """
        self._record_end([*self.rejected], state, reason)
        self.rejected.clear()
        self._stop(seqs, state, reason)

    def finish(self) -> SentEvents:
        """Return what came of it all. The first receipt takes the place of the one stored before sending."""
        receipts = [*self._build_receipts()]
        first = self.prepared.batch.seqs[0]
        if all(receipt.first_seq != first for receipt in receipts):
            receipts.insert(0, Receipt("", Op.ADD, first, first, ReceiptState.NOT_SENT, 0))
        exceptions = tuple(
            make_row_exception(
                seq,
                error,
                RowExceptionKind.UNKNOWN if seq in self.maybe_rejected else RowExceptionKind.REJECTED,
            )
            for seq, error in sorted(self.rejected.items())
        )
        return SentEvents(tuple(receipts), exceptions, self.stop_reason)

    def _build_receipts(self) -> Iterator[Receipt]:
        """Yield a receipt for each range of neighbours that ended alike: no two receipts may overlap."""
        by_seq = sorted(self.ends.items())
        ranges = groupby(enumerate(by_seq), lambda item: (item[1][0] - item[0], item[1][1]))
        for (_, end), group in ranges:
            seqs = [seq for _, (seq, _) in group]
            yield Receipt(
                "",
                Op.ADD,
                seqs[0],
                seqs[-1],
                end.state,
                len(seqs),
                detail=end.detail,
                verified=end.state is not ReceiptState.APPLIED,
            )
