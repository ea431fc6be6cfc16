"""Translates Snowflake's errors to the program's errors.

Errors are identified by their number, since the connector's classes differ by version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reverse_etl.errors import ReverseEtlError, SessionLost, UsageError, WarehouseError, WarehouseUnavailable

RETRY_HINT = "It is safe to run again."
MISSING_OBJECT_CODES = frozenset(
    {2003, 2043}
)  # no such object, or the role may not see it: Snowflake does not say which
NO_PRIVILEGE_CODES = frozenset({3001, 3003, 3041, 3540})  # insufficient privileges
# The connector does not accept a setting: no account, no user, a wrong value. No request was made.
INVALID_SETTING_CODES = frozenset(
    {251001, 251005, 251006, 251007, 251008, 251013, 251017, 251018, 251019, 251020}
)
# No connection, no answer in time (14 and 25xxxx are the connector's own), or the HTTP status of a server
# in trouble.
UNREACHABLE_CODES = frozenset(
    {14, 250001, 250003, 250006, 250007, 251011, 290400, 290403, 290404, 290429, 290502, 290503, 290504}
)
# The session is not known any more, or what proved it has expired (HTTP's 401 under the connector's number);
# the connector has tried to renew it. Or another thread has closed it (250002). The statement was not run.
SESSION_GONE_CODES = frozenset({250002, 290401, 390104, 390111, 390112, 390113, 390114, 390115, 390318})


@dataclass(frozen=True)
class ErrorExplanation:
    """The message and hint of an error; `is_usage_error` says that a setting has to be fixed first."""

    summary: str
    hint: str
    is_usage_error: bool = False


_CREDENTIALS_HINT = "Look at the output's user and its password, key or token in profiles.yml."
_SESSION_ENDED = ErrorExplanation(
    "the session has ended", f"It was idle for too long, or the server closed it. {RETRY_HINT}"
)
_SIGN_IN_EXPIRED = ErrorExplanation(
    "the sign-in has expired", f"Leave `client_session_keep_alive` on. {RETRY_HINT}"
)
_EXPLANATIONS = {
    250002: _SESSION_ENDED,
    290401: _SESSION_ENDED,
    606: ErrorExplanation(
        "the session has no warehouse to run statements in",
        "Give the output a `warehouse` that its role may use: GRANT USAGE ON WAREHOUSE ... TO ROLE ...",
        is_usage_error=True,
    ),
    604: ErrorExplanation("the statement was cancelled", f"Someone or something cancelled it. {RETRY_HINT}"),
    630: ErrorExplanation(
        "the statement ran into its time-out",
        "Raise STATEMENT_TIMEOUT_IN_SECONDS of the warehouse or user, or take a larger warehouse. "
        f"{RETRY_HINT}",
    ),
    625: ErrorExplanation(
        "the statement waited too long for a lock", f"Something else writes to the same table. {RETRY_HINT}"
    ),
    90073: ErrorExplanation(
        "the warehouse is suspended: its resource monitor has used up its quota",
        f"Raise the quota, or wait until it is renewed. {RETRY_HINT}",
    ),
    90105: ErrorExplanation(
        "the session has no database",
        "Give the output a `database` that its role may use.",
        is_usage_error=True,
    ),
    90106: ErrorExplanation(
        "the session has no schema", "Give the output a `schema` that its role may use.", is_usage_error=True
    ),
    390100: ErrorExplanation("the user name or password is wrong", _CREDENTIALS_HINT, is_usage_error=True),
    390101: ErrorExplanation(
        "the user is locked", "Wait a quarter of an hour, or ask an administrator.", is_usage_error=True
    ),
    390102: ErrorExplanation("the user is disabled", "Ask an administrator.", is_usage_error=True),
    390104: _SESSION_ENDED,
    390111: _SESSION_ENDED,
    390112: ErrorExplanation(
        "the session's token has expired", f"Leave `client_session_keep_alive` on. {RETRY_HINT}"
    ),
    390113: _SIGN_IN_EXPIRED,
    390114: _SIGN_IN_EXPIRED,
    390115: _SIGN_IN_EXPIRED,
    390144: ErrorExplanation(
        "the key pair is not accepted",
        "The public key of the output's user is another one (DESC USER shows its fingerprint), or this "
        "machine's clock is wrong.",
        is_usage_error=True,
    ),
    390189: ErrorExplanation(
        "the role does not exist or is not granted to the user",
        "Look at the output's `role`.",
        is_usage_error=True,
    ),
    390195: ErrorExplanation("the sign-in's token is no longer valid", "Sign in again.", is_usage_error=True),
    390201: ErrorExplanation(
        "the database does not exist or the role may not use it", "Look at `database`.", is_usage_error=True
    ),
    390303: ErrorExplanation("the OAuth token is not valid", _CREDENTIALS_HINT, is_usage_error=True),
    390318: ErrorExplanation(
        "the OAuth token has expired",
        "Get a new token, or give the output a refresh token.",
        is_usage_error=True,
    ),
    390420: ErrorExplanation(
        "this machine's address is not allowed in",
        "A network policy of the account keeps it out.",
        is_usage_error=True,
    ),
}


def translate_error(
    error: Exception, where: str, secrets: tuple[str, ...] = (), *, signing_in: bool = False
) -> ReverseEtlError:
    """Return the error to raise for one of the connector.

    Returns a WarehouseError, SessionLost if the session has ended, WarehouseUnavailable if the statement was
    not answered in time, or a UsageError if signing in fails because of a setting.
    """
    code = getattr(error, "errno", None)
    message = mask_secrets(error_message(error), secrets)
    explanation = _EXPLANATIONS.get(code or 0)
    if explanation is not None:
        return _error_type(code, explanation, signing_in=signing_in).of(
            f"Snowflake: {explanation.summary} ({code}).", where=where, hint=explanation.hint
        )
    if code in INVALID_SETTING_CODES:
        return UsageError.of(
            f"The snowflake output can't be used: {message}",
            where=where,
            hint="Correct the output in profiles.yml. Nothing was sent to Snowflake.",
        )
    if code in UNREACHABLE_CODES:
        return WarehouseUnavailable.of(
            f"Snowflake can't be reached: {message}",
            where=where,
            hint=f"Look at the output's `account`, and at proxies and firewalls. {RETRY_HINT}",
        )
    if code in MISSING_OBJECT_CODES or code in NO_PRIVILEGE_CODES:
        return WarehouseError.of(
            f"Snowflake: {message}",
            where=where,
            hint="The role may lack a grant; docs/snowflake.md has the script.",
        )
    return WarehouseError.of(f"Snowflake: {message}", where=where, hint=RETRY_HINT)


def _error_type(
    code: int | None, explanation: ErrorExplanation, *, signing_in: bool
) -> type[WarehouseError | UsageError]:
    if signing_in:
        return UsageError if explanation.is_usage_error else WarehouseError
    if code in SESSION_GONE_CODES:
        return SessionLost
    return WarehouseError if explanation.is_usage_error else WarehouseUnavailable


def error_message(error: Exception) -> str:
    """Return what the connector says, in one line."""
    text = " ".join(str(error).split())
    return re.sub(r" \(request_id=[0-9a-f-]+\)$", "", text)


def mask_secrets(text: str, secrets: tuple[str, ...]) -> str:
    """Return a text without the secrets in it."""
    for secret in secrets:
        text = text.replace(secret, "****")
    return text
