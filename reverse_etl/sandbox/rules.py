"""Klaviyo's published limits, and options for behaviour that its documentation leaves open."""

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
    """The behaviour of an account where accounts may differ or the documentation is silent.

    An import job ends `job_seconds + rows * row_seconds` after it was accepted, on the sandbox's clock.
    `match_external_id`: whether a row without a known id, e-mail or phone matches a profile by external id;
    if not, external ids need not be unique. `conflicts`: whether a secondary identifier that belongs to
    another profile is dropped without notice, or makes the row fail in the job. `invalid_phones`: whether an
    invalid phone beside a valid e-mail refuses the whole request, or is dropped without notice.
    `unknown_ids`: whether an unknown profile id in a request that adds or removes members leads to 404, or is
    ignored. `errors_per_reply`: the maximum number of errors in a refusal. `list_seconds`: the time after
    which a new list appears among the lists.
    """

    job_seconds: float = 1.0
    row_seconds: float = 0.0
    match_external_id: bool = True
    conflicts: Literal["drop", "refuse"] = "drop"
    invalid_phones: Literal["refuse", "drop"] = "refuse"
    unknown_ids: Literal["refuse", "ignore"] = "refuse"
    errors_per_reply: int | None = None
    list_seconds: float = 0.0
