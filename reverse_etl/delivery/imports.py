"""Submit: render a list's upserts, pack them full, and start their imports, several in flight."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from reverse_etl.delivery.concurrency import in_flight
from reverse_etl.delivery.import_bisect import Apart, NotTheRows, take_apart
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.events import Sending
from reverse_etl.domain.receipts import TWIN, Receipt, ReceiptState, Refusal, RefusalKind, in_doubt
from reverse_etl.errors import KlaviyoError, ReplyLost
from reverse_etl.formatting import sentence
from reverse_etl.klaviyo.batching import Batch, pack
from reverse_etl.klaviyo.imports import Accepted, RequestRefused, RowError, RowsRefused
from reverse_etl.klaviyo.serialize import Renderer, Unrenderable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.delivery.list_delivery import Delivery
    from reverse_etl.klaviyo.api import Klaviyo

READ_ROWS = 10_000  # at a time from the warehouse: as many as one request can hold


@dataclass(frozen=True)
class Sent:
    """What came of one packed batch.

    `lost`: an import may exist that no receipt names. `stop`: why to send no more.
    """

    receipts: tuple[Receipt, ...]
    refusals: tuple[Refusal, ...]
    lost: bool = False
    stop: str = ""


def submit(to: Delivery) -> tuple[list[Receipt], bool]:
    """Start the imports of one list's upserts.

    Returns the receipts of the imports that Klaviyo accepted, and whether an import may exist of which no
    receipt speaks. Rows are sent in the order of their numbers; a fault stops what has not been sent, with
    the reason in the list's tally.
    """
    accepted: list[Receipt] = []
    lost = False
    list_id = to.one.list.id
    unrenderable: list[Refusal] = []
    batches = pack(_encoded(to, unrenderable), list_id or None)
    unstopped = takewhile(lambda _: not to.tally.stopped, batches)
    for sent in in_flight(to.at, lambda batch: start(to.at.klaviyo, batch, list_id), unstopped):
        lost = lost or sent.lost
        if sent.stop:
            to.tally.stop(sent.stop)
        refused = in_doubt(sent.refusals) if sent.lost else sent.refusals
        refusals, unrenderable[:] = (*unrenderable, *refused), ()
        to.note(sent.receipts, refusals)
        accepted += [receipt for receipt in sent.receipts if receipt.state is ReceiptState.ACCEPTED]
        taken = sum(receipt.rows for receipt in accepted)
        to.at.tell(Sending(to.plan.model.name, to.one.list.name, taken, to.one.upserts))
    to.note((), unrenderable)
    return accepted, lost


def start(klaviyo: Klaviyo, batch: Batch, list_id: str) -> Sent:
    """Start the import of one batch, and take it apart as long as Klaviyo refuses it for single rows.

    Never raises KlaviyoError.
    """
    receipts: list[Receipt] = []
    refused: dict[int, RowError] = {}
    waiting, rounds, lost, size = [batch], 0, False, len(batch)

    def stopped(
        piece: Batch, why: str, *, perhaps: bool, refusals: RefusalKind = RefusalKind.REJECTED
    ) -> Sent:
        """Return what came of it all when a piece is the last, which Klaviyo has perhaps carried out."""
        state = ReceiptState.UNKNOWN if perhaps else ReceiptState.NOT_SENT
        last = _receipt(piece, list_id, state, detail=why)
        return Sent((*receipts, last, *_unsent(waiting, list_id)), _refusals(refused, refusals), lost, why)

    while waiting:
        piece = waiting.pop(0)
        try:
            reply = klaviyo.start_import(piece.body)
        except ReplyLost as error:
            lost = True
            return stopped(piece, str(error), perhaps=True)
        except KlaviyoError as error:
            return stopped(piece, str(error), perhaps=False)
        lost = lost or reply.lost
        match reply:
            case Accepted(job):
                twin = TWIN if lost else ""
                receipts.append(_receipt(piece, list_id, ReceiptState.ACCEPTED, job=job, detail=twin))
            case RequestRefused(fault):
                return stopped(piece, _refusal(fault), perhaps=reply.lost)
            case RowsRefused(errors):
                rounds += 1
                match take_apart(piece, errors, rounds, size):
                    case Apart(pieces, found):
                        refused |= found
                        waiting = [*pieces, *waiting]
                    case NotTheRows(why):
                        return stopped(piece, why, perhaps=reply.lost, refusals=RefusalKind.NOT_SENT)
    return Sent(tuple(receipts), _refusals(refused), lost)


def _encoded(to: Delivery, unrenderable: list[Refusal]) -> Iterator[tuple[int, bytes]]:
    properties = {part.column.lower(): part.property for part in to.plan.model.payload}
    payload = [(properties[column.name.lower()], column) for column in to.plan.shape.payload]
    renderer = Renderer(to.plan.shape.identifiers, payload)
    for rows in to.deltas.upserts(to.one.list.id, READ_ROWS):
        for row in rows:
            match renderer.encode(row[1:]):
                case bytes() as encoded:
                    yield row[0], encoded
                case Unrenderable(field, reason):
                    unrenderable.append(Refusal(row[0], RefusalKind.REJECTED, "unrenderable", field, reason))


def _receipt(
    batch: Batch, list_id: str, state: ReceiptState, *, job: str | None = None, detail: str = ""
) -> Receipt:
    return Receipt(list_id, Op.ADD, batch.seqs[0], batch.seqs[-1], state, len(batch), job, detail)


def _unsent(batches: Sequence[Batch], list_id: str) -> tuple[Receipt, ...]:
    return tuple(_receipt(batch, list_id, ReceiptState.NOT_SENT) for batch in batches)


def _refusals(refused: dict[int, RowError], kind: RefusalKind = RefusalKind.REJECTED) -> tuple[Refusal, ...]:
    return tuple(Refusal(seq, kind, e.code, e.field, e.detail) for seq, e in sorted(refused.items()))


def _refusal(error: RowError) -> str:
    place = f" at {error.field}" if error.field else ""
    return f"Klaviyo refused the request ({error.code}{place}). {sentence(error.detail)}"
