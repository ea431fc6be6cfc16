"""SQL expressions for identifiers: their canonical form, and tests of whether they are well-formed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.identifiers import (
    INVISIBLE,
    KEY_PREFIX,
    KEY_SEPARATOR,
    PUNCTUATION,
    SPACES,
    IdentifierType,
)
from reverse_etl.warehouse.statement import quote_identifier, quote_literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.warehouse.dialect import Dialect

MAX_ID_LENGTH = (
    255  # our limit: a longer id does not fit the URL of a look-up, so the row could never be removed
)
MAX_EMAIL_LENGTH = 100  # "Profiles API overview": an e-mail has at most 100 characters
# POSIX leaves open what a backslash means between brackets: this has one meaning either way.
_EMAIL_PART = r"""[^][[:space:]@,;:<>()"\\]"""
EMAIL_PATTERN = rf"^{_EMAIL_PART}+@{_EMAIL_PART}+\.{_EMAIL_PART}+$"
MISPLACED_DOTS_PATTERN = r"(^\.|\.\.|\.@|@\.|\.$)"
E164 = r"\+[1-9][0-9]{6,14}"  # E.164: a country code that never starts with 0, at most 15 digits
PHONE_PATTERN = f"^{E164}$"
TRUNK_ZERO_PATTERN = "^[^0-9+]*[+][^0-9]*([0-9][^0-9(]*){1,3}[(][^0-9]*0"
# Countries in which a zero is dialled before a number only inside the country, and no number begins with one.
_TRUNK_ZERO_COUNTRIES = (
    *("27", "31", "32", "33", "40", "41", "43", "44", "46", "49", "61", "64", "81", "90", "91"),
    *("353", "358", "972"),
)
CERTAIN_TRUNK_ZERO_PATTERN = (
    f"^[^0-9+]*[+][^0-9]*({'|'.join(map('[^0-9]*'.join, _TRUNK_ZERO_COUNTRIES))})[^0-9]*0"
)
# Countries whose numbers begin with a zero from abroad too: Italy with the Vatican, San Marino, Ivory Coast, Benin, Congo.
KEPT_ZERO_PATTERN = "^[^0-9+]*[+][^0-9]*(39|378|225|229|242)[^0-9]*[(][^0-9]*0"

# Nearly all values are canonical already; one cheap test for that saves several expensive ones.
_WORD, _LABEL = "[a-z0-9_+-]+", "[a-z0-9-]+"
CANONICAL_PATTERNS = {
    IdentifierType.EMAIL: rf"{_WORD}(\.{_WORD})*@{_LABEL}(\.{_LABEL})+",
    # Outside of North America the third and fourth digit are not 0: no trunk zero after two or three digits.
    IdentifierType.PHONE: r"\+(1[0-9]{6,14}|[2-9][0-9][1-9]{2}[0-9]{3,11})",
}
_BLANK = SPACES + INVISIBLE
_NUMERIC_KINDS = frozenset(
    {ColumnKind.INTEGER, ColumnKind.DECIMAL, ColumnKind.FLOAT, ColumnKind.REAL}
)  # never blank


def canonical_sql(dialect: Dialect, kind: IdentifierType, column: Column) -> str:
    """Return the SQL of `identifiers.canonical_sql` for a column of any type; blank becomes NULL."""
    text = as_text_sql(dialect, column)
    match kind:
        case IdentifierType.EMAIL:
            return f"NULLIF(LOWER({_trimmed_sql(dialect, text)}), '')"
        case IdentifierType.PHONE:
            without_blanks = dialect.remove_characters_sql(text, _BLANK)
            return f"NULLIF(TRANSLATE({without_blanks}, {quote_literal(PUNCTUATION)}, ''), '')"
        case IdentifierType.PROFILE_ID:
            return f"NULLIF({_trimmed_sql(dialect, text)}, '')"
        case IdentifierType.EXTERNAL_ID if column.kind in _NUMERIC_KINDS:
            return text
        case IdentifierType.EXTERNAL_ID:
            return f"CASE WHEN {_trimmed_sql(dialect, text)} <> '' THEN {text} END"


def row_key_sql(dialect: Dialect, key: Sequence[Column]) -> str:
    """Return the row key that columns make, NULL if one of them is NULL or empty; no two different rows make the same."""
    return (
        quote_literal(KEY_PREFIX)
        + " || "
        + f" || '{KEY_SEPARATOR}' || ".join(_key_part_sql(dialect, column) for column in key)
    )


def _key_part_sql(dialect: Dialect, column: Column) -> str:
    """Return a column as a part of a row key; a number in one form, whatever its scale."""
    name = quote_identifier(column.name)
    match column.kind:
        case ColumnKind.INTEGER:
            return f"CAST({name} AS VARCHAR)"
        case ColumnKind.DECIMAL:
            fraction_text = f"RTRIM(CAST({name} AS VARCHAR), '0')"
            return f"CASE {_integer_cases_sql(name)} ELSE {fraction_text} END"
        case _:
            text = f"NULLIF({dialect.plain_text_sql(name)}, '')"
            return f"REPLACE(REPLACE({text}, '%', '%25'), '{KEY_SEPARATOR}', '%7C')"


def as_text_sql(dialect: Dialect, column: Column) -> str:
    """Return an identifier column as text; an integral number has no fraction, and NaN or an infinity is not an identifier."""
    name = quote_identifier(column.name)
    as_varchar = f"CAST({name} AS VARCHAR)"
    if column.kind is ColumnKind.TEXT:  # or a UUID or an ENUM, which are stored as text
        return dialect.plain_text_sql(name)
    if column.kind not in {ColumnKind.DECIMAL, ColumnKind.FLOAT, ColumnKind.REAL}:
        return as_varchar
    if column.kind is ColumnKind.DECIMAL:
        return f"CASE {_integer_cases_sql(name)} ELSE {as_varchar} END"
    # For NaN and infinities x - x is NaN, not 0.
    return f"CASE WHEN {name} - {name} = 0 THEN CASE {_integer_cases_sql(name)} ELSE {as_varchar} END END"


def _integer_cases_sql(name: str) -> str:
    """Return the cases of an integral number as text: without a fraction, unless it is too large for that.

    A decimal with a floating point may be larger than any DECIMAL.
    """
    integer_text = f"CAST(CAST({name} AS DECIMAL(38, 0)) AS VARCHAR)"
    return (
        f"WHEN ABS({name}) < {_MAX_DECIMAL} AND {name} = FLOOR({name}) THEN {integer_text} "
        f"WHEN {name} = FLOOR({name}) THEN CAST({name} AS VARCHAR)"
    )


_MAX_DECIMAL = "1e37"  # a DECIMAL(38, 0) holds any smaller number


def is_canonical_sql(dialect: Dialect, kind: IdentifierType, column: Column) -> str:
    """Return whether a value is canonical and well-formed as it is. Some of these values are not recognised."""
    text = as_text_sql(dialect, column)
    matches = dialect.fully_matches_sql(text, CANONICAL_PATTERNS[kind])
    return (
        f"(LENGTH({text}) <= {MAX_EMAIL_LENGTH} AND {matches})" if kind is IdentifierType.EMAIL else matches
    )


def email_too_long_sql(column: str) -> str:
    """Return whether a canonical e-mail is longer than Klaviyo accepts."""
    return f"LENGTH({column}) > {MAX_EMAIL_LENGTH}"


def id_too_long_sql(column: str) -> str:
    """Return whether an id is longer than can be looked up."""
    return f"LENGTH({column}) > {MAX_ID_LENGTH}"


def email_invisible_sql(dialect: Dialect, column: str) -> str:
    """Return whether a canonical e-mail has an invisible character inside."""
    return dialect.has_character_sql(column, INVISIBLE)


def email_malformed_sql(dialect: Dialect, column: str) -> str:
    """Return whether a canonical e-mail without invisible characters can't be one."""
    has_space = dialect.has_character_sql(column, SPACES)
    return f"NOT {dialect.matches_sql(column, EMAIL_PATTERN)} OR {dialect.matches_sql(column, MISPLACED_DOTS_PATTERN)} OR {has_space}"


def phone_invisible_sql(dialect: Dialect, column: Column) -> str:
    """Return whether a phone as the model has it has an invisible character inside; spaces are visible."""
    return dialect.has_character_sql(_trimmed_sql(dialect, as_text_sql(dialect, column)), INVISIBLE)


def phone_has_trunk_zero_sql(dialect: Dialect, column: Column) -> str:
    """Return whether a phone as the model has it has a trunk zero after the country code: +44 (0)20, +44 020.

    Such a zero is dialled only inside the country, so the digits as they are belong to another number. Without
    parentheses it counts only in countries whose numbers never begin with a zero.
    """
    text = as_text_sql(dialect, column)
    has_zero, keeps_zero, is_certain = (
        dialect.matches_sql(text, pattern)
        for pattern in (TRUNK_ZERO_PATTERN, KEPT_ZERO_PATTERN, CERTAIN_TRUNK_ZERO_PATTERN)
    )
    return f"({is_certain} OR {has_zero} AND NOT {keeps_zero})"


def phone_malformed_sql(dialect: Dialect, column: str) -> str:
    """Return whether a canonical phone is not E.164."""
    return f"NOT {dialect.matches_sql(column, PHONE_PATTERN)}"


def _trimmed_sql(dialect: Dialect, text: str) -> str:
    return dialect.remove_characters_sql(text, _BLANK, ends_only=True)
