"""Errors for replies that are not a success, with hints."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reverse_etl.errors import FailureCause, KeyRefused, KlaviyoError, Problem, ReplyLost, UnusableReply
from reverse_etl.klaviyo.jsonapi import Document, MalformedReply, parse_document, parse_errors, require_data
from reverse_etl.klaviyo.messages import Request, Response, TransportError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.klaviyo.retry import Fail

_HTTP_PORT: Final = 80
_OUTCOME_UNKNOWN = " It is unknown whether Klaviyo carried out the request."
_HINT_BY_STATUS: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Check the private key (it begins with 'pk_') in Klaviyo: Settings, API keys.",
    HTTPStatus.NOT_FOUND: "Check the id in Klaviyo: it may be deleted, or belong to another account.",
    HTTPStatus.GONE: "This API revision is retired: set a newer api_revision, or upgrade reverse-etl.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Klaviyo accepts 5 MB per request. A proxy may have a lower limit.",
}
_HINT_BY_TRANSPORT_ERROR = {
    TransportError.CERTIFICATE_UNVERIFIED: (
        "If you use a proxy, set REQUESTS_CA_BUNDLE to its certificates."
    ),
    TransportError.INVALID_REQUEST: (
        "Check api_revision and origin of the destination for unusual characters."
    ),
}
CONTENT_REFUSALS: Final = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
_RETRY_LATER = "It is safe to run again. If the error persists, check the network and status.klaviyo.com."
_CHECK_PROXY = "Check the destination's origin and your proxy: something else than Klaviyo may have replied."


def retries_exhausted_error(request: Request, decision: Fail, origin: str) -> KlaviyoError:
    """Return the error of a failed request: ReplyLost if it may have been carried out."""
    error = decision.error
    if error is TransportError.CONNECTION_REFUSED:
        summary = f"Could not connect to {origin}: {decision.reason}."
        failure = _error(summary, request, _sandbox_hint(origin), outcome_unknown=decision.outcome_unknown)
        return failure.with_failure_cause(decision.cause)
    hint = _HINT_BY_TRANSPORT_ERROR.get(error, _RETRY_LATER) if error is not None else _RETRY_LATER
    summary = f"{decision.reason[:1].upper()}{decision.reason[1:]}."
    failure = _error(summary, request, hint, outcome_unknown=decision.outcome_unknown)
    if error is TransportError.TOO_LARGE and not isinstance(failure, ReplyLost):
        failure = UnusableReply(*failure.problems)
    return failure.with_failure_cause(decision.cause)


def _sandbox_hint(origin: str) -> str:
    """Return the hint for an address of this machine on which no server listens."""
    port = urlsplit(origin).port or _HTTP_PORT
    return f"Start the sandbox: reverse-etl sandbox --port {port}. Or correct origin of the destination."


def request_cancelled_error(request: Request, *, outcome_unknown: bool) -> KlaviyoError:
    """Return the error of a request that was cancelled because the run is stopping."""
    return _error(
        "The run is stopping; the request was cancelled.",
        request,
        "It is safe to run again.",
        outcome_unknown=outcome_unknown,
    )


def require_success(request: Request, response: Response) -> Document:
    """Return the document of a successful reply, an empty one for 204.

    Raises KlaviyoError for any other reply, and for a success status with a body that is not Klaviyo's.
    Raises ReplyLost if a write may have been carried out, because it got such a body, or because the reply
    to an earlier attempt was lost.
    """
    if not request.endpoint.is_success(response.status):
        raise refusal_error(request, response)
    if response.status == HTTPStatus.NO_CONTENT:
        return {}
    try:
        document = parse_document(response)
        require_data(document)
    except MalformedReply as error:
        reason = error
    else:
        return document
    raise foreign_success_error(request, response, reason)  # outside, so that no other error is its context


def foreign_success_error(request: Request, response: Response, reason: MalformedReply) -> KlaviyoError:
    """Return the error of a reply with a success status and a body that is not Klaviyo's."""
    return malformed_reply_error(request, response, f"The status was {response.status}, but {reason}.")


def malformed_reply_error(request: Request, response: Response, summary: str) -> KlaviyoError:
    """Return the error of a reply with a success status and an unreadable body."""
    outcome_unknown = response.earlier_reply_lost or request.endpoint.writes
    error = _error(summary, request, _CHECK_PROXY, outcome_unknown=outcome_unknown)
    failure = error if isinstance(error, ReplyLost) else _unusable(error, response)
    return failure.with_failure_cause(FailureCause.KLAVIYO_ERROR)


def _unusable(error: KlaviyoError, response: Response) -> UnusableReply:
    unusable = UnusableReply(*error.problems)
    unusable.status = response.status
    for first in parse_errors(response)[:1]:
        unusable.code, unusable.detail = first.code, first.detail or first.title
    return unusable


def is_content_refusal(error: UnusableReply) -> bool:
    """Return whether Klaviyo refused what a request holds, so that a part of it may be accepted.

    A proxy may refuse a large request, without an error in Klaviyo's format.
    """
    if error.status in (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_URI_TOO_LONG):
        return True
    return error.status in CONTENT_REFUSALS and bool(error.code)


def refusal_error(request: Request, response: Response) -> KlaviyoError:
    """Return the error that explains why Klaviyo refused `request`."""
    summary, hint = _describe_refusal(request, response)
    good = response.status in range(
        200, 300
    )  # a status that the reference does not document for this request
    error = _error(
        summary,
        request,
        hint,
        outcome_unknown=response.earlier_reply_lost or (good and request.endpoint.writes),
    )
    if _is_key_refusal(response) and not isinstance(error, ReplyLost):
        return KeyRefused(*error.problems)
    failure = error if isinstance(error, ReplyLost) else _unusable(error, response)
    is_readable = bool(parse_errors(response))
    return failure.with_failure_cause(
        FailureCause.KLAVIYO_REFUSED if is_readable else FailureCause.KLAVIYO_ERROR
    )


def _is_key_refusal(response: Response) -> bool:
    """Return whether Klaviyo itself refused the key, and not a proxy."""
    if not (errors := parse_errors(response)):
        return False
    unknown = response.status == HTTPStatus.UNAUTHORIZED
    return unknown or (response.status == HTTPStatus.FORBIDDEN and errors[0].code == "permission_denied")


def _describe_refusal(request: Request, response: Response) -> tuple[str, str]:
    status, errors = response.status, parse_errors(response)
    if status in range(300, 400):
        return (
            f"The reply was a redirect ({status}). It was not followed, since it could leak the key.",
            "Check the destination's origin and your proxy.",
        )
    if not errors:
        return _describe_foreign_reply(response)
    first = errors[0]
    where = f" (at {first.pointer})" if first.pointer else ""
    description = f"{status} {first.code}: {(first.detail or first.title).rstrip('.')}{where}"
    if status == HTTPStatus.FORBIDDEN and first.code == "permission_denied":
        scopes = " and ".join(request.endpoint.scopes) or "the scopes that Klaviyo's reference names for it"
        return (
            f"The key is valid, but lacks a scope ({description}).",
            f"This request needs {scopes}. Create such a key in Klaviyo: Settings, API keys.",
        )
    if status == HTTPStatus.UNAUTHORIZED:
        return f"Klaviyo does not accept the key ({description}).", _HINT_BY_STATUS[HTTPStatus.UNAUTHORIZED]
    return f"Klaviyo refused the request: {description}.", _HINT_BY_STATUS.get(status, _RETRY_LATER)


def _describe_foreign_reply(response: Response) -> tuple[str, str]:
    if response.status == HTTPStatus.FORBIDDEN and "cf-mitigated" in response.headers:
        return (
            "Cloudflare, in front of Klaviyo, challenged the request (403). The key is not the cause.",
            "Run again later, or from another network address. If it persists, ask Klaviyo's support.",
        )
    content_type = response.headers.get("content-type", "") or "no content type"
    return (
        f"The reply was {response.status} with {content_type}, which is not Klaviyo's format.",
        _CHECK_PROXY,
    )


def _error(summary: str, request: Request, hint: str, *, outcome_unknown: bool) -> KlaviyoError:
    if outcome_unknown and request.endpoint.writes:
        return ReplyLost(Problem(summary + _OUTCOME_UNKNOWN, str(request), hint))
    return KlaviyoError(Problem(summary, str(request), hint))
