"""Decide how a row ends whose e-mail is to be suppressed or unsuppressed, by what Klaviyo shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.timestamps import CLOCK_SKEW_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reverse_etl.klaviyo.suppressions import EmailState
    from reverse_etl.state.own_suppressions import OwnSuppression

SHOWS_WITHIN: Final = timedelta(hours=6)  # after a request; jobs have taken four hours


@dataclass(frozen=True)
class SuppressRule:
    """No request for people who are suppressed, or for an e-mail that nobody has.

    Whether Klaviyo makes a profile of an unknown e-mail is not documented. `outcome_when_done` is the outcome
    of a row whose request is proved.
    """

    outcome_when_done: ClassVar = Outcome.APPLIED

    def decide_outcome(self, identity: str, state: EmailState | None) -> Outcome | None:
        """Return how a row ends without a request, None if one must be sent.

        `state` is None if nobody has the e-mail.
        """
        del identity
        if state is None:
            return Outcome.NO_PROFILE
        return Outcome.APPLIED if self.is_done(state) else None

    def is_done(self, state: EmailState | None) -> bool:
        """Return whether the person is suppressed."""
        return suppression_time(state) is not None


@dataclass(frozen=True)
class UnsuppressRule:
    """Only a suppression that the model's own request made is undone, and only if no other model has the row.

    `own` are the model's suppressions, and `other_models` a model that has a row of it, by identity. `now` is
    Klaviyo's time.
    """

    own: Mapping[str, OwnSuppression]
    other_models: Mapping[str, str]
    now: datetime
    outcome_when_done: ClassVar = Outcome.REMOVED

    def decide_outcome(self, identity: str, state: EmailState | None) -> Outcome | None:
        """Return how a row ends without a request, as `SuppressRule.decide`.

        UNVERIFIED: the request that suppresses the person may still take effect, so that a later run decides.
        """
        if identity in self.other_models:
            return Outcome.REPLACED
        if state is None:
            return Outcome.NOT_FOUND
        entry = self.own.get(identity)
        if state.suppressed_at is None:
            return Outcome.UNVERIFIED if entry and self._may_still_show(entry) else Outcome.REMOVED
        return None if entry and may_be_own(entry, state.suppressed_at) else Outcome.UNMANAGED

    def is_done(self, state: EmailState | None) -> bool:
        """Return whether the person is not suppressed."""
        return suppression_time(state) is None

    def _may_still_show(self, entry: OwnSuppression) -> bool:
        return entry.suppressed_at is None and self.now <= entry.requested_at + SHOWS_WITHIN


Rule: TypeAlias = SuppressRule | UnsuppressRule


def suppression_time(state: EmailState | None) -> datetime | None:
    """Return since when an e-mail is suppressed, None if it is not or nobody has it."""
    return None if state is None else state.suppressed_at


def may_be_own(entry: OwnSuppression, suppressed_at: datetime) -> bool:
    """Return whether a suppression that shows only now followed a request; a later one is by hand."""
    if entry.suppressed_at is not None:
        return suppressed_at == entry.suppressed_at
    first = entry.requested_at - CLOCK_SKEW_TOLERANCE
    return first <= suppressed_at <= entry.requested_at + SHOWS_WITHIN
