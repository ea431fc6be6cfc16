"""The endpoints that read, add and remove the members of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.sandbox.filters import NO_VALUE, FilterField, WhereClause, filter_sql
from reverse_etl.sandbox.lists import add_members, remove_members
from reverse_etl.sandbox.other_emails import OTHER_EMAIL_TEMPLATE
from reverse_etl.sandbox.paging import QuerySource, build_links, fetch_page, parse_order, parse_page
from reverse_etl.sandbox.profile_view import ProfileView
from reverse_etl.sandbox.profiles import PROFILE_COLUMNS, profile_from_row
from reverse_etl.sandbox.replies import ApiResponse, ErrorObject, HttpError, bad_request_error
from reverse_etl.sandbox.routes.lists import require_list
from reverse_etl.sandbox.routes.route import Route
from reverse_etl.sandbox.rules import MAX_MEMBERS_PER_REQUEST
from reverse_etl.sandbox.validation import parse_resource_ids

if TYPE_CHECKING:
    import sqlite3

    from reverse_etl.sandbox.account import SandboxAccount
    from reverse_etl.sandbox.ask import ApiRequest

_DEFAULT_PAGE_SIZE: Final = 20
_MAX_PAGE_SIZE: Final = 100
_SORTS: Final = {"joined_group_at": "m.joined_at"}
_COMPARISON_OPERATORS: Final = frozenset({"greater-than", "greater-or-equal", "less-than", "less-or-equal"})
_EQUALITY_OPERATORS: Final = frozenset({"any", "equals"})
_FILTERS: Final = {
    "email": FilterField("p.email", _EQUALITY_OPERATORS, also=OTHER_EMAIL_TEMPLATE),
    "phone_number": FilterField("p.phone_number", _EQUALITY_OPERATORS),
    "push_token": FilterField(NO_VALUE, _EQUALITY_OPERATORS),
    "_kx": FilterField(NO_VALUE, frozenset({"equals"})),
    "joined_group_at": FilterField("m.joined_at", _COMPARISON_OPERATORS, "time"),
}
# In SQLite, CROSS JOIN fixes the join order: from the few requested profiles, or along the list.
_PROFILES_FIRST: Final = "profiles p CROSS JOIN members m ON m.profile = p.seq"
_MEMBERS_FIRST: Final = "members m CROSS JOIN profiles p ON p.seq = m.profile"


def get_profiles_for_list(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return a page of a list's profiles with the time at which each joined, the earliest first."""
    request.reject_unknown_parameters(
        "fields[profile]", "additional-fields[profile]", "filter", "page[cursor]", "page[size]", "sort"
    )
    view = ProfileView.from_request(request, "joined_group_at")
    with account.transaction() as db:
        rows, cursor = _fetch_member_page(account, request)
        profiles = [profile_from_row(row[1:]) for row in rows]
        resources = view.to_resources(db, profiles, [row[0] for row in rows])
    return ApiResponse(200, {"data": resources, "links": build_links(request, cursor)})


def get_profile_ids_for_list(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return a page of the ids of a list's profiles, in the same order."""
    request.reject_unknown_parameters("filter", "page[cursor]", "page[size]", "sort")
    rows, cursor = _fetch_member_page(account, request)
    return ApiResponse(
        200,
        {"data": [{"type": "profile", "id": row[2]} for row in rows], "links": build_links(request, cursor)},
    )


def add_profiles_to_list(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Add profiles to a list. Existing members keep the time at which they joined."""
    ids = _parse_profile_ids(request)
    with account.transaction() as db:
        add_members(db, require_list(db, request), _find_profile_seqs(db, account, ids), account.now())
    return ApiResponse(204)


def remove_profiles_from_list(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Remove profiles from a list. Profiles that are not members are ignored; consent does not change."""
    ids = _parse_profile_ids(request)
    with account.transaction() as db:
        remove_members(db, require_list(db, request), _find_profile_seqs(db, account, ids))
    return ApiResponse(204)


def _fetch_member_page(
    account: SandboxAccount, request: ApiRequest
) -> tuple[list[tuple[Any, ...]], str | None]:
    where = filter_sql(request.query.get("filter"), _FILTERS)
    order, page = (
        parse_order(request, _SORTS, "joined_group_at"),
        parse_page(request, _DEFAULT_PAGE_SIZE, _MAX_PAGE_SIZE),
    )
    tables = _PROFILES_FIRST if where.fields & {"email", "phone_number"} else _MEMBERS_FIRST
    with account.transaction() as db:
        on_list = WhereClause(f"{where.sql} AND m.list = ?", (*where.values, require_list(db, request).seq))
        return fetch_page(
            db, QuerySource(f"m.joined_at, {PROFILE_COLUMNS}", tables, "m.profile"), on_list, order, page
        )


def _parse_profile_ids(request: ApiRequest) -> tuple[str, ...]:
    request.reject_unknown_parameters()
    document = request.read_json()
    ids = parse_resource_ids(document.get("data") if isinstance(document, dict) else None, "profile", "/data")
    if not 1 <= len(ids) <= MAX_MEMBERS_PER_REQUEST:
        raise bad_request_error(
            f"From 1 to {MAX_MEMBERS_PER_REQUEST} profiles are allowed, not {len(ids)}.", pointer="/data"
        )
    return ids


def _find_profile_seqs(db: sqlite3.Connection, account: SandboxAccount, ids: tuple[str, ...]) -> list[int]:
    ids_json = orjson.dumps(ids).decode()
    seqs_by_id = dict(
        db.execute(
            "SELECT id, seq FROM profiles WHERE id IN (SELECT value FROM json_each(?))", (ids_json,)
        ).fetchall()
    )
    errors = [
        ErrorObject(f"A profile with id {resource_id} does not exist.", f"/data/{index}/id")
        for index, resource_id in enumerate(ids)
        if resource_id not in seqs_by_id
    ]
    if errors and account.rules.unknown_ids == "refuse":
        raise HttpError(404, *errors[: account.rules.errors_per_reply])
    return list(seqs_by_id.values())


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
