"""Pages behind a cursor.

A cursor holds the last row's place in the order, so rows that come or go do not shift the next page.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.sandbox.replies import Refusal, invalid

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from reverse_etl.sandbox.ask import Ask
    from reverse_etl.sandbox.filters import Where


@dataclass(frozen=True)
class Order:
    """A collection's order: an SQL expression that is never null, then the row's number."""

    expression: str
    descending: bool = False


@dataclass(frozen=True)
class Page:
    """How many rows are asked for, and after which (value of the order, number) they begin."""

    size: int
    after: tuple[Any, int] | None = None


@dataclass(frozen=True)
class Source:
    """Where rows come from: the columns, the FROM clause and the expression of the row's number."""

    columns: str
    tables: str
    number: str


def page_of(ask: Ask, default: int, most: int) -> Page:
    """Return the page that `page[size]` and `page[cursor]` ask for.

    Raises Refusal (400) if either is not valid.
    """
    text = ask.query.get("page[size]", str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise invalid(f"The page size should be a whole number from 1 to {most}.", parameter="page[size]")
    cursor = ask.query.get("page[cursor]")
    return Page(int(text), None if cursor is None else _decode(cursor))


def order_of(ask: Ask, sorts: Mapping[str, str], default: str) -> Order:
    """Return the order that `sort` asks for, a field with or without a minus.

    Raises Refusal (400) for an unknown field.
    """
    text = ask.query.get("sort", default)
    name = text.removeprefix("-")
    if name not in sorts:
        raise invalid(
            f"'{name}' is not a field to sort by; allowed: {', '.join(sorted(sorts))}.", parameter="sort"
        )
    return Order(sorts[name], text.startswith("-"))


def fetch(
    db: sqlite3.Connection, source: Source, where: Where, order: Order, page: Page
) -> tuple[list[tuple[Any, ...]], str | None]:
    """Return a page's rows, and the cursor of the next page if there is one."""
    after = (
        ""
        if page.after is None
        else f"AND ({order.expression}, {source.number}) {'<' if order.descending else '>'} (?, ?)"
    )
    way = "DESC" if order.descending else "ASC"
    rows = db.execute(
        f"SELECT {order.expression}, {source.number}, {source.columns} FROM {source.tables} "
        f"WHERE {where.sql} {after} "
        f"ORDER BY {order.expression} {way}, {source.number} {way} LIMIT ?",
        (*where.values, *(page.after or ()), page.size + 1),
    ).fetchall()
    shown = rows[: page.size]
    following = _encode(*shown[-1][:2]) if len(rows) > page.size else None
    return [row[2:] for row in shown], following


def links(ask: Ask, cursor: str | None = None) -> dict[str, str | None]:
    """Return a collection's links.

    `next` is null on the last page, and the sandbox does not page backwards.
    """
    return {"self": ask.url(), "next": None if cursor is None else ask.url(page_cursor=cursor), "prev": None}


def _encode(value: Any, number: int) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([value, number])).decode()


def _decode(cursor: str) -> tuple[Any, int]:
    try:
        value, number = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError:
        raise _not_a_cursor() from None
    if not isinstance(number, int) or not isinstance(value, str | int | float):
        raise _not_a_cursor()
    return value, number


def _not_a_cursor() -> Refusal:
    return invalid("The cursor is not one that this endpoint gave.", parameter="page[cursor]")
