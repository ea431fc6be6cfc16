"""The endpoints of the jobs that suppress profiles and lift suppressions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, get_args

from reverse_etl.sandbox.filters import NO_VALUE, FilterField, WhereClause, filter_sql
from reverse_etl.sandbox.paging import (
    PageRequest,
    QuerySource,
    build_links,
    fetch_page,
    parse_order,
    parse_page,
)
from reverse_etl.sandbox.replies import ApiResponse, ErrorObject, HttpError
from reverse_etl.sandbox.routes.route import Route
from reverse_etl.sandbox.suppressing import (
    SUPPRESSION_JOB_COLUMNS,
    SUPPRESSION_JOB_FIELDS,
    SuppressionJob,
    Verb,
    accept_suppression,
    parse_suppression,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.sandbox.account import SandboxAccount
    from reverse_etl.sandbox.ask import ApiRequest

_PAGE_SIZE: Final = 20  # which requests cannot change
_EQUALS: Final = frozenset({"equals"})
_STATUSES: Final = frozenset({"queued", "processing", "complete", "cancelled"})
_FILTERS: Final = {
    "status": FilterField("j.status", _EQUALS, choices=_STATUSES),
    "list_id": FilterField("j.list", _EQUALS),
    "segment_id": FilterField(NO_VALUE, _EQUALS),
}
_SOURCE: Final = QuerySource(SUPPRESSION_JOB_COLUMNS, "suppression_jobs j", "j.seq")
_NAMES: Final = {"create": "suppress", "delete": "unsuppress"}


def start_job(verb: Verb, account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Accept a job, or refuse the whole request with a pointer to each invalid row."""
    fields = _parse_fields(verb, request)
    parsed = parse_suppression(request.read_json(), verb, account.rules)
    with account.transaction() as db:
        job = accept_suppression(db, account.id, account.rules, parsed, account.now())
    resource = job.to_first_reply(request.origin, fields, account.rules)
    return ApiResponse(202, {"data": resource, "links": {"self": request.url()}})


def get_jobs(verb: Verb, account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return a page of the jobs, newest first by default."""
    fields = _parse_fields(verb, request, "filter", "page[cursor]", "sort")
    where = filter_sql(request.query.get("filter"), _FILTERS)
    order = parse_order(request, {"created": "j.created_at"}, "-created")
    page: PageRequest = parse_page(request, _PAGE_SIZE, _PAGE_SIZE)
    of_verb = WhereClause(f"{where.sql} AND j.verb = ?", (*where.values, verb))
    with account.transaction() as db:
        rows, cursor = fetch_page(db, _SOURCE, of_verb, order, page)
    resources = [SuppressionJob(*row).to_resource(request.origin, fields, account.rules) for row in rows]
    return ApiResponse(200, {"data": resources, "links": build_links(request, cursor)})


def get_job(verb: Verb, account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return one job."""
    fields = _parse_fields(verb, request)
    with account.transaction() as db:
        row = db.execute(
            f"SELECT {SUPPRESSION_JOB_COLUMNS} FROM suppression_jobs j WHERE j.id = ? AND j.verb = ?",
            (request.path_parameters["id"], verb),
        ).fetchone()
    if row is None:
        raise HttpError(404, ErrorObject("Invalid job id."))
    resource = SuppressionJob(*row).to_resource(request.origin, fields, account.rules)
    return ApiResponse(200, {"data": resource, "links": {"self": request.url()}})


def _parse_fields(verb: Verb, request: ApiRequest, *parameters: str) -> frozenset[str] | None:
    name = f"fields[profile-suppression-bulk-{verb}-job]"
    request.reject_unknown_parameters(name, *parameters)
    return request.parse_names(name, SUPPRESSION_JOB_FIELDS)


def _list_routes() -> Iterator[Route]:
    for verb in get_args(Verb):
        name, path = _NAMES[verb], f"/api/profile-suppression-bulk-{verb}-jobs"
        yield Route("POST", path, f"bulk_{name}_profiles", partial(start_job, verb))
        yield Route("GET", path, f"get_bulk_{name}_profiles_jobs", partial(get_jobs, verb))
        yield Route("GET", f"{path}/<id>", f"get_bulk_{name}_profiles_job", partial(get_job, verb))


ROUTES: Final = tuple(_list_routes())
