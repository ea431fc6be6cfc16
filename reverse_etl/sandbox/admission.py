"""What Klaviyo checks of every request before it looks at what is asked: key, revision, form and size."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final

from reverse_etl.sandbox.replies import JSON_API, ApiError, Refusal, invalid
from reverse_etl.sandbox.rules import MAX_BODY_BYTES, MAX_URL_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.sandbox.ask import Ask

_SCHEME: Final = "Klaviyo-API-Key "
_REVISION: Final = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")
_JSON_TYPES: Final = frozenset({JSON_API, "application/json"})


def admit(ask: Ask, headers: Mapping[str, str], key: str | None) -> None:
    """Return if a request may go on.

    `headers` has lower-case names; with no `key`, any that is not blank will do.

    Raises Refusal: 401 for the key, 400 for a missing revision, 414 for a long address, 415 for a body that
    is not JSON or is compressed (whether Klaviyo takes gzip is not documented), 413 for a body over 5,000,000
    bytes.
    """
    given = headers.get("authorization", "")
    if not given.startswith(_SCHEME) or not given.removeprefix(_SCHEME).strip():
        raise Refusal(401, ApiError("No private API key was given."))
    if key is not None and not hmac.compare_digest(
        given.removeprefix(_SCHEME).strip().encode(), key.encode()
    ):
        raise Refusal(401, ApiError("The private API key is not the account's."))
    if not _REVISION.fullmatch(headers.get("revision", "")):
        raise invalid("The header `revision` should be a date such as 2026-07-15.", parameter="revision")
    if len(ask.url()) > MAX_URL_BYTES:
        raise Refusal(414, ApiError(f"The address has over {MAX_URL_BYTES} bytes."))
    if ask.body or ask.method in {"POST", "PATCH"}:
        _admit_body(ask, headers)


def _admit_body(ask: Ask, headers: Mapping[str, str]) -> None:
    form = headers.get("content-type", "").partition(";")[0].strip().lower()
    if form not in _JSON_TYPES:
        raise Refusal(415, ApiError(f"The Content-Type should be {JSON_API}."))
    if headers.get("content-encoding", "identity") != "identity":
        raise Refusal(415, ApiError("The Content-Encoding is not supported."))
    if len(ask.body) > MAX_BODY_BYTES:
        raise Refusal(413, ApiError(f"The body has {len(ask.body)} bytes, over {MAX_BODY_BYTES}."))
