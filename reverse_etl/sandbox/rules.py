"""Klaviyo's published figures, and choices that its pages leave open: a caller can be tried against each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

MAX_ROWS: Final = 10_000
MAX_BODY_BYTES: Final = 5_000_000
MAX_PROFILE_BYTES: Final = 100_000
MAX_MEMBERS_PER_REQUEST: Final = 1_000
MAX_OPERANDS: Final = 100
MAX_URL_BYTES: Final = 16_384
MAX_EMAIL_CHARACTERS: Final = 100
JOB_RETENTION_SECONDS: Final = 7 * 24 * 3600


@dataclass(frozen=True)
class Rules:
    """How this account behaves where accounts may differ or where the documentation is silent.

    An import job ends `job_seconds + rows * row_seconds` after it was accepted, on the sandbox's clock.
    `match_external_id` says whether a row without a known id, e-mail or phone finds a profile by its external
    id; when not, external ids need not be unique. `conflicts` says what becomes of a row whose secondary
    identifier belongs to somebody else: the identifier is dropped in silence, or the row fails in the job.
    `invalid_phones` says what a bad phone beside a good e-mail does: the whole request is refused, or the
    phone is dropped in silence. `unknown_ids` says what an unknown profile id does to a request that adds or
    removes members: 404, or nothing. `errors_per_reply` caps how many errors one refusal lists. A new list is
    shown among the others `list_seconds` after it was made.
    """

    job_seconds: float = 1.0
    row_seconds: float = 0.0
    match_external_id: bool = True
    conflicts: Literal["drop", "refuse"] = "drop"
    invalid_phones: Literal["refuse", "drop"] = "refuse"
    unknown_ids: Literal["refuse", "ignore"] = "refuse"
    errors_per_reply: int | None = None
    list_seconds: float = 0.0
