"""The sandbox's own addresses, under /sandbox, which are no part of Klaviyo.

They need no key, and are neither counted nor logged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from flask import Flask, Response, request

from reverse_etl.errors import UsageError
from reverse_etl.sandbox.faults import Fault, add_fault, clear_faults, standing_faults
from reverse_etl.sandbox.introspection import list_members, list_summaries, profile_summaries
from reverse_etl.sandbox.jobs import hurry_jobs
from reverse_etl.sandbox.journal import entries, forget_entries
from reverse_etl.sandbox.page import show_page

if TYPE_CHECKING:
    from reverse_etl.sandbox.account import Account

_HTML: Final = "text/html; charset=utf-8"


def add_control(app: Flask, account: Account) -> None:
    """Add the page at / and the addresses under /sandbox.

    GET /sandbox/lists, /sandbox/lists/NAME-OR-ID/members, /sandbox/profiles, /sandbox/log?after=NUMBER,
    /sandbox/faults; POST /sandbox/faults with a fault, /sandbox/jobs/finish; DELETE /sandbox/log,
    /sandbox/faults. Replies are `{"data": ...}`, or `{"error": sentence}` with 400.
    """
    views = {
        ("GET", "/sandbox/lists"): lambda: _lists(account),
        ("GET", "/sandbox/profiles"): lambda: _profiles(account),
        ("GET", "/sandbox/log"): lambda: _log(account),
        ("DELETE", "/sandbox/log"): lambda: _forget(account),
        ("GET", "/sandbox/faults"): lambda: _faults(account),
        ("POST", "/sandbox/faults"): lambda: _add_fault(account),
        ("DELETE", "/sandbox/faults"): lambda: _clear_faults(account),
        ("POST", "/sandbox/jobs/finish"): lambda: _finish(account),
    }
    for (method, rule), view in views.items():
        app.add_url_rule(rule, f"{method} {rule}", view, methods=[method], provide_automatic_options=False)
    app.add_url_rule(
        "/sandbox/lists/<path:named>/members", "sandbox members", lambda named: _members(account, named)
    )
    app.add_url_rule("/", "sandbox page", lambda: Response(show_page(account), content_type=_HTML))
    app.register_error_handler(UsageError, _refused)


def _lists(account: Account) -> Response:
    with account.state() as db:
        return _json(list_summaries(db))


def _members(account: Account, named: str) -> Response:
    with account.state() as db:
        return _json(list_members(db, named))


def _profiles(account: Account) -> Response:
    with account.state() as db:
        return _json(profile_summaries(db))


def _log(account: Account) -> Response:
    with account.state() as db:
        return _json([entry.document() for entry in entries(db, request.args.get("after", 0, int))])


def _forget(account: Account) -> Response:
    with account.state() as db:
        forget_entries(db)
    return _json([])


def _faults(account: Account) -> Response:
    with account.state() as db:
        standing = standing_faults(db)
    return _json(
        [
            {"number": one.number, "remaining": one.remaining, "fault": one.fault.document()}
            for one in standing
        ]
    )


def _add_fault(account: Account) -> Response:
    fault = Fault.parse(request.get_json())
    with account.state() as db:
        return _json({"number": add_fault(db, fault)})


def _clear_faults(account: Account) -> Response:
    with account.state() as db:
        clear_faults(db)
    return _json([])


def _finish(account: Account) -> Response:
    with account.state() as db:
        hurry_jobs(db, account.now())
    return _json([])


def _json(content: Any) -> Response:
    return Response(orjson.dumps({"data": content}), content_type="application/json")


def _refused(error: UsageError) -> Response:
    sentences = " ".join(f"{problem.what} {problem.advice}".strip() for problem in error.problems)
    return Response(orjson.dumps({"error": sentences}), 400, content_type="application/json")
