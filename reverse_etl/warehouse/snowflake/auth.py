"""Turns a dbt-snowflake output into the connector's arguments. No message contains a key or a password."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverse_etl.errors import UsageError
from reverse_etl.warehouse.snowflake.account import connection_host, normalize_account
from reverse_etl.warehouse.snowflake.oauth import exchange_refresh_token
from reverse_etl.warehouse.snowflake.private_key import load_der_key
from reverse_etl.warehouse.snowflake.session_parameters import session_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Arguments = dict[str, Any]

# Settings whose names are the same in dbt and in the connector.
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


def build_arguments(settings: Mapping[str, Any]) -> Arguments:
    """Return the connector's arguments for an output's settings. Raises UsageError where they can't work."""
    connect_arguments: Arguments = {
        name: settings[name] for name in _COPIED_SETTINGS if settings.get(name) not in (None, "")
    }
    if not connect_arguments.get("account") and not connect_arguments.get("connection_name"):
        raise _output_error(
            "it has no `account`", "Write account: <organisation>-<account>, or connection_name."
        )
    if "account" in connect_arguments:
        connect_arguments["account"] = normalize_account(str(connect_arguments["account"]))
        if host := connection_host(settings):
            connect_arguments["host"] = host
    if "port" in connect_arguments:
        connect_arguments["port"] = int(connect_arguments["port"])
    connect_arguments["login_timeout"] = int(settings.get("connect_timeout") or LOGIN_TIMEOUT_SECONDS)
    connect_arguments["client_session_keep_alive"] = (
        settings.get("client_session_keep_alive", True) is not False
    )
    connect_arguments["session_parameters"] = session_parameters(settings)
    return connect_arguments | _credentials(settings)


def secret_values(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the secrets of an output, which no message may contain."""
    values = (str(settings.get(name) or "") for name in _SECRET_SETTINGS)
    return tuple(secret for secret in values if len(secret) >= _MIN_SECRET_LENGTH)


def _credentials(settings: Mapping[str, Any]) -> Arguments:
    """Return the credentials for dbt's `authenticator`, or without one for the secrets that are set."""
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
    """Return an OAuth token. As in dbt, `token` is a refresh token if a client's id and secret are set."""
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
