"""From a bad reply to an error that says what happened, where, and what to do next."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reverse_etl.errors import KeyRefused, KlaviyoError, Problem, ReplyLost
from reverse_etl.klaviyo.jsonapi import Document, MalformedReply, parse_document, parse_errors
from reverse_etl.klaviyo.messages import Request, Response, TransportError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.klaviyo.retry import Fail

_HTTP_PORT: Final = 80
_OUTCOME_UNKNOWN = " Nobody here knows whether Klaviyo carried it out."
_HINT_BY_STATUS: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Check the private key (it begins with 'pk_') in Klaviyo: Settings, API keys.",
    HTTPStatus.NOT_FOUND: "It may be deleted, or another account's: look in Klaviyo, and correct the id.",
    HTTPStatus.GONE: "This revision of the API is retired: set a newer api_revision, or upgrade.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Klaviyo takes 5 MB a request; something on the way may take less.",
}
_HINT_BY_TRANSPORT_ERROR = {
    TransportError.CERTIFICATE_UNVERIFIED: (
        "Set REQUESTS_CA_BUNDLE to your proxy's certificates, if there is one between."
    ),
    TransportError.INVALID_REQUEST: "Check revision and origin of the destination for unusual characters.",
}
_RETRY_LATER = "It is safe to run again. If it stays so, check the network and status.klaviyo.com."


def retries_exhausted_error(request: Request, decision: Fail, origin: str) -> KlaviyoError:
    """Return the error of a request whose tries are used up: ReplyLost when it may have been carried out."""
    error = decision.error
    if error is TransportError.CONNECTION_REFUSED:
        summary = f"Klaviyo was asked in vain at {origin}: {decision.reason}."
        return _error(summary, request, _sandbox_hint(origin), outcome_unknown=decision.outcome_unknown)
    hint = _HINT_BY_TRANSPORT_ERROR.get(error, _RETRY_LATER) if error is not None else _RETRY_LATER
    return _error(
        f"Klaviyo was asked in vain: {decision.reason}.",
        request,
        hint,
        outcome_unknown=decision.outcome_unknown,
    )


def _sandbox_hint(origin: str) -> str:
    """Return how something comes to listen at an address of this machine."""
    port = urlsplit(origin).port or _HTTP_PORT
    return (
        f"If a sandbox should be there, start it: reverse-etl sandbox --port {port}. "
        "If not, mend origin of the destination."
    )


def request_cancelled_error(request: Request, *, outcome_unknown: bool) -> KlaviyoError:
    """Return the error of a request that was called off because the run is stopping."""
    return _error(
        "The run is stopping; the request was called off.",
        request,
        "It is safe to run again.",
        outcome_unknown=outcome_unknown,
    )


def require_success(request: Request, response: Response) -> Document:
    """Return the document of a request carried out, an empty one for 204.

    Raises KlaviyoError for any other reply, also for a good status with a body that is not Klaviyo's. Raises
    ReplyLost when a write may have been carried out: such a body came for it, or an earlier try's reply was
    lost.
    """
    if response.status != request.endpoint.success_status:
        raise refusal_error(request, response)
    if response.status == HTTPStatus.NO_CONTENT:
        return {}
    try:
        document = parse_document(response)
        if "data" not in document:
            raise MalformedReply("the reply's status is good, but it holds errors")  # noqa: TRY301 - told like the others
    except MalformedReply as reason:
        summary = f"The status was {response.status}, but {reason}."
    else:
        return document
    raise malformed_reply_error(request, response, summary)


def malformed_reply_error(request: Request, response: Response, summary: str) -> KlaviyoError:
    """Return the error of a reply with a good status that can't be understood."""
    hint = "Something between here and Klaviyo may have answered in its place: check proxy and origin."
    return _error(
        summary, request, hint, outcome_unknown=response.earlier_reply_lost or request.endpoint.writes
    )


def refusal_error(request: Request, response: Response) -> KlaviyoError:
    """Return the error that says why Klaviyo did not do what `request` asked."""
    summary, hint = _describe_refusal(request, response)
    good = response.status in range(200, 300)  # of a kind that the reference does not name for this request
    error = _error(
        summary,
        request,
        hint,
        outcome_unknown=response.earlier_reply_lost or (good and request.endpoint.writes),
    )
    return (
        KeyRefused(*error.problems)
        if _is_key_refusal(response) and not isinstance(error, ReplyLost)
        else error
    )


def _is_key_refusal(response: Response) -> bool:
    """Return whether Klaviyo itself, and nobody on the way, refused the key."""
    if not (errors := parse_errors(response)):
        return False
    unknown = response.status == HTTPStatus.UNAUTHORIZED
    return unknown or (response.status == HTTPStatus.FORBIDDEN and errors[0].code == "permission_denied")


def _describe_refusal(request: Request, response: Response) -> tuple[str, str]:
    status, errors = response.status, parse_errors(response)
    if status in range(300, 400):
        return (
            f"The reply was a redirect ({status}). None is followed: it could take the key elsewhere.",
            "Check origin and proxy.",
        )
    if not errors:
        return _describe_foreign_reply(response)
    first = errors[0]
    where = f" (at {first.pointer})" if first.pointer else ""
    description = f"{status} {first.code}: {(first.detail or first.title).rstrip('.')}{where}"
    if status == HTTPStatus.FORBIDDEN and first.code == "permission_denied":
        scopes = " and ".join(request.endpoint.scopes)
        return (
            f"The key is valid, but lacks a scope ({description}).",
            f"This request needs {scopes}: make a key that has them in Klaviyo: Settings, API keys.",
        )
    if status == HTTPStatus.UNAUTHORIZED:
        return f"Klaviyo does not know the key ({description}).", _HINT_BY_STATUS[HTTPStatus.UNAUTHORIZED]
    return f"Klaviyo refused: {description}.", _HINT_BY_STATUS.get(status, _RETRY_LATER)


def _describe_foreign_reply(response: Response) -> tuple[str, str]:
    if response.status == HTTPStatus.FORBIDDEN and "cf-mitigated" in response.headers:
        return (
            "Cloudflare, which stands before Klaviyo, challenged the request (403). The key is not at fault.",
            "Run again later, or from another network address; if it stays so, ask Klaviyo's support.",
        )
    content_type = response.headers.get("content-type", "") or "no content type"
    return (
        f"The reply was {response.status} with {content_type}, not in Klaviyo's form.",
        "Something between here and Klaviyo may have answered in its place: check proxy and origin.",
    )


def _error(summary: str, request: Request, hint: str, *, outcome_unknown: bool) -> KlaviyoError:
    if outcome_unknown and request.endpoint.writes:
        return ReplyLost(Problem(summary + _OUTCOME_UNKNOWN, str(request), hint))
    return KlaviyoError(Problem(summary, str(request), hint))
