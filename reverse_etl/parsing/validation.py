"""What is wrong with a mapping that a user wrote, said as problems: all of them, each with its place.

Values stay out of messages since any of them may be a secret; the exception is a choice that is not among
the few allowed.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from reverse_etl.errors import Problem
from reverse_etl.parsing.suggestions import choice, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

_WANTED = {
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


class Strict(BaseModel):
    """A mapping that a user writes: unknown keys are errors and nothing is converted."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


class Advised(ValueError):  # noqa: N818 - raised inside validators only, where `check` turns it into a Problem
    """What is wrong with a value, as a whole sentence, and what to do next."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice


T = TypeVar("T", bound=Strict)


def check(
    kind: type[T], written: Mapping[str, Any], *, thing: str, where: Callable[[tuple[str | int, ...]], str]
) -> tuple[T | None, tuple[Problem, ...]]:
    """Return the mapping as a `kind`, or None and everything that is wrong with it.

    `thing` is what messages call the mapping ("a destination"); `where` turns a path inside it into a place.
    A key that is missing since it was misspelt is one mistake: only the misspelling is said.
    """
    try:
        return kind.model_validate(dict(written)), ()
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=True)
        unknown = [str(detail["loc"][-1]) for detail in details if detail["type"] == "extra_forbidden"]
        meant = {nearest(name, _keys(kind)) for name in unknown}
        return None, tuple(
            _problem(kind, detail, thing, where(detail["loc"]))
            for detail in details
            if detail["type"] != "missing" or detail["loc"][-1] not in meant
        )


def _problem(  # noqa: PLR0911 - one per kind of mistake
    kind: type[Strict], detail: ErrorDetails, thing: str, where: str
) -> Problem:
    name = ".".join(str(part) for part in detail["loc"])
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return Problem(f"{name} is not a key of {thing}.", where, choice(name, _keys(kind)))
        case "missing":
            return Problem(f"{name} is missing from {thing}.", where, _wanted(kind, name))
        case "enum":
            return Problem(
                f"{name} cannot be {detail['input']!r}.",
                where,
                choice(str(detail["input"]), _choices(kind, name)),
            )
        case "greater_than_equal":
            return Problem(f"{name} must be at least {context['ge']:g}.", where, _described(kind, name))
        case "less_than_equal":
            return Problem(f"{name} must be at most {context['le']:g}.", where, _described(kind, name))
        case "value_error" if isinstance(context.get("error"), Advised):
            return Problem(context["error"].what, where, context["error"].advice)
        case other:
            wanted = _WANTED.get(other)
            what = f"{name} must be {wanted}." if wanted else f"{name} is wrong: {detail['msg']}."
            return Problem(what, where, _described(kind, name))


def _keys(kind: type[Strict]) -> list[str]:
    return [field.alias or name for name, field in kind.model_fields.items()]


def _field(kind: type[Strict], name: str) -> FieldInfo | None:
    top = name.partition(".")[0]
    return next((field for key, field in kind.model_fields.items() if top in (key, field.alias)), None)


def _choices(kind: type[Strict], name: str) -> list[str]:
    field = _field(kind, name)
    annotation = field.annotation if field else None
    return [str(each.value) for each in annotation] if isinstance(annotation, type(Enum)) else []


def _described(kind: type[Strict], name: str) -> str:
    field = _field(kind, name)
    return (field.description or "") if field else ""


def _wanted(kind: type[Strict], name: str) -> str:
    choices = _choices(kind, name)
    return f"It can be {', '.join(choices)}." if choices else _described(kind, name)
