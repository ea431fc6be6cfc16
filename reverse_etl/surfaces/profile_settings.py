"""The settings of surfaces that send attributes of people."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, Field, InstanceOf, model_validator

from reverse_etl.domain.null_rules import NullRules, OnNull
from reverse_etl.klaviyo.array_changes import ArrayChange
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.parsing.validation import AdviceError
from reverse_etl.surfaces.interface import SurfaceSettings
from reverse_etl.surfaces.shared_operations import CLEAR_VALUES, UPDATE_PROFILES

if TYPE_CHECKING:
    from reverse_etl.surfaces.interface import Surface

ALL_COLUMNS: Final = "*"
_ARRAYS_EXAMPLE: Final = "For example: arrays={'tags': 'append'}"
_EXAMPLE: Final = "For example: on_null='clear', or on_null={'tier': 'clear', '*': 'omit'}"


def _read_null_rules(value: Any) -> NullRules:
    """Return the rules of one word, or of words by column. Raises AdviceError."""
    rules = value if isinstance(value, dict) else {ALL_COLUMNS: value}
    if not rules or not all(isinstance(column, str) for column in rules):
        raise AdviceError("on_null is neither a word nor a mapping of columns to words.", _EXAMPLE)
    words = {column.lower(): _read_word(column, word) for column, word in rules.items()}
    default = words.pop(ALL_COLUMNS, OnNull.OMIT)
    return NullRules(default, words)


def _read_word(column: str, word: Any) -> OnNull:
    if word in list(OnNull):
        return OnNull(word)
    where = "on_null" if column == ALL_COLUMNS else f"on_null of {column}"
    hint = did_you_mean(str(word), [rule.value for rule in OnNull])
    raise AdviceError(f"{where} cannot be {word!r}.", hint)


def _read_arrays(value: Any) -> dict[str, ArrayChange]:
    """Return the changes of arrays by lower-case column. Raises AdviceError."""
    if not isinstance(value, dict) or not all(isinstance(column, str) for column in value):
        raise AdviceError("arrays is not a mapping of columns to words.", _ARRAYS_EXAMPLE)
    for column, word in value.items():
        if word not in list(ArrayChange):
            hint = did_you_mean(str(word), [change.value for change in ArrayChange])
            raise AdviceError(f"arrays of {column} cannot be {word!r}.", hint)
    return {column.lower(): ArrayChange(word) for column, word in value.items()}


class Create(StrEnum):
    """Whether people that Klaviyo does not know become profiles."""

    ALWAYS = "always"
    NEVER = "never"


class ProfileSettings(SurfaceSettings):
    """The settings of a model that sends attributes of people, as written in `config()`."""

    on_null: Annotated[InstanceOf[NullRules], BeforeValidator(_read_null_rules)] = Field(
        default=NullRules(), description=_EXAMPLE
    )

    create: Create = Field(default=Create.ALWAYS, strict=False)
    arrays: Annotated[dict[str, InstanceOf[ArrayChange]], BeforeValidator(_read_arrays)] = Field(
        default={}, description=_ARRAYS_EXAMPLE
    )
    custom_properties: list[str] = Field(default=[], description="For example: custom_properties=['city']")
    updated_at: str = Field(default="", description="For example: updated_at='updated_at'")

    @model_validator(mode="after")
    def _validate_updated_at(self) -> ProfileSettings:
        if self.updated_at and self.on_null.may_clear:
            raise AdviceError(
                "updated_at does not go with an on_null that clears: whether a value is cleared depends on "
                "other rows of the person, too.",
                "Remove one of the two.",
            )
        return self

    def configure(self, surface: Surface) -> Surface:
        """Return the surface of a model with these settings.

        A bulk import proves nothing about arrays, so that a model with arrays sends row by row.
        """
        creates = self.create is Create.ALWAYS
        columns = replace(
            surface.columns,
            null_rules=self.on_null,
            arrays=self.arrays,
            updated_at=self.updated_at,
            custom_properties=frozenset(name.lower() for name in self.custom_properties),
        )
        clear = CLEAR_VALUES if self.on_null.may_clear else None
        if creates and not self.arrays:
            return replace(surface, columns=columns, clear=clear)
        upsert = replace(
            UPDATE_PROFILES,
            add_to_list=Endpoint.ADD_TO_LIST if surface.has_list else None,
            creates_by=Endpoint.IMPORT_PROFILE if creates else None,
            patches_arrays=bool(self.arrays),
        )
        if clear and not creates:
            clear = replace(clear, by_identifier=None)
        return replace(surface, columns=columns, upsert=upsert, clear=clear)

    def describe(self) -> dict[str, Any]:
        """Return the settings that are not the defaults, by which a changed model is known.

        `custom_properties` change no row.
        """
        rules = self.on_null.describe()
        create = {} if self.create is Create.ALWAYS else {"create": self.create.value}
        arrays = {name: change.value for name, change in sorted(self.arrays.items())}
        updated_at = {"updated_at": self.updated_at} if self.updated_at else {}
        return (
            create
            | updated_at
            | ({"on_null": rules} if rules else {})
            | ({"arrays": arrays} if arrays else {})
        )
