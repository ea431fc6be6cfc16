"""The control endpoints of the sandbox under /sandbox, which Klaviyo does not have.

They need no key, and are neither rate-limited nor logged.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import orjson
from flask import Flask, Response, request

from reverse_etl.errors import UsageError
from reverse_etl.sandbox.deleting import finish_deletions
from reverse_etl.sandbox.faults import Fault, add_fault, clear_faults, load_queued_faults
from reverse_etl.sandbox.introspection import list_members, list_summaries, profile_summaries
from reverse_etl.sandbox.jobs import finish_jobs
from reverse_etl.sandbox.journal import clear_requests, load_requests
from reverse_etl.sandbox.page import render_page
from reverse_etl.sandbox.subscribing import finish_subscriptions
from reverse_etl.sandbox.suppressing import finish_suppressions
from reverse_etl.sandbox.web_security import generate_nonce, page_headers

if TYPE_CHECKING:
    from reverse_etl.sandbox.account import SandboxAccount

_HTML: Final = "text/html; charset=utf-8"


def add_control(app: Flask, account: SandboxAccount) -> None:
    """Add the page at / and the endpoints under /sandbox.

    GET /sandbox/lists, /sandbox/lists/NAME-OR-ID/members, /sandbox/profiles, /sandbox/log?after=NUMBER,
    /sandbox/faults, /sandbox/rules; POST /sandbox/faults with a fault, /sandbox/jobs/finish; PATCH
    /sandbox/rules with the rules to change; DELETE /sandbox/log, /sandbox/faults. Replies are
    `{"data": ...}`, or `{"error": sentence}` with 400.
    """
    views = {
        ("GET", "/sandbox/lists"): lambda: _get_lists(account),
        ("GET", "/sandbox/profiles"): lambda: _get_profiles(account),
        ("GET", "/sandbox/log"): lambda: _get_log(account),
        ("DELETE", "/sandbox/log"): lambda: _clear_log(account),
        ("GET", "/sandbox/faults"): lambda: _get_faults(account),
        ("POST", "/sandbox/faults"): lambda: _add_fault(account),
        ("DELETE", "/sandbox/faults"): lambda: _clear_faults(account),
        ("GET", "/sandbox/rules"): lambda: _json_response(asdict(account.rules)),
        ("PATCH", "/sandbox/rules"): lambda: _change_rules(account),
        ("POST", "/sandbox/jobs/finish"): lambda: _finish_jobs(account),
    }
    for (method, rule), view in views.items():
        app.add_url_rule(rule, f"{method} {rule}", view, methods=[method], provide_automatic_options=False)
    app.add_url_rule(
        "/sandbox/lists/<path:named>/members", "sandbox members", lambda named: _get_members(account, named)
    )
    app.add_url_rule("/", "sandbox page", lambda: _get_page(account))
    app.register_error_handler(UsageError, _handle_usage_error)


def _get_page(account: SandboxAccount) -> Response:
    nonce = generate_nonce()
    return Response(render_page(account, nonce), headers=page_headers(nonce), content_type=_HTML)


def _get_lists(account: SandboxAccount) -> Response:
    with account.transaction() as db:
        return _json_response(list_summaries(db))


def _get_members(account: SandboxAccount, name_or_id: str) -> Response:
    with account.transaction() as db:
        return _json_response(list_members(db, name_or_id))


def _get_profiles(account: SandboxAccount) -> Response:
    with account.transaction() as db:
        return _json_response(profile_summaries(db))


def _get_log(account: SandboxAccount) -> Response:
    with account.transaction() as db:
        return _json_response(
            [
                logged_request.document()
                for logged_request in load_requests(db, request.args.get("after", 0, int))
            ]
        )


def _clear_log(account: SandboxAccount) -> Response:
    with account.transaction() as db:
        clear_requests(db)
    return _json_response([])


def _get_faults(account: SandboxAccount) -> Response:
    with account.transaction() as db:
        queued_faults = load_queued_faults(db)
    return _json_response(
        [
            {
                "number": queued_fault.number,
                "remaining": queued_fault.remaining,
                "fault": queued_fault.fault.to_dict(),
            }
            for queued_fault in queued_faults
        ]
    )


def _add_fault(account: SandboxAccount) -> Response:
    fault = Fault.parse(request.get_json())
    with account.transaction() as db:
        return _json_response({"number": add_fault(db, fault)})


def _clear_faults(account: SandboxAccount) -> Response:
    with account.transaction() as db:
        clear_faults(db)
    return _json_response([])


def _change_rules(account: SandboxAccount) -> Response:
    changes = request.get_json()
    if not isinstance(changes, dict):
        raise UsageError.of("Send an object with the rules to change.")
    return _json_response(asdict(account.change_rules(changes)))


def _finish_jobs(account: SandboxAccount) -> Response:
    with account.transaction() as db:
        finish_jobs(db, account.now())
        finish_subscriptions(db, account.now())
        finish_suppressions(db, account.now())
        finish_deletions(db, account.now())
    return _json_response([])


def _json_response(content: Any) -> Response:
    return Response(orjson.dumps({"data": content}), content_type="application/json")


def _handle_usage_error(error: UsageError) -> Response:
    sentences = " ".join(f"{problem.summary} {problem.hint}".strip() for problem in error.problems)
    return Response(orjson.dumps({"error": sentences}), 400, content_type="application/json")
