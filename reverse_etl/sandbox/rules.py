"""Klaviyo's published limits, and options for behaviour that its documentation leaves open."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict

from pydantic import TypeAdapter, ValidationError

from reverse_etl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ROWS: Final = 10_000
MAX_BODY_BYTES: Final = 5_000_000
MAX_PROFILE_BYTES: Final = 100_000
MAX_MEMBERS_PER_REQUEST: Final = 1_000
MAX_OPERANDS: Final = 100
MAX_URL_BYTES: Final = 16_384
MAX_EMAIL_CHARACTERS: Final = 100
JOB_RETENTION_SECONDS: Final = 7 * 24 * 3600
OLDEST_REVISION: Final = date(2025, 1, 15)  # when 2026-10-15 is the newest

Conflicts = Literal["drop", "refuse", "refuse_request"]


@dataclass(frozen=True)
class Rules:
    """The behaviour of an account where accounts may differ or the documentation is silent.

    Times are in seconds on the sandbox's clock. An import job ends `job_seconds + rows * row_seconds` after
    it was accepted. The other rules:

    match_external_id     a row without a known id, e-mail or phone matches a profile by external id; if not,
                          external ids need not be unique
    found_by              of a row's e-mail and external id the one that finds its profile, if both are known
    conflicts             a secondary identifier of another profile is dropped without notice (`drop`), makes
                          the row fail in the job (`refuse`), or refuses the request with a pointer to the row
    invalid_phones        an invalid phone beside a valid e-mail refuses the request, or is dropped
    unknown_ids           an unknown id in a request that adds or removes members is 404, or is ignored
    errors_per_reply      the maximum number of errors in a refusal
    list_seconds          the time after which a new list appears among the lists
    patches               `meta.patch_properties` of an import's row is obeyed, or ignored without notice
    missing_scopes        scopes that the key lacks
    consent_seconds       the time after which a subscription takes effect
    silence_seconds       the time after a subscription in which another one of the same person is ignored
    age_gated             consent to SMS needs a date of birth
    refused_sms_prefixes  beginnings of phone numbers for which the account has no SMS sender
    suppression_seconds   the time after which a suppression takes effect
    suppression_jobs      a job of suppressions shows its effect, or, as seen, no rows at first, and then for
                          ever that it skips all of them
    suppression_creates   suppressing an unknown address makes a profile
    event_seconds         the time after which an event can be read
    bulk_repeats          the id of a stored event, sent again in bulk, is ignored, or refuses the request
    merged_emails         the e-mail of a merged profile is gone, or a filter by it finds the other profile
    deletion_seconds      the time after which a deleted person is gone
    """

    job_seconds: float = 1.0
    row_seconds: float = 0.0
    match_external_id: bool = True
    found_by: Literal["email", "external_id"] = "email"
    conflicts: Conflicts = "drop"
    invalid_phones: Literal["refuse", "drop"] = "refuse"
    unknown_ids: Literal["refuse", "ignore"] = "refuse"
    errors_per_reply: int | None = None
    list_seconds: float = 0.0
    patches: Literal["obey", "ignore"] = "obey"
    missing_scopes: tuple[str, ...] = ()
    consent_seconds: float = 1.0
    silence_seconds: float = 1800.0
    age_gated: bool = False
    refused_sms_prefixes: tuple[str, ...] = ()
    suppression_seconds: float = 1.0
    suppression_jobs: Literal["lie", "honest"] = "lie"
    suppression_creates: bool = True
    event_seconds: float = 0.0
    bulk_repeats: Literal["ignore", "refuse"] = "ignore"
    merged_emails: Literal["forget", "keep"] = "forget"
    deletion_seconds: float = 1.0

    def document(self) -> dict[str, Any]:
        """Return the rules by the names under which users set them: those of the fields."""
        return asdict(self)

    def change(self, changes: Mapping[str, object]) -> Rules:
        """Return these rules with some of them changed. Raises UsageError for an unknown name or value."""
        unknown = changes.keys() - self.document().keys()
        if unknown:
            raise UsageError.of(
                f"'{min(unknown)}' is not a rule of the sandbox.",
                hint=f"Its rules: {', '.join(sorted(self.document()))}.",
            )
        try:
            return TypeAdapter(Rules).validate_python(self.document() | dict(changes))
        except ValidationError as error:
            messages = (
                f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()
            )
            raise UsageError.of(f"The rules cannot be changed: {'; '.join(messages)}.") from error


class RuleOptions(TypedDict, total=False):
    """The fields of `Rules` as keyword arguments."""

    job_seconds: float
    row_seconds: float
    match_external_id: bool
    found_by: Literal["email", "external_id"]
    conflicts: Conflicts
    invalid_phones: Literal["refuse", "drop"]
    unknown_ids: Literal["refuse", "ignore"]
    errors_per_reply: int | None
    list_seconds: float
    patches: Literal["obey", "ignore"]
    missing_scopes: tuple[str, ...]
    consent_seconds: float
    silence_seconds: float
    age_gated: bool
    refused_sms_prefixes: tuple[str, ...]
    suppression_seconds: float
    suppression_jobs: Literal["lie", "honest"]
    suppression_creates: bool
    event_seconds: float
    bulk_repeats: Literal["ignore", "refuse"]
    merged_emails: Literal["forget", "keep"]
    deletion_seconds: float
