"""The endpoints of events and metrics. A created event can be read after a while, if it was stored at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.event_rows import parse_bulk_events, parse_event
from reverse_etl.sandbox.events import (
    EVENT_COLUMNS,
    EVENT_FIELDS,
    EVENT_TABLES,
    METRIC_COLUMNS,
    METRIC_FIELDS,
    StoredEvent,
    StoredMetric,
    find_known_ids,
    store_events,
)
from reverse_etl.sandbox.filters import FilterField, WhereClause, filter_sql
from reverse_etl.sandbox.paging import (
    QuerySource,
    SortOrder,
    build_links,
    fetch_page,
    parse_order,
    parse_page,
)
from reverse_etl.sandbox.profile_view import PROFILE_PARAMETERS, ProfileView
from reverse_etl.sandbox.profiles import find_profile
from reverse_etl.sandbox.replies import ApiResponse, HttpError, bad_request_error, not_found_error
from reverse_etl.sandbox.routes.route import Route

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from reverse_etl.sandbox.account import SandboxAccount
    from reverse_etl.sandbox.ask import ApiRequest

_EVENT_ID: Final = re.compile(r"[0-9A-Za-z]{11}")
_DEFAULT_PAGE_SIZE, _MAX_PAGE_SIZE, _METRICS_PAGE_SIZE = 200, 1_000, 200
_EQUALS: Final = frozenset({"equals"})
_COMPARISONS: Final = frozenset({"greater-or-equal", "greater-than", "less-or-equal", "less-than"})
_HAS: Final = frozenset({"has"})
_SOURCE: Final = QuerySource(EVENT_COLUMNS, EVENT_TABLES, "e.seq")
_METRICS: Final = QuerySource(METRIC_COLUMNS, "metrics m", "m.seq")
_FILTERS: Final = {
    "metric_id": FilterField("m.id", _EQUALS),
    "profile_id": FilterField("p.id", _EQUALS),
    "profile": FilterField("p.id", _HAS),
    "metric": FilterField("m.id", _HAS),
    "datetime": FilterField("e.at", _COMPARISONS, "time"),
    "timestamp": FilterField("e.at", _COMPARISONS, "number"),
}
_METRIC_FILTERS: Final = {
    f"integration.{name}": FilterField("'API'", _EQUALS) for name in ("name", "category")
}
_INCLUDES: Final = frozenset({"attributions", "metric", "profile"})
_INCLUDE_PARAMETERS: Final = ("include", "fields[attribution]", "fields[metric]", "fields[profile]")


def create_event(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Accept an event; one whose id is known for its person and metric vanishes without notice."""
    request.reject_unknown_parameters()
    event = parse_event(request.read_json(), account.rules, account.now())
    with account.transaction() as db:
        store_events(db, account.id, account.rules, [event], account.now())
    return ApiResponse(202)


def bulk_create_events(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Accept events of several people; a repeated id refuses the request."""
    request.reject_unknown_parameters()
    events = parse_bulk_events(request.read_json(), account.rules, account.now())
    with account.transaction() as db:
        if errors := find_known_ids(db, account.rules, events):
            raise HttpError(400, *errors[: account.rules.errors_per_reply])
        store_events(db, account.id, account.rules, events, account.now())
    return ApiResponse(202)


def get_events(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return a page of events, newest first by default."""
    request.reject_unknown_parameters(
        "fields[event]", *_INCLUDE_PARAMETERS, "filter", "page[cursor]", "page[size]", "sort"
    )
    fields = request.parse_names("fields[event]", EVENT_FIELDS)
    where = filter_sql(request.query.get("filter"), _FILTERS)
    visible = WhereClause(f"{where.sql} AND e.visible_at <= ?", (*where.values, account.now()))
    order = parse_order(request, {"datetime": "e.at", "timestamp": "e.at"}, "-datetime")
    page = parse_page(request, _DEFAULT_PAGE_SIZE, _MAX_PAGE_SIZE)
    with account.transaction() as db:
        rows, cursor = fetch_page(db, _SOURCE, visible, order, page)
        events = [StoredEvent(*row) for row in rows]
        included = _include(db, request, events)
    resources = [event.to_resource(request.origin, fields) for event in events]
    return ApiResponse(200, {"data": resources, "links": build_links(request, cursor)} | included)


def get_event(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return one event; a text that cannot be an id is a bad request, and not an unknown event."""
    request.reject_unknown_parameters("fields[event]", *_INCLUDE_PARAMETERS)
    fields = request.parse_names("fields[event]", EVENT_FIELDS)
    with account.transaction() as db:
        event = _require_event(db, account, request)
        included = _include(db, request, [event])
    body = {"data": event.to_resource(request.origin, fields), "links": {"self": request.url()}}
    return ApiResponse(200, body | included)


def get_metric_for_event(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return the metric of an event."""
    request.reject_unknown_parameters("fields[metric]")
    fields = request.parse_names("fields[metric]", METRIC_FIELDS)
    with account.transaction() as db:
        (metric,) = _load_metrics(db, [_require_event(db, account, request).metric_id])
    return ApiResponse(
        200, {"data": metric.to_resource(request.origin, fields), "links": {"self": request.url()}}
    )


def get_metric_id_for_event(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return the id of the metric of an event."""
    request.reject_unknown_parameters()
    with account.transaction() as db:
        identifier = {"type": "metric", "id": _require_event(db, account, request).metric_id}
    return ApiResponse(200, {"data": identifier, "links": {"self": request.url()}})


def get_profile_for_event(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return the profile of an event."""
    request.reject_unknown_parameters(*PROFILE_PARAMETERS)
    with account.transaction() as db:
        event = _require_event(db, account, request)
        (resource,) = _profile_resources(db, request, [event.profile_id])
    return ApiResponse(200, {"data": resource, "links": {"self": request.url()}})


def get_profile_id_for_event(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return the id of the profile of an event."""
    request.reject_unknown_parameters()
    with account.transaction() as db:
        identifier = {"type": "profile", "id": _require_event(db, account, request).profile_id}
    return ApiResponse(200, {"data": identifier, "links": {"self": request.url()}})


def get_metrics(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return a page of the metrics, oldest first; its size cannot be chosen."""
    request.reject_unknown_parameters("fields[flow]", "fields[metric]", "filter", "include", "page[cursor]")
    fields = request.parse_names("fields[metric]", METRIC_FIELDS)
    included = request.parse_names("include", frozenset({"flow-triggers"}))
    where = filter_sql(request.query.get("filter"), _METRIC_FILTERS)
    page = parse_page(request, _METRICS_PAGE_SIZE, _METRICS_PAGE_SIZE)
    with account.transaction() as db:
        rows, cursor = fetch_page(db, _METRICS, where, SortOrder("m.seq"), page)
    resources = [StoredMetric(*row).to_resource(request.origin, fields) for row in rows]
    body = {"data": resources, "links": build_links(request, cursor)}
    return ApiResponse(200, body | ({"included": []} if included else {}))


def get_metric(account: SandboxAccount, request: ApiRequest) -> ApiResponse:
    """Return one metric."""
    request.reject_unknown_parameters("fields[flow]", "fields[metric]", "include")
    fields = request.parse_names("fields[metric]", METRIC_FIELDS)
    included = request.parse_names("include", frozenset({"flow-triggers"}))
    metric_id = request.path_parameters["id"]
    with account.transaction() as db:
        metrics = _load_metrics(db, [metric_id])
    if not metrics:
        raise not_found_error("metric", metric_id)
    body = {"data": metrics[0].to_resource(request.origin, fields), "links": {"self": request.url()}}
    return ApiResponse(200, body | ({"included": []} if included else {}))


def _require_event(db: sqlite3.Connection, account: SandboxAccount, request: ApiRequest) -> StoredEvent:
    event_id = request.path_parameters["id"]
    if not _EVENT_ID.fullmatch(event_id):
        raise bad_request_error(f"'{event_id}' is not the id of an event.", parameter="id")
    row = db.execute(
        f"SELECT {EVENT_COLUMNS} FROM {EVENT_TABLES} WHERE e.id = ? AND e.visible_at <= ?",
        (event_id, account.now()),
    ).fetchone()
    if row is None:
        raise not_found_error("event", event_id)
    return StoredEvent(*row)


def _include(db: sqlite3.Connection, request: ApiRequest, events: Sequence[StoredEvent]) -> dict[str, Any]:
    included = request.parse_names("include", _INCLUDES)
    if included is None:
        return {}
    resources: list[dict[str, Any]] = []
    if "metric" in included:
        fields = request.parse_names("fields[metric]", METRIC_FIELDS)
        metrics = _load_metrics(db, sorted({event.metric_id for event in events}))
        resources += [metric.to_resource(request.origin, fields) for metric in metrics]
    if "profile" in included:
        resources += _profile_resources(db, request, sorted({event.profile_id for event in events}))
    return {"included": resources}


def _load_metrics(db: sqlite3.Connection, metric_ids: Sequence[str]) -> list[StoredMetric]:
    query = f"SELECT {METRIC_COLUMNS} FROM metrics m WHERE m.id = ?"
    rows = [db.execute(query, (metric_id,)).fetchone() for metric_id in metric_ids]
    return [StoredMetric(*row) for row in rows if row is not None]


def _profile_resources(
    db: sqlite3.Connection, request: ApiRequest, profile_ids: Sequence[str]
) -> list[dict[str, Any]]:
    profiles = [find_profile(db, profile_id) for profile_id in profile_ids]
    event_profiles = [profile for profile in profiles if profile is not None]
    return ProfileView.from_request(request).to_resources(db, event_profiles)


ROUTES: Final = (
    Route("POST", "/api/events", "create_event", create_event),
    Route("POST", "/api/event-bulk-create-jobs", "bulk_create_events", bulk_create_events),
    Route("GET", "/api/events", "get_events", get_events),
    Route("GET", "/api/events/<id>", "get_event", get_event),
    Route("GET", "/api/events/<id>/metric", "get_metric_for_event", get_metric_for_event),
    Route("GET", "/api/events/<id>/relationships/metric", "get_metric_id_for_event", get_metric_id_for_event),
    Route("GET", "/api/events/<id>/profile", "get_profile_for_event", get_profile_for_event),
    Route(
        "GET", "/api/events/<id>/relationships/profile", "get_profile_id_for_event", get_profile_id_for_event
    ),
    Route("GET", "/api/metrics", "get_metrics", get_metrics),
    Route("GET", "/api/metrics/<id>", "get_metric", get_metric),
)
