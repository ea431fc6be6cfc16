"""The endpoints of bulk profile import jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.sandbox.faults import QueuedFault, draw_job_faults
from reverse_etl.sandbox.filters import FilterField, WhereClause, filter_sql
from reverse_etl.sandbox.job_faults import (
    build_job_request,
    collect_conflict_errors,
    collect_row_errors,
    find_request_refusal,
)
from reverse_etl.sandbox.jobs import JOB_COLUMNS, JOB_FIELDS, StoredJob, accept_job, find_job
from reverse_etl.sandbox.lists import LIST_FIELDS, StoredList, find_list
from reverse_etl.sandbox.paging import (
    QuerySource,
    SortOrder,
    build_links,
    fetch_page,
    parse_order,
    parse_page,
)
from reverse_etl.sandbox.profile_view import PROFILE_PARAMETERS, ProfileView
from reverse_etl.sandbox.profiles import PROFILE_COLUMNS, profile_from_row
from reverse_etl.sandbox.replies import ApiResponse, ErrorObject, HttpError, bad_request_error, select_fields
from reverse_etl.sandbox.routes.route import Route
from reverse_etl.sandbox.validation import check_rows, parse_import

if TYPE_CHECKING:
    import sqlite3

    from reverse_etl.sandbox.account import SandboxAccount
    from reverse_etl.sandbox.ask import ApiRequest

_PATH: Final = "/api/profile-bulk-import-jobs"
_JOB_FIELDS_PARAMETER: Final = "fields[profile-bulk-import-job]"
_DEFAULT_PAGE_SIZE: Final = 20
_MAX_PAGE_SIZE: Final = 100
_STATUSES: Final = frozenset({"queued", "processing", "complete"})  # the filter does not allow `cancelled`
_FILTERS: Final = {"status": FilterField("j.status", frozenset({"any", "equals"}), choices=_STATUSES)}
_ERROR_FIELDS: Final = frozenset(
    {"id", "code", "title", "detail", "source", "source.pointer", "original_payload"}
)
_ERRORS_SOURCE: Final = QuerySource(
    "e.id, e.code, e.title, e.detail, e.pointer, e.original_payload", "job_errors e", "e.seq"
)
_PROFILES_SOURCE: Final = QuerySource(
    PROFILE_COLUMNS, "job_profiles o CROSS JOIN profiles p ON p.seq = o.profile", "o.profile"
)


def bulk_import_profiles(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Accept a job, or refuse the whole request with a pointer to each invalid row."""
    request.reject_unknown_parameters(_JOB_FIELDS_PARAMETER)
    requested_fields = request.parse_names(_JOB_FIELDS_PARAMETER, JOB_FIELDS)
    rows, list_ids = parse_import(request.read_json())
    check_rows(rows, len(request.body), account.rules)
    with account.transaction() as db:
        for resource_id in list_ids:
            if find_list(db, resource_id) is None:
                raise bad_request_error(f"A list with id {resource_id} does not exist.", pointer="/data")
        queued_faults = draw_job_faults(db, request.method, request.path)
        refusal = _find_refusal(db, account, queued_faults, rows)
        if refusal is None:
            job_request = build_job_request(db, queued_faults, rows, list_ids)
            job = accept_job(db, account.id, account.rules, job_request, account.now())
    if refusal is not None:  # raised here, so that the count of the faults is committed
        raise refusal
    return ApiResponse(
        202, {"data": job.to_resource(request.origin, requested_fields), "links": {"self": request.url()}}
    )


def get_bulk_import_profiles_jobs(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return a page of the jobs that have not expired, newest first by default."""
    request.reject_unknown_parameters(_JOB_FIELDS_PARAMETER, "filter", "page[cursor]", "page[size]", "sort")
    requested_fields, where = (
        request.parse_names(_JOB_FIELDS_PARAMETER, JOB_FIELDS),
        filter_sql(request.query.get("filter"), _FILTERS),
    )
    order = parse_order(request, {"created_at": "j.created_at"}, "-created_at")
    page = parse_page(request, _DEFAULT_PAGE_SIZE, _MAX_PAGE_SIZE)
    unexpired = WhereClause(f"{where.sql} AND j.expires_at > ?", (*where.values, account.now()))
    with account.transaction() as db:
        rows, cursor = fetch_page(db, QuerySource(JOB_COLUMNS, "jobs j", "j.seq"), unexpired, order, page)
    resources = [StoredJob(*row).to_resource(request.origin, requested_fields) for row in rows]
    return ApiResponse(200, {"data": resources, "links": build_links(request, cursor)})


def get_bulk_import_profiles_job(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return one job; with `include=lists` also its lists."""
    request.reject_unknown_parameters(_JOB_FIELDS_PARAMETER, "fields[list]", "include")
    requested_fields, include_lists = (
        request.parse_names(_JOB_FIELDS_PARAMETER, JOB_FIELDS),
        request.parse_names("include", frozenset({"lists"})),
    )
    list_fields = request.parse_names("fields[list]", LIST_FIELDS)
    with account.transaction() as db:
        job = _require_job(db, account, request)
        lists = _load_job_lists(db, job) if include_lists else []
    body: dict[str, Any] = {
        "data": job.to_resource(request.origin, requested_fields),
        "links": {"self": request.url()},
    }
    return ApiResponse(
        200,
        body
        | (
            {"included": [stored_list.to_resource(request.origin, list_fields) for stored_list in lists]}
            if include_lists
            else {}
        ),
    )


def get_import_errors(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return a page of the rows that failed in a job, in the order of the rows."""
    request.reject_unknown_parameters("fields[import-error]", "page[cursor]", "page[size]")
    requested_fields, page = (
        request.parse_names("fields[import-error]", _ERROR_FIELDS),
        parse_page(request, _DEFAULT_PAGE_SIZE, _MAX_PAGE_SIZE),
    )
    with account.transaction() as db:
        job_filter = WhereClause("e.job = ?", (_require_job(db, account, request).seq,))
        rows, cursor = fetch_page(db, _ERRORS_SOURCE, job_filter, SortOrder("e.seq"), page)
    return ApiResponse(
        200,
        {
            "data": [_error_resource(row, requested_fields) for row in rows],
            "links": build_links(request, cursor),
        },
    )


def get_profiles_for_job(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return a page of the profiles that a job created or changed."""
    request.reject_unknown_parameters(*PROFILE_PARAMETERS, "page[cursor]", "page[size]")
    view = ProfileView.from_request(request)
    with account.transaction() as db:
        rows, cursor = _fetch_job_profiles(account, request)
        resources = view.to_resources(db, [profile_from_row(row) for row in rows])
    return ApiResponse(200, {"data": resources, "links": build_links(request, cursor)})


def get_profile_ids_for_job(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return a page of the ids of the profiles that a job created or changed."""
    request.reject_unknown_parameters("page[cursor]", "page[size]")
    rows, cursor = _fetch_job_profiles(account, request)
    return ApiResponse(
        200,
        {"data": [{"type": "profile", "id": row[1]} for row in rows], "links": build_links(request, cursor)},
    )


def get_lists_for_job(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return the lists to which a job adds profiles."""
    request.reject_unknown_parameters("fields[list]")
    requested_fields = request.parse_names("fields[list]", LIST_FIELDS)
    with account.transaction() as db:
        lists = _load_job_lists(db, _require_job(db, account, request))
    return ApiResponse(
        200,
        {
            "data": [stored_list.to_resource(request.origin, requested_fields) for stored_list in lists],
            "links": build_links(request),
        },
    )


def get_list_ids_for_job(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return the ids of the lists to which a job adds profiles."""
    request.reject_unknown_parameters()
    with account.transaction() as db:
        lists = _load_job_lists(db, _require_job(db, account, request))
    return ApiResponse(
        200,
        {
            "data": [{"type": "list", "id": stored_list.id} for stored_list in lists],
            "links": build_links(request),
        },
    )


def _find_refusal(
    db: sqlite3.Connection, account: SandboxAccount, queued_faults: list[QueuedFault], rows: list[Any]
) -> HttpError | None:
    if refusal := find_request_refusal(db, queued_faults, rows):
        return refusal
    errors = [
        *collect_row_errors(db, queued_faults, rows),
        *collect_conflict_errors(db, account.id, account.rules, rows, account.now()),
    ]
    return HttpError(400, *errors[: account.rules.errors_per_reply]) if errors else None


def _require_job(db: sqlite3.Connection, account: SandboxAccount, request: ApiRequest) -> StoredJob:
    job = find_job(db, request.path_parameters["id"], account.now())
    if job is None:
        raise HttpError(404, ErrorObject("Invalid job id."))
    return job


def _load_job_lists(db: sqlite3.Connection, job: StoredJob) -> list[StoredList]:
    return [
        stored_list
        for stored_list in (find_list(db, resource_id) for resource_id in job.list_ids())
        if stored_list
    ]


def _fetch_job_profiles(
    account: SandboxAccount, request: ApiRequest
) -> tuple[list[tuple[Any, ...]], str | None]:
    page = parse_page(request, _DEFAULT_PAGE_SIZE, _MAX_PAGE_SIZE)
    with account.transaction() as db:
        job_filter = WhereClause("o.job = ?", (_require_job(db, account, request).seq,))
        return fetch_page(db, _PROFILES_SOURCE, job_filter, SortOrder("o.profile"), page)


def _error_resource(row: tuple[Any, ...], requested_fields: frozenset[str] | None) -> dict[str, Any]:
    resource_id, code, title, detail, pointer, payload = row
    attributes = {
        "code": code,
        "title": title,
        "detail": detail,
        "source": {"pointer": pointer},
        "original_payload": None if payload is None else orjson.loads(payload),
    }
    return {
        "type": "import-error",
        "id": resource_id,
        "attributes": select_fields(attributes, requested_fields),
    }


ROUTES: Final = (
    Route("POST", _PATH, "bulk_import_profiles", bulk_import_profiles),
    Route("GET", _PATH, "get_bulk_import_profiles_jobs", get_bulk_import_profiles_jobs),
    Route("GET", f"{_PATH}/<id>", "get_bulk_import_profiles_job", get_bulk_import_profiles_job),
    Route("GET", f"{_PATH}/<id>/import-errors", "get_errors_for_bulk_import_profiles_job", get_import_errors),
    Route("GET", f"{_PATH}/<id>/profiles", "get_profiles_for_bulk_import_profiles_job", get_profiles_for_job),
    Route(
        "GET",
        f"{_PATH}/<id>/relationships/profiles",
        "get_profile_ids_for_bulk_import_profiles_job",
        get_profile_ids_for_job,
    ),
    Route("GET", f"{_PATH}/<id>/lists", "get_list_for_bulk_import_profiles_job", get_lists_for_job),
    Route(
        "GET",
        f"{_PATH}/<id>/relationships/lists",
        "get_list_ids_for_bulk_import_profiles_job",
        get_list_ids_for_job,
    ),
)
