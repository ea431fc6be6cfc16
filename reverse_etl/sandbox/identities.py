"""Ids that look like Klaviyo's. A sandbox with the same account id and requests creates the same ids."""

from __future__ import annotations

import base64
import hashlib
import secrets
import string
import uuid
from typing import Final

_ALPHANUMERIC: Final = string.ascii_letters + string.digits
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def generate_account_id(seed: str | int | None) -> str:
    """Return six letters and digits: derived from `seed`, or random without a seed."""
    return _shorten_id(secrets.token_bytes(16) if seed is None else _hash_parts("account", str(seed)))


def derive_profile_id(account_id: str, number: int) -> str:
    """Return the id of the account's `number`-th profile: 26 characters, like a ULID."""
    bits = int.from_bytes(_hash_parts(account_id, "profile", str(number)))
    return "01" + "".join(_CROCKFORD[(bits >> shift) & 31] for shift in range(0, 120, 5))


def derive_list_id(account_id: str, number: int) -> str:
    """Return the id of the account's `number`-th list: six letters and digits."""
    return _shorten_id(_hash_parts(account_id, "list", str(number)))


def derive_job_id(account_id: str, number: int) -> str:
    """Return the id of the account's `number`-th import job: opaque text, longer than a profile's."""
    digest = _hash_parts(account_id, "job", str(number)).hex()[:20]
    return base64.urlsafe_b64encode(f"import:{account_id}:{digest}".encode()).decode().rstrip("=")


def derive_suppression_job_id(account_id: str, number: int) -> str:
    """Return the id of the account's `number`-th job of suppressions: opaque text."""
    return "01" + _hash_parts(account_id, "suppression job", str(number)).hex()[:24].upper()


def derive_metric_id(account_id: str, number: int) -> str:
    """Return the id of the account's `number`-th metric: six letters and digits."""
    return _shorten_id(_hash_parts(account_id, "metric", str(number)))


def derive_event_id(account_id: str, number: int) -> str:
    """Return the id of the account's `number`-th event: eleven letters and digits."""
    seed = _hash_parts(account_id, "event", str(number))
    return _shorten_id(seed) + _shorten_id(seed[::-1])[:5]


def derive_event_uuid(account_id: str, number: int) -> str:
    """Return the UUID of the account's `number`-th event."""
    return str(uuid.UUID(bytes=_hash_parts(account_id, "event uuid", str(number))))


def _hash_parts(*parts: str) -> bytes:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()


def _shorten_id(seed: bytes) -> str:
    number = int.from_bytes(seed)
    letters = ""
    for _ in range(6):
        number, index = divmod(number, len(_ALPHANUMERIC))
        letters += _ALPHANUMERIC[index]
    return letters
