"""Decide what to do after an attempt: return its reply, retry, or fail.

- After a 429, wait as long as the reply asks, at most 30 minutes in total. It does not count as a failure.
- After 408, 5xx, a timeout or a lost connection, retry with exponential backoff and full jitter, up to eight
  attempts. A write may have been carried out in each of these cases.
- Without a connection, the request was not carried out. Retry in the same way, but only three attempts if an
  address of this machine refuses the connection, since waiting does not start a sandbox.
- A reply that is too large is not asked for again, and one that took too long at most twice.
- Return every other reply.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias

from reverse_etl.errors import FailureCause
from reverse_etl.klaviyo.headers import parse_date, parse_number_header
from reverse_etl.klaviyo.messages import Response, TransportError, TransportResult

if TYPE_CHECKING:
    from random import Random

    from reverse_etl.klaviyo.endpoints import AnyEndpoint

MAX_ATTEMPTS = 8
MAX_FUTILE_ATTEMPTS = 3  # of failures that another attempt seldom ends
MAX_THROTTLED_SECONDS = 1_800.0
_FIRST_BACKOFF, _MAX_BACKOFF = 0.5, 60.0
_SELDOM_ENDED = (TransportError.CONNECTION_REFUSED, TransportError.TOO_SLOW)


@dataclass(frozen=True)
class Attempts:
    """The attempts so far: failures, 429s, seconds waited for 429s, and whether a reply was lost.

    `is_sent_once`: a lost reply ends them, as if the endpoint were not idempotent.
    """

    failed: int = 0
    throttled: int = 0
    throttled_seconds: float = 0.0
    reply_lost: bool = False
    is_sent_once: bool = False

    @property
    def count(self) -> int:
        """Return the number of attempts."""
        return self.failed + self.throttled


@dataclass(frozen=True)
class Return:
    """Return `response`, whatever its status."""

    response: Response


@dataclass(frozen=True)
class Retry:
    """Try again after `delay` seconds. If `throttled`, all requests of the endpoint wait."""

    delay: float
    attempts: Attempts
    throttled: bool = False


@dataclass(frozen=True)
class Fail:
    """Do not try again. `outcome_unknown` is whether the write may have been carried out."""

    reason: str
    outcome_unknown: bool
    cause: FailureCause
    error: TransportError | None = None


Decision: TypeAlias = Return | Retry | Fail


def next_step(result: TransportResult, attempts: Attempts, endpoint: AnyEndpoint, random: Random) -> Decision:
    """Return what to do after `result`; `attempts` are the attempts before it."""
    if isinstance(result, Response):
        if result.status == HTTPStatus.TOO_MANY_REQUESTS:
            return _decide_after_429(result, attempts, random)
        if not _is_retryable(result.status):
            return Return(replace(result, earlier_reply_lost=attempts.reply_lost))
        reason = f"Klaviyo replied with status {result.status}"
        return _decide_after_failure(reason, result, attempts, endpoint, random)
    if not result.retryable:
        reply_lost = attempts.reply_lost or (endpoint.writes and result.outcome_unknown)
        return Fail(result.value, reply_lost, _find_cause(result), result)
    return _decide_after_failure(result.value, result, attempts, endpoint, random)


def _is_retryable(status: int) -> bool:
    return status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _decide_after_429(response: Response, attempts: Attempts, random: Random) -> Retry | Fail:
    delay = parse_retry_after(response) or _backoff(
        attempts.throttled + 1, 2 * _FIRST_BACKOFF
    ) * random.uniform(0.5, 1)
    waited = attempts.throttled_seconds + delay
    if waited > MAX_THROTTLED_SECONDS:
        reason = f"Klaviyo's rate limit is used up (429), and Klaviyo asks to wait {delay:.0f} s more"
        return Fail(reason, attempts.reply_lost, FailureCause.KLAVIYO_RATE_LIMIT)
    return Retry(
        delay, replace(attempts, throttled=attempts.throttled + 1, throttled_seconds=waited), throttled=True
    )


def _decide_after_failure(
    reason: str, result: TransportResult, attempts: Attempts, endpoint: AnyEndpoint, random: Random
) -> Retry | Fail:
    reply_lost = endpoint.writes and (isinstance(result, Response) or result.outcome_unknown)
    attempts = replace(attempts, failed=attempts.failed + 1, reply_lost=attempts.reply_lost or reply_lost)
    if attempts.reply_lost and (attempts.is_sent_once or not endpoint.idempotent):
        return Fail(reason, outcome_unknown=True, cause=_find_cause(result))
    if attempts.failed >= (MAX_FUTILE_ATTEMPTS if result in _SELDOM_ENDED else MAX_ATTEMPTS):
        error = result if isinstance(result, TransportError) else None
        return Fail(
            f"{reason} after {attempts.failed} attempts", attempts.reply_lost, _find_cause(result), error
        )
    requested_delay = parse_retry_after(result) if isinstance(result, Response) else None
    delay = _backoff(attempts.failed, _FIRST_BACKOFF) * random.random()
    return Retry(max(delay, min(requested_delay or 0.0, _MAX_BACKOFF)), attempts)


def _find_cause(result: TransportResult) -> FailureCause:
    match result:
        case Response(status=HTTPStatus.REQUEST_TIMEOUT):
            return FailureCause.KLAVIYO_TIMEOUT
        case Response() | TransportError.TOO_LARGE:
            return FailureCause.KLAVIYO_ERROR
        case TransportError.TIMED_OUT | TransportError.TOO_SLOW:
            return FailureCause.KLAVIYO_TIMEOUT
        case _:
            return FailureCause.KLAVIYO_UNREACHABLE


def _backoff(nth: int, first: float) -> float:
    return min(first * 2.0 ** min(nth - 1, 16), _MAX_BACKOFF)


def parse_retry_after(response: Response) -> float | None:
    """Return the seconds of Retry-After, or None if it is missing, not positive or not readable.

    It may be a number or a date; a date is compared with the reply's own Date.
    """
    seconds = parse_number_header(response, "retry-after")
    if seconds is None:
        retry_at, date = parse_date(response, "retry-after"), parse_date(response)
        seconds = (retry_at - date).total_seconds() if retry_at is not None and date is not None else 0.0
    return seconds if seconds > 0 else None
