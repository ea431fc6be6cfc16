"""Check the columns of a model against its surface. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.null_rules import clears
from reverse_etl.errors import Problem
from reverse_etl.klaviyo.profile_changes import is_clearable, is_custom_property
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.surfaces.interface import ListRule, OtherColumns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reverse_etl.domain.null_rules import NullRules
    from reverse_etl.surfaces.interface import Surface

# Names by which Klaviyo, or a reader of a model, takes a column for an identifier.
_RESERVED: Final = {
    "email": IdentifierType.EMAIL,
    "phone_number": IdentifierType.PHONE,
    "phone_e164": IdentifierType.PHONE,
    "external_id": IdentifierType.EXTERNAL_ID,
    "klaviyo_profile_id": IdentifierType.PROFILE_ID,
}
# Usual names of an e-mail or a phone column; warned of only where no column is an identifier of the kind.
_LOOK_LIKE: Final = {
    **dict.fromkeys(("email_address", "e_mail", "mail", "$email"), IdentifierType.EMAIL),
    **dict.fromkeys(
        ("phone", "phone_no", "telephone", "mobile", "mobile_number", "mobile_phone", "phone_mobile", "sms",
         "sms_number", "$phone_number"),
        IdentifierType.PHONE,
    ),
    **dict.fromkeys(("id", "profile_id", "klaviyo_id", "$id"), IdentifierType.PROFILE_ID),
}  # fmt: skip
# Attributes of earlier versions of Klaviyo's API, or for reading only: a property does not replace them.
_FORMER: Final = {
    "anonymous_id": "Klaviyo no longer takes it as an identifier",
    "exchange_id": "Klaviyo no longer takes it as an identifier",
    "_kx": "it identifies nobody here",
    "consent": "it gives nobody's consent",
    "$consent": "it gives nobody's consent",
    "subscriptions": "it gives nobody's consent",
    "push_token": "it registers no device",
    "push_tokens": "it registers no device",
}


@dataclass(frozen=True)
class ColumnProblem:
    """A problem, what to do next, and the column that it is about, '' for none."""

    summary: str
    hint: str
    column: str = ""


def find_list_problem(surface: Surface, settings: Sequence[str]) -> ColumnProblem | None:
    """Return what is wrong with how a list is named; `settings` are the settings that name one."""
    if surface.list_rule is ListRule.NONE:
        if not settings:
            return None
        return ColumnProblem(
            f"The surface {surface.name} has no list, but {settings[0]} is given.",
            f"Remove {settings[0]}{_or_alternative(surface)}.",
        )
    if not settings:
        if surface.list_rule is ListRule.OPTIONAL:
            return None
        return ColumnProblem(
            f"The surface {surface.name} needs a list.",
            "Write list='its name', list_id='its id', or list_column='a column that names it'.",
        )
    if len(settings) > 1:
        return ColumnProblem(
            f"The list is named in {len(settings)} ways: {', '.join(settings)}.", "Keep one of them."
        )
    return None


def find_identifier_problems(surface: Surface, identifier_types: Collection[str]) -> Iterator[ColumnProblem]:
    """Yield what is wrong with the types of identifiers that a model gives or has columns for."""
    allowed = surface.columns.identifiers
    if not identifier_types:
        if allowed:
            yield ColumnProblem(
                "No column identifies a person.",
                "Write identifiers={'email': 'a column'}; the types are " + ", ".join(IdentifierType) + ".",
            )
    elif not allowed:
        yield ColumnProblem(
            f"The rows of the surface {surface.name} are not people, but identifiers are given.",
            "Remove identifiers.",
        )
    elif not set(identifier_types) <= {kind.value for kind in allowed}:
        names = ", ".join(allowed)
        yield ColumnProblem(
            f"The surface {surface.name} knows people by {names} alone.",
            f"Write identifiers={{'{allowed[0]}': 'a column'}}"
            + (f", or surface='{surface.alternative.name}'." if surface.alternative else "."),
        )


def find_missing_columns(surface: Surface, selected: Collection[str]) -> Iterator[ColumnProblem]:
    """Yield which columns that the surface needs are not among those that a model selects."""
    columns = surface.columns
    for name in dict.fromkeys((*columns.key, *columns.required)):
        if name not in selected:
            yield ColumnProblem(
                f"The surface {surface.name} needs the column {name}, which is not selected.",
                f"Select it: the row key is made of {' and '.join(columns.key)}."
                if name in columns.key
                else f"Select it, or name a column so: ... AS {name}.",
            )


def find_key_column_problem(column: Column) -> Problem | None:
    """Return why a column can't be a part of the row key: only texts and exact numbers have one form."""
    if column.kind in {ColumnKind.TEXT, ColumnKind.INTEGER, ColumnKind.DECIMAL}:
        return None
    return Problem(
        f"The column {column.name} is of type {column.type} and a part of the row key.",
        hint="Cast it to text: a row key is made of texts and exact numbers.",
    )


def find_payload_problems(
    surface: Surface,
    properties: Mapping[str, str],
    identifiers: Mapping[IdentifierType, str],
    missing_types: Collection[str],
) -> Iterator[ColumnProblem]:
    """Yield what is wrong with the columns besides the identifiers, by the names under which they are sent.

    A column that is named like one of the `missing_types` is most likely meant as it: that was said already.
    """
    match surface.columns.others:
        case OtherColumns.REFUSED:
            yield from _find_refused_columns(surface, properties)
        case OtherColumns.PROFILE_FIELDS:
            yield from _find_profile_field_problems(properties, identifiers, missing_types)
            yield from _find_null_rule_problems(surface.columns.null_rules, properties, identifiers)
            yield from _find_array_problems(surface, properties)
            yield from _find_unselected_properties(surface, properties)
        case OtherColumns.FIELDS:
            for name, problem in surface.columns.refused.items():
                if name in properties:
                    yield ColumnProblem(problem.summary, problem.hint, properties[name])
        case _ as unanswered:
            assert_never(unanswered)


def find_payload_warnings(
    surface: Surface, properties: Mapping[str, str], identifiers: Mapping[IdentifierType, str]
) -> Iterator[ColumnProblem]:
    """Yield which columns become a custom property although their name means something else to Klaviyo."""
    if surface.columns.others is not OtherColumns.PROFILE_FIELDS:
        return
    for name, column in properties.items():
        folded = name.casefold()
        if folded in surface.columns.custom_properties:
            continue
        kind = _LOOK_LIKE.get(folded)
        if kind is IdentifierType.PROFILE_ID and IdentifierType.EXTERNAL_ID in identifiers:
            kind = None  # then an `id` is most likely another of the shop's own
        if kind is not None and kind not in identifiers:
            yield ColumnProblem(
                f"Column {column} looks like an identifier, but is sent as a custom property.",
                f"If it identifies people, add '{kind}': '{column}' to identifiers. Otherwise rename it.",
                column,
            )
        elif folded in _FORMER or folded.startswith("$"):
            reason = _FORMER.get(folded, "names with $ were Klaviyo's own in its first versions")
            yield ColumnProblem(
                f"Column {column} is sent as a custom property: {reason}.",
                "Remove the column, or give it another name.",
                column,
            )


def _find_refused_columns(surface: Surface, properties: Mapping[str, str]) -> Iterator[ColumnProblem]:
    columns = surface.columns
    own_columns = (*columns.key, *columns.required, *columns.optional)
    sent = f"no column but {', '.join(own_columns)}" if own_columns else "no attributes"
    for name, column in properties.items():
        if name not in own_columns:
            yield ColumnProblem(
                f"The surface {surface.name} sends {sent}, but column {column} is selected.",
                f"Remove the column{_or_alternative(surface)}.",
                column,
            )


def _find_profile_field_problems(
    properties: Mapping[str, str], identifiers: Mapping[IdentifierType, str], missing_types: Collection[str]
) -> Iterator[ColumnProblem]:
    for name, column in properties.items():
        kind = _RESERVED.get(name)
        if kind is not None and kind not in missing_types:
            hint = f"Add '{kind}': '{column}' to identifiers, or give the column another name."
            if kind in identifiers:
                hint = f"The {kind} is in column {identifiers[kind]} already; give this one another name."
            yield ColumnProblem(f"Column {column} is named like an identifier, but is none.", hint, column)
        if name.startswith("location_") and "location" in properties:
            yield ColumnProblem(
                f"Columns {properties['location']} and {column} both say the location.",
                "Keep location (a struct), or the columns location_city and so on.",
                column,
            )


def _find_null_rule_problems(
    rules: NullRules, properties: Mapping[str, str], identifiers: Mapping[IdentifierType, str]
) -> Iterator[ColumnProblem]:
    """Yield which columns a rule on NULLs can't be for."""
    names = {column.lower(): name for name, column in properties.items()}
    people = {column.lower() for column in identifiers.values()}
    for column, rule in rules.by_column.items():
        if column in people:
            yield ColumnProblem(
                f"on_null names {column}, which identifies people: an identifier is never cleared.",
                f"Remove {column} from on_null.",
            )
        elif column not in names:
            yield ColumnProblem(
                f"on_null names the column {column}, which is not selected.", did_you_mean(column, [*names])
            )
        elif clears(rule) and not is_clearable(names[column]):
            yield ColumnProblem(
                f"on_null clears {column}, which holds all custom properties that have no column.",
                f"Remove {column} from on_null, and select the properties to clear as columns of their own.",
            )


def _find_array_problems(surface: Surface, properties: Mapping[str, str]) -> Iterator[ColumnProblem]:
    """Yield which columns can't be appended to an array, or removed from one."""
    names = {column.lower(): name for name, column in properties.items()}
    for column in surface.columns.arrays:
        if column not in names:
            yield ColumnProblem(
                f"arrays names the column {column}, which is not selected.", did_you_mean(column, [*names])
            )
        elif not is_custom_property(names[column]):
            yield ColumnProblem(
                f"arrays names {column}, which is not a custom property.",
                "Only custom properties are arrays.",
            )
        elif clears(surface.columns.null_rules.find_rule(column)):
            yield ColumnProblem(
                f"arrays names {column}, whose NULL clears the whole array, also the values of others.",
                f"Write on_null={{'{column}': 'omit'}}.",
            )


def _find_unselected_properties(surface: Surface, properties: Mapping[str, str]) -> Iterator[ColumnProblem]:
    """Yield which columns are called custom properties but not selected."""
    names = {column.lower(): column for column in properties.values()}
    for column in sorted(surface.columns.custom_properties - names.keys()):
        yield ColumnProblem(
            f"custom_properties names the column {column}, which is not selected.",
            did_you_mean(column, [*names]),
        )


def _or_alternative(surface: Surface) -> str:
    return f", or write surface='{surface.alternative.name}'" if surface.alternative else ""
