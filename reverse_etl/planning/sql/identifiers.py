"""Identifier columns in SQL: their canonical form, and the tests of whether they are well-formed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, Kind
from reverse_etl.domain.engine import Engine
from reverse_etl.domain.identifiers import BLANKS, PUNCTUATION, IdentifierType
from reverse_etl.warehouse.statement import Dialect, literal, quote

if TYPE_CHECKING:
    from collections.abc import Sequence

ID_MAX = 255  # ours: whoever has a longer id can't be looked up by an address that servers take, and so never leave
EMAIL_MAX = 100  # "Profiles API overview": an e-mail has at most 100 characters
_PART = r"[^\s@,;:<>()\[\]\\\"]"
# The same for Snowflake, whose "POSIX ERE" does not say what a backslash means between brackets: this reads alike either way.
_PART_POSIX = r"""[^][[:space:]@,;:<>()"\\]"""
EMAIL_PATTERN = rf"^{_PART}+@{_PART}+\.{_PART}+$"
EMAIL_DOTS = r"(^\.|\.\.|\.@|@\.|\.$)"
PHONE = r"\+[1-9][0-9]{6,14}"  # E.164: a country code that never starts with 0, at most 15 digits
PHONE_PATTERN = f"^{PHONE}$"

# What is canonical and well-formed as it stands, as nearly all values are: one look at them saves several dearer ones.
_WORD, _LABEL = "[a-z0-9_+-]+", "[a-z0-9-]+"
PLAIN = {
    IdentifierType.EMAIL: rf"{_WORD}(\.{_WORD})*@{_LABEL}(\.{_LABEL})+",
    IdentifierType.PHONE: PHONE,
}
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})  # never blank


def canonical(dialect: Dialect, kind: IdentifierType, column: Column) -> str:
    """Return the SQL of `identifiers.canonical` for a column of any type; blank becomes NULL."""
    text = as_text(column)
    blanks = _characters(dialect, BLANKS)
    match kind:
        case IdentifierType.EMAIL:
            return f"NULLIF(LOWER(TRIM({text}, {blanks})), '')"
        case IdentifierType.PHONE:
            return f"NULLIF(TRANSLATE({text}, {_characters(dialect, BLANKS + PUNCTUATION)}, ''), '')"
        case IdentifierType.PROFILE_ID:
            return f"NULLIF(TRIM({text}, {blanks}), '')"
        case IdentifierType.EXTERNAL_ID if column.kind in _NUMBERS:
            return text
        case IdentifierType.EXTERNAL_ID:
            return f"CASE WHEN TRIM({text}, {blanks}) <> '' THEN {text} END"


def as_text(column: Column) -> str:
    """Return an identifier column as text; an integral number has no fraction, and NaN or an infinity is no identifier."""
    name = quote(column.name)
    plain = f"CAST({name} AS VARCHAR)"  # also of a text: a UUID and an ENUM are kept as text, and are none
    if column.kind not in {Kind.DECIMAL, Kind.FLOAT}:
        return plain
    whole = f"CAST(CAST({name} AS DECIMAL(38, 0)) AS VARCHAR)"
    if column.kind is Kind.DECIMAL:
        return f"CASE WHEN {name} = FLOOR({name}) THEN {whole} ELSE {plain} END"
    # What is not finite is no number when it is taken from itself.
    return (
        f"CASE WHEN ABS({name}) < {_MOST} AND {name} = FLOOR({name}) THEN {whole} "
        f"WHEN {name} - {name} = 0 THEN {plain} END"
    )


_MOST = "1e37"  # what a DECIMAL(38, 0) holds with certainty


def plain(dialect: Dialect, kind: IdentifierType, column: Column) -> str:
    """Return whether a value of a kind in PLAIN is canonical and well-formed as it stands; not all that are need be found."""
    text = as_text(column)
    whole = {Engine.DUCKDB: "REGEXP_FULL_MATCH", Engine.SNOWFLAKE: "REGEXP_LIKE"}[dialect.engine]
    matches = f"{whole}({text}, {dialect.literal(PLAIN[kind])})"
    return f"(LENGTH({text}) <= {EMAIL_MAX} AND {matches})" if kind is IdentifierType.EMAIL else matches


def email_too_long(column: str) -> str:
    """Return whether a canonical e-mail is longer than Klaviyo takes."""
    return f"LENGTH({column}) > {EMAIL_MAX}"


def id_too_long(column: str) -> str:
    """Return whether an id is longer than can be looked up."""
    return f"LENGTH({column}) > {ID_MAX}"


def email_malformed(dialect: Dialect, column: str) -> str:
    """Return whether a canonical e-mail can't be one."""
    blank = f"TRANSLATE({column}, {_characters(dialect, BLANKS)}, '') <> {column}"
    return f"NOT {_matches(dialect, column, EMAIL_PATTERN)} OR {_matches(dialect, column, EMAIL_DOTS)} OR {blank}"


def phone_malformed(dialect: Dialect, column: str) -> str:
    """Return whether a canonical phone is not E.164."""
    return f"NOT {_matches(dialect, column, PHONE_PATTERN)}"


def _matches(dialect: Dialect, column: str, pattern: str) -> str:
    match dialect.engine:
        case Engine.DUCKDB:
            return f"REGEXP_MATCHES({column}, {dialect.literal(pattern)})"
        case Engine.SNOWFLAKE:
            return f"(REGEXP_INSTR({column}, {dialect.literal(pattern.replace(_PART, _PART_POSIX))}) > 0)"


def _characters(dialect: Dialect, characters: Sequence[str] | str) -> str:
    """Return a text expression of these characters; control characters are written by code point."""
    name = {Engine.DUCKDB: "CHR", Engine.SNOWFLAKE: "CHAR"}[dialect.engine]
    plain = "".join(character for character in characters if character.isprintable())
    return " || ".join([literal(plain), *(f"{name}({ord(c)})" for c in characters if not c.isprintable())])
