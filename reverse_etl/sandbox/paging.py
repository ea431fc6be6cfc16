"""Cursor-based paging.

A cursor holds the sort position of the last row, so that inserted and deleted rows do not shift the next
page.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.sandbox.replies import HttpError, bad_request_error

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from reverse_etl.sandbox.ask import ApiRequest
    from reverse_etl.sandbox.filters import WhereClause


@dataclass(frozen=True)
class SortOrder:
    """The order of a collection: an SQL expression that is never null, then the row's number."""

    expression: str
    descending: bool = False


@dataclass(frozen=True)
class PageRequest:
    """The requested number of rows, and the sort position (value, number) after which they begin."""

    size: int
    after: tuple[Any, int] | None = None


@dataclass(frozen=True)
class QuerySource:
    """The source of rows: columns, FROM clause, and the expression of the row's number."""

    columns: str
    tables: str
    number_expression: str


def parse_page(request: ApiRequest, default_size: int, max_size: int) -> PageRequest:
    """Return the page of `page[size]` and `page[cursor]`. Raises HttpError (400) if one is invalid."""
    text = request.query.get("page[size]", str(default_size))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= max_size:
        raise bad_request_error(
            f"The page size should be a whole number from 1 to {max_size}.", parameter="page[size]"
        )
    cursor = request.query.get("page[cursor]")
    return PageRequest(int(text), None if cursor is None else _decode_cursor(cursor))


def parse_order(request: ApiRequest, sorts: Mapping[str, str], default: str) -> SortOrder:
    """Return the order of `sort`, a field with or without a minus. Raises HttpError (400) if unknown."""
    text = request.query.get("sort", default)
    name = text.removeprefix("-")
    if name not in sorts:
        raise bad_request_error(
            f"'{name}' is not a field to sort by; allowed: {', '.join(sorted(sorts))}.", parameter="sort"
        )
    return SortOrder(sorts[name], text.startswith("-"))


def fetch_page(
    db: sqlite3.Connection, source: QuerySource, where: WhereClause, order: SortOrder, page: PageRequest
) -> tuple[list[tuple[Any, ...]], str | None]:
    """Return the rows of a page and the cursor of the next page, or None on the last page."""
    after_clause = (
        ""
        if page.after is None
        else f"AND ({order.expression}, {source.number_expression}) {'<' if order.descending else '>'} (?, ?)"
    )
    direction = "DESC" if order.descending else "ASC"
    rows = db.execute(
        f"SELECT {order.expression}, {source.number_expression}, {source.columns} FROM {source.tables} "
        f"WHERE {where.sql} {after_clause} "
        f"ORDER BY {order.expression} {direction}, {source.number_expression} {direction} LIMIT ?",
        (*where.values, *(page.after or ()), page.size + 1),
    ).fetchall()
    page_rows = rows[: page.size]
    next_cursor = _encode_cursor(*page_rows[-1][:2]) if len(rows) > page.size else None
    return [row[2:] for row in page_rows], next_cursor


def build_links(request: ApiRequest, cursor: str | None = None) -> dict[str, str | None]:
    """Return a collection's links. `next` is null on the last page; the sandbox does not page backwards."""
    return {
        "self": request.url(),
        "next": None if cursor is None else request.url(page_cursor=cursor),
        "prev": None,
    }


def _encode_cursor(value: Any, number: int) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([value, number])).decode()


def _decode_cursor(cursor: str) -> tuple[Any, int]:
    try:
        value, number = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError:
        raise _invalid_cursor_error() from None
    if not isinstance(number, int) or not isinstance(value, str | int | float):
        raise _invalid_cursor_error()
    return value, number


def _invalid_cursor_error() -> HttpError:
    return bad_request_error("The cursor is not one that this endpoint gave.", parameter="page[cursor]")
