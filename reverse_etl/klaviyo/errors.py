"""From a bad reply to an error that says what happened, where, and what to do next."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reverse_etl.errors import KeyRefused, KlaviyoError, Problem, ReplyLost
from reverse_etl.klaviyo.jsonapi import Document, Unreadable, document_of, errors_of
from reverse_etl.klaviyo.messages import Answer, Fault, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.klaviyo.retry import GiveUp

_HTTP_PORT: Final = 80
_LOST = " Nobody here knows whether Klaviyo carried it out."
_ADVICE: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Check the private key (it begins with 'pk_') in Klaviyo: Settings, API keys.",
    HTTPStatus.NOT_FOUND: "It may be deleted, or another account's: look in Klaviyo, and correct the id.",
    HTTPStatus.GONE: "This revision of the API is retired: set a newer api_revision, or upgrade.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Klaviyo takes 5 MB a request; something on the way may take less.",
}
_FAULT_ADVICE = {
    Fault.UNTRUSTED: "Set REQUESTS_CA_BUNDLE to your proxy's certificates, if there is one between.",
    Fault.UNSENDABLE: "Check revision and origin of the destination for unusual characters.",
}
_LATER = "It is safe to run again. If it stays so, check the network and status.klaviyo.com."


def gave_up(request: Request, decision: GiveUp, origin: str) -> KlaviyoError:
    """Return the error of a request whose tries are used up: ReplyLost when it may have been carried out."""
    fault = decision.fault
    if fault is Fault.REFUSED:
        what = f"Klaviyo was asked in vain at {origin}: {decision.reason}."
        return _error(what, request, _started(origin), lost=decision.lost)
    advice = _FAULT_ADVICE.get(fault, _LATER) if fault is not None else _LATER
    return _error(f"Klaviyo was asked in vain: {decision.reason}.", request, advice, lost=decision.lost)


def _started(origin: str) -> str:
    """Return how something comes to listen at an address of this machine."""
    port = urlsplit(origin).port or _HTTP_PORT
    return (
        f"If a sandbox should be there, start it: reverse-etl sandbox --port {port}. "
        "If not, mend origin of the destination."
    )


def stopped(request: Request, *, lost: bool) -> KlaviyoError:
    """Return the error of a request that was called off because the run is stopping."""
    return _error(
        "The run is stopping; the request was called off.", request, "It is safe to run again.", lost=lost
    )


def checked(request: Request, answer: Answer) -> Document:
    """Return the document of a request carried out, an empty one for 204.

    Raises KlaviyoError for any other reply, also for a good status with a body that is not Klaviyo's. Raises
    ReplyLost when a write may have been carried out: such a body came for it, or an earlier try's reply was
    lost.
    """
    if answer.status != request.endpoint.success:
        raise refusal(request, answer)
    if answer.status == HTTPStatus.NO_CONTENT:
        return {}
    try:
        document = document_of(answer)
        if "data" not in document:
            raise Unreadable("the reply's status is good, but it holds errors")  # noqa: TRY301 - told like the others
    except Unreadable as reason:
        what = f"The status was {answer.status}, but {reason}."
    else:
        return document
    raise misread(request, answer, what)


def misread(request: Request, answer: Answer, what: str) -> KlaviyoError:
    """Return the error of a reply with a good status that can't be understood."""
    advice = "Something between here and Klaviyo may have answered in its place: check proxy and origin."
    return _error(what, request, advice, lost=answer.lost or request.endpoint.writes)


def refusal(request: Request, answer: Answer) -> KlaviyoError:
    """Return the error that says why Klaviyo did not do what `request` asked."""
    what, advice = _told(request, answer)
    good = answer.status in range(200, 300)  # of a kind that the reference does not name for this request
    error = _error(what, request, advice, lost=answer.lost or (good and request.endpoint.writes))
    return KeyRefused(*error.problems) if _of_the_key(answer) and not isinstance(error, ReplyLost) else error


def _of_the_key(answer: Answer) -> bool:
    """Return whether Klaviyo itself, and nobody on the way, refused the key."""
    if not (errors := errors_of(answer)):
        return False
    unknown = answer.status == HTTPStatus.UNAUTHORIZED
    return unknown or (answer.status == HTTPStatus.FORBIDDEN and errors[0].code == "permission_denied")


def _told(request: Request, answer: Answer) -> tuple[str, str]:
    status, errors = answer.status, errors_of(answer)
    if status in range(300, 400):
        return (
            f"The reply was a redirect ({status}). None is followed: it could take the key elsewhere.",
            "Check origin and proxy.",
        )
    if not errors:
        return _told_by_another(answer)
    first = errors[0]
    where = f" (at {first.pointer})" if first.pointer else ""
    said = f"{status} {first.code}: {(first.detail or first.title).rstrip('.')}{where}"
    if status == HTTPStatus.FORBIDDEN and first.code == "permission_denied":
        scopes = " and ".join(request.endpoint.scopes)
        return (
            f"The key is valid, but lacks a scope ({said}).",
            f"This request needs {scopes}: make a key that has them in Klaviyo: Settings, API keys.",
        )
    if status == HTTPStatus.UNAUTHORIZED:
        return f"Klaviyo does not know the key ({said}).", _ADVICE[HTTPStatus.UNAUTHORIZED]
    return f"Klaviyo refused: {said}.", _ADVICE.get(status, _LATER)


def _told_by_another(answer: Answer) -> tuple[str, str]:
    if answer.status == HTTPStatus.FORBIDDEN and "cf-mitigated" in answer.headers:
        return (
            "Cloudflare, which stands before Klaviyo, challenged the request (403). The key is not at fault.",
            "Run again later, or from another network address; if it stays so, ask Klaviyo's support.",
        )
    kind = answer.headers.get("content-type", "") or "no content type"
    return (
        f"The reply was {answer.status} with {kind}, not in Klaviyo's form.",
        "Something between here and Klaviyo may have answered in its place: check proxy and origin.",
    )


def _error(what: str, request: Request, advice: str, *, lost: bool) -> KlaviyoError:
    if lost and request.endpoint.writes:
        return ReplyLost(Problem(what + _LOST, str(request), advice))
    return KlaviyoError(Problem(what, str(request), advice))
