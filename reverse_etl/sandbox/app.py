"""The Flask app of the sandbox: Klaviyo's endpoints, the control endpoints and the pages."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from reverse_etl.sandbox.answering import handle_request
from reverse_etl.sandbox.ask import ApiRequest
from reverse_etl.sandbox.control import ACCOUNT_ENVIRON_KEY, add_control, requested_account
from reverse_etl.sandbox.pages.routes import add_pages
from reverse_etl.sandbox.replies import JSON_API, ApiResponse, ErrorObject, HttpError, error_document
from reverse_etl.sandbox.routes import (
    accounts,
    deletions,
    events,
    jobs,
    lists,
    members,
    profiles,
    records,
    subscriptions,
    suppressions,
)
from reverse_etl.sandbox.web_security import admit_sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from reverse_etl.sandbox.account import SandboxAccount
    from reverse_etl.sandbox.routes.route import Route

CUT_ENVIRON_KEY: Final = "reverse_etl.cut"
DRIP_ENVIRON_KEY: Final = "reverse_etl.drip"
_NOT_FOUND: Final = 404
ROUTES: Final = (
    *accounts.ROUTES,
    *lists.ROUTES,
    *members.ROUTES,
    *profiles.ROUTES,
    *jobs.ROUTES,
    *records.ROUTES,
    *subscriptions.ROUTES,
    *suppressions.ROUTES,
    *events.ROUTES,
    *deletions.ROUTES,
)


def make_app(account: SandboxAccount) -> WSGIApplication:
    """Return the app of an open account.

    It sets `CUT_ENVIRON_KEY` in the request's environ if the server must close the connection with no reply,
    and `DRIP_ENVIRON_KEY` to a function that the server calls before each byte of the body.
    """
    app = _flask_app()

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[ACCOUNT_ENVIRON_KEY] = account
        return app(environ, start_response)

    return serve


@cache
def _flask_app() -> Flask:
    """Return the app that all accounts of a process share, because compiling its routes takes long."""
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    for route in ROUTES:
        app.add_url_rule(
            route.rule,
            route.operation,
            _create_endpoint(route),
            methods=[route.method],
            provide_automatic_options=False,
        )
    add_control(app)
    add_pages(app)
    app.before_request(_check_sender)
    app.after_request(_forbid_sniffing)
    app.register_error_handler(HttpError, _handle_http_error)
    app.register_error_handler(HTTPException, _handle_routing_error)
    return app


def _check_sender() -> None:
    admit_sender(_read_headers())


def _handle_http_error(error: HttpError) -> Response:
    return _to_flask_response(error.to_response())


def _forbid_sniffing(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _create_endpoint(route: Route) -> Callable[..., Response]:
    def respond(**path_parameters: str) -> Response:
        return _to_flask_response(
            handle_request(requested_account(), route, _read_request(path_parameters), _read_headers())
        )

    return respond


def _handle_routing_error(error: HTTPException) -> Response:
    if error.code == _NOT_FOUND and request.path.startswith("/api/"):
        return _to_flask_response(
            handle_request(requested_account(), None, _read_request({}), _read_headers())
        )
    status = error.code or 500
    return _to_flask_response(
        ApiResponse(status, error_document(status, ErrorObject(error.description or error.name)))
    )


def _read_request(path_parameters: dict[str, str]) -> ApiRequest:
    return ApiRequest(
        method=request.method,
        path=request.path.rstrip("/"),
        origin=request.host_url.rstrip("/"),
        path_parameters=path_parameters,
        query=request.args.to_dict(),
        body=request.get_data(),
    )


def _read_headers() -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _to_flask_response(response: ApiResponse) -> Response:
    if response.cut:
        request.environ[CUT_ENVIRON_KEY] = True
        return Response()
    if response.before_each_byte is not None:
        request.environ[DRIP_ENVIRON_KEY] = response.before_each_byte
    if response.text is not None:
        headers = {"Content-Type": "text/html; charset=utf-8"} | response.headers
        return Response(response.content(), response.status, headers)
    return Response(response.content(), response.status, response.headers, content_type=JSON_API)
