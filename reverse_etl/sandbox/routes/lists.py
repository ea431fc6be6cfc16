"""The endpoints that find, create, change and delete lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.filters import FilterField, WhereClause, filter_sql
from reverse_etl.sandbox.lists import (
    LIST_COLUMNS,
    LIST_FIELDS,
    StoredList,
    count_members,
    drop_list,
    find_list,
    make_list,
    rename_list,
)
from reverse_etl.sandbox.paging import QuerySource, build_links, fetch_page, parse_order, parse_page
from reverse_etl.sandbox.replies import ApiResponse, bad_request_error, not_found_error
from reverse_etl.sandbox.routes.records import tags_of_lists
from reverse_etl.sandbox.routes.route import Route
from reverse_etl.sandbox.times import to_iso_precise
from reverse_etl.sandbox.validation import parse_resource

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from reverse_etl.sandbox.account import SandboxAccount
    from reverse_etl.sandbox.ask import ApiRequest

_MAX_PAGE_SIZE: Final = 10
_SOURCE: Final = QuerySource(LIST_COLUMNS, "lists l", "l.seq")
_SORTS: Final = {name: f"l.{name}" for name in ("created", "id", "name", "updated")}
_FILTERS: Final = {
    "name": FilterField("l.name", frozenset({"any", "equals"})),
    "id": FilterField("l.id", frozenset({"any", "equals"})),
    "created": FilterField("l.created", frozenset({"greater-than"}), "time"),
    "updated": FilterField("l.updated", frozenset({"greater-than"}), "time"),
}
_INCLUDE_PARAMETERS: Final = ("fields[flow]", "fields[tag]", "include")
_OPT_IN_PROCESSES: Final = ("single_opt_in", "double_opt_in")


def require_list(db: sqlite3.Connection, request: ApiRequest) -> StoredList:
    """Return the list in a request's path. Raises HttpError (404) if it does not exist."""
    stored_list = find_list(db, request.path_parameters["id"])
    if stored_list is None:
        raise not_found_error("list", request.path_parameters["id"])
    return stored_list


def get_lists(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return a page of at most ten lists."""
    request.reject_unknown_parameters(
        "fields[list]", *_INCLUDE_PARAMETERS, "filter", "page[cursor]", "page[size]", "sort"
    )
    requested_fields = request.parse_names("fields[list]", LIST_FIELDS)
    requested_where = filter_sql(request.query.get("filter"), _FILTERS)
    shown_since = account.now() - account.rules.list_seconds
    where = WhereClause(
        f"({requested_where.sql}) AND l.created <= ?",
        (*requested_where.values, shown_since),
        requested_where.fields,
    )
    order, page = parse_order(request, _SORTS, "created"), parse_page(request, _MAX_PAGE_SIZE, _MAX_PAGE_SIZE)
    with account.transaction() as db:
        rows, cursor = fetch_page(db, _SOURCE, where, order, page)
        lists = [StoredList(*row) for row in rows]
        included = _include_tags(db, request, lists)
    resources = [sandbox_list.to_resource(request.origin, requested_fields) for sandbox_list in lists]
    return ApiResponse(200, {"data": resources, "links": build_links(request, cursor)} | included)


def create_list(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Create a list. Several lists may have the same name: Klaviyo does not promise unique names."""
    request.reject_unknown_parameters("fields[list]")
    name, opt_in_process = _parse_list_body(request.read_json(), name="", opt_in_process=_OPT_IN_PROCESSES[1])
    with account.transaction() as db:
        now = account.now()
        stored_list = make_list(db, account.id, name, opt_in_process, now)
    created = to_iso_precise(now)  # later replies have whole seconds
    return _list_response(request, 201, stored_list, created=created, updated=created)


def get_list(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return one list; its number of profiles is optional, and lowers the rate limit."""
    request.reject_unknown_parameters("fields[list]", "additional-fields[list]", *_INCLUDE_PARAMETERS)
    additional_fields = request.parse_names("additional-fields[list]", frozenset({"profile_count"}))
    with account.transaction() as db:
        stored_list = require_list(db, request)
        extra_attributes = {"profile_count": count_members(db, stored_list)} if additional_fields else {}
        included = _include_tags(db, request, [stored_list])
    response = _list_response(request, 200, stored_list, **extra_attributes)
    response.body.update(included)
    return response


def update_list(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Change a list's name or opt-in process."""
    request.reject_unknown_parameters("fields[list]")
    document = request.read_json()
    with account.transaction() as db:
        stored_list = require_list(db, request)
        name, opt_in_process = _parse_list_body(
            document,
            name=stored_list.name,
            opt_in_process=stored_list.opt_in_process,
            resource_id=stored_list.id,
        )
        changed_list = rename_list(db, stored_list, name, opt_in_process, account.now())
    return _list_response(request, 200, changed_list)


def delete_list(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Delete a list, but not its profiles."""
    request.reject_unknown_parameters()
    with account.transaction() as db:
        drop_list(db, require_list(db, request))
    return ApiResponse(204)


def _include_tags(db: sqlite3.Connection, request: ApiRequest, lists: Sequence[StoredList]) -> dict[str, Any]:
    included = request.parse_names("include", frozenset({"tags", "flow-triggers"}))
    tag_fields = request.parse_names("fields[tag]", frozenset({"id", "name"}))
    if included is None:
        return {}
    tags = tags_of_lists(db, [sandbox_list.id for sandbox_list in lists]) if "tags" in included else {}
    shows_name = tag_fields is None or "name" in tag_fields
    return {
        "included": [
            {
                "type": "tag",
                "id": tag_id,
                "attributes": {"name": name} if shows_name else {},
                "links": {"self": f"{request.origin}/api/tags/{tag_id}/"},
            }
            for tag_id, name in tags.items()
        ]
    }


def _list_response(
    request: ApiRequest, status: int, stored_list: StoredList, **extra_attributes: Any
) -> ApiResponse:
    requested_fields = request.parse_names("fields[list]", LIST_FIELDS | {"profile_count"})
    return ApiResponse(
        status,
        {
            "data": stored_list.to_resource(request.origin, requested_fields, **extra_attributes),
            "links": {"self": request.url()},
        },
    )


def _parse_list_body(
    document: Any, *, name: str, opt_in_process: str, resource_id: str | None = None
) -> tuple[str, str]:
    resource = parse_resource(document, "list")
    if resource_id is not None and resource.get("id") != resource_id:
        raise bad_request_error("The id should be that of the address.", pointer="/data/id")
    attributes = resource.get("attributes")
    if not isinstance(attributes, dict):
        raise bad_request_error("An object is required.", pointer="/data/attributes")
    unknown = attributes.keys() - {"name", "opt_in_process"}
    if unknown:
        raise bad_request_error(
            f"'{min(unknown)}' is not a valid field for the resource 'list'.",
            pointer=f"/data/attributes/{min(unknown)}",
        )
    new_name, new_opt_in_process = (
        attributes.get("name", name),
        attributes.get("opt_in_process") or opt_in_process,
    )
    if not isinstance(new_name, str) or not new_name.strip():
        raise bad_request_error("A name is required.", pointer="/data/attributes/name")
    if new_opt_in_process not in _OPT_IN_PROCESSES:
        raise bad_request_error(
            f"One of {' and '.join(_OPT_IN_PROCESSES)} is required.",
            pointer="/data/attributes/opt_in_process",
        )
    return new_name, new_opt_in_process


ROUTES: Final = (
    Route("GET", "/api/lists", "get_lists", get_lists),
    Route("POST", "/api/lists", "create_list", create_list),
    Route("GET", "/api/lists/<id>", "get_list", get_list),
    Route("PATCH", "/api/lists/<id>", "update_list", update_list),
    Route("DELETE", "/api/lists/<id>", "delete_list", delete_list),
)
