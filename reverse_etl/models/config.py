"""A model's `config()`: its schema."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from pydantic import BeforeValidator, Field, ValidationInfo, create_model, field_validator, model_validator

from reverse_etl.domain.identifiers import KEY_TYPE, IdentifierType
from reverse_etl.domain.list_target import ListById, ListColumn, ListTarget, NamedList, OnSharedIdentifier
from reverse_etl.errors import Problem
from reverse_etl.models.guard_config import read_limit
from reverse_etl.parsing.durations import parse_duration
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.parsing.validation import AdviceError, validate_mapping
from reverse_etl.surfaces import column_rules
from reverse_etl.surfaces.catalog import (
    find_surface,
    get_surface,
    surface_names,
    surfaces_with_setting,
)
from reverse_etl.surfaces.interface import GuardLimit, Guards, SurfaceSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reverse_etl.surfaces.interface import Surface

_IDENTIFIER_ALIASES: Final = {"phone": "phone_e164", "phone_number": "phone_e164", "id": "klaviyo_profile_id"}

_GUARDS: Final = Guards(min_rows=1)
FULL_EVERY: Final = 7 * 86_400


@dataclass(frozen=True)
class ModelConfig:
    """The settings of a model.

    `identifiers` is ordered and maps each type to its column, as named in the warehouse. `max_age` and
    `full_every`, the longest time between two full comparisons of the rows, are in seconds.
    `settings` are those that only models of the surface have, by which a changed model is known.
    """

    surface: Surface
    list_target: ListTarget | None
    identifiers: Mapping[IdentifierType, str]
    tags: tuple[str, ...] = ()
    on_shared_identifier: OnSharedIdentifier = OnSharedIdentifier.OMIT
    min_rows: int = 1
    max_removes: GuardLimit = _GUARDS.max_removes
    enabled: bool = True
    description: str = ""
    max_age: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    max_adds: GuardLimit = _GUARDS.max_adds
    max_updates: GuardLimit = _GUARDS.max_updates
    max_rejected: GuardLimit = _GUARDS.max_rejected
    max_clears: GuardLimit = _GUARDS.max_clears
    full_every: int = FULL_EVERY

    @property
    def row_key(self) -> tuple[tuple[str, str], ...]:
        """Return the (type, column) that make row keys: the identifiers, or the surface's own columns."""
        if key := self.surface.columns.key:
            return tuple((KEY_TYPE, column) for column in key)
        return tuple((kind.value, column) for kind, column in self.identifiers.items())


def _to_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class ConfigInput(SurfaceSettings):
    """The settings that every model can have, as written in `config()`.

    `config_schema` adds those of the model's surface.
    """

    surface_name: str = Field(alias="surface", description=f"It can be {', '.join(surface_names())}.")
    list_name: str = Field(default="", alias="list")
    list_id: str = ""
    list_column: str = ""
    identifiers: dict[str, str] = Field(
        default={}, description="For example: identifiers={'email': 'a column'}"
    )
    tags: Annotated[list[str], BeforeValidator(_to_list)] = Field(default=[])
    on_shared_identifier: OnSharedIdentifier = Field(default=OnSharedIdentifier.OMIT, strict=False)
    min_rows: int | None = Field(default=None, ge=0)
    max_removes: dict[str, float] = Field(default={})
    max_adds: dict[str, float] = Field(default={})
    max_updates: dict[str, float] = Field(default={})
    max_rejected: dict[str, float] = Field(default={})
    max_clears: dict[str, float] = Field(default={})
    max_age: str = Field(default="", description="For example: '24h'")
    full_every: str = Field(default="7d", description="For example: '24h'")
    enabled: bool = True
    description: str = ""

    @field_validator("surface_name", mode="before")
    @classmethod
    def _validate_surface(cls, value: Any) -> Any:
        if value not in surface_names():
            raise AdviceError(f"surface cannot be {value!r}.", did_you_mean(str(value), surface_names()))
        return value

    @field_validator("max_removes", "max_adds", "max_updates", "max_rejected", "max_clears", mode="before")
    @classmethod
    def _validate_limit(cls, value: Any, info: ValidationInfo) -> Any:
        return read_limit(value, str(info.field_name))

    @field_validator("max_age", "full_every")
    @classmethod
    def _validate_duration(cls, value: str, info: ValidationInfo) -> str:
        if (value or info.field_name == "full_every") and parse_duration(value) is None:
            raise AdviceError(f"{info.field_name} is not a duration.", "For example: '24h', '30m' or '2d'")
        return value

    @field_validator("identifiers")
    @classmethod
    def _validate_identifiers(cls, value: dict[str, str]) -> dict[str, str]:
        type_names = [str(kind) for kind in IdentifierType]
        for name in value:
            if name not in type_names:
                hint = (
                    f"Did you mean {_IDENTIFIER_ALIASES[name]}?"
                    if name in _IDENTIFIER_ALIASES
                    else did_you_mean(name, type_names)
                )
                raise AdviceError(f"{name} is not an identifier type.", hint)
        return value

    @field_validator("list_id")
    @classmethod
    def _validate_list_id(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]*", value):
            raise AdviceError(
                "list_id is not a list id.",
                "Klaviyo shows it in the list's settings: letters and digits. To use a name: list='...'",
            )
        return value

    @model_validator(mode="after")
    def _validate_list(self) -> ConfigInput:
        named_settings = [name for name, value in self.list_settings().items() if value.strip()]
        if problem := column_rules.find_list_problem(self.surface, named_settings):
            raise AdviceError(problem.summary, problem.hint)
        return self

    @property
    def surface(self) -> Surface:
        """Return the surface that `surface_name` names."""
        return get_surface(self.surface_name)

    def list_target(self) -> ListTarget | None:
        """Return how the list is named, or None if no list is named."""
        if self.list_name.strip():
            return NamedList(self.list_name.strip())
        if self.list_id:
            return ListById(self.list_id)
        return ListColumn(self.list_column) if self.list_column else None

    def list_settings(self) -> dict[str, str]:
        """Return the settings that name a list, "" for those that are not given."""
        return {"list": self.list_name, "list_id": self.list_id, "list_column": self.list_column}


def validate_config(
    values: Mapping[str, Any], *, mapping_name: str, locate: Callable[[tuple[str | int, ...]], str]
) -> tuple[ConfigInput | None, tuple[Problem, ...]]:
    """Return the settings of a model, or None and all problems. The surface decides which there are."""
    surface = find_surface(str(values.get("surface")))
    own_names = surface.setting_names if surface else ()
    foreign = {
        name: owners for name in values if name not in own_names and (owners := surfaces_with_setting(name))
    }
    problems = [
        Problem(
            f"{name} is a setting of the surface {' and '.join(owners)}, and the model's is {surface.name}.",
            locate((name,)),
            f"Remove {name}.",
        )
        for name, owners in foreign.items()
        if surface is not None
    ]
    config_input, own_problems = validate_mapping(
        config_schema(surface.settings if surface else SurfaceSettings),
        {name: value for name, value in values.items() if name not in foreign},
        mapping_name=mapping_name,
        locate=locate,
    )
    all_problems = (*problems, *own_problems)
    return (None if all_problems else config_input), all_problems


@cache
def config_schema(settings: type[SurfaceSettings]) -> type[ConfigInput]:
    """Return the schema of all settings that a model can have whose surface has these."""
    if settings is SurfaceSettings:
        return ConfigInput
    return create_model("ConfigInput", __base__=(ConfigInput, cast("type[ConfigInput]", settings)))
