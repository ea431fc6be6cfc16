"""Send values in one request, and halve the request as long as Klaviyo refuses it for its content."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from reverse_etl.delivery.refusals import BUDGET_SPENT
from reverse_etl.delivery.systematic_failure import SYSTEMATIC_FAILURE_ALL_ROWS
from reverse_etl.domain.batched import split_in_half
from reverse_etl.errors import KlaviyoError, UnusableReply
from reverse_etl.klaviyo.errors import is_content_refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.delivery.refusals import ListRefusals

Result = TypeVar("Result")


@dataclass
class HalvedRequest(Generic[Result]):
    """The result of sending some values, in as many requests as it took.

    `done` values were accepted, in `results`. `refused` values were refused alone. After an `error` that
    ended it, `unsent` are the values of the last request and of those that were not sent; otherwise none.
    """

    results: list[Result] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    refused: dict[str, UnusableReply] = field(default_factory=dict)
    error: KlaviyoError | None = None
    unsent: list[str] = field(default_factory=list)


def send_in_halves(
    values: Sequence[str], send: Callable[[Sequence[str]], Result], refusals: ListRefusals
) -> HalvedRequest[Result]:
    """Send `values`, at least one, in order. Never raises KlaviyoError.

    Ends with an error if many single values are refused and none was accepted: the request is at fault.
    """
    halved = HalvedRequest[Result]()
    waiting: list[Sequence[str]] = [values]
    sent = False
    while waiting and halved.error is None:
        part = waiting.pop(0)
        if sent and not refusals.reserve_extra_request():
            halved.error = KlaviyoError.of(BUDGET_SPENT).with_failure_cause(BUDGET_SPENT.cause)
        else:
            sent = True
            waiting = [*_send_part(halved, part, send), *waiting]
        if halved.error is not None:
            refused = halved.refused.keys()
            halved.unsent = [value for values in (part, *waiting) for value in values if value not in refused]
    return halved


def _send_part(
    halved: HalvedRequest[Result], part: Sequence[str], send: Callable[[Sequence[str]], Result]
) -> tuple[Sequence[str], ...]:
    """Send one part, and return the parts to send in its place."""
    try:
        halved.results.append(send(part))
    except UnusableReply as error:
        if not is_content_refusal(error):
            halved.error = error
        elif len(part) > 1:
            return split_in_half(part)
        else:
            halved.refused[part[0]] = error
            if not halved.done and len(halved.refused) >= SYSTEMATIC_FAILURE_ALL_ROWS:
                halved.error = error
    except KlaviyoError as error:
        halved.error = error
    else:
        halved.done += part
    return ()
