"""The control endpoints of the sandbox under /sandbox, which Klaviyo does not have.

They need no key, and are neither rate-limited nor logged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from flask import Flask, Response, request

from reverse_etl.errors import UsageError
from reverse_etl.sandbox.faults import Fault, add_fault, clear_faults, load_queued_faults
from reverse_etl.sandbox.introspection import list_members, list_summaries, profile_summaries
from reverse_etl.sandbox.request_log import clear_requests, load_requests

if TYPE_CHECKING:
    from reverse_etl.sandbox.account import SandboxAccount

ACCOUNT_ENVIRON_KEY: Final = "reverse_etl.account"


def add_control(app: Flask) -> None:
    """Add the endpoints under /sandbox.

    GET /sandbox/lists, /sandbox/lists/NAME-OR-ID/members, /sandbox/profiles, /sandbox/log?after=NUMBER,
    /sandbox/faults, /sandbox/rules, /sandbox/version (a text that changes with the state); POST
    /sandbox/faults with a fault, /sandbox/jobs/finish; PATCH /sandbox/rules with the rules to change;
    DELETE /sandbox/log, /sandbox/faults. Replies are
    `{"data": ...}`, or `{"error": sentence}` with 400.
    """
    views = {
        ("GET", "/sandbox/lists"): _get_lists,
        ("GET", "/sandbox/profiles"): _get_profiles,
        ("GET", "/sandbox/log"): _get_log,
        ("DELETE", "/sandbox/log"): _clear_log,
        ("GET", "/sandbox/faults"): _get_faults,
        ("POST", "/sandbox/faults"): _add_fault,
        ("DELETE", "/sandbox/faults"): _clear_faults,
        ("GET", "/sandbox/rules"): _get_rules,
        ("PATCH", "/sandbox/rules"): _change_rules,
        ("GET", "/sandbox/version"): _get_version,
        ("POST", "/sandbox/jobs/finish"): _finish_jobs,
    }
    for (method, rule), view in views.items():
        app.add_url_rule(rule, f"{method} {rule}", view, methods=[method], provide_automatic_options=False)
    app.add_url_rule("/sandbox/lists/<path:name_or_id>/members", "sandbox members", _get_members)
    app.register_error_handler(UsageError, _handle_usage_error)


def requested_account() -> SandboxAccount:
    """Return the account that the current request is sent to."""
    account: SandboxAccount = request.environ[ACCOUNT_ENVIRON_KEY]
    return account


def _get_lists() -> Response:
    with requested_account().transaction() as db:
        return _json_response(list_summaries(db))


def _get_members(name_or_id: str) -> Response:
    with requested_account().transaction() as db:
        return _json_response(list_members(db, name_or_id))


def _get_profiles() -> Response:
    with requested_account().transaction() as db:
        return _json_response(profile_summaries(db))


def _get_log() -> Response:
    with requested_account().transaction() as db:
        return _json_response(
            [
                logged_request.document()
                for logged_request in load_requests(db, request.args.get("after", 0, int))
            ]
        )


def _clear_log() -> Response:
    with requested_account().transaction() as db:
        clear_requests(db)
    return _json_response([])


def _get_faults() -> Response:
    with requested_account().transaction() as db:
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


def _add_fault() -> Response:
    fault = Fault.parse(request.get_json())
    with requested_account().transaction() as db:
        return _json_response({"number": add_fault(db, fault)})


def _clear_faults() -> Response:
    with requested_account().transaction() as db:
        clear_faults(db)
    return _json_response([])


def _get_rules() -> Response:
    return _json_response(requested_account().rules.document())


def _change_rules() -> Response:
    changes = request.get_json()
    if not isinstance(changes, dict):
        raise UsageError.of("Send an object with the rules to change.")
    return _json_response(requested_account().change_rules(changes).document())


def _get_version() -> Response:
    return _json_response(requested_account().version())


def _finish_jobs() -> Response:
    requested_account().finish_jobs()
    return _json_response([])


def _json_response(content: Any) -> Response:
    return Response(orjson.dumps({"data": content}), content_type="application/json")


def _handle_usage_error(error: UsageError) -> Response:
    sentences = " ".join(f"{problem.summary} {problem.hint}".strip() for problem in error.problems)
    return Response(orjson.dumps({"error": sentences}), 400, content_type="application/json")
