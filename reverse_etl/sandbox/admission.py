"""The checks of every request before its endpoint runs: key, revision, content type and size."""

from __future__ import annotations

import hmac
import re
from datetime import date
from typing import TYPE_CHECKING, Final

from reverse_etl.sandbox.replies import JSON_API, ErrorObject, HttpError, bad_request_error
from reverse_etl.sandbox.rules import MAX_BODY_BYTES, MAX_URL_BYTES, OLDEST_REVISION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.sandbox.ask import ApiRequest

_KEY_PREFIX: Final = "Klaviyo-API-Key "
_REVISION: Final = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
_OPT_OUT_HEADER: Final = "x-klaviyo-revision-fall-forward-opt-out"
_JSON_TYPES: Final = frozenset({JSON_API, "application/json"})


def admit_request(request: ApiRequest, headers: Mapping[str, str], key: str | None) -> None:
    """Check a request. `headers` has lower-case names. Without a `key`, any non-blank key is accepted.

    Raises HttpError: 401 for the key, 400 for a missing revision, 410 for a retired revision that the request
    does not want to be replaced by a newer one, 414 for a long URL, 415 for a body that is
    not JSON or is compressed (Klaviyo does not document gzip), 413 for a body over 5,000,000 bytes.
    """
    authorization = headers.get("authorization", "")
    if not authorization.startswith(_KEY_PREFIX) or not authorization.removeprefix(_KEY_PREFIX).strip():
        raise HttpError(401, ErrorObject("No private API key was given."))
    if key is not None and not hmac.compare_digest(
        authorization.removeprefix(_KEY_PREFIX).strip().encode(), key.encode()
    ):
        raise HttpError(401, ErrorObject("The private API key is not the account's."))
    _admit_revision(headers)
    if len(request.url()) > MAX_URL_BYTES:
        raise HttpError(414, ErrorObject(f"The address has over {MAX_URL_BYTES} bytes."))
    if request.body or request.method in {"POST", "PATCH"}:
        _admit_body(request, headers)


def _admit_revision(headers: Mapping[str, str]) -> None:
    revision = headers.get("revision", "")
    try:
        day = date.fromisoformat(revision.partition(".")[0])
    except ValueError:
        day = None
    if day is None or not _REVISION.fullmatch(revision):
        raise bad_request_error(
            "The header `revision` should be a date such as 2026-10-15.", parameter="revision"
        )
    if day < OLDEST_REVISION and headers.get(_OPT_OUT_HEADER) == "1":
        raise HttpError(410, ErrorObject(f"The revision {revision} is retired.", parameter="revision"))


def _admit_body(request: ApiRequest, headers: Mapping[str, str]) -> None:
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in _JSON_TYPES:
        raise HttpError(415, ErrorObject(f"The Content-Type should be {JSON_API}."))
    if headers.get("content-encoding", "identity") != "identity":
        raise HttpError(415, ErrorObject("The Content-Encoding is not supported."))
    if len(request.body) > MAX_BODY_BYTES:
        raise HttpError(413, ErrorObject(f"The body has {len(request.body)} bytes, over {MAX_BODY_BYTES}."))
