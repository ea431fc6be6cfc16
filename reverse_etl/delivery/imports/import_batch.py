"""Start the import of one batch, and take the batch apart as long as Klaviyo refuses it.

A refusal that points at rows rejects them. Any other refusal is halved, down to single rows. If every row is
refused like that, the request itself is at fault, and no row is rejected.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, assert_never

from reverse_etl.delivery.imports.import_bisect import (
    AbortList,
    RetryBatches,
    bisect_rejected,
)
from reverse_etl.delivery.refusals import BUDGET_SPENT, describe_missing_list
from reverse_etl.delivery.row_exceptions import make_row_exception
from reverse_etl.delivery.systematic_failure import SYSTEMATIC_FAILURE_ALL_ROWS, find_systematic_failure
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.errors import FailureReason, KlaviyoError, ReplyLost
from reverse_etl.formatting import end_sentence, format_count
from reverse_etl.klaviyo.batching import Batch, exclude_rows, split_in_half
from reverse_etl.klaviyo.imports import ImportAccepted, RequestRefused, RowError, RowsRefused

if TYPE_CHECKING:
    from reverse_etl.delivery.refusals import ListRefusals
    from reverse_etl.klaviyo.api import Klaviyo


@dataclass(frozen=True)
class SubmittedBatch:
    """The result of one batch.

    `reply_lost`: an import without a receipt may exist. `stop_reason`: why the list stops, or empty.
    """

    receipts: tuple[Receipt, ...]
    row_exceptions: tuple[RowException, ...]
    reply_lost: bool = False
    stop_reason: str = ""


def submit_batch(klaviyo: Klaviyo, batch: Batch, list_id: str, refusals: ListRefusals) -> SubmittedBatch:
    """Start the import of one batch, in as many requests as it takes. Never raises KlaviyoError."""
    submission = _Submission(klaviyo, list_id, refusals, len(batch), [batch])
    while submission.waiting and not submission.stop_reason:
        submission.send_next()
    return submission.finish()


@dataclass
class _Submission:
    """A batch that is being sent: the pieces that wait, and what came of the others.

    `rejected` are the rows at which Klaviyo's errors point. `unexplained` are rows that were refused alone,
    without a pointer: whether they or the request are at fault depends on the others.
    """

    klaviyo: Klaviyo
    list_id: str
    refusals: ListRefusals
    size: int
    waiting: list[Batch]
    receipts: list[Receipt] = field(default_factory=list)
    rejected: dict[int, RowError] = field(default_factory=dict)
    unexplained: dict[int, RowError] = field(default_factory=dict)
    rounds: int = 0
    any_accepted: bool = False
    reply_lost: bool = False
    stop_reason: str = ""
    rows_at_fault: bool = True
    _sent: bool = False
    _list_found: bool = False
    _far_row_tried: bool = False

    def send_next(self) -> None:
        """Send the next piece, and settle it or take it apart."""
        piece = self.waiting.pop(0)
        if self._sent and not self.refusals.reserve_extra_request():
            self._stop_at_budget(piece)
            return
        self._sent = True
        try:
            reply = self.klaviyo.start_import(piece.body)
        except ReplyLost as error:
            self.reply_lost = True
            self._stop(piece, FailureReason.of(error), unknown=True)
            return
        except KlaviyoError as error:
            self._stop(piece, FailureReason.of(error))
            return
        self.reply_lost = self.reply_lost or reply.earlier_reply_lost
        match reply:
            case ImportAccepted(job):
                self.any_accepted = True
                self.refusals.note_applied_rows()
                accepted = self._receipt(piece, ReceiptState.ACCEPTED, job=job)
                self.receipts.append(replace(accepted, may_have_duplicate=self.reply_lost))
            case RequestRefused():
                self._handle_request_refusal(piece, reply)
            case RowsRefused():
                self._handle_row_refusal(piece, reply)
            case _:
                assert_never(reply)

    def finish(self) -> SubmittedBatch:
        """Return what came of the batch."""
        if not self.stop_reason:
            self._evaluate_unexplained_rows()
        kind = RowExceptionKind.REJECTED if self.rows_at_fault else RowExceptionKind.NOT_SENT
        errors = dict(self.rejected)
        receipts = [*self.receipts]
        for seq, error in self.unexplained.items():
            if self.rows_at_fault:
                errors[seq] = error
            else:
                detail = _describe_request_error(error)
                receipts.append(
                    Receipt(self.list_id, Op.ADD, seq, seq, ReceiptState.NOT_SENT, 1, detail=detail)
                )
        return SubmittedBatch(
            tuple(receipts),
            tuple(make_row_exception(seq, error, kind) for seq, error in sorted(errors.items())),
            self.reply_lost,
            self.stop_reason,
        )

    def _handle_row_refusal(self, piece: Batch, reply: RowsRefused) -> None:
        errors = {index: error for index, error in reply.errors.items() if index < len(piece)}
        if not errors:  # the pointers lead to rows that were not sent
            first = next(iter(reply.errors.values()))
            self._handle_request_refusal(
                piece, RequestRefused(first, HTTPStatus.BAD_REQUEST, reply.earlier_reply_lost)
            )
            return
        self.rounds += 1
        match bisect_rejected(piece, errors, self.rounds, self.size, [*self.rejected.values()]):
            case RetryBatches(pieces, rejected):
                self.rejected |= rejected
                self.waiting = [*pieces, *self.waiting]
            case AbortList(reason):
                self.rows_at_fault = False
                self._stop(piece, reason, unknown=reply.earlier_reply_lost)

    def _handle_request_refusal(self, piece: Batch, reply: RequestRefused) -> None:
        """Halve a piece whose refusal points at no row."""
        if reply.earlier_reply_lost:
            self._stop(piece, _describe_request_error(reply.error), unknown=True)
        elif reply.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE and (reason := self._find_missing_list()):
            self.rows_at_fault = False
            self._stop(piece, f"{_describe_request_error(reply.error)} {reason}")
        elif len(piece) > 1:
            self.waiting = [*split_in_half(piece), *self.waiting]
        else:
            self.unexplained[piece.seqs[0]] = reply.error
            self._stop_if_nothing_is_accepted(reply.error)

    def _find_missing_list(self) -> str:
        """Return that the list no longer exists, or ''. Asks once."""
        if self._list_found or not self.list_id:
            return ""
        reason = describe_missing_list(self.klaviyo, self.list_id)
        self._list_found = not reason
        return reason

    def _stop_if_nothing_is_accepted(self, error: RowError) -> None:
        """Stop if many single rows were refused and none accepted. Tries a row from the other end first."""
        if self.any_accepted or len(self.unexplained) < SYSTEMATIC_FAILURE_ALL_ROWS:
            return
        if self.waiting and not self._far_row_tried:
            self._far_row_tried = True
            last = self.waiting.pop()
            rest, _ = exclude_rows(last, [len(last) - 1])
            far_row, _ = exclude_rows(last, range(len(last) - 1))
            self.waiting = [part for part in (far_row, *self.waiting, rest) if part is not None]
            return
        self.rows_at_fault = False
        self.stop_reason = FailureReason.refusal(
            f"Klaviyo refused {format_count(len(self.unexplained), 'row')} one by one and accepted none, so "
            f"the cause is the model or the account. {_describe_request_error(error)}"
        )
        self._add_unsent_receipts()

    def _evaluate_unexplained_rows(self) -> None:
        if not self.unexplained:
            return
        first = next(iter(self.unexplained.values()))
        systematic = find_systematic_failure([*self.rejected.values(), *self.unexplained.values()], self.size)
        if systematic is not None or not self.refusals.has_applied_rows:
            self.rows_at_fault = False
            self.stop_reason = systematic or _describe_request_error(first)

    def _stop_at_budget(self, piece: Batch) -> None:
        self.rows_at_fault = self.refusals.has_applied_rows
        self._stop(piece, BUDGET_SPENT)

    def _stop(self, piece: Batch, reason: str, *, unknown: bool = False) -> None:
        self.stop_reason = reason
        state = ReceiptState.UNKNOWN if unknown else ReceiptState.NOT_SENT
        self.receipts.append(self._receipt(piece, state, detail=reason))
        self._add_unsent_receipts()
        if self.unexplained and not self.refusals.has_applied_rows:
            self.rows_at_fault = False

    def _add_unsent_receipts(self) -> None:
        self.receipts += [self._receipt(piece, ReceiptState.NOT_SENT) for piece in self.waiting]

    def _receipt(
        self, piece: Batch, state: ReceiptState, *, job: str | None = None, detail: str = ""
    ) -> Receipt:
        return Receipt(self.list_id, Op.ADD, piece.seqs[0], piece.seqs[-1], state, len(piece), job, detail)


def _describe_request_error(error: RowError) -> str:
    location = f" at {error.field}" if error.field else ""
    text = f"Klaviyo refused the request ({error.code}{location}). {end_sentence(error.detail)}"
    return FailureReason.refusal(text)
