"""Reads the private key of an output for key-pair authentication."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverse_etl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


def load_der_key(settings: Mapping[str, Any]) -> bytes:
    """Return the private key of `private_key` (PEM, or DER in base64) or `private_key_path`, unlocked.

    Raises UsageError without the key or its passphrase in it.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - comes with the connector

    setting, raw = _read_key(settings)
    passphrase = settings.get("private_key_passphrase")
    secret = str(passphrase).encode() if passphrase else None
    load = serialization.load_pem_private_key if b"-----BEGIN" in raw else serialization.load_der_private_key
    try:
        key = load(raw if b"-----BEGIN" in raw else _from_base64(raw), secret)
    except (ValueError, TypeError, binascii.Error) as error:
        raise UsageError.of(
            "The key of the snowflake output can't be read: "
            f"{_key_problem(error, has_passphrase=secret is not None)}.",
            where=f"profiles.yml, {setting}",
            hint="Write it as PKCS 8 in PEM, as `openssl genrsa 2048 | openssl pkcs8 -topk8` does.",
        ) from None
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read_key(settings: Mapping[str, Any]) -> tuple[str, bytes]:
    if settings.get("private_key"):
        return "private_key", str(settings["private_key"]).replace("\\n", "\n").strip().encode()
    path = Path(str(settings["private_key_path"])).expanduser()
    try:
        return "private_key_path", path.read_bytes()
    except OSError as error:
        raise UsageError.of(
            f"The key of the snowflake output can't be read: {error.strerror}.",
            where=f"profiles.yml, private_key_path: {path}",
            hint="Correct private_key_path, or let this user read the file.",
        ) from None


def _from_base64(raw: bytes) -> bytes:
    """Return a key in DER that is written as it is or in base64."""
    if raw[:1] == b"\x30":  # every DER key begins with an ASN.1 sequence
        return raw
    return base64.b64decode(b"".join(raw.split()), validate=True)


def _key_problem(error: Exception, *, has_passphrase: bool) -> str:
    if isinstance(error, TypeError) and not has_passphrase:
        return "it is locked, and the output has no private_key_passphrase"
    if isinstance(error, TypeError):
        return "it is not locked, though the output has a private_key_passphrase"
    if has_passphrase:
        return "the private_key_passphrase is wrong, or it is not a private key"
    return "it is not a private key"
