"""Who is on a list: reading, adding and removing by profile id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.sandbox.filters import Field, Where, filter_sql
from reverse_etl.sandbox.lists import join, leave
from reverse_etl.sandbox.paging import Source, fetch, links, order_of, page_of
from reverse_etl.sandbox.profiles import COLUMNS, person_of, profile_fields, profile_resource
from reverse_etl.sandbox.replies import ApiError, Refusal, Reply, invalid
from reverse_etl.sandbox.routes.lists import the_list
from reverse_etl.sandbox.routes.route import Route
from reverse_etl.sandbox.rules import MAX_MEMBERS_A_REQUEST
from reverse_etl.sandbox.validation import resource_ids

if TYPE_CHECKING:
    import sqlite3

    from reverse_etl.sandbox.account import Account
    from reverse_etl.sandbox.ask import Ask

_DEFAULT_A_PAGE: Final = 20
_MOST_A_PAGE: Final = 100
_SORTS: Final = {"joined_group_at": "m.joined_at"}
_COMPARE: Final = frozenset({"greater-than", "greater-or-equal", "less-than", "less-or-equal"})
_LISTED: Final = frozenset({"any", "equals"})
_FILTERS: Final = {
    "email": Field("p.email", _LISTED),
    "phone_number": Field("p.phone_number", _LISTED),
    "joined_group_at": Field("m.joined_at", _COMPARE, "time"),
}
# CROSS JOIN fixes the order of the loops: by the few who are asked for, or along the list.
_BY_PERSON: Final = "profiles p CROSS JOIN members m ON m.profile = p.seq"
_ALONG_LIST: Final = "members m CROSS JOIN profiles p ON p.seq = m.profile"


def get_profiles_for_list(account: Account, ask: Ask) -> Reply:
    """Return a page of a list's profiles, with the time at which each joined.

    Those who joined first come first.
    """
    ask.allow("fields[profile]", "additional-fields[profile]", "filter", "page[cursor]", "page[size]", "sort")
    wanted = profile_fields(ask, "joined_group_at")
    rows, cursor = _page(account, ask)
    found = [profile_resource(person_of(row[1:]), ask.origin, wanted, row[0]) for row in rows]
    return Reply(200, {"data": found, "links": links(ask, cursor)})


def get_profile_ids_for_list(account: Account, ask: Ask) -> Reply:
    """Return a page of the ids of a list's profiles, in the same order."""
    ask.allow("filter", "page[cursor]", "page[size]", "sort")
    rows, cursor = _page(account, ask)
    return Reply(
        200, {"data": [{"type": "profile", "id": row[2]} for row in rows], "links": links(ask, cursor)}
    )


def add_profiles_to_list(account: Account, ask: Ask) -> Reply:
    """Put profiles on a list; one who is on it already stays with the old time of joining."""
    ids = _asked_ids(ask)
    with account.state() as db:
        join(db, the_list(db, ask), _numbers(db, account, ids), account.now())
    return Reply(204)


def remove_profiles_from_list(account: Account, ask: Ask) -> Reply:
    """Take profiles off a list; one who is not on it is no obstacle. Consent is not touched."""
    ids = _asked_ids(ask)
    with account.state() as db:
        leave(db, the_list(db, ask), _numbers(db, account, ids))
    return Reply(204)


def _page(account: Account, ask: Ask) -> tuple[list[tuple[Any, ...]], str | None]:
    where = filter_sql(ask.query.get("filter"), _FILTERS)
    order, page = order_of(ask, _SORTS, "joined_group_at"), page_of(ask, _DEFAULT_A_PAGE, _MOST_A_PAGE)
    tables = _BY_PERSON if where.fields & {"email", "phone_number"} else _ALONG_LIST
    with account.state() as db:
        on_list = Where(f"{where.sql} AND m.list = ?", (*where.values, the_list(db, ask).seq))
        return fetch(db, Source(f"m.joined_at, {COLUMNS}", tables, "m.profile"), on_list, order, page)


def _asked_ids(ask: Ask) -> tuple[str, ...]:
    ask.allow()
    document = ask.document()
    ids = resource_ids(document.get("data") if isinstance(document, dict) else None, "profile", "/data")
    if not 1 <= len(ids) <= MAX_MEMBERS_A_REQUEST:
        raise invalid(
            f"From 1 to {MAX_MEMBERS_A_REQUEST} profiles are allowed, not {len(ids)}.", pointer="/data"
        )
    return ids


def _numbers(db: sqlite3.Connection, account: Account, ids: tuple[str, ...]) -> list[int]:
    wanted = orjson.dumps(ids).decode()
    found = dict(
        db.execute(
            "SELECT id, seq FROM profiles WHERE id IN (SELECT value FROM json_each(?))", (wanted,)
        ).fetchall()
    )
    unknown = [
        ApiError(f"A profile with id {identity} does not exist.", f"/data/{place}/id")
        for place, identity in enumerate(ids)
        if identity not in found
    ]
    if unknown and account.rules.unknown_ids == "refuse":
        raise Refusal(404, *unknown[: account.rules.errors_per_reply])
    return list(found.values())


ROUTES: Final = (
    Route("GET", "/api/lists/<id>/profiles", "get_profiles_for_list", get_profiles_for_list),
    Route(
        "GET", "/api/lists/<id>/relationships/profiles", "get_profile_ids_for_list", get_profile_ids_for_list
    ),
    Route("POST", "/api/lists/<id>/relationships/profiles", "add_profiles_to_list", add_profiles_to_list),
    Route(
        "DELETE",
        "/api/lists/<id>/relationships/profiles",
        "remove_profiles_from_list",
        remove_profiles_from_list,
    ),
)
