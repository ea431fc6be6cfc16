"""Lists: finding, creating, changing and deleting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.filters import Field, Where, filter_sql
from reverse_etl.sandbox.lists import (
    LIST_COLUMNS,
    LIST_FIELDS,
    StoredList,
    drop_list,
    find_list,
    make_list,
    member_count,
    rename_list,
)
from reverse_etl.sandbox.paging import Source, fetch, links, order_of, page_of
from reverse_etl.sandbox.replies import Reply, invalid, missing
from reverse_etl.sandbox.routes.route import Route
from reverse_etl.sandbox.validation import typed

if TYPE_CHECKING:
    import sqlite3

    from reverse_etl.sandbox.account import Account
    from reverse_etl.sandbox.ask import Ask

_MOST_A_PAGE: Final = 10
_SOURCE: Final = Source(LIST_COLUMNS, "lists l", "l.seq")
_SORTS: Final = {name: f"l.{name}" for name in ("created", "id", "name", "updated")}
_FILTERS: Final = {
    "name": Field("l.name", frozenset({"any", "equals"})),
    "id": Field("l.id", frozenset({"any", "equals"})),
    "created": Field("l.created", frozenset({"greater-than"}), "time"),
    "updated": Field("l.updated", frozenset({"greater-than"}), "time"),
}
_OPT_IN: Final = ("single_opt_in", "double_opt_in")


def the_list(db: sqlite3.Connection, ask: Ask) -> StoredList:
    """Return the list in a request's path. Raises Refusal (404) if there is none."""
    listed = find_list(db, ask.places["id"])
    if listed is None:
        raise missing("list", ask.places["id"])
    return listed


def get_lists(account: Account, ask: Ask) -> Reply:
    """Return a page of the lists, ten at most."""
    ask.allow("fields[list]", "filter", "page[cursor]", "page[size]", "sort")
    wanted = ask.several("fields[list]", LIST_FIELDS)
    asked = filter_sql(ask.query.get("filter"), _FILTERS)
    shown = account.now() - account.rules.list_seconds
    where = Where(f"({asked.sql}) AND l.created <= ?", (*asked.values, shown), asked.fields)
    order, page = order_of(ask, _SORTS, "created"), page_of(ask, _MOST_A_PAGE, _MOST_A_PAGE)
    with account.state() as db:
        rows, cursor = fetch(db, _SOURCE, where, order, page)
    return Reply(
        200,
        {
            "data": [StoredList(*row).resource(ask.origin, wanted) for row in rows],
            "links": links(ask, cursor),
        },
    )


def create_list(account: Account, ask: Ask) -> Reply:
    """Create a list. A name may be given twice: Klaviyo nowhere promises that names are unique."""
    ask.allow("fields[list]")
    name, opt_in = _described(ask.document(), name="", opt_in=_OPT_IN[1])
    with account.state() as db:
        listed = make_list(db, account.id, name, opt_in, account.now())
    return _one(ask, 201, listed)


def get_list(account: Account, ask: Ask) -> Reply:
    """Return one list, with its number of profiles if asked for (which has a lower limit of its own)."""
    ask.allow("fields[list]", "additional-fields[list]")
    more = ask.several("additional-fields[list]", frozenset({"profile_count"}))
    with account.state() as db:
        listed = the_list(db, ask)
        counted = {"profile_count": member_count(db, listed)} if more else {}
    return _one(ask, 200, listed, **counted)


def update_list(account: Account, ask: Ask) -> Reply:
    """Change a list's name or opt-in process."""
    ask.allow("fields[list]")
    document = ask.document()
    with account.state() as db:
        listed = the_list(db, ask)
        name, opt_in = _described(
            document, name=listed.name, opt_in=listed.opt_in_process, identity=listed.id
        )
        changed = rename_list(db, listed, name, opt_in, account.now())
    return _one(ask, 200, changed)


def delete_list(account: Account, ask: Ask) -> Reply:
    """Delete a list; its profiles stay."""
    ask.allow()
    with account.state() as db:
        drop_list(db, the_list(db, ask))
    return Reply(204)


def _one(ask: Ask, status: int, listed: StoredList, **more: Any) -> Reply:
    wanted = ask.several("fields[list]", LIST_FIELDS | {"profile_count"})
    return Reply(status, {"data": listed.resource(ask.origin, wanted, **more), "links": {"self": ask.url()}})


def _described(document: Any, *, name: str, opt_in: str, identity: str | None = None) -> tuple[str, str]:
    resource = typed(document, "list")
    if identity is not None and resource.get("id") != identity:
        raise invalid("The id should be that of the address.", pointer="/data/id")
    attributes = resource.get("attributes")
    if not isinstance(attributes, dict):
        raise invalid("An object is required.", pointer="/data/attributes")
    unknown = attributes.keys() - {"name", "opt_in_process"}
    if unknown:
        raise invalid(
            f"'{min(unknown)}' is not a valid field for the resource 'list'.",
            pointer=f"/data/attributes/{min(unknown)}",
        )
    named, chosen = attributes.get("name", name), attributes.get("opt_in_process") or opt_in
    if not isinstance(named, str) or not named.strip():
        raise invalid("A name is required.", pointer="/data/attributes/name")
    if chosen not in _OPT_IN:
        raise invalid(
            f"One of {' and '.join(_OPT_IN)} is required.", pointer="/data/attributes/opt_in_process"
        )
    return named, chosen


ROUTES: Final = (
    Route("GET", "/api/lists", "get_lists", get_lists),
    Route("POST", "/api/lists", "create_list", create_list),
    Route("GET", "/api/lists/<id>", "get_list", get_list),
    Route("PATCH", "/api/lists/<id>", "update_list", update_list),
    Route("DELETE", "/api/lists/<id>", "delete_list", delete_list),
)
