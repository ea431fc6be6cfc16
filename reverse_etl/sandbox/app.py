"""The sandbox as a Flask app: Klaviyo's endpoints, the control addresses and the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from reverse_etl.sandbox.answering import answer
from reverse_etl.sandbox.ask import Ask
from reverse_etl.sandbox.control import add_control
from reverse_etl.sandbox.replies import JSON_API, ApiError, Reply, error_document
from reverse_etl.sandbox.routes import accounts, jobs, lists, members, profiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.sandbox.account import Account
    from reverse_etl.sandbox.routes.route import Route

CUT: Final = "reverse_etl.cut"
_NOT_FOUND: Final = 404
_ROUTES: Final = (*accounts.ROUTES, *lists.ROUTES, *members.ROUTES, *profiles.ROUTES, *jobs.ROUTES)


def make_app(account: Account) -> Flask:
    """Return the app of an open account.

    Where a reply is to be cut, it sets `CUT` in the request's environ.
    """
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    for route in _ROUTES:
        app.add_url_rule(
            route.rule,
            route.operation,
            _endpoint(account, route),
            methods=[route.method],
            provide_automatic_options=False,
        )
    add_control(app, account)
    app.register_error_handler(HTTPException, lambda error: _unrouted(account, error))
    return app


def _endpoint(account: Account, route: Route) -> Callable[..., Response]:
    def respond(**places: str) -> Response:
        return _written(answer(account, route, _asked(places), _headers()))

    return respond


def _unrouted(account: Account, error: HTTPException) -> Response:
    if error.code == _NOT_FOUND and request.path.startswith("/api/"):
        return _written(answer(account, None, _asked({}), _headers()))
    status = error.code or 500
    return _written(Reply(status, error_document(status, ApiError(error.description or error.name))))


def _asked(places: dict[str, str]) -> Ask:
    return Ask(
        method=request.method,
        path=request.path.rstrip("/"),
        origin=request.host_url.rstrip("/"),
        places=places,
        query=request.args.to_dict(),
        body=request.get_data(),
    )


def _headers() -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _written(reply: Reply) -> Response:
    if reply.cut:
        request.environ[CUT] = True
        return Response()
    if reply.text is not None:
        return Response(reply.text, reply.status, reply.headers, content_type="text/html; charset=utf-8")
    body = b"" if reply.body is None else orjson.dumps(reply.body)
    return Response(body, reply.status, reply.headers, content_type=JSON_API)
