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

from reverse_etl.klaviyo.messages import Answer, Fault, Outcome

if TYPE_CHECKING:
    from random import Random

    from reverse_etl.klaviyo.endpoints import Endpoint

ATTEMPTS = 8
REFUSED_ATTEMPTS = 3
THROTTLED_SECONDS = 1_800.0
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.5, 60.0


@dataclass(frozen=True)
class Tries:
    """What went before: failed tries, 429s and seconds waited for them, and whether a reply was lost."""

    failed: int = 0
    throttled: int = 0
    throttled_seconds: float = 0.0
    lost: bool = False

    @property
    def count(self) -> int:
        """Return how many tries there were."""
        return self.failed + self.throttled


@dataclass(frozen=True)
class Done:
    """`answer` is to be decoded, be it good or bad."""

    answer: Answer


@dataclass(frozen=True)
class Again:
    """Try again after so many seconds; a `throttled` endpoint rests as a whole."""

    after: float
    tries: Tries
    throttled: bool = False


@dataclass(frozen=True)
class GiveUp:
    """No more tries. `lost`: nobody knows whether the write was carried out."""

    reason: str
    lost: bool
    fault: Fault | None = None


Decision: TypeAlias = Done | Again | GiveUp


def decide(outcome: Outcome, tries: Tries, endpoint: Endpoint, random: Random) -> Decision:
    """Return what to do after `outcome`, when `tries` went before it."""
    if isinstance(outcome, Answer):
        if outcome.status == HTTPStatus.TOO_MANY_REQUESTS:
            return _after_429(outcome, tries, random)
        if not _passing(outcome.status):
            return Done(replace(outcome, lost=tries.lost))
        return _after_failure(f"the reply was {outcome.status}", outcome, tries, endpoint, random)
    if not outcome.passing:
        return GiveUp(outcome.value, tries.lost, outcome)
    return _after_failure(outcome.value, outcome, tries, endpoint, random)


def _passing(status: int) -> bool:
    return status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _after_429(answer: Answer, tries: Tries, random: Random) -> Again | GiveUp:
    after = retry_after(answer) or _backoff(tries.throttled + 1, 2 * _FIRST_BACKOFF) * random.uniform(0.5, 1)
    waited = tries.throttled_seconds + after
    if waited > THROTTLED_SECONDS:
        reason = f"Klaviyo's limit is used up (429) and it asked to wait {after:.0f} s more"
        return GiveUp(reason, tries.lost)
    return Again(
        after, replace(tries, throttled=tries.throttled + 1, throttled_seconds=waited), throttled=True
    )


def _after_failure(
    reason: str, outcome: Outcome, tries: Tries, endpoint: Endpoint, random: Random
) -> Again | GiveUp:
    lost = endpoint.writes and (isinstance(outcome, Answer) or outcome.lost)
    tries = replace(tries, failed=tries.failed + 1, lost=tries.lost or lost)
    if tries.lost and not endpoint.repeatable:
        return GiveUp(reason, lost=True)
    if tries.failed >= (REFUSED_ATTEMPTS if outcome is Fault.REFUSED else ATTEMPTS):
        fault = outcome if isinstance(outcome, Fault) else None
        return GiveUp(f"{reason}, after {tries.failed} tries", tries.lost, fault)
    told = retry_after(outcome) if isinstance(outcome, Answer) else None
    after = _backoff(tries.failed, _FIRST_BACKOFF) * random.random()
    return Again(max(after, min(told or 0.0, _LONGEST_BACKOFF)), tries)


def _backoff(nth: int, first: float) -> float:
    return min(first * 2.0 ** min(nth - 1, 16), _LONGEST_BACKOFF)


def retry_after(answer: Answer) -> float | None:
    """Return the seconds that the reply asks to wait; None for nothing, 0 or what can't be understood."""
    text = answer.headers.get("retry-after", "").strip()
    return float(text) or None if text.isdecimal() else None
