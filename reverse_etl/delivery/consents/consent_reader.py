"""Read people's consent as it is now, for requests that rely on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.consents.consent_rules import ReadPerson
from reverse_etl.domain.batched import split_in_half
from reverse_etl.errors import KlaviyoError, ReplyLost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.clock import Clock
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.consents import SubscribeOptions

MAX_READ_AGE: Final = 5.0  # seconds between a read, as it is sent, and the request that relies on it
_MAX_READS: Final = 5  # of one attempt, if reads take longer
_UNKNOWN_PEOPLE: Final = (
    "The reply to a request was lost, and the read after it shows a profile whose identifier was not asked "
    "for. The next run reads what came of the request."
)


@dataclass(frozen=True)
class ConsentReader:
    """Reads the present consent of people to a channel, and whether they are on a list.

    `max_age` is how many seconds ago a read may have been sent for a request to rely on it.
    """

    klaviyo: Klaviyo
    clock: Clock
    options: SubscribeOptions
    max_age: float = MAX_READ_AGE

    def read(self, identifiers: Sequence[str]) -> dict[str, ReadPerson]:
        """Return each person, from reads that were sent at most `max_age` seconds ago.

        Raises AmbiguousPerson if a profile is found whose identifier was not asked for, since it may be of
        any of several people. Raises KlaviyoError.
        """
        for _ in range(_MAX_READS):
            people, read_at = self._read_once(identifiers)
            if self.clock.monotonic() - read_at <= self.max_age:
                return people
        raise KlaviyoError.of(
            f"Klaviyo's replies take longer than {self.max_age:.0f} seconds, so that what they show may be "
            "outdated. Nobody was subscribed by it.",
            hint="Run again later.",
        )

    def read_for_attempt(
        self, identifiers: Sequence[str], *, may_have_been_sent: bool
    ) -> dict[str, ReadPerson]:
        """Return each person like `read`, just before an attempt of a request.

        If an earlier attempt may have been carried out, any failure raises ReplyLost, also if a read does
        not tell people apart: what came of the request is unknown then.
        """
        try:
            return self.read(identifiers)
        except AmbiguousPerson:
            if may_have_been_sent:
                raise ReplyLost.of(_UNKNOWN_PEOPLE) from None
            raise
        except KlaviyoError as error:
            if may_have_been_sent:
                raise ReplyLost(*error.problems) from error
            raise

    def read_in_parts(self, identifiers: Sequence[str]) -> dict[str, ReadPerson]:
        """Return each person like `read`, by as many reads as it takes to tell people apart."""
        try:
            return self.read(identifiers)
        except AmbiguousPerson:
            first, second = split_in_half(identifiers)
            return self.read_in_parts(first) | self.read_in_parts(second)

    def _read_once(self, identifiers: Sequence[str]) -> tuple[dict[str, ReadPerson], float]:
        """Return each person, and the time at which the first of the reads was sent."""
        channel, list_id = self.options.channel, self.options.list_id
        member_ids, read_at = frozenset[str](), float("inf")
        if list_id:
            members = self.klaviyo.read_members(list_id, channel, identifiers)
            member_ids, read_at = frozenset(members.found), members.read_at
        consents = self.klaviyo.read_consents(channel, identifiers)
        read_at = min(read_at, consents.read_at)
        if len(identifiers) == 1:
            return {identifiers[0]: ReadPerson(consents.found, list_id, member_ids)}, read_at
        if any(profile.identifier not in identifiers for profile in consents.found):
            raise AmbiguousPerson
        people = {
            identifier: ReadPerson(
                [profile for profile in consents.found if profile.identifier == identifier],
                list_id,
                member_ids,
            )
            for identifier in identifiers
        }
        return people, read_at


class AmbiguousPerson(Exception):  # noqa: N818 - says what happened
    """A read shows a profile that may be of any of several people."""
