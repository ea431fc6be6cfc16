"""Which profile a row means, and what the row makes of it. Pure: profiles are values in memory here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reverse_etl.sandbox.validation import IDENTIFIERS, is_email, is_phone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reverse_etl.sandbox.rules import Rules


@dataclass(slots=True)
class Person:
    """A profile as it is stored: in `attributes` what has a value, `properties` and `location` among it."""

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
    """A row that could not be applied: the code, the field that it names, and a sentence for people."""

    code: str
    field: str
    detail: str


@dataclass
class People:
    """Profiles, found by any of their identifiers.

    `make` gives a new, blank one a number, an id and the time.
    """

    rules: Rules
    make: Callable[[], Person]
    by_id: dict[str, Person] = field(default_factory=dict)
    by_identifier: dict[str, dict[str, Person]] = field(
        default_factory=lambda: {name: {} for name in IDENTIFIERS}
    )

    def learn(self, people: Iterable[Person]) -> None:
        """Take profiles in; one that is already known stays as it is."""
        for person in people:
            if person.id not in self.by_id:
                self.by_id[person.id] = person
                for name in IDENTIFIERS:
                    self._index(name, getattr(person, name), person)

    def apply(self, row: Mapping[str, Any], now: int) -> Person | RowFailure:
        """Create or update the profile that a row means, and return it; or say why the row changes nothing.

        Found by id, else e-mail, else phone, else (if the rules say so) external id. Null values and omitted
        fields leave what is there; custom properties and the location are merged by key (the guide "Bulk
        Import Profiles").
        """
        wanted = identifiers_of(row, self.rules)
        named = row.get("id")
        if named and named not in self.by_id:
            return RowFailure("not_found", "id", f"A profile with id {named} does not exist.")
        found = self.by_id[named] if named else self._find(wanted)
        taken = {
            name
            for name, value in wanted.items()
            if (owner := self._owner(name, value)) and owner is not found
        }
        if taken and self.rules.conflicts == "refuse":
            return RowFailure("conflict", min(taken), "Another profile has this identifier.")
        person = found or self.make()
        self.by_id[person.id] = person
        changed = [self._identify(person, name, value) for name, value in wanted.items() if name not in taken]
        if merge_attributes(person.attributes, row["attributes"]) or any(changed):
            person.updated = now
        return person

    def _find(self, wanted: Mapping[str, str]) -> Person | None:
        for name, value in wanted.items():
            if owner := self._owner(name, value):
                return owner
        return None

    def _owner(self, name: str, value: str) -> Person | None:
        if name == "external_id" and not self.rules.match_external_id:
            return None
        return self.by_identifier[name].get(value)

    def _identify(self, person: Person, name: str, value: str) -> bool:
        before = getattr(person, name)
        if before == value:
            return False
        if before is not None and self.by_identifier[name].get(before) is person:
            del self.by_identifier[name][before]
        setattr(person, name, value)
        self._index(name, value, person)
        return True

    def _index(self, name: str, value: str | None, person: Person) -> None:
        if value is not None:
            self.by_identifier[name].setdefault(value, person)


def identifiers_of(row: Mapping[str, Any], rules: Rules) -> dict[str, str]:
    """Return a row's identifiers in the order of matching, as they are stored: e-mails in lower case."""
    attributes = row["attributes"]
    wanted = {name: attributes[name] for name in IDENTIFIERS if attributes.get(name) is not None}
    if "email" in wanted:
        wanted["email"] = wanted["email"].strip().lower()
    droppable = rules.invalid_phones == "drop" and is_email(wanted.get("email", ""))
    if droppable and not is_phone(wanted.get("phone_number", "")):
        wanted.pop("phone_number", None)
    return wanted


def merge_attributes(stored: dict[str, Any], given: Mapping[str, Any]) -> bool:
    """Write what has a value into `stored`, objects key by key, and tell whether that changed anything."""
    changed = False
    for name, value in given.items():
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
