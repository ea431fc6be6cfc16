"""Match a row to a profile and apply it. Pure: works on profiles in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.patches import apply_patch
from reverse_etl.sandbox.validation import IDENTIFIERS, is_email, is_phone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reverse_etl.sandbox.rules import Rules

CONFLICT_CODE: Final = "duplicate_profile"


@dataclass(slots=True)
class StoredProfile:
    """A stored profile. `attributes` has only values that are set, `properties` and `location` included."""

    seq: int
    id: str
    email: str | None
    phone_number: str | None
    external_id: str | None
    attributes: dict[str, Any]
    created: int
    updated: int


@dataclass(frozen=True)
class RowFailure:
    """The error of a row that could not be applied: code, field and message."""

    code: str
    field: str
    detail: str


@dataclass
class ProfileIndex:
    """Profiles indexed by their identifiers.

    `create_profile` returns a new, empty profile with a number, an id and the current time.
    """

    rules: Rules
    create_profile: Callable[[], StoredProfile]
    by_id: dict[str, StoredProfile] = field(default_factory=dict)
    by_identifier: dict[str, dict[str, StoredProfile]] = field(
        default_factory=lambda: {name: {} for name in IDENTIFIERS}
    )

    def add_profiles(self, profiles: Iterable[StoredProfile]) -> None:
        """Add profiles to the index. Profiles that are already in it do not change."""
        for profile in profiles:
            if profile.id not in self.by_id:
                self.by_id[profile.id] = profile
                for name in IDENTIFIERS:
                    self._index_identifier(name, getattr(profile, name), profile)

    def apply_row(self, row: Mapping[str, Any], now: int) -> StoredProfile | RowFailure:
        """Create or update the profile of a row, and return it, or return the error of the row.

        The profile is found by the first of id, e-mail, phone and external id, as the rules say. Null
        and omitted values change nothing; custom properties and the location are merged by key. Source: guide
        "Bulk Import Profiles".
        """
        identifiers = normalize_identifiers(row, self.rules)
        requested_id = row.get("id")
        if requested_id and requested_id not in self.by_id:
            return RowFailure("not_found", "id", f"A profile with id {requested_id} does not exist.")
        matched_profile = self.by_id[requested_id] if requested_id else self._find_by_identifiers(identifiers)
        taken_names = {
            name
            for name, value in identifiers.items()
            if (owner := self._find_owner(name, value)) and owner is not matched_profile
        }
        if taken_names and self.rules.conflicts != "drop":
            return RowFailure(CONFLICT_CODE, min(taken_names), "Another profile has this identifier.")
        profile = matched_profile or self.create_profile()
        self.by_id[profile.id] = profile
        changed = [
            self._set_identifier(profile, name, value)
            for name, value in identifiers.items()
            if name not in taken_names
        ]
        changed.append(merge_attributes(profile.attributes, row["attributes"]))
        if self.rules.patches == "obey":
            changed.append(apply_patch(profile.attributes, row.get("meta")))
        if any(changed):
            profile.updated = now
        return profile

    def _find_by_identifiers(self, identifiers: Mapping[str, str]) -> StoredProfile | None:
        external_id_first = self.rules.found_by == "external_id"
        for name in sorted(identifiers, key=lambda name: external_id_first and name != "external_id"):
            if owner := self._find_owner(name, identifiers[name]):
                return owner
        return None

    def _find_owner(self, name: str, value: str) -> StoredProfile | None:
        if name == "external_id" and not self.rules.match_external_id:
            return None
        return self.by_identifier[name].get(value)

    def _set_identifier(self, profile: StoredProfile, name: str, value: str) -> bool:
        before = getattr(profile, name)
        if before == value:
            return False
        if before is not None and self.by_identifier[name].get(before) is profile:
            del self.by_identifier[name][before]
        setattr(profile, name, value)
        self._index_identifier(name, value, profile)
        return True

    def _index_identifier(self, name: str, value: str | None, profile: StoredProfile) -> None:
        if value is not None:
            self.by_identifier[name].setdefault(value, profile)


def normalize_identifiers(row: Mapping[str, Any], rules: Rules) -> dict[str, str]:
    """Return a row's identifiers in the order of matching, as stored: e-mails in lower case."""
    attributes = row["attributes"]
    identifiers = {name: attributes[name] for name in IDENTIFIERS if attributes.get(name) is not None}
    if "email" in identifiers:
        identifiers["email"] = identifiers["email"].strip().lower()
    can_drop_phone = rules.invalid_phones == "drop" and is_email(identifiers.get("email", ""))
    if can_drop_phone and not is_phone(identifiers.get("phone_number", "")):
        identifiers.pop("phone_number", None)
    return identifiers


def merge_attributes(stored: dict[str, Any], new_attributes: Mapping[str, Any]) -> bool:
    """Write all values that are not null into `stored`, objects by key; return whether anything changed."""
    changed = False
    for name, value in new_attributes.items():
        if value is None or name in IDENTIFIERS or name == "_kx":
            continue
        if name in {"properties", "location"}:
            inner = stored.setdefault(name, {})
            filled = {key: item for key, item in value.items() if item is not None}
            changed |= any(key not in inner or inner[key] != item for key, item in filled.items())
            inner.update(filled)
        elif stored.get(name) != value:
            stored[name] = value
            changed = True
    return changed
