"""From a request to its reply: admission, limits, faults, the endpoint, the log. No web framework here."""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from reverse_etl.sandbox.admission import admit
from reverse_etl.sandbox.faults import Fault, FaultKind, take_request_fault
from reverse_etl.sandbox.journal import Entry, record
from reverse_etl.sandbox.limits import throttled
from reverse_etl.sandbox.replies import ApiError, Refusal, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.sandbox.account import Account
    from reverse_etl.sandbox.ask import Ask
    from reverse_etl.sandbox.routes.route import Route

_LOG: Final = logging.getLogger(__name__)
_THROTTLED: Final = 429
_PROFILE_COUNT: Final = "additional-fields[list]"
_PAGE: Final = "<!doctype html><html><title>One moment</title><p>Checking the connection.</p></html>"


def answer(account: Account, route: Route | None, ask: Ask, headers: Mapping[str, str]) -> Reply:
    """Return the reply to a request and write both to the log.

    `route` is None where the sandbox knows no such endpoint. Where its state file can't be written, as on
    a full disk, the reply is a 500 that says so.
    """
    try:
        return _noted(account, route, ask, headers)
    except sqlite3.Error as error:
        detail = f"The sandbox could not read or write its state file: {error}."
        return Refusal(500, ApiError(detail)).reply()


def _noted(account: Account, route: Route | None, ask: Ask, headers: Mapping[str, str]) -> Reply:
    at = account.now()
    reply, struck = _answered(account, route, ask, headers)
    entry = Entry(
        at=at,
        method=ask.method,
        path=ask.path,
        query=urlencode(ask.query, safe='[](),":@+/'),
        status=reply.status,
        rows=ask.rows,
        bytes=len(ask.body),
        fault=struck,
    )
    with account.store.transaction() as db:
        record(db, entry)
    return reply


def _answered(
    account: Account, route: Route | None, ask: Ask, headers: Mapping[str, str]
) -> tuple[Reply, str]:
    if route is None:
        return Refusal(404, ApiError("The sandbox has no such endpoint.")).reply(), ""
    try:
        admit(ask, headers, account.key)
        quota = account.limits.take(_limited(route, ask), account.now()) if account.limits else {}
    except Refusal as refusal:
        return refusal.reply(), ""
    reply, struck = _struck(account, route, ask)
    if reply.status != _THROTTLED:
        reply.headers.update(quota)
    return reply, struck


def _struck(account: Account, route: Route, ask: Ask) -> tuple[Reply, str]:
    with account.store.transaction() as db:
        fault = take_request_fault(db, ask.method, ask.path)
    if fault is None:
        return _carried_out(account, route, ask), ""
    if fault.kind is FaultKind.SLOW:
        reply = _carried_out(account, route, ask)
        account.clock.sleep(fault.seconds)
        return reply, "slow"
    if fault.after:
        reply = _carried_out(account, route, ask)
        return _instead(fault, reply.status), f"carried out: {fault.kind}"
    return _instead(fault, 0), f"not carried out: {fault.kind}"


def _instead(fault: Fault, status: int) -> Reply:
    if fault.kind is FaultKind.CUT:
        return Reply(status, cut=True)
    if fault.kind is FaultKind.HTML:
        return Reply(200, text=_PAGE)
    if fault.status == _THROTTLED:
        return throttled(fault.retry_after).reply()
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return Refusal(fault.status, ApiError("A fault that was asked for."), headers=headers).reply()


def _carried_out(account: Account, route: Route, ask: Ask) -> Reply:
    try:
        return route.view(account, ask)
    except Refusal as refusal:
        return refusal.reply()
    except sqlite3.Error:
        raise
    except Exception as error:  # noqa: BLE001 - a server answers, whatever goes wrong in it
        _LOG.exception("The sandbox itself failed at %s %s", ask.method, ask.path)
        return Refusal(500, ApiError(f"The sandbox itself failed: {type(error).__name__}.")).reply()


def _limited(route: Route, ask: Ask) -> str:
    return f"{route.operation} with profile_count" if _PROFILE_COUNT in ask.query else route.operation
