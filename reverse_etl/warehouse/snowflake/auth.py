"""From a dbt-snowflake output to what the connector is asked for; keys and passwords stand in no message."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverse_etl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
import base64
import binascii

if TYPE_CHECKING:
    from collections.abc import Mapping
from reverse_etl.errors import WarehouseError

Arguments = dict[str, Any]

# The same under both names.
_COPIED_SETTINGS = (
    *("account", "user", "role", "warehouse", "database", "schema", "host", "port", "protocol"),
    *("proxy_host", "proxy_port", "proxy_user", "proxy_password", "passcode", "passcode_in_password"),
    *("workload_identity_provider", "workload_identity_entra_resource", "connection_name"),
)


_SECRET_SETTINGS = (
    *("password", "private_key", "private_key_passphrase", "token", "oauth_client_secret", "passcode"),
    "proxy_password",
)


LOGIN_TIMEOUT_SECONDS = 60


_MIN_SECRET_LENGTH = 4  # a shorter one would mask words of a message


# Parameters of every session, so that a model returns the same rows and texts on every machine.
_SESSION_PARAMETERS = {
    "TIMEZONE": "UTC",
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "TIME_OUTPUT_FORMAT": "HH24:MI:SS.FF9",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9",
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9 TZHTZM",
    "TIMESTAMP_TZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9 TZHTZM",
    "BINARY_OUTPUT_FORMAT": "HEX",
    "GEOGRAPHY_OUTPUT_FORMAT": "GeoJSON",
    "GEOMETRY_OUTPUT_FORMAT": "GeoJSON",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "ERROR_ON_NONDETERMINISTIC_MERGE": True,
    "AUTOCOMMIT": True,
    "LOCK_TIMEOUT": 600,
}


def build_arguments(settings: Mapping[str, Any]) -> Arguments:
    """Return the connector's arguments for an output's settings. Raises UsageError where they can't work."""
    connect_arguments: Arguments = {
        name: settings[name] for name in _COPIED_SETTINGS if settings.get(name) not in (None, "")
    }
    if not connect_arguments.get("account") and not connect_arguments.get("connection_name"):
        raise _output_error(
            "it has no `account`", "Write account: <organisation>-<account>, or connection_name."
        )
    if "port" in connect_arguments:
        connect_arguments["port"] = int(connect_arguments["port"])
    connect_arguments["login_timeout"] = int(settings.get("connect_timeout") or LOGIN_TIMEOUT_SECONDS)
    connect_arguments["client_session_keep_alive"] = (
        settings.get("client_session_keep_alive", True) is not False
    )
    connect_arguments["session_parameters"] = session_parameters(settings)
    return connect_arguments | _credentials(settings)


def session_parameters(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the session's parameters: the output's own, and over them what the job relies on."""
    tag = str(settings.get("query_tag") or "reverse_etl")
    return {**(settings.get("session_parameters") or {}), **_SESSION_PARAMETERS, "QUERY_TAG": tag}


def secret_values(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts that must stand in no message."""
    values = (str(settings.get(name) or "") for name in _SECRET_SETTINGS)
    return tuple(secret for secret in values if len(secret) >= _MIN_SECRET_LENGTH)


def _credentials(settings: Mapping[str, Any]) -> Arguments:
    """Return what proves who the user is, by dbt's `authenticator`, or by what there is."""
    authenticator = str(settings.get("authenticator") or "")
    if settings.get("private_key") or settings.get("private_key_path"):
        return {"authenticator": "SNOWFLAKE_JWT", "private_key": load_der_key(settings)}
    if not authenticator:
        return (
            {"password": settings["password"]} if settings.get("password") else _token_credentials(settings)
        )
    build_credentials = _AUTHENTICATORS.get(authenticator.lower())
    if build_credentials is not None:
        return build_credentials(settings)
    if authenticator.lower().startswith("https://"):  # Okta's own address
        return {"authenticator": authenticator, **_password_credentials(settings)}
    raise _output_error(
        f"its authenticator {authenticator!r} is not known",
        f"There are: {', '.join(sorted(_AUTHENTICATORS))}.",
    )


def _token_credentials(settings: Mapping[str, Any]) -> Arguments:
    if settings.get("token"):
        return {"authenticator": "oauth", "token": settings["token"]}
    if settings.get("connection_name"):
        return {}  # connections.toml has the rest
    raise _output_error(
        "it has nothing to sign in with",
        "Give it a private_key_path (best for a job), a password, a token or an authenticator.",
    )


def _password_credentials(settings: Mapping[str, Any]) -> Arguments:
    if not settings.get("password"):
        raise _output_error(
            "it has no `password`", "Take it from the environment: \"{{ env_var('SNOWFLAKE_PASSWORD') }}\""
        )
    return {"password": settings["password"]}


def _read_token(settings: Mapping[str, Any]) -> str:
    if settings.get("token"):
        return str(settings["token"])
    if settings.get("token_file_path"):
        path = Path(str(settings["token_file_path"])).expanduser()
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise _output_error(f"its token can't be read from {path}", f"{error.strerror}.") from None
    raise _output_error("it has no `token`", "Give it a `token` or a `token_file_path`.")


def _oauth_credentials(settings: Mapping[str, Any]) -> Arguments:
    """As in dbt, a client's id and secret mean that `token` is a refresh token."""
    token = _read_token(settings)
    if settings.get("oauth_client_id") and settings.get("oauth_client_secret"):
        token = exchange_refresh_token(settings, token)
    return {"authenticator": "oauth", "token": token}


def _client_credentials(settings: Mapping[str, Any]) -> Arguments:
    names = ("oauth_client_id", "oauth_client_secret", "oauth_token_request_url", "oauth_scope")
    return {
        "authenticator": "OAUTH_CLIENT_CREDENTIALS",
        **{name: settings[name] for name in names if settings.get(name)},
    }


def _authorization_code(settings: Mapping[str, Any]) -> Arguments:
    names = (
        *("oauth_client_id", "oauth_client_secret", "oauth_authorization_url", "oauth_token_request_url"),
        *("oauth_redirect_uri", "oauth_scope"),
    )
    options = {name: settings[name] for name in names if settings.get(name)}
    return {"authenticator": "OAUTH_AUTHORIZATION_CODE", "client_store_temporary_credential": True, **options}


_AUTHENTICATORS: Mapping[str, Callable[[Mapping[str, Any]], Arguments]] = {
    "snowflake": _password_credentials,
    "oauth": _oauth_credentials,
    "jwt": lambda settings: {"authenticator": "oauth", "token": _read_token(settings)},
    "programmatic_access_token": lambda settings: {
        "authenticator": "PROGRAMMATIC_ACCESS_TOKEN",
        "token": _read_token(settings)
        if settings.get("token") or settings.get("token_file_path")
        else _password_credentials(settings)["password"],
    },
    "externalbrowser": lambda _: {
        "authenticator": "externalbrowser",
        "client_store_temporary_credential": True,
    },
    "username_password_mfa": lambda settings: {
        "authenticator": "username_password_mfa",
        "client_store_temporary_credential": True,
        **_password_credentials(settings),
    },
    "workload_identity": lambda settings: {
        "authenticator": "WORKLOAD_IDENTITY",
        **(
            {"token": _read_token(settings)}
            if settings.get("token") or settings.get("token_file_path")
            else {}
        ),
    },
    "oauth_client_credentials": _client_credentials,
    "oauth_authorization_code": _authorization_code,
}


def _output_error(summary: str, hint: str) -> UsageError:
    return UsageError.of(f"The snowflake output can't be used: {summary}.", where="profiles.yml", hint=hint)


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
            hint="Mend private_key_path, or let this user read the file.",
        ) from None


def _from_base64(raw: bytes) -> bytes:
    """Return DER as it is, or as base64 says it."""
    if raw[:1] == b"\x30":  # an ASN.1 sequence, with which every DER key begins
        return raw
    return base64.b64decode(b"".join(raw.split()), validate=True)


def _key_problem(error: Exception, *, has_passphrase: bool) -> str:
    if isinstance(error, TypeError) and not has_passphrase:
        return "it is locked, and the output has no private_key_passphrase"
    if isinstance(error, TypeError):
        return "it is not locked, though the output has a private_key_passphrase"
    if has_passphrase:
        return "the private_key_passphrase is wrong, or it is no private key"
    return "it is no private key"


TOKEN_TIMEOUT_SECONDS = 30


def exchange_refresh_token(settings: Mapping[str, Any], refresh_token: str) -> str:
    """Return a new access token ("Snowflake OAuth"). Raises errors without a token in them."""
    import requests  # noqa: PLC0415 - few sign in this way

    url = str(settings.get("oauth_token_request_url") or f"{_account_url(settings)}/oauth/token-request")
    try:
        response = requests.post(
            url,
            auth=(str(settings["oauth_client_id"]), str(settings["oauth_client_secret"])),
            data={"grant_type": "refresh_token", "refresh_token": refresh_token},
            timeout=TOKEN_TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise WarehouseError.of(
            f"The OAuth token could not be renewed: {type(error).__name__}.",
            where=url,
            hint="It is safe to run again.",
        ) from None
    token = _access_token(response)
    if token is None:
        raise UsageError.of(
            f"The OAuth token could not be renewed: HTTP {response.status_code}.",
            where=url,
            hint="Look at oauth_client_id and oauth_client_secret, and get a new refresh token.",
        )
    return token


def _access_token(response: Any) -> str | None:
    try:
        token = response.json().get("access_token") if response.ok else None
    except (ValueError, AttributeError):
        return None
    return token if isinstance(token, str) else None


def _account_url(settings: Mapping[str, Any]) -> str:
    host = settings.get("host") or f"{settings.get('account')}.snowflakecomputing.com"
    port = f":{settings['port']}" if settings.get("port") else ""
    return f"{settings.get('protocol') or 'https'}://{host}{port}"
