"""Answer a request: admission, rate limits, faults, endpoint, log. Independent of the web framework."""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from reverse_etl.sandbox.admission import admit_request
from reverse_etl.sandbox.faults import Fault, FaultKind, take_request_fault
from reverse_etl.sandbox.limits import throttled_error
from reverse_etl.sandbox.replies import ApiResponse, ErrorObject, HttpError
from reverse_etl.sandbox.reply_faults import REPLY_KINDS, change_reply, change_request
from reverse_etl.sandbox.request_log import LoggedRequest, log_request
from reverse_etl.sandbox.scopes import require_scopes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.sandbox.account import SandboxAccount
    from reverse_etl.sandbox.ask import ApiRequest
    from reverse_etl.sandbox.routes.route import Route

_LOG: Final = logging.getLogger(__name__)
_TOO_MANY_REQUESTS: Final = 429
_PROFILE_COUNT: Final = "additional-fields[list]"
_RETIRED_PATHS: Final = ("/api/v1/", "/api/v2/")
_MIGRATION_GUIDE: Final = "https://developers.klaviyo.com/en/docs/migrating_from_v1v2_to_the_new_klaviyo_apis"
_HTML_PAGE: Final = "<!doctype html><html><title>One moment</title><p>Checking the connection.</p></html>"


def handle_request(
    account: SandboxAccount, route: Route | None, request: ApiRequest, headers: Mapping[str, str]
) -> ApiResponse:
    """Return the reply to a request, and log both.

    `route` is None for an unknown endpoint. If the state file cannot be read or written, for example on a
    full disk, the reply is a 500 with the reason.
    """
    try:
        return _handle_and_log(account, route, request, headers)
    except sqlite3.Error as error:
        detail = f"The sandbox could not read or write its state file: {error}."
        return HttpError(500, ErrorObject(detail)).to_response()


def _handle_and_log(
    account: SandboxAccount, route: Route | None, request: ApiRequest, headers: Mapping[str, str]
) -> ApiResponse:
    received_at = account.now()
    response, fault_note = _admit_and_handle(account, route, request, headers)
    logged_request = LoggedRequest(
        received_at=received_at,
        method=request.method,
        path=request.path,
        query=urlencode(request.query, safe='[](),":@+/'),
        status=response.status,
        rows=request.rows,
        bytes=len(request.body),
        fault=fault_note,
    )
    with account.store.transaction() as db:
        log_request(db, logged_request, request.body, response.content())
    return response


def _admit_and_handle(
    account: SandboxAccount, route: Route | None, request: ApiRequest, headers: Mapping[str, str]
) -> tuple[ApiResponse, str]:
    if route is None:
        return _refuse_path(request).to_response(), ""
    try:
        admit_request(request, headers, account.key)
        require_scopes(route.operation, account.rules.missing_scopes)
        rate_limit_headers = (
            account.rate_limiter.count_request(_rate_limit_key(route, request), account.now())
            if account.rate_limiter
            else {}
        )
    except HttpError as http_error:
        return http_error.to_response(), ""
    response, fault_note = _handle_with_fault(account, route, request)
    if response.status != _TOO_MANY_REQUESTS:
        response.headers.update(rate_limit_headers)
    return response, fault_note


def _refuse_path(request: ApiRequest) -> HttpError:
    if request.path.startswith(_RETIRED_PATHS):
        return HttpError(410, ErrorObject(f"This API was retired on 2024-06-30. See {_MIGRATION_GUIDE}."))
    return HttpError(404, ErrorObject("The sandbox has no such endpoint."))


def _handle_with_fault(account: SandboxAccount, route: Route, request: ApiRequest) -> tuple[ApiResponse, str]:
    with account.store.transaction() as db:
        fault = take_request_fault(db, request.method, request.path)
    if fault is None:
        return _call_view(account, route, request), ""
    if fault.kind is FaultKind.SLOW:
        response = _call_view(account, route, request)
        account.clock.sleep(fault.seconds)
        return response, "slow"
    if fault.kind in REPLY_KINDS:
        response = _call_view(account, route, change_request(fault, request))
        return change_reply(fault, request, response, account.clock.sleep), str(fault.kind)
    if fault.after:
        response = _call_view(account, route, request)
        return _fault_response(fault, response.status), f"carried out: {fault.kind}"
    return _fault_response(fault, 0), f"not carried out: {fault.kind}"


def _fault_response(fault: Fault, status: int) -> ApiResponse:
    if fault.kind is FaultKind.CUT:
        return ApiResponse(status, cut=True)
    if fault.kind is FaultKind.HTML:
        return ApiResponse(200, text=_HTML_PAGE)
    if fault.status == _TOO_MANY_REQUESTS:
        return throttled_error(fault.retry_after).to_response()
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return HttpError(fault.status, ErrorObject("A fault that was asked for."), headers=headers).to_response()


def _call_view(account: SandboxAccount, route: Route, request: ApiRequest) -> ApiResponse:
    try:
        return route.view(account, request)
    except HttpError as http_error:
        return http_error.to_response()
    except sqlite3.Error:
        raise
    except Exception as error:  # noqa: BLE001 - a server replies to every request
        _LOG.exception("The sandbox itself failed at %s %s", request.method, request.path)
        return HttpError(
            500, ErrorObject(f"The sandbox itself failed: {type(error).__name__}.")
        ).to_response()


def _rate_limit_key(route: Route, request: ApiRequest) -> str:
    return f"{route.operation} with profile_count" if _PROFILE_COUNT in request.query else route.operation
