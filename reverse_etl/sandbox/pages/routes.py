"""The addresses of the pages. Forms are accepted from these pages only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, g, request

from reverse_etl.errors import UsageError
from reverse_etl.sandbox.control import requested_account
from reverse_etl.sandbox.faults import add_fault, clear_faults, drop_fault, load_queued_faults
from reverse_etl.sandbox.pages import page_queries
from reverse_etl.sandbox.pages.fault_form import (
    DEFAULTS,
    KIND_CHOICES,
    METHODS,
    PAYLOADS,
    parse_fault_form,
)
from reverse_etl.sandbox.pages.rendering import render_response
from reverse_etl.sandbox.profiles import find_profile
from reverse_etl.sandbox.request_log import (
    MAX_STORED_BYTES,
    REQUESTS_WITH_BODIES,
    clear_requests,
    find_request,
    load_latest_requests,
)
from reverse_etl.sandbox.rules import Rules
from reverse_etl.sandbox.web_security import require_own_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OVERVIEW_ROWS: Final = 10
_MAX_NUMBER: Final = 1_000_000_000
_SEE_OTHER: Final = 303


def add_pages(app: Flask) -> None:
    """Add the overview at /, the pages of lists, profiles, requests and faults, and their forms."""
    pages: dict[str, Callable[..., Response]] = {
        "/": _show_overview,
        "/lists": _show_lists,
        "/lists/<resource_id>": _show_list,
        "/profiles": _show_profiles,
        "/profiles/<resource_id>": _show_profile,
        "/requests": _show_requests,
        "/requests/<int:number>": _show_request,
        "/faults": _show_faults,
    }
    forms: dict[str, Callable[..., Response]] = {
        "/faults": _add_fault,
        "/faults/clear": _clear_faults,
        "/faults/<int:number>/clear": _drop_fault,
        "/jobs/finish": _finish_jobs,
        "/requests/clear": _clear_log,
    }
    for rule, view in pages.items():
        app.add_url_rule(rule, f"page {rule}", _note_version(view), provide_automatic_options=False)
    for rule, view in forms.items():
        form_view = _accept_form(_note_version(view))
        app.add_url_rule(rule, f"form {rule}", form_view, methods=["POST"], provide_automatic_options=False)


def _note_version(view: Callable[..., Response]) -> Callable[..., Response]:
    """Return a view whose page has the version before it reads: it reloads after a change meanwhile."""

    def respond(**path_parameters: int | str) -> Response:
        g.version = requested_account().version()
        return view(**path_parameters)

    return respond


def _accept_form(view: Callable[..., Response]) -> Callable[..., Response]:
    """Return a view that refuses forms of other pages."""

    def respond(**path_parameters: int) -> Response:
        require_own_page(request.headers.get("Origin", ""), request.host)
        return view(**path_parameters)

    return respond


def _show_overview() -> Response:
    account = requested_account()
    with account.transaction() as db:
        values: dict[str, Any] = {
            "counts": page_queries.count_content(db),
            "lists": page_queries.load_lists(db, 1),
            "faults": load_queued_faults(db),
            "jobs": page_queries.load_jobs(db, _OVERVIEW_ROWS),
            "can_finish": page_queries.has_open_jobs(db),
            "profiles": page_queries.load_profiles(db, "", 1).rows[:_OVERVIEW_ROWS],
            "events": page_queries.load_newest_events(db, _OVERVIEW_ROWS),
            "records": page_queries.count_records(db),
            "requests": load_latest_requests(db, 2 * _OVERVIEW_ROWS),
        }
    return render_response(account, "overview", **values)


def _show_lists() -> Response:
    account = requested_account()
    with account.transaction() as db:
        lists = page_queries.load_lists(db, _page_number())
    return render_response(account, "lists", lists=lists)


def _show_list(resource_id: str) -> Response:
    account, search = requested_account(), _search_text()
    with account.transaction() as db:
        counted = page_queries.find_counted_list(db, resource_id)
        members = page_queries.load_members(db, counted, search, _page_number()) if counted else None
    if counted is None:
        return _answer_not_found("list", resource_id)
    return render_response(account, "list", list=counted, members=members, search=search)


def _show_profiles() -> Response:
    account, search = requested_account(), _search_text()
    with account.transaction() as db:
        profiles = page_queries.load_profiles(db, search, _page_number())
    return render_response(account, "profiles", profiles=profiles, search=search)


def _show_profile(resource_id: str) -> Response:
    account = requested_account()
    with account.transaction() as db:
        profile = find_profile(db, resource_id)
        details = page_queries.load_details(db, profile) if profile else None
    if details is None:
        return _answer_not_found("profile", resource_id)
    return render_response(account, "profile", details=details)


def _show_requests() -> Response:
    account = requested_account()
    with account.transaction() as db:
        requests = page_queries.load_request_page(db, _page_number())
    return render_response(account, "requests", requests=requests)


def _show_request(number: int) -> Response:
    account = requested_account()
    with account.transaction() as db:
        logged_request = find_request(db, number) if number <= _MAX_NUMBER else None
    if logged_request is None:
        return _answer_not_found("request", str(number))
    entry, bodies = logged_request
    return render_response(
        account,
        "request",
        entry=entry,
        bodies=bodies,
        kept_bytes=MAX_STORED_BYTES,
        kept_requests=REQUESTS_WITH_BODIES,
    )


def _show_faults(status: int = 200, error: str = "", entered: Mapping[str, str] | None = None) -> Response:
    account = requested_account()
    with account.transaction() as db:
        faults = load_queued_faults(db)
    rules, defaults = account.rules.document(), Rules().document()
    return render_response(
        account,
        "faults",
        status,
        faults=faults,
        added=request.args.get("added", 0, int),
        error=error,
        entered=dict(DEFAULTS) if entered is None else {**dict.fromkeys(DEFAULTS, ""), **entered},
        kinds=KIND_CHOICES,
        methods=METHODS,
        payloads=PAYLOADS,
        rules=[(name, value, value != defaults[name]) for name, value in rules.items()],
    )


def _add_fault() -> Response:
    try:
        fault = parse_fault_form(request.form)
    except UsageError as error:
        sentences = " ".join(f"{problem.summary} {problem.hint}".strip() for problem in error.problems)
        return _show_faults(400, sentences, request.form)
    with requested_account().transaction() as db:
        number = add_fault(db, fault)
    return _redirect(f"/faults?added={number}")


def _clear_faults() -> Response:
    with requested_account().transaction() as db:
        clear_faults(db)
    return _redirect("/faults")


def _drop_fault(number: int) -> Response:
    with requested_account().transaction() as db:
        drop_fault(db, min(number, _MAX_NUMBER))
    return _redirect("/faults")


def _finish_jobs() -> Response:
    requested_account().finish_jobs()
    return _redirect("/")


def _clear_log() -> Response:
    with requested_account().transaction() as db:
        clear_requests(db)
    return _redirect("/requests")


def _redirect(address: str) -> Response:
    return Response(status=_SEE_OTHER, headers={"Location": address})


def _answer_not_found(kind: str, resource_id: str) -> Response:
    return render_response(requested_account(), "missing", 404, kind=kind, resource_id=resource_id)


def _page_number() -> int:
    return min(max(1, request.args.get("page", 1, int)), _MAX_NUMBER)


def _search_text() -> str:
    return request.args.get("q", "").strip()
