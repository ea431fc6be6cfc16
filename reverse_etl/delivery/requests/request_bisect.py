"""Send one prepared request, and take it apart as long as Klaviyo refuses it.

Rows at which Klaviyo's errors point are refused, and the others are sent again. A refusal that points at no
row is halved until it is of one row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.row_exceptions import make_row_exception
from reverse_etl.delivery.systematic_failure import find_systematic_failure
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowException, as_unknown
from reverse_etl.domain.rejections import UNENCODABLE
from reverse_etl.errors import FailureReason, KlaviyoError, ReplyLost
from reverse_etl.klaviyo.batching import Batch, exclude_rows, split_in_half
from reverse_etl.klaviyo.custom_requests import CustomAccepted, CustomRefused, custom_request
from reverse_etl.klaviyo.imports import RowError
from reverse_etl.klaviyo.kept_responses import KeptResponse
from reverse_etl.surfaces.request_template import PreparedRequest, RefusalMeaning, UnpreparedRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.messages import Response
    from reverse_etl.surfaces.operations import SendRequests

_OTHER_REQUEST: Final = frozenset({RefusalMeaning.CREATE, RefusalMeaning.UPDATE})
_MAX_REFUSALS: Final = 200  # of one prepared request, before what is left of it is given up


@dataclass(frozen=True)
class SentRequest:
    """The result of one prepared request, to `path`. `stop_reason` is why the list stops, or empty.

    `responses` are the replies that settled rows, if the model keeps them.
    """

    path: str
    receipts: tuple[Receipt, ...]
    row_exceptions: tuple[RowException, ...] = ()
    stop_reason: str = ""
    responses: tuple[KeptResponse, ...] = ()


def send_request(
    klaviyo: Klaviyo, operation: SendRequests, prepared: PreparedRequest, list_id: str
) -> SentRequest:
    """Send a request until each of its rows is applied, refused, or given up. Never raises KlaviyoError."""
    pieces = _RequestPieces(operation, prepared, list_id, [prepared.batch])
    while pieces.waiting and not pieces.stop_reason:
        batch = pieces.waiting.pop(0)
        pieces.send_piece(klaviyo, batch)
    return pieces.finish()


@dataclass
class _RequestPieces:
    """The pieces of a request: those that wait, and what came of the others.

    `switched` is whether the other request, for new or for changed rows, took the place of the first.
    """

    operation: SendRequests
    prepared: PreparedRequest
    list_id: str
    waiting: list[Batch]
    receipts: list[Receipt] = field(default_factory=list)
    row_exceptions: list[RowException] = field(default_factory=list)
    responses: list[KeptResponse] = field(default_factory=list)
    refusals: int = 0
    stop_reason: str = ""
    switched: bool = False

    def send_piece(self, klaviyo: Klaviyo, batch: Batch) -> None:
        """Send one piece, and settle or take apart its rows."""
        template = self.prepared.template
        request = custom_request(
            template.endpoint,
            self.prepared.path,
            self.prepared.query,
            template.headers,
            batch.body or None,
        )
        try:
            reply = klaviyo.send_custom(request)
        except ReplyLost as error:
            self._stop(batch, ReceiptState.UNKNOWN, FailureReason.of(error))
        except KlaviyoError as error:
            self._stop(batch, ReceiptState.NOT_SENT, FailureReason.of(error))
        else:
            match reply:
                case CustomAccepted():
                    verified = reply.response.status != HTTPStatus.ACCEPTED
                    self._add_receipt(batch, ReceiptState.APPLIED, verified=verified)
                    self._keep(reply.response, batch.seqs)
                case CustomRefused():
                    self._handle_refusal(batch, reply)

    def finish(self) -> SentRequest:
        """Return what came of it all. Its first receipt takes the place of the one stored before sending."""
        first = self.prepared.batch.seqs[0]
        if all(receipt.first_seq != first for receipt in self.receipts):
            self.receipts.insert(
                0, Receipt(self.list_id, self.operation.op, first, first, ReceiptState.NOT_SENT, 0)
            )
        return SentRequest(
            self.prepared.path,
            tuple(self.receipts),
            tuple(self.row_exceptions),
            self.stop_reason,
            tuple(self.responses),
        )

    def _keep(self, response: Response, seqs: Sequence[int]) -> None:
        """Keep a reply that settled rows, if the model asks for it."""
        if self.operation.keep is None or not seqs:
            return
        endpoint = self.prepared.template.endpoint
        body, is_cut = self.operation.keep.keep_body(response.content)
        self.responses.append(
            KeptResponse(tuple(seqs), endpoint.method, endpoint.template, response.status, body, is_cut)
        )

    def _handle_refusal(self, batch: Batch, reply: CustomRefused) -> None:
        self.refusals += 1
        if self.refusals > _MAX_REFUSALS:
            self._stop(
                batch,
                ReceiptState.NOT_SENT,
                f"Klaviyo refused {_MAX_REFUSALS} parts of one request. The next run goes on with the rest.",
            )
            return
        refusal = _read_refusal(self.prepared, reply, batch)
        if refusal.meaning in _OTHER_REQUEST and not self.switched:
            self._switch(refusal.meaning, batch.seqs[0])
            return
        if refusal.stop_reason:
            self._stop(batch, ReceiptState.NOT_SENT, refusal.stop_reason)
            return
        if refusal.meaning is RefusalMeaning.APPLIED:
            self._add_receipt(batch, ReceiptState.APPLIED)
            self._keep(reply.response, batch.seqs)
        self._keep(reply.response, [exception.seq for exception in refusal.row_exceptions])
        lost = reply.response.earlier_reply_lost
        self.row_exceptions += as_unknown(refusal.row_exceptions) if lost else refusal.row_exceptions
        self.waiting = [*refusal.batches, *self.waiting]

    def _switch(self, meaning: RefusalMeaning, seq: int) -> None:
        """Send the row by the other request: it exists, though it was new here, or the other way round."""
        self.switched = True
        operation, values = self.operation, self.prepared.values
        other = operation.update if meaning is RefusalMeaning.UPDATE else operation.template
        assert other is not None and values is not None  # noqa: PT018, S101 - as the model's check requires
        (item,) = other.prepare([(seq, values)])
        match item:
            case PreparedRequest():
                self.prepared = item
                self.waiting = [item.batch]
            case UnpreparedRow(_, error):
                reason = RowError(UNENCODABLE, error.field, error.reason)
                self.row_exceptions.append(make_row_exception(seq, reason))

    def _stop(self, batch: Batch, state: ReceiptState, reason: str) -> None:
        self.stop_reason = reason
        self._add_receipt(batch, state, reason)
        for piece in self.waiting:
            self._add_receipt(piece, ReceiptState.NOT_SENT)

    def _add_receipt(
        self, batch: Batch, state: ReceiptState, detail: str = "", *, verified: bool = True
    ) -> None:
        receipt = Receipt(self.list_id, self.operation.op, batch.seqs[0], batch.seqs[-1], state, len(batch))
        self.receipts.append(replace(receipt, detail=detail, verified=verified))


@dataclass(frozen=True)
class _Refusal:
    """The consequence of a refusal: what is sent next, the rows at fault, or why the list stops.

    `meaning` is what the refusal of a single row means.
    """

    batches: tuple[Batch, ...] = ()
    row_exceptions: tuple[RowException, ...] = ()
    meaning: RefusalMeaning = RefusalMeaning.REJECTED
    stop_reason: str = ""


def _read_refusal(prepared: PreparedRequest, reply: CustomRefused, batch: Batch) -> _Refusal:
    meaning = prepared.template.meanings.get(reply.response.status, RefusalMeaning.REJECTED)
    if len(batch) == 1:
        exception = make_row_exception(batch.seqs[0], reply.errors[0])
        return _Refusal(
            row_exceptions=() if meaning is RefusalMeaning.APPLIED else (exception,), meaning=meaning
        )
    errors = (
        {}
        if meaning is not RefusalMeaning.REJECTED
        else _match_errors_to_rows(reply.errors, prepared.rows_pointer, len(batch))
    )
    if not errors:
        return _Refusal(split_in_half(batch))
    if (reason := find_systematic_failure([*errors.values()], len(prepared.batch))) is not None:
        return _Refusal(stop_reason=reason)
    rest, _ = exclude_rows(batch, errors)
    exceptions = tuple(
        make_row_exception(batch.seqs[index], error) for index, error in sorted(errors.items())
    )
    return _Refusal((rest,) if rest else (), exceptions)


def _match_errors_to_rows(errors: Sequence[RowError], rows_pointer: str, size: int) -> dict[int, RowError]:
    """Return the first error of each row, by its index; none at all if one of them points at no row."""
    pattern = re.compile(re.escape(rows_pointer) + r"/(\d{1,9})(?:/(.*?))?/*", re.DOTALL)
    errors_by_index: dict[int, RowError] = {}
    for error in errors:
        match = pattern.fullmatch(error.field)
        if match is None or int(match[1]) >= size:
            return {}
        errors_by_index.setdefault(int(match[1]), RowError(error.code, match[2] or "", error.detail))
    return errors_by_index
