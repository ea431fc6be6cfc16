"""The ways to sign in to Snowflake: the parameters of the connector, and that no secret is shown."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from snowflake.connector.errors import ProgrammingError

from reverse_etl.errors import ReverseEtlError, UsageError, WarehouseError
from reverse_etl.warehouse.snowflake import Snowflake
from reverse_etl.warehouse.snowflake.account import account_url
from reverse_etl.warehouse.snowflake.auth import build_arguments
from reverse_etl.warehouse.snowflake.errors import translate_error
from tests.warehouse.snowflake_accounts import PASSWORD, new_database

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from cryptography.hazmat.primitives._serialization import Encoding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from tests.warehouse.snowflake_accounts import Server

BASE = {"type": "snowflake", "account": "acc", "user": "RETL"}
PASSPHRASE = "dummy passphrase"


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    """Make a private key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def written(
    key: RSAPrivateKey, encoding: Encoding = serialization.Encoding.PEM, passphrase: str | None = None
) -> bytes:
    """Return a key as a file of it would be."""
    lock = (
        serialization.BestAvailableEncryption(passphrase.encode())
        if passphrase
        else serialization.NoEncryption()
    )
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, lock)


def asked(**settings: Any) -> dict[str, Any]:
    """Return what the connector is asked for, without what every sign-in has."""
    made = build_arguments(BASE | settings)
    common = {"session_parameters", "client_session_keep_alive", "login_timeout", "account", "user"}
    return {name: value for name, value in made.items() if name not in common}


WAYS = {
    "password": ({"password": "pw12"}, {"password": "pw12"}),
    "password by name": ({"authenticator": "snowflake", "password": "pw12"}, {"password": "pw12"}),
    "oauth": ({"authenticator": "oauth", "token": "tok1"}, {"authenticator": "oauth", "token": "tok1"}),
    "a token alone": ({"token": "tok1"}, {"authenticator": "oauth", "token": "tok1"}),
    "dbt's jwt": ({"authenticator": "jwt", "token": "tok1"}, {"authenticator": "oauth", "token": "tok1"}),
    "access token": (
        {"authenticator": "programmatic_access_token", "token": "pat1"},
        {"authenticator": "PROGRAMMATIC_ACCESS_TOKEN", "token": "pat1"},
    ),
    "access token as password": (
        {"authenticator": "PROGRAMMATIC_ACCESS_TOKEN", "password": "pat1"},
        {"authenticator": "PROGRAMMATIC_ACCESS_TOKEN", "token": "pat1"},
    ),
    "browser": (
        {"authenticator": "externalbrowser"},
        {"authenticator": "externalbrowser", "client_store_temporary_credential": True},
    ),
    "mfa": (
        {"authenticator": "username_password_mfa", "password": "pw12", "passcode": "123456"},
        {
            "authenticator": "username_password_mfa",
            "password": "pw12",
            "passcode": "123456",
            "client_store_temporary_credential": True,
        },
    ),
    "okta": (
        {"authenticator": "https://shop.okta.com", "password": "pw12"},
        {"authenticator": "https://shop.okta.com", "password": "pw12"},
    ),
    "workload": (
        {"authenticator": "workload_identity", "workload_identity_provider": "AWS"},
        {"authenticator": "WORKLOAD_IDENTITY", "workload_identity_provider": "AWS"},
    ),
    "client credentials": (
        {"authenticator": "oauth_client_credentials", "oauth_client_id": "id", "oauth_client_secret": "sec1"},
        {"authenticator": "OAUTH_CLIENT_CREDENTIALS", "oauth_client_id": "id", "oauth_client_secret": "sec1"},
    ),
    "connections.toml": ({"account": None, "connection_name": "prod"}, {"connection_name": "prod"}),
    "an account with an underscore": (
        {"account": "my_org-acc", "password": "pw12"},
        {"host": "my-org-acc.snowflakecomputing.com", "password": "pw12"},
    ),
    "an account with an underscore, and its host": (
        {"account": "my_org-acc", "host": "h", "password": "pw12"},
        {"host": "h", "password": "pw12"},
    ),
    "places and proxies": (
        {
            "password": "pw12",
            "role": "R",
            "warehouse": "W",
            "database": "D",
            "schema": "S",
            "host": "h",
            "port": "8443",
            "protocol": "https",
            "proxy_host": "p",
            "proxy_port": 8080,
        },
        {
            "password": "pw12",
            "role": "R",
            "warehouse": "W",
            "database": "D",
            "schema": "S",
            "host": "h",
            "port": 8443,
            "protocol": "https",
            "proxy_host": "p",
            "proxy_port": 8080,
        },
    ),
}


@pytest.mark.parametrize(("settings", "wanted"), WAYS.values(), ids=WAYS)
def test_each_sign_in_passes_its_own_parameters(settings: dict[str, Any], wanted: dict[str, Any]) -> None:
    """The keys of dbt on the left; what connector 4.8 and 5.x both take on the right."""
    assert asked(**settings) == wanted


def test_a_token_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("tok1\n")
    given = asked(authenticator="oauth", token_file_path=str(tmp_path / "token"))
    assert given == {"authenticator": "oauth", "token": "tok1"}


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
@pytest.mark.parametrize("way", ["path", "PEM", "PEM on one line", "base64"])
def test_a_key_pair_is_read_from_a_file_or_from_the_profile(
    key: RSAPrivateKey, tmp_path: Path, way: str, passphrase: str | None
) -> None:
    """The connector gets it unlocked, as DER, which all its versions take."""
    pem = written(key, passphrase=passphrase)
    (tmp_path / "key.p8").write_bytes(pem)
    settings = {
        "path": {"private_key_path": str(tmp_path / "key.p8")},
        "PEM": {"private_key": pem.decode()},
        "PEM on one line": {"private_key": pem.decode().replace("\n", "\\n")},
        "base64": {
            "private_key": base64.b64encode(written(key, serialization.Encoding.DER, passphrase)).decode()
        },
    }[way]
    if passphrase:
        settings["private_key_passphrase"] = passphrase
    plain = written(key, serialization.Encoding.DER)
    assert asked(**settings) == {"authenticator": "SNOWFLAKE_JWT", "private_key": plain}


def bad_keys(key: RSAPrivateKey, folder: Path) -> list[tuple[Any, str]]:
    """Return keys that can't be used, each with a word of what is wrong."""
    locked = written(key, passphrase=PASSPHRASE).decode()
    (folder / "public.pem").write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return [
        ({"private_key": locked}, "locked"),
        ({"private_key": locked, "private_key_passphrase": "wrong secret"}, "passphrase is wrong"),
        ({"private_key": written(key).decode(), "private_key_passphrase": "needless secret"}, "not locked"),
        ({"private_key": "this is no key at all"}, "not a private key"),
        ({"private_key_path": str(folder / "public.pem")}, "not a private key"),
        ({"private_key_path": str(folder / "missing.p8")}, "No such file"),
    ]


@pytest.mark.parametrize("which", range(6))
def test_an_unusable_key_is_reported_and_not_shown(key: RSAPrivateKey, tmp_path: Path, which: int) -> None:
    """Neither the key nor the passphrase is in the message or the traceback's texts."""
    settings, word = bad_keys(key, tmp_path)[which]
    with pytest.raises(UsageError, match=word) as caught:
        asked(**settings)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.problems)
    assert "secret" not in told
    assert "MII" not in told
    assert "no key at all" not in told


@pytest.mark.parametrize(
    ("written_account", "account", "url"),
    [
        ("org-acc", "org-acc", "https://org-acc.snowflakecomputing.com"),
        ("my_org-acc", "my_org-acc", "https://my-org-acc.snowflakecomputing.com"),
        ("acc.eu-west-1", "acc.eu-west-1", "https://acc.eu-west-1.snowflakecomputing.com"),
        ("acc.cn-north-1", "acc.cn-north-1", "https://acc.cn-north-1.snowflakecomputing.cn"),
        ("org-acc.snowflakecomputing.com", "org-acc", "https://org-acc.snowflakecomputing.com"),
        ("https://org-acc.snowflakecomputing.com/", "org-acc", "https://org-acc.snowflakecomputing.com"),
        (
            "org-acc.privatelink.snowflakecomputing.com:443",
            "org-acc.privatelink",
            "https://org-acc.privatelink.snowflakecomputing.com",
        ),
        (
            "https://app.snowflake.com/org/my_acc/#/home",
            "org-my_acc",
            "https://org-my-acc.snowflakecomputing.com",
        ),
    ],
)
def test_an_account_may_be_written_as_a_host_or_a_url(written_account: str, account: str, url: str) -> None:
    """Connector 4.8 would look for a host with the domain twice, and wait until the login times out."""
    settings = BASE | {"account": written_account, "password": "pw12"}
    assert build_arguments(settings)["account"] == account
    assert account_url(settings) == url


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"account": "two words", "password": "pw12"}, "not an account identifier"),
        ({"account": ""}, "no `account`"),
        ({}, "nothing to sign in with"),
        ({"authenticator": "snowflake"}, "no `password`"),
        ({"authenticator": "oauth"}, "no `token`"),
        ({"authenticator": "oauht", "token": "tok1"}, "oauht"),
        ({"authenticator": "oauth", "token_file_path": "nowhere/token"}, "can't be read"),
    ],
)
def test_an_impossible_sign_in_is_reported_before_any_request(settings: dict[str, str], word: str) -> None:
    """With what to write instead."""
    with pytest.raises(UsageError, match=word) as caught:
        asked(**settings)
    assert caught.value.problems[0].hint


def test_a_refresh_token_is_exchanged(server: Server) -> None:
    settings = server.settings(
        new_database(),
        authenticator="oauth",
        token="refresh-me",
        oauth_client_id="id",
        oauth_client_secret="sec1",
    )
    assert build_arguments(settings)["token"] == "access-for-refresh-me"
    with pytest.raises(UsageError, match="HTTP 400") as caught:
        build_arguments(settings | {"token": "stale-token"})
    assert "stale-token" not in repr(caught.value.problems)


def test_the_session_is_the_same_on_every_machine(server: Server) -> None:
    """No setting of the account or the user counts; an output may choose what its models' SQL means."""
    server.control("forget")
    own = {"rows_per_resultset": 1, "week_start": 1, "STATEMENT_TIMEOUT_IN_SECONDS": 60}
    settings = server.settings(new_database(), query_tag="nightly", session_parameters=own)
    Snowflake(settings, read_only=True).close()
    (login,) = server.control("look")["logins"]
    said = login["SESSION_PARAMETERS"]
    assert said["TIMEZONE"] == "UTC"
    assert said["QUERY_TAG"] == "nightly"
    assert str(said["STRICT_JSON_OUTPUT"]).lower() == "true"
    assert said["TIMESTAMP_TYPE_MAPPING"] == "TIMESTAMP_NTZ"
    assert {said[f"{kind}_INPUT_FORMAT"] for kind in ("DATE", "TIME", "TIMESTAMP")} == {"AUTO"}
    assert said["DEFAULT_NULL_ORDERING"] == "LAST"
    numbers = ("ROWS_PER_RESULTSET", "WEEK_START", "STATEMENT_TIMEOUT_IN_SECONDS")
    assert [int(said[name]) for name in numbers] == [0, 1, 60]
    assert not [name for name in said if name != name.upper()]
    assert login["query"]["warehouse"] == "RETL_XS"
    assert login["query"]["roleName"] == "RETL"


@pytest.mark.parametrize("code", [251001, 251005, 251007])
def test_a_setting_that_the_connector_rejects_is_a_configuration_error(code: int) -> None:
    """No request was made; running again does not help."""
    error = ProgrammingError(f"{code}: Invalid value: pw12", errno=code)
    told = translate_error(error, "signing in", ("pw12",), signing_in=True)
    assert isinstance(told, UsageError)
    assert "pw12" not in repr(told.problems)


@pytest.mark.parametrize(
    ("code", "word", "kind"),
    [
        ("390100", "password is wrong", UsageError),
        ("390144", "key pair", UsageError),
        ("390189", "role", UsageError),
        ("390318", "expired", UsageError),
        ("390420", "not allowed in", UsageError),
    ],
)
def test_a_refused_sign_in_says_what_to_do(
    server: Server, code: str, word: str, kind: type[UsageError]
) -> None:
    server.control("login_fault", {"pattern": "", "code": code, "message": f"no entry with {PASSWORD}"})
    try:
        with pytest.raises(kind, match=word) as caught:
            Snowflake(server.settings(new_database()), read_only=True)
    finally:
        server.control("login_fault")
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.problems)
    assert PASSWORD not in told


SIGN_IN = """
import json, logging, sys
logging.basicConfig(level=logging.DEBUG)
from reverse_etl.warehouse.snowflake import Snowflake
Snowflake(json.loads(sys.argv[1]), read_only=True).close()
"""


def test_signing_in_contacts_no_other_host(server: Server) -> None:
    """Neither a cloud's metadata service: a process asks it once, if at all, to learn where it runs."""
    command = [sys.executable, "-c", SIGN_IN, json.dumps(server.settings(new_database()))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "127.0.0.1" in done.stderr
    assert "metadata.google.internal" not in done.stderr
    assert "IMDS" not in done.stderr


def test_an_unreachable_server_is_a_warehouse_error() -> None:
    """The run may be tried again."""
    settings = {
        **BASE,
        "password": PASSWORD,
        "host": "127.0.0.1",
        "port": 9,
        "protocol": "http",
        "connect_timeout": 1,
    }
    with pytest.raises(WarehouseError, match="can't be reached") as caught:
        Snowflake(settings | {"database": "D", "schema": "S", "connect_retries": 0}, read_only=True)
    assert isinstance(caught.value, ReverseEtlError)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
