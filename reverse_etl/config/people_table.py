"""Finds the table of people that the first model reads, and its columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Names without case and punctuation, the likeliest first.
_TABLES: Final = (
    "customers",
    "dimcustomers",
    "users",
    "people",
    "contacts",
    "profiles",
    "clients",
    "members",
    "subscribers",
)
_EMAILS: Final = ("email", "emailaddress", "mail", "mailaddress", "customeremail", "contactemail")
_EMAIL_ENDINGS: Final = ("email", "emailaddress")
_IDS: Final = ("customerid", "userid", "clientid", "contactid", "memberid", "personid", "externalid", "id")
_NAMES: Final = {"firstname": "first_name", "lastname": "last_name"}


@dataclass(frozen=True)
class TableColumn:
    """A column of a table, and whether it holds text."""

    name: str
    is_text: bool


@dataclass(frozen=True)
class PeopleTable:
    """A table of people. `email` and `id` are columns, "" if it has none; `names` are columns by property."""

    table: str
    email: str
    id: str
    names: Mapping[str, str]


def find_people_table(
    tables: Mapping[str, Sequence[TableColumn]], find_email_column: Callable[[str, Sequence[str]], str]
) -> PeopleTable | None:
    """Return the likeliest table of people, or None.

    One with a column of e-mails by its name; without any, one with such values: `find_email_column` returns
    the column of a table whose values look like e-mails, among some, or "". Without any, a table with the
    name of a table of people and an id.
    """
    likeliest = sorted(tables, key=lambda name: (_rank(name, _TABLES, len(_TABLES)), name))
    for table in likeliest:
        if email := _find_email_by_name(tables[table]):
            return _describe(table, tables[table], email)
    for table in likeliest:
        texts = [column.name for column in tables[table] if column.is_text]
        if texts and (email := find_email_column(table, texts)):
            return _describe(table, tables[table], email)
    for table in likeliest:
        candidate = _describe(table, tables[table], "")
        if candidate.id and _normalize(table) in _TABLES:
            return candidate
    return None


def _describe(table: str, columns: Sequence[TableColumn], email: str) -> PeopleTable:
    by_name = {_normalize(column.name): column.name for column in columns}
    row_id = next((by_name[name] for name in _IDS if name in by_name), "")
    names = {name: by_name[plain] for plain, name in _NAMES.items() if plain in by_name}
    return PeopleTable(table, email, row_id, names)


def _find_email_by_name(columns: Sequence[TableColumn]) -> str:
    candidates = [
        column.name
        for column in columns
        if column.is_text and ((name := _normalize(column.name)) in _EMAILS or name.endswith(_EMAIL_ENDINGS))
    ]
    return min(candidates, key=lambda name: _rank(name, _EMAILS, len(_EMAILS)), default="")


def _rank(name: str, preferred: Sequence[str], otherwise: int) -> int:
    plain = _normalize(name)
    return preferred.index(plain) if plain in preferred else otherwise


def _normalize(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
