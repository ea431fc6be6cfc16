"""Submit: render a list's upserts, pack them full, and start their imports, several in flight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.delivery.flight import in_flight
from reverse_etl.delivery.takeapart import Apart, NotTheRows, take_apart
from reverse_etl.delivery.tally import Outcome, Tally
from reverse_etl.errors import KlaviyoError, ReplyLost
from reverse_etl.events import Sending
from reverse_etl.identifiers import IdentifierType
from reverse_etl.klaviyo import Accepted, Klaviyo, RequestRefused, RowError, RowsRefused
from reverse_etl.klaviyo.pack import Batch, import_body, pack
from reverse_etl.klaviyo.render import Renderer, Unrenderable
from reverse_etl.phrases import sentence
from reverse_etl.receipts import Receipt, ReceiptState, Refusal, RefusalKind
from reverse_etl.sql import takeover
from reverse_etl.sql.diff import Op

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.delivery.at import At, Recorder
    from reverse_etl.plan import ListPlan, ModelPlan

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


def submit(
    at: At, plan: ModelPlan, one: ListPlan, recorder: Recorder, tally: Tally
) -> tuple[list[Receipt], bool]:
    """Start the imports of one list's upserts.

    Returns the receipts of the imports that Klaviyo accepted, and whether an import may exist of which no
    receipt speaks. Rows are sent in the order of their numbers; a fault stops what has not been sent, with
    the reason in `tally`.
    """
    accepted: list[Receipt] = []
    lost = False
    unrenderable: list[Refusal] = []
    batches = pack(_encoded(at, plan, one.list.id, unrenderable), one.list.id or None)
    taken = 0
    for sent in in_flight(
        at, lambda batch: start(at.klaviyo, batch, one.list.id), _until_stopped(batches, tally)
    ):
        lost = lost or sent.lost
        if sent.stop:
            tally.stop(sent.stop)
        refusals, unrenderable[:] = (*unrenderable, *sent.refusals), ()
        recorder.add(sent.receipts, refusals)
        count(tally, sent.receipts, refusals)
        accepted += [receipt for receipt in sent.receipts if receipt.state is ReceiptState.ACCEPTED]
        taken += sum(receipt.rows for receipt in sent.receipts if receipt.state is ReceiptState.ACCEPTED)
        at.tell(Sending(plan.model.name, one.list.name, taken, one.upserts))
    recorder.add((), unrenderable)
    count(tally, (), unrenderable)
    return accepted, lost


def start(klaviyo: Klaviyo, batch: Batch, list_id: str) -> Sent:
    """Start the import of one batch, and take it apart as long as Klaviyo refuses it for single rows.

    Never raises KlaviyoError.
    """
    receipts: list[Receipt] = []
    refused: dict[int, RowError] = {}
    waiting, rounds, lost, size = [batch], 0, False, len(batch.rows)
    while waiting:
        piece = waiting.pop(0)
        try:
            reply = klaviyo.start_import(import_body(piece.rows, list_id or None))
        except ReplyLost as error:
            receipts.append(_receipt(piece, list_id, ReceiptState.UNKNOWN, detail=str(error)))
            return Sent(
                (*receipts, *_unsent(waiting, list_id)), _rejected(refused), lost=True, stop=str(error)
            )
        except KlaviyoError as error:
            return Sent(
                (*receipts, *_unsent([piece, *waiting], list_id)), _rejected(refused), lost, str(error)
            )
        lost = lost or reply.lost
        match reply:
            case Accepted(job):
                receipts.append(_receipt(piece, list_id, ReceiptState.ACCEPTED, job=job))
            case RequestRefused(fault):
                return Sent(
                    (*receipts, *_unsent([piece, *waiting], list_id)),
                    _rejected(refused),
                    lost,
                    _refusal(fault),
                )
            case RowsRefused(errors):
                rounds += 1
                match take_apart(piece, errors, rounds, size):
                    case Apart(pieces, found):
                        refused |= found
                        waiting = [*pieces, *waiting]
                    case NotTheRows(reason):
                        withdrawn = _withdrawn(refused)
                        return Sent(
                            (*receipts, *_unsent([piece, *waiting], list_id)), withdrawn, lost, reason
                        )
    return Sent(tuple(receipts), _rejected(refused), lost)


def count(tally: Tally, receipts: Sequence[Receipt], refusals: Sequence[Refusal]) -> None:
    """Count what receipts and refusals say; accepted rows are counted when their job is settled."""
    outcomes = {
        ReceiptState.APPLIED: Outcome.APPLIED,
        ReceiptState.UNKNOWN: Outcome.UNKNOWN,
        ReceiptState.NOT_SENT: Outcome.NOT_SENT,
    }
    for receipt in receipts:
        if receipt.state in outcomes:
            tally.add(outcomes[receipt.state], receipt.rows)
    kinds = {
        RefusalKind.REJECTED: Outcome.REJECTED,
        RefusalKind.NOT_SENT: Outcome.NOT_SENT,
        RefusalKind.HELD: Outcome.HELD,
    }
    for refusal in refusals:
        tally.add(kinds[refusal.kind], 1)


def _encoded(
    at: At, plan: ModelPlan, list_id: str, unrenderable: list[Refusal]
) -> Iterator[tuple[int, bytes]]:
    properties = {part.column.lower(): part.property for part in plan.model.payload}
    payload = [(properties[column.name.lower()], column) for column in plan.shape.payload]
    renderer = Renderer(tuple(IdentifierType), payload)
    statement = takeover.upserts(at.warehouse.dialect, plan.shape, at.run_id, list_id)
    first = 1 + len(IdentifierType)
    for rows in at.warehouse.batches(statement, READ_ROWS):
        for row in rows:
            match renderer.encode(row[1:first], row[first:]):
                case bytes() as encoded:
                    yield row[0], encoded
                case Unrenderable(field, reason):
                    unrenderable.append(Refusal(row[0], RefusalKind.REJECTED, "unrenderable", field, reason))


def _until_stopped(batches: Iterator[Batch], tally: Tally) -> Iterator[Batch]:
    for batch in batches:
        if tally.stopped:
            return
        yield batch


def _receipt(
    batch: Batch, list_id: str, state: ReceiptState, *, job: str | None = None, detail: str = ""
) -> Receipt:
    return Receipt(list_id, _UPSERT, batch.first_seq, batch.last_seq, state, len(batch.rows), job, detail)


def _unsent(batches: Sequence[Batch], list_id: str) -> tuple[Receipt, ...]:
    return tuple(_receipt(batch, list_id, ReceiptState.NOT_SENT) for batch in batches)


def _rejected(refused: dict[int, RowError]) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(seq, RefusalKind.REJECTED, e.code, e.field, e.detail) for seq, e in sorted(refused.items())
    )


def _withdrawn(refused: dict[int, RowError]) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(seq, RefusalKind.NOT_SENT, e.code, e.field, e.detail) for seq, e in sorted(refused.items())
    )


def _refusal(error: RowError) -> str:
    place = f" at {error.field}" if error.field else ""
    return f"Klaviyo refused the request ({error.code}{place}). {sentence(error.detail)}"


_UPSERT = Op.ADD.value
