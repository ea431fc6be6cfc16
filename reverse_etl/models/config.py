"""A model's `config()`: what can be written in it, and whether it fits the columns that the model selects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, Field, field_validator, model_validator

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.list_target import ListById, ListColumn, ListTarget, NamedList, OnShared
from reverse_etl.models.query import Finding
from reverse_etl.parsing.durations import span_seconds
from reverse_etl.parsing.suggestions import choice
from reverse_etl.parsing.validation import Advised, Strict
from reverse_etl.surfaces.interface import Surface

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reverse_etl.models.query import OutputColumn

MIN_ROWS: Final = 1
MAX_REMOVES: Final = 0.1
_MEANT: Final = {"phone": "phone_e164", "phone_number": "phone_e164", "id": "klaviyo_profile_id"}
# Names by which Klaviyo, or a reader of a model, takes a column for an identifier.
_RESERVED: Final = {
    "email": "email",
    "phone_number": "phone_e164",
    "phone_e164": "phone_e164",
    "external_id": "external_id",
    "klaviyo_profile_id": "klaviyo_profile_id",
}


@dataclass(frozen=True)
class ModelConfig:
    """What a model says of itself.

    `identifiers` is ordered and maps each type to its column as the warehouse names it. `max_age` is in
    seconds.
    """

    surface: Surface
    target: ListTarget | None
    identifiers: Mapping[IdentifierType, str]
    tags: tuple[str, ...] = ()
    on_shared_identifier: OnShared = OnShared.OMIT
    min_rows: int = MIN_ROWS
    max_removes: float = MAX_REMOVES
    enabled: bool = True
    description: str = ""
    max_age: int | None = None


@dataclass(frozen=True)
class PayloadColumn:
    """A column whose values reach Klaviyo as `property`: its lower-case name, unless the model quotes it."""

    column: str
    property: str


@dataclass(frozen=True)
class Fitted:
    """A config and payload as far as they fit the columns, and what does not."""

    config: ModelConfig
    payload: tuple[PayloadColumn, ...]
    findings: tuple[Finding, ...]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class WrittenConfig(Strict):
    """`config()` as it is written."""

    surface: Surface = Field(strict=False)
    list_name: str = Field(default="", alias="list")
    list_id: str = ""
    list_column: str = ""
    identifiers: dict[str, str] = Field(default={}, description="Write identifiers={'email': 'a column'}.")
    tags: Annotated[list[str], BeforeValidator(_listed)] = Field(default=[])
    on_shared_identifier: OnShared = Field(default=OnShared.OMIT, strict=False)
    on_null: str = "omit"
    min_rows: int = Field(default=MIN_ROWS, ge=0)
    max_removes: float = Field(default=MAX_REMOVES, ge=0, le=1, description="It is a share: 0.1 is a tenth.")
    max_age: str = Field(default="", description="Write it such as '24h'.")
    enabled: bool = True
    description: str = ""

    @field_validator("max_age")
    @classmethod
    def _is_span(cls, value: str) -> str:
        if value and span_seconds(value) is None:
            raise Advised("max_age is not a span of time.", "Write it such as '24h', '30m' or '2d'.")
        return value

    @field_validator("identifiers")
    @classmethod
    def _are_types(cls, value: dict[str, str]) -> dict[str, str]:
        known = [str(kind) for kind in IdentifierType]
        for name in value:
            if name not in known:
                advice = f"Did you mean {_MEANT[name]}?" if name in _MEANT else choice(name, known)
                raise Advised(f"{name} is not a type of identifier.", advice)
        return value

    @field_validator("list_id")
    @classmethod
    def _is_id(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]*", value):
            raise Advised(
                "list_id is not a list id.",
                "Klaviyo shows it in the list's settings: letters and digits. For a name, write list='...'.",
            )
        return value

    @field_validator("on_null")
    @classmethod
    def _is_omit(cls, value: str) -> str:
        if value != "omit":
            raise Advised(
                f"on_null cannot be {value!r}: Klaviyo's bulk import cannot clear a field.",
                "Remove on_null: a NULL leaves what Klaviyo has. To overwrite it, select a value such as ''.",
            )
        return value

    @model_validator(mode="after")
    def _names_one_list(self) -> WrittenConfig:
        named = [name for name, value in self._lists().items() if value.strip()]
        if self.surface is Surface.PROFILES:
            if named:
                raise Advised(
                    f"The surface profiles has no list, but {named[0]} is given.",
                    f"Remove {named[0]}, or write surface='list_memberships'.",
                )
        elif not named:
            raise Advised(
                f"The surface {self.surface} needs a list.",
                "Write list='its name', list_id='its id', or list_column='a column that names it'.",
            )
        elif len(named) > 1:
            raise Advised(f"The list is named in {len(named)} ways: {', '.join(named)}.", "Keep one of them.")
        return self

    def target(self) -> ListTarget | None:
        """Return the way in which the list is named."""
        if self.list_name.strip():
            return NamedList(self.list_name.strip())
        if self.list_id:
            return ListById(self.list_id)
        return ListColumn(self.list_column) if self.list_column else None

    def _lists(self) -> dict[str, str]:
        return {"list": self.list_name, "list_id": self.list_id, "list_column": self.list_column}


def fit(written: WrittenConfig, columns: Sequence[OutputColumn]) -> Fitted:
    """Return the config with its columns named as the warehouse does, the payload, and what does not fit."""
    by_name = {column.name.casefold(): column for column in columns}
    findings: list[Finding] = []
    identifiers = _identifiers(written, by_name, findings)
    target = written.target()
    taken = {column.casefold() for column in identifiers.values()}
    if isinstance(target, ListColumn):
        target = _list_column(target, by_name, taken, findings)
        taken.add(target.column.casefold())
    payload = [column for name, column in by_name.items() if name not in taken]
    unfound = {str(kind) for kind in written.identifiers} - {str(kind) for kind in identifiers}
    findings += _payload_findings(written.surface, payload, identifiers, unfound)
    config = ModelConfig(
        surface=written.surface,
        target=target,
        identifiers=identifiers,
        tags=tuple(written.tags),
        on_shared_identifier=written.on_shared_identifier,
        min_rows=written.min_rows,
        max_removes=written.max_removes,
        enabled=written.enabled,
        description=written.description,
        max_age=span_seconds(written.max_age),
    )
    return Fitted(
        config, tuple(PayloadColumn(each.name, _property(each)) for each in payload), tuple(findings)
    )


def _identifiers(
    written: WrittenConfig, by_name: Mapping[str, OutputColumn], findings: list[Finding]
) -> Mapping[IdentifierType, str]:
    names = [column.name for column in by_name.values()]
    asked = dict(written.identifiers) or {str(kind): str(kind) for kind in IdentifierType if kind in by_name}
    found: dict[IdentifierType, str] = {}
    for kind, column in asked.items():
        if column.casefold() in by_name:
            found[IdentifierType(kind)] = by_name[column.casefold()].name
        else:
            findings.append(
                Finding(
                    f"The identifier {kind} is in column {column}, which is not selected.",
                    choice(column, names),
                )
            )
    if not asked:
        findings.append(
            Finding(
                "No column identifies a person.",
                "Write identifiers={'email': 'a column'}; the types are " + ", ".join(IdentifierType) + ".",
            )
        )
    if written.surface is Surface.LIST_MEMBERSHIPS_BY_PROFILE_ID:
        findings += _by_profile_id_only(asked)
    return found


def _by_profile_id_only(asked: Mapping[str, str]) -> Iterator[Finding]:
    if asked and set(asked) != {str(IdentifierType.PROFILE_ID)}:
        yield Finding(
            f"The surface {Surface.LIST_MEMBERSHIPS_BY_PROFILE_ID} knows people by klaviyo_profile_id alone.",
            "Write identifiers={'klaviyo_profile_id': 'a column'}, "
            f"or surface='{Surface.LIST_MEMBERSHIPS}'.",
        )


def _list_column(
    target: ListColumn, by_name: Mapping[str, OutputColumn], taken: set[str], findings: list[Finding]
) -> ListColumn:
    column = by_name.get(target.column.casefold())
    if column is None:
        names = [each.name for each in by_name.values()]
        findings.append(
            Finding(f"The list_column {target.column} is not selected.", choice(target.column, names))
        )
        return target
    if target.column.casefold() in taken:
        findings.append(
            Finding(
                f"The list_column {column.name} is an identifier too.",
                "Name the list in a column of its own.",
            )
        )
    return ListColumn(column.name)


def _payload_findings(
    surface: Surface,
    payload: Sequence[OutputColumn],
    identifiers: Mapping[IdentifierType, str],
    unfound: Collection[str],
) -> Iterator[Finding]:
    """Yield what is wrong with the columns besides the identifiers.

    A column that is named like one of the `unfound` is most likely meant as it: that was said already.
    """
    if surface is Surface.LIST_MEMBERSHIPS_BY_PROFILE_ID:
        for column in payload:
            yield Finding(
                f"The surface {surface} sends no attributes, but column {column.name} is selected.",
                f"Remove the column, or write surface='{Surface.LIST_MEMBERSHIPS}'.",
                column.offset,
            )
        return
    properties = {_property(column): column for column in payload}
    for name, column in properties.items():
        kind = _RESERVED.get(name)
        if kind is not None and kind not in unfound:
            advice = f"Add '{kind}': '{column.name}' to identifiers, or give the column another name."
            if IdentifierType(kind) in identifiers:
                named = identifiers[IdentifierType(kind)]
                advice = f"The {kind} is in column {named} already; give this one another name."
            yield Finding(
                f"Column {column.name} is named like an identifier, but is none.", advice, column.offset
            )
        if name.startswith("location_") and "location" in properties:
            yield Finding(
                f"Columns {properties['location'].name} and {column.name} both say the location.",
                "Keep location (a struct), or the columns location_city and so on.",
                column.offset,
            )


def _property(column: OutputColumn) -> str:
    return column.name if column.quoted else column.name.lower()
