"""Looks up profiles by identifiers, also by those that they do not show, such as a second e-mail address.

Klaviyo does not say by which value of a filter it found a profile. So if a reply has profiles that show none
of the values, these are asked for again in halves. A filter that is ignored, by a proxy for example, also
returns other profiles: a value that nobody has shows whether that is so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from reverse_etl.domain.batched import split_in_half
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo.filters import batch_values
from reverse_etl.klaviyo.profiles import Profile, canonical_values

_NOBODY: Final = {
    IdentifierType.EMAIL: "nobody-has-this-address@reverse-etl.invalid",
    IdentifierType.PHONE: "+99900000000",
    IdentifierType.EXTERNAL_ID: "reverse-etl: nobody has this id",
    IdentifierType.PROFILE_ID: "00000000000000000000000000",
}

FetchAll = Callable[[Sequence[str]], list[Profile]]


def find_all(kind: IdentifierType, values: Sequence[str], fetch_all: FetchAll) -> list[Profile]:
    """Return the profiles with one of these identifiers, each once, in the order of the values.

    `fetch_all` returns all profiles in the reply to a group of values, of which one filter can have no more.
    """
    found_by_id: dict[str, Profile] = {}
    for group in batch_values(canonical_values(kind, values)):
        profiles = fetch_all(group)
        matched = [profile for profile in profiles if profile.identifier(kind) in group]
        if len(matched) < len(profiles):
            shown = {profile.identifier(kind) for profile in matched}
            matched += _find_others(kind, [value for value in group if value not in shown], fetch_all)
        for profile in matched:
            known = found_by_id.get(profile.id, profile)
            found_by_id[profile.id] = _add_identifiers(known, profile.other_identifiers)
    return [*found_by_id.values()]


def _find_others(kind: IdentifierType, values: Sequence[str], fetch_all: FetchAll) -> list[Profile]:
    """Return the profiles that are found by values which they do not show; none if the filter is ignored."""
    if not values or fetch_all([_NOBODY[kind]]):
        return []
    return _ask_in_halves(kind, values, fetch_all)


def _ask_in_halves(kind: IdentifierType, values: Sequence[str], fetch_all: FetchAll) -> list[Profile]:
    others = [profile for profile in fetch_all(values) if profile.identifier(kind) not in values]
    if not others:
        return []
    if len(values) == 1:
        return [_add_identifiers(profile, frozenset({(kind, values[0])})) for profile in others]
    return [profile for half in split_in_half(values) for profile in _ask_in_halves(kind, half, fetch_all)]


def _add_identifiers(profile: Profile, identifiers: frozenset[tuple[IdentifierType, str]]) -> Profile:
    return replace(profile, other_identifiers=profile.other_identifiers | identifiers)
