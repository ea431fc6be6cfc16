"""The endpoints that find, create, change and merge single profiles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.consents import SUPPRESSED_AT, SUPPRESSED_TEMPLATE
from reverse_etl.sandbox.editing import find_identifier_owner, merge_stored_profiles, write_profile
from reverse_etl.sandbox.filters import NO_VALUE, FilterField, filter_sql
from reverse_etl.sandbox.lists import LIST_COLUMNS, LIST_FIELDS, StoredList
from reverse_etl.sandbox.matching import CONFLICT_CODE, StoredProfile
from reverse_etl.sandbox.other_emails import OTHER_EMAIL_TEMPLATE, keep_other_emails
from reverse_etl.sandbox.paging import QuerySource, build_links, fetch_page, parse_order, parse_page
from reverse_etl.sandbox.patches import apply_patch
from reverse_etl.sandbox.profile_view import PROFILE_PARAMETERS, ProfileView
from reverse_etl.sandbox.profiles import (
    PROFILE_COLUMNS,
    find_profile,
    load_matching_profiles,
    profile_from_row,
    save_profiles,
)
from reverse_etl.sandbox.replies import (
    ApiResponse,
    ErrorObject,
    HttpError,
    bad_request_error,
    not_found_error,
)
from reverse_etl.sandbox.routes.route import Route
from reverse_etl.sandbox.validation import check_profile, parse_resource, parse_resource_ids

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from reverse_etl.sandbox.account import SandboxAccount
    from reverse_etl.sandbox.ask import ApiRequest

_DEFAULT_PAGE_SIZE: Final = 20
_MAX_PAGE_SIZE: Final = 100
_SOURCE: Final = QuerySource(PROFILE_COLUMNS, "profiles p", "p.seq")
_SUPPRESSION: Final = "subscriptions.email.marketing.suppression"
_LIST_SUPPRESSIONS: Final = "subscriptions.email.marketing.list_suppressions"
_SORTS: Final = {
    f"{_SUPPRESSION}.timestamp": SUPPRESSED_AT.format(lists="="),
    f"{_LIST_SUPPRESSIONS}.timestamp": SUPPRESSED_AT.format(lists="<>"),
    "created": "p.created",
    "updated": "p.updated",
    "id": "p.id",
    "email": "coalesce(p.email, '')",
}
_EQUALITY_OPERATORS: Final = frozenset({"any", "equals"})
_INCLUDES: Final = frozenset({"conversations", "lists", "push-tokens", "segments"})
_RANGE_OPERATORS: Final = frozenset({"greater-than", "less-than"})
_EQUALS: Final = frozenset({"equals"})
_COMPARISON_OPERATORS: Final = _RANGE_OPERATORS | {"greater-or-equal", "less-or-equal"}


def _suppression_filter(lists: str, column: str, operators: frozenset[str]) -> FilterField:
    template = SUPPRESSED_TEMPLATE.format(lists=lists, column=column)
    return FilterField("", operators, "time" if column == "at" else "text", template=template)


_FILTERS: Final = {
    **{name: FilterField(f"p.{name}", _EQUALITY_OPERATORS) for name in ("id", "phone_number", "external_id")},
    "email": FilterField("p.email", _EQUALITY_OPERATORS, also=OTHER_EMAIL_TEMPLATE),
    "_kx": FilterField(NO_VALUE, _EQUALS),
    "created": FilterField("p.created", _RANGE_OPERATORS, "time"),
    "updated": FilterField("p.updated", _RANGE_OPERATORS, "time"),
    f"{_SUPPRESSION}.reason": _suppression_filter("=", "reason", _EQUALS),
    f"{_SUPPRESSION}.timestamp": _suppression_filter("=", "at", _COMPARISON_OPERATORS),
    f"{_LIST_SUPPRESSIONS}.reason": _suppression_filter("<>", "reason", _EQUALS),
    f"{_LIST_SUPPRESSIONS}.timestamp": _suppression_filter("<>", "at", _COMPARISON_OPERATORS),
    f"{_LIST_SUPPRESSIONS}.list_id": _suppression_filter("<>", "list", _EQUALS),
}


def get_profiles(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return a page of the account's profiles, oldest first, without merged profiles."""
    request.reject_unknown_parameters(
        *PROFILE_PARAMETERS,
        "fields[conversation]",
        "fields[push-token]",
        "include",
        "filter",
        "page[cursor]",
        "page[size]",
        "sort",
    )
    view, where = ProfileView.from_request(request), filter_sql(request.query.get("filter"), _FILTERS)
    included = request.parse_names("include", frozenset({"conversations", "push-tokens"}))
    order, page = (
        parse_order(request, _SORTS, "created"),
        parse_page(request, _DEFAULT_PAGE_SIZE, _MAX_PAGE_SIZE),
    )
    with account.transaction() as db:
        rows, cursor = fetch_page(db, _SOURCE, where, order, page)
        resources = view.to_resources(db, [profile_from_row(row) for row in rows])
    body = {"data": resources, "links": build_links(request, cursor)}
    return ApiResponse(200, body | ({"included": []} if included else {}))


def get_profile(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return one profile by its id; with `include=lists` also its lists."""
    request.reject_unknown_parameters(
        *PROFILE_PARAMETERS,
        *(f"fields[{kind}]" for kind in ("conversation", "list", "push-token", "segment")),
        "include",
    )
    included = request.parse_names("include", _INCLUDES)
    list_fields = request.parse_names("fields[list]", LIST_FIELDS)
    with account.transaction() as db:
        response = _profile_response(db, request, 200, _require_profile(db, request))
    if included:
        lists = _load_profile_lists(account, request) if "lists" in included else []
        response.body["included"] = [
            sandbox_list.to_resource(request.origin, list_fields) for sandbox_list in lists
        ]
    return response


def create_profile(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Create a profile; 409 with the id of a profile that already has one of its identifiers."""
    request.reject_unknown_parameters(*PROFILE_PARAMETERS)
    resource = _parse_profile_body(account, request, identified=False)
    if resource.get("id"):
        raise bad_request_error("A new profile has no id yet.", pointer="/data/id")
    with account.transaction() as db:
        _reject_taken_identifiers(db, None, resource)
        return _profile_response(db, request, 201, _apply_profile(db, account, resource))


def update_profile(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Change one profile: null clears a field, omitted fields do not change.

    The reply is 409 if another profile has one of the new identifiers.
    """
    request.reject_unknown_parameters(*PROFILE_PARAMETERS)
    resource = _parse_profile_body(account, request, identified=True)
    if resource.get("id") != request.path_parameters["id"]:
        raise bad_request_error("The id should be that of the address.", pointer="/data/id")
    with account.transaction() as db:
        profile = _require_profile(db, request)
        _reject_taken_identifiers(db, profile, resource)
        apply_patch(profile.attributes, resource.get("meta"))
        write_profile(db, profile, resource["attributes"], int(account.now()))
        return _profile_response(db, request, 200, profile)


def create_or_update_profile(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Create or change the profile with the given identifiers; null clears a field.

    The reply is 201 for a new profile, 200 for an existing one.
    """
    request.reject_unknown_parameters(*PROFILE_PARAMETERS)
    resource = _parse_profile_body(account, request, identified=False)
    with account.transaction() as db:
        before = db.execute("SELECT count(*) FROM profiles").fetchone()[0]
        profile = _apply_profile(db, account, resource)
        write_profile(db, profile, _select_null_attributes(resource["attributes"]), int(account.now()))
        after = db.execute("SELECT count(*) FROM profiles").fetchone()[0]
        return _profile_response(db, request, 201 if after > before else 200, profile)


def merge_profiles(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Merge one profile into another, immediately. The reply is 202, as seen, and not 201, as documented.

    The target gets the memberships and missing attributes of the source, which is deleted.
    """
    request.reject_unknown_parameters("fields[profile]")
    resource = parse_resource(request.read_json(), "profile-merge")
    profiles = (resource.get("relationships") or {}).get("profiles") or {}
    pointer = "/data/relationships/profiles/data"
    sources = parse_resource_ids(profiles.get("data"), "profile", pointer)
    if len(sources) != 1 or sources[0] == resource.get("id"):
        raise bad_request_error("Exactly one other profile is required.", pointer=pointer)
    with account.transaction() as db:
        target, source = find_profile(db, str(resource.get("id"))), find_profile(db, sources[0])
        if target is None or source is None:
            raise not_found_error("profile", sources[0] if target else str(resource.get("id")))
        if account.rules.merged_emails == "keep":
            keep_other_emails(db, target, source)
        merge_stored_profiles(db, target, source, int(account.now()))
    merged = {
        "type": "profile",
        "id": target.id,
        "attributes": {},
        "links": {"self": f"{request.origin}/api/profiles/{target.id}/"},
    }
    return ApiResponse(202, {"data": merged, "links": {"self": request.url()}})


def get_lists_for_profile(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return all lists of a profile, on one page."""
    request.reject_unknown_parameters("fields[list]")
    requested_fields = request.parse_names("fields[list]", LIST_FIELDS)
    return ApiResponse(
        200,
        {
            "data": [
                stored_list.to_resource(request.origin, requested_fields)
                for stored_list in _load_profile_lists(account, request)
            ],
            "links": build_links(request),
        },
    )


def get_list_ids_for_profile(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return the ids of all lists of a profile, on one page."""
    request.reject_unknown_parameters()
    return ApiResponse(
        200,
        {
            "data": [
                {"type": "list", "id": stored_list.id}
                for stored_list in _load_profile_lists(account, request)
            ],
            "links": build_links(request),
        },
    )


def _load_profile_lists(account: SandboxAccount, request: ApiRequest) -> list[StoredList]:
    with account.transaction() as db:
        rows = db.execute(
            f"SELECT {LIST_COLUMNS} FROM lists l JOIN members m ON m.list = l.seq "
            "WHERE m.profile = ? ORDER BY l.seq",
            (_require_profile(db, request).seq,),
        )
        return [StoredList(*row) for row in rows]


def _require_profile(db: sqlite3.Connection, request: ApiRequest) -> StoredProfile:
    profile = find_profile(db, request.path_parameters["id"])
    if profile is None:
        raise not_found_error("profile", request.path_parameters["id"])
    return profile


def _profile_response(
    db: sqlite3.Connection, request: ApiRequest, status: int, profile: StoredProfile
) -> ApiResponse:
    (resource,) = ProfileView.from_request(request).to_resources(db, [profile])
    return ApiResponse(status, {"data": resource, "links": {"self": request.url()}})


def _parse_profile_body(account: SandboxAccount, request: ApiRequest, *, identified: bool) -> dict[str, Any]:
    resource = parse_resource(request.read_json(), "profile")
    check_profile(resource, account.rules, identified=identified)
    return resource


def _apply_profile(
    db: sqlite3.Connection, account: SandboxAccount, resource: Mapping[str, Any]
) -> StoredProfile:
    now = int(account.now())
    rules = replace(account.rules, patches="obey")  # which single calls always do
    result = load_matching_profiles(db, account.id, rules, [resource], now).apply_row(resource, now)
    if not isinstance(result, StoredProfile):
        if result.code == CONFLICT_CODE:
            raise HttpError(
                409, ErrorObject(result.detail, f"/data/attributes/{result.field}", code=result.code)
            )
        raise HttpError(404, ErrorObject(result.detail, "/data"))
    save_profiles(db, [result])
    return result


def _reject_taken_identifiers(
    db: sqlite3.Connection, profile: StoredProfile | None, resource: Mapping[str, Any]
) -> None:
    owner = find_identifier_owner(db, profile, resource["attributes"])
    if owner is not None:
        raise HttpError(
            409,
            ErrorObject(
                "Another profile has one of these identifiers.",
                "/data/attributes",
                code="duplicate_profile",
                meta={"duplicate_profile_id": owner},
            ),
        )


def _select_null_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that are null, and of the objects the keys that are."""
    nulls: dict[str, Any] = {name: None for name, value in attributes.items() if value is None}
    for name in ("properties", "location"):
        if isinstance(value := attributes.get(name), dict):
            nulls[name] = {key: None for key, item in value.items() if item is None}
    return nulls


ROUTES: Final = (
    Route("GET", "/api/profiles", "get_profiles", get_profiles),
    Route("POST", "/api/profiles", "create_profile", create_profile),
    Route("GET", "/api/profiles/<id>", "get_profile", get_profile),
    Route("PATCH", "/api/profiles/<id>", "update_profile", update_profile),
    Route("POST", "/api/profile-import", "create_or_update_profile", create_or_update_profile),
    Route("POST", "/api/profile-merge", "merge_profiles", merge_profiles),
    Route("GET", "/api/profiles/<id>/lists", "get_lists_for_profile", get_lists_for_profile),
    Route(
        "GET", "/api/profiles/<id>/relationships/lists", "get_list_ids_for_profile", get_list_ids_for_profile
    ),
)
