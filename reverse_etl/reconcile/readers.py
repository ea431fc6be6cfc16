"""Read the people that Klaviyo shows as the rows of a model asked for."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.consents.consent_reader import ConsentReader
from reverse_etl.delivery.consents.consent_rules import Verdict, decide_subscription
from reverse_etl.delivery.lookups import Lookups
from reverse_etl.delivery.refusals import ListRefusals
from reverse_etl.domain.batched import batched
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo.consents import SubscribeOptions
from reverse_etl.klaviyo.filters import MAX_VALUES
from reverse_etl.klaviyo.profiles import Profile
from reverse_etl.reconcile.member_reader import read_members
from reverse_etl.surfaces.read_back import ReadBack, ReadConsents, ReadMembers, ReadSuppressions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.delivery.context import DeliveryContext

ShownPerson: TypeAlias = tuple[Profile, datetime | None]  # since when; None for a person who opted out

_PEOPLE_PER_GROUP: Final = 1_000


class Reader(Protocol):
    """Reads the people of one list or model, with GETs only. Methods raise KlaviyoError."""

    def read_all(self) -> Iterator[Sequence[ShownPerson]]:
        """Yield all people that can be read without the rows, in groups."""

    def look_up(self, kind: IdentifierType, values: Sequence[str]) -> Iterator[ShownPerson]:
        """Yield the people of rows that match nobody so far, each with the value by which it was found."""


def create_reader(context: DeliveryContext, read_back: ReadBack, list_id: str) -> Reader:
    """Return the reader of a surface's people. `list_id` is '' for a model without a list."""
    match read_back:
        case ReadMembers():
            return MemberReader(context, list_id)
        case ReadSuppressions():
            return SuppressionReader(context)
        case ReadConsents(channel):
            return ConsentsReader(context, SubscribeOptions(channel, list_id, source=""))


class MemberReader:
    """Reads the members of a list.

    A profile may have several addresses and show another one than the row's, or show a phone in a form of its
    own. Such members are found by looking up the rows.
    """

    def __init__(self, context: DeliveryContext, list_id: str) -> None:
        self._context, self._list_id = context, list_id

    @cached_property
    def _lookups(self) -> Lookups:
        return Lookups(self._context, self._list_id, ListRefusals(has_applied_rows=True))

    def read_all(self) -> Iterator[Sequence[ShownPerson]]:
        """Yield all members."""
        for group in read_members(self._context, self._list_id):
            yield [(member.profile, member.joined_at) for member in group]

    def look_up(self, kind: IdentifierType, values: Sequence[str]) -> Iterator[ShownPerson]:
        """Yield members that do not show the identifier by which Klaviyo finds them."""
        for member in self._lookups.find_members(kind, values):
            for other_kind, value in sorted(member.profile.other_identifiers):
                if other_kind == kind:
                    yield _with_only(member.profile.id, kind, value), member.joined_at


class SuppressionReader:
    """Reads all people who are suppressed by hand or by a job; looks up addresses that they don't show."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context

    def read_all(self) -> Iterator[Sequence[ShownPerson]]:
        """Yield all suppressed people."""
        for states in batched(self._context.klaviyo.get_suppressed(), _PEOPLE_PER_GROUP):
            yield [
                (Profile(state.profile_id, state.email, None, None), state.suppressed_at) for state in states
            ]

    def look_up(self, kind: IdentifierType, values: Sequence[str]) -> Iterator[ShownPerson]:
        """Yield suppressed people by the e-mail by which Klaviyo finds them."""
        if kind is not IdentifierType.EMAIL:
            return
        find_states = self._context.klaviyo.find_email_states
        for states in map_concurrently(self._context, find_states, batched(values, MAX_VALUES)):
            for state in states:
                if state.suppressed_at is not None:
                    yield Profile(state.profile_id, state.email, None, None), state.suppressed_at


class ConsentsReader:
    """Reads the consent of the rows' people, as a run reads it before it subscribes them."""

    def __init__(self, context: DeliveryContext, options: SubscribeOptions) -> None:
        self._context, self._kind = context, options.channel.identifier
        self._reader = ConsentReader(context.klaviyo, context.clock, options, max_age=float("inf"))

    def read_all(self) -> Iterator[Sequence[ShownPerson]]:
        """Yield nobody: the rows are looked up."""
        yield from ()

    def look_up(self, kind: IdentifierType, values: Sequence[str]) -> Iterator[ShownPerson]:
        """Yield the people who are subscribed, and those who opted out."""
        if kind is not self._kind:
            return
        for people in map_concurrently(
            self._context, self._reader.read_in_parts, batched(values, MAX_VALUES)
        ):
            for value, person in people.items():
                if decide_subscription(person, consented_at=None).verdict is Verdict.OPTED_OUT:
                    yield _with_only(person.profiles[0].id, kind, value), None
                elif person.is_subscribed:
                    now = self._context.klaviyo.server_time  # consent to some channels has no time
                    yield _with_only(person.profiles[0].id, kind, value), now


def _with_only(profile_id: str, kind: IdentifierType, value: str) -> Profile:
    values = {kind: value}
    email, phone = values.get(IdentifierType.EMAIL), values.get(IdentifierType.PHONE)
    return Profile(profile_id, email, phone, external_id=None)
