"""Validate mappings that users write, and report all problems with their locations.

Messages do not show values, since a value may be a secret. The exception is a value that is not one of a
fixed set of choices.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from reverse_etl.errors import Problem
from reverse_etl.parsing.suggestions import did_you_mean, find_nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

_EXPECTED_TYPES = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "text, in quotes",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
}


class StrictModel(BaseModel):
    """Base of schemas for user input: unknown keys are errors, and values are not converted.

    A schema is built when it is first used: no command uses all of them.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        defer_build=True,
    )


class AdviceError(ValueError):
    """A value is wrong. `summary` and `hint` are whole sentences."""

    def __init__(self, summary: str, hint: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.hint = hint


T = TypeVar("T", bound=StrictModel)


def validate_mapping(
    schema: type[T],
    values: Mapping[str, Any],
    *,
    mapping_name: str,
    locate: Callable[[tuple[str | int, ...]], str],
) -> tuple[T | None, tuple[Problem, ...]]:
    """Return the mapping as a `schema`, or None and all problems.

    `mapping_name` is the name of the mapping in messages ("a destination"). `locate` returns the location of
    a path inside the mapping. A misspelt required key is reported once, as unknown and not also as missing.
    """
    try:
        return schema.model_validate(dict(values)), ()
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=True)
        unknown = [str(detail["loc"][-1]) for detail in details if detail["type"] == "extra_forbidden"]
        intended_keys = {find_nearest(name, _keys(schema)) for name in unknown}
        return None, tuple(
            _to_problem(schema, detail, mapping_name, locate(detail["loc"]))
            for detail in details
            if detail["type"] != "missing" or detail["loc"][-1] not in intended_keys
        )


def _to_problem(  # noqa: PLR0911 - one per kind of mistake
    schema: type[StrictModel], detail: ErrorDetails, mapping_name: str, where: str
) -> Problem:
    name = ".".join(str(part) for part in detail["loc"])
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return Problem(
                f"{name} is not a key of {mapping_name}.", where, did_you_mean(name, _keys(schema))
            )
        case "missing":
            return Problem(f"{name} is missing from {mapping_name}.", where, _expected_values(schema, name))
        case "enum":
            return Problem(
                f"{name} cannot be {detail['input']!r}.",
                where,
                did_you_mean(str(detail["input"]), _choices(schema, name)),
            )
        case "literal_error":
            choices = re.findall("'([^']*)'", context["expected"])
            return Problem(
                f"{name} cannot be {detail['input']!r}.", where, did_you_mean(str(detail["input"]), choices)
            )
        case "greater_than_equal":
            return Problem(
                f"{name} must be at least {context['ge']:g}.", where, _field_description(schema, name)
            )
        case "less_than_equal":
            return Problem(
                f"{name} must be at most {context['le']:g}.", where, _field_description(schema, name)
            )
        case "string_too_short":
            length = f"{name} must have at least {context['min_length']} characters."
            return Problem(length, where, _field_description(schema, name))
        case "value_error" if isinstance(context.get("error"), AdviceError):
            return Problem(context["error"].summary, where, context["error"].hint)
        case other:
            expected = _EXPECTED_TYPES.get(other)
            summary = f"{name} must be {expected}." if expected else f"{name} is wrong: {detail['msg']}."
            return Problem(summary, where, _field_description(schema, name))


def _keys(schema: type[StrictModel]) -> list[str]:
    return [field.alias or name for name, field in schema.model_fields.items()]


def _field(schema: type[StrictModel], name: str) -> FieldInfo | None:
    top = name.partition(".")[0]
    return next((field for key, field in schema.model_fields.items() if top in (key, field.alias)), None)


def _choices(schema: type[StrictModel], name: str) -> list[str]:
    field = _field(schema, name)
    annotation = field.annotation if field else None
    return [str(member.value) for member in annotation] if isinstance(annotation, type(Enum)) else []


def _field_description(schema: type[StrictModel], name: str) -> str:
    field = _field(schema, name)
    return (field.description or "") if field else ""


def _expected_values(schema: type[StrictModel], name: str) -> str:
    choices = _choices(schema, name)
    return f"It can be {', '.join(choices)}." if choices else _field_description(schema, name)
