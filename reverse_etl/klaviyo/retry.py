"""What to do after a try: whether its outcome is the answer, or when to try again, or why not to. Pure.

A 429 is waited out as told and does not count as a failure, but not for longer than half an hour in all.
Klaviyo's reply 408 or 5xx, silence and a cut connection are tried again with exponential backoff and full
jitter, at most eight times; on a write each of them means that the request may have been carried out.
Where no connection could be made, nothing was carried out; it is tried again in the same way, but only three
times where nothing listens at an address of this machine: waiting starts no sandbox. Everything else is the
answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeAlias

from reverse_etl.klaviyo.messages import Response, TransportError, TransportResult

if TYPE_CHECKING:
    from random import Random

    from reverse_etl.klaviyo.endpoints import Endpoint

MAX_ATTEMPTS = 8
MAX_REFUSED_ATTEMPTS = 3
MAX_THROTTLED_SECONDS = 1_800.0
_FIRST_BACKOFF, _MAX_BACKOFF = 0.5, 60.0


@dataclass(frozen=True)
class Attempts:
    """What went before: failed tries, 429s and seconds waited for them, and whether a reply was lost."""

    failed: int = 0
    throttled: int = 0
    throttled_seconds: float = 0.0
    reply_lost: bool = False

    @property
    def count(self) -> int:
        """Return how many tries there were."""
        return self.failed + self.throttled


@dataclass(frozen=True)
class Return:
    """`response` is to be decoded, be it good or bad."""

    response: Response


@dataclass(frozen=True)
class Retry:
    """Try again after so many seconds; a `throttled` endpoint rests as a whole."""

    delay: float
    attempts: Attempts
    throttled: bool = False


@dataclass(frozen=True)
class Fail:
    """No more tries. `outcome_unknown`: nobody knows whether the write was carried out."""

    reason: str
    outcome_unknown: bool
    error: TransportError | None = None


Decision: TypeAlias = Return | Retry | Fail


def next_step(result: TransportResult, attempts: Attempts, endpoint: Endpoint, random: Random) -> Decision:
    """Return what to do after `result`, when `attempts` went before it."""
    if isinstance(result, Response):
        if result.status == HTTPStatus.TOO_MANY_REQUESTS:
            return _decide_after_429(result, attempts, random)
        if not _is_retryable(result.status):
            return Return(replace(result, earlier_reply_lost=attempts.reply_lost))
        return _decide_after_failure(f"the reply was {result.status}", result, attempts, endpoint, random)
    if not result.retryable:
        return Fail(result.value, attempts.reply_lost, result)
    return _decide_after_failure(result.value, result, attempts, endpoint, random)


def _is_retryable(status: int) -> bool:
    return status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _decide_after_429(response: Response, attempts: Attempts, random: Random) -> Retry | Fail:
    delay = parse_retry_after(response) or _backoff(
        attempts.throttled + 1, 2 * _FIRST_BACKOFF
    ) * random.uniform(0.5, 1)
    waited = attempts.throttled_seconds + delay
    if waited > MAX_THROTTLED_SECONDS:
        reason = f"Klaviyo's limit is used up (429) and it asked to wait {delay:.0f} s more"
        return Fail(reason, attempts.reply_lost)
    return Retry(
        delay, replace(attempts, throttled=attempts.throttled + 1, throttled_seconds=waited), throttled=True
    )


def _decide_after_failure(
    reason: str, result: TransportResult, attempts: Attempts, endpoint: Endpoint, random: Random
) -> Retry | Fail:
    reply_lost = endpoint.writes and (isinstance(result, Response) or result.outcome_unknown)
    attempts = replace(attempts, failed=attempts.failed + 1, reply_lost=attempts.reply_lost or reply_lost)
    if attempts.reply_lost and not endpoint.idempotent:
        return Fail(reason, outcome_unknown=True)
    if attempts.failed >= (
        MAX_REFUSED_ATTEMPTS if result is TransportError.CONNECTION_REFUSED else MAX_ATTEMPTS
    ):
        error = result if isinstance(result, TransportError) else None
        return Fail(f"{reason}, after {attempts.failed} tries", attempts.reply_lost, error)
    requested_delay = parse_retry_after(result) if isinstance(result, Response) else None
    delay = _backoff(attempts.failed, _FIRST_BACKOFF) * random.random()
    return Retry(max(delay, min(requested_delay or 0.0, _MAX_BACKOFF)), attempts)


def _backoff(nth: int, first: float) -> float:
    return min(first * 2.0 ** min(nth - 1, 16), _MAX_BACKOFF)


def parse_retry_after(response: Response) -> float | None:
    """Return the seconds that the reply asks to wait; None for nothing, 0 or what can't be understood."""
    text = response.headers.get("retry-after", "").strip()
    return float(text) or None if text.isdecimal() else None
