"""What Snowflake's errors mean for a run.

They are told apart by their number, since the connector's classes differ by version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reverse_etl.errors import ReverseEtlError, SessionLost, UsageError, WarehouseError

AGAIN = "It is safe to run again."
MISSING = frozenset({2003, 2043})  # no such object, or the role may not see it: Snowflake does not say which
REFUSED = frozenset({3001, 3003, 3041, 3540})  # insufficient privileges
# No connection, no answer in time (14 and 25xxxx are the connector's own), or the HTTP status of a server
# in trouble.
UNREACHABLE = frozenset(
    {14, 250001, 250003, 250006, 250007, 251011, 290400, 290403, 290404, 290429, 290502, 290503, 290504}
)
# The session is not known any more, or what proved it has expired (HTTP's 401 under the connector's number);
# the connector has tried to renew it. The statement was not run.
GONE = frozenset({290401, 390104, 390111, 390112, 390113, 390114, 390115, 390318})


@dataclass(frozen=True)
class Fault:
    """What happened, and what to do; `usage` where no run can help until someone mends a setting."""

    what: str
    advice: str
    usage: bool = False


_KEYS = "Look at the output's user and its password, key or token in profiles.yml."
_ENDED = Fault("the session has ended", f"It was idle for too long, or the server closed it. {AGAIN}")
_EXPIRED = Fault("the sign-in has expired", f"Leave `client_session_keep_alive` on. {AGAIN}")
_FAULTS = {
    290401: _ENDED,
    606: Fault(
        "the session has no warehouse to run statements in",
        "Give the output a `warehouse` that its role may use: GRANT USAGE ON WAREHOUSE ... TO ROLE ...",
        usage=True,
    ),
    604: Fault("the statement was cancelled", f"Someone or something cancelled it. {AGAIN}"),
    630: Fault(
        "the statement ran into its time-out",
        f"Raise STATEMENT_TIMEOUT_IN_SECONDS of the warehouse or user, or take a larger warehouse. {AGAIN}",
    ),
    625: Fault(
        "the statement waited too long for a lock", f"Something else writes to the same table. {AGAIN}"
    ),
    90073: Fault(
        "the warehouse is suspended: its resource monitor has used up its quota",
        f"Raise the quota, or wait until it is renewed. {AGAIN}",
    ),
    90105: Fault(
        "the session has no database", "Give the output a `database` that its role may use.", usage=True
    ),
    90106: Fault(
        "the session has no schema", "Give the output a `schema` that its role may use.", usage=True
    ),
    390100: Fault("the user name or password is wrong", _KEYS, usage=True),
    390101: Fault("the user is locked", "Wait a quarter of an hour, or ask an administrator.", usage=True),
    390102: Fault("the user is disabled", "Ask an administrator.", usage=True),
    390104: _ENDED,
    390111: _ENDED,
    390112: Fault("the session's token has expired", f"Leave `client_session_keep_alive` on. {AGAIN}"),
    390113: _EXPIRED,
    390114: _EXPIRED,
    390115: _EXPIRED,
    390144: Fault(
        "the key pair is not accepted",
        "The public key of the output's user is another one (DESC USER shows its fingerprint), or this "
        "machine's clock is wrong.",
        usage=True,
    ),
    390189: Fault(
        "the role does not exist or is not granted to the user", "Look at the output's `role`.", usage=True
    ),
    390195: Fault("the sign-in's token is no longer valid", "Sign in anew.", usage=True),
    390201: Fault(
        "the database does not exist or the role may not use it", "Look at `database`.", usage=True
    ),
    390303: Fault("the OAuth token is not valid", _KEYS, usage=True),
    390318: Fault(
        "the OAuth token has expired", "Get a new token, or give the output a refresh token.", usage=True
    ),
    390420: Fault(
        "this machine's address is not allowed in",
        "A network policy of the account keeps it out.",
        usage=True,
    ),
}


def fault_of(
    error: Exception, where: str, secrets: tuple[str, ...] = (), *, signing_in: bool = False
) -> ReverseEtlError:
    """Return the error to raise for one of the connector.

    A WarehouseError; SessionLost where the session is gone; while signing in a UsageError for what only
    people can mend.
    """
    number = getattr(error, "errno", None)
    said = without(first_line(error), secrets)
    known = _FAULTS.get(number or 0)
    if known is not None:
        return _kind(number, known, signing_in=signing_in).of(
            f"Snowflake: {known.what} ({number}).", where=where, advice=known.advice
        )
    if number in UNREACHABLE:
        return WarehouseError.of(
            f"Snowflake can't be reached: {said}",
            where=where,
            advice=f"Look at the output's `account`, and at proxies and firewalls. {AGAIN}",
        )
    if number in MISSING or number in REFUSED:
        return WarehouseError.of(
            f"Snowflake: {said}",
            where=where,
            advice="The role may lack a grant; docs/snowflake.md has the script.",
        )
    return WarehouseError.of(f"Snowflake: {said}", where=where, advice=AGAIN)


def _kind(number: int | None, known: Fault, *, signing_in: bool) -> type[WarehouseError | UsageError]:
    if signing_in:
        return UsageError if known.usage else WarehouseError
    return SessionLost if number in GONE else WarehouseError


def first_line(error: Exception) -> str:
    """Return what the connector says, in one line."""
    text = " ".join(str(error).split())
    return re.sub(r" \(request_id=[0-9a-f-]+\)$", "", text)


def without(text: str, secrets: tuple[str, ...]) -> str:
    """Return a text in which no secret stands."""
    for secret in secrets:
        text = text.replace(secret, "****")
    return text
