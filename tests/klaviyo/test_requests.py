"""Requests and their destination, against a real server on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import KlaviyoError, ReplyLost, UsageError
from reverse_etl.klaviyo.api import Klaviyo
from tests.klaviyo.server import (
    BODY,
    JOB,
    KEY,
    DummyKey,
    Reply,
    page,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from tests.clocks import QuickClock
    from tests.klaviyo.server import ApiServer


def test_every_request_has_the_headers_that_klaviyo_requires(server: ApiServer, klaviyo: Klaviyo) -> None:
    """From its page 'API overview'."""
    server.will(JOB)
    klaviyo.start_import(BODY)
    (seen,) = server.seen
    assert (seen.method, seen.target, seen.body) == ("POST", "/api/profile-bulk-import-jobs", BODY)
    sent = {name.lower(): value for name, value in seen.headers.items()}
    assert sent["authorization"] == f"Klaviyo-API-Key {KEY}"
    assert sent["revision"] == "2026-10-15"
    assert sent["x-klaviyo-revision-fall-forward-opt-out"] == "1"
    assert sent["accept"] == sent["content-type"] == "application/vnd.api+json"
    assert sent["user-agent"].startswith("reverse-etl/")


def test_requests_reuse_one_connection(server: ApiServer, klaviyo: Klaviyo) -> None:
    server.will(page([]), JOB, Reply(204), refused(400), refused(404), refused(503), page([]))
    klaviyo.get_list_names()
    klaviyo.start_import(BODY)
    klaviyo.add_members("L1", ["P1"])
    klaviyo.start_import(BODY)
    klaviyo.get_list("L1")
    klaviyo.get_list_names()
    assert len(server.seen) == 7
    assert len({seen.connection for seen in server.seen}) == 1


def test_a_netrc_file_does_not_replace_the_key(
    server: ApiServer, klaviyo: Klaviyo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it would where no authorization object is set."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\ndefault login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    klaviyo.get_list_names()
    assert server.seen[0].headers["Authorization"] == f"Klaviyo-API-Key {KEY}"


def test_a_proxy_of_the_environment_is_not_used_for_loopback(
    server: ApiServer, klaviyo: Klaviyo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox is here; a proxy would see its traffic and could not reach it."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    klaviyo.get_list_names()
    assert len(server.seen) == 1


def test_a_proxy_of_the_environment_is_used_for_klaviyo(
    server: ApiServer, clock: QuickClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for a tunnel, and sees neither key nor path."""
    monkeypatch.setenv("HTTPS_PROXY", server.origin)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    asked: list[tuple[str, str | None]] = []
    monkeypatch.setattr(server.RequestHandlerClass, "do_CONNECT", _refuse_tunnel(asked), raising=False)
    klaviyo = Klaviyo.connect("https://a.klaviyo.com", DummyKey(), "2026-10-15", clock=clock)
    with pytest.raises(KlaviyoError) as error:
        klaviyo.get_account()
    assert set(asked) == {("a.klaviyo.com:443", None)}
    assert not isinstance(error.value, ReplyLost)


def _refuse_tunnel(asked: list[tuple[str, str | None]]) -> Callable[[Any], None]:
    def answer(handler: Any) -> None:
        asked.append((handler.path, handler.headers.get("Authorization")))
        handler.send_error(502)

    return answer


@pytest.mark.parametrize(
    "origin",
    [
        "http://a.klaviyo.com",
        "https://a.klaviyo.com.example.com",
        "https://a.klaviyo.com@example.com",
        "https://a.klaviyo.com:8443",
        "https://A.klaviyo.com/api",
        "https://example.com",
        "http://example.com",
        "http://127.0.0.1@example.com",
        "http://user:secret@127.0.0.1",
        "http://127.0.0.1.example.com",
        "http://192.168.0.1",
        "http://0.0.0.0",
        "http://[::]",
        "https://127.0.0.1",
        "http://127.0.0.1/other",
        "http://127.0.0.1:99999",
        "ftp://127.0.0.1",
        "127.0.0.1",
        "",
    ],
)
def test_the_key_goes_to_no_other_origin(origin: str) -> None:
    """Klaviyo's own or a loopback address; refused before anything is sent."""
    with pytest.raises(UsageError, match="The key may not be sent to"):
        Klaviyo.connect(origin, DummyKey(), "2026-10-15")


@pytest.mark.parametrize(
    "origin",
    [
        "https://a.klaviyo.com",
        "https://a.klaviyo.com/",
        "http://127.0.0.1:8080",
        "http://127.1.2.3",
        "http://localhost:1",
        "http://[::1]:80",
    ],
)
def test_klaviyo_and_loopback_are_allowed_origins(origin: str) -> None:
    heard: list[Any] = []
    Klaviyo.connect(origin, DummyKey(), "2026-10-15", on_request=heard.append).close()
    assert heard == []


@pytest.mark.parametrize("text", ["", "pk_a\nX-Evil: 1", "pk_a b", "pk_ä", "pk_a\x00"])
def test_a_key_invalid_in_a_header_is_refused_without_showing_it(text: str) -> None:
    """The library's own message would show it."""

    class Odd:
        def reveal(self) -> str:
            return text

    with pytest.raises(UsageError) as error:
        Klaviyo.connect("http://127.0.0.1", Odd(), "2026-10-15")
    assert text == "" or text not in str(error.value) + repr(error.value)


@pytest.mark.parametrize("list_id", ["", ".", "..", "..."])
def test_an_id_that_would_lead_to_another_path_is_refused(
    server: ApiServer, klaviyo: Klaviyo, list_id: str
) -> None:
    """A list id comes from a file that a person wrote."""
    with pytest.raises(KlaviyoError, match="is not a Klaviyo id"):
        klaviyo.remove_members(list_id, ["P1"])
    assert server.seen == []


def test_ids_are_encoded_in_paths(server: ApiServer, klaviyo: Klaviyo) -> None:
    """Job ids are opaque and may hold slashes."""
    server.will(refused(404))
    assert klaviyo.get_job("am9i/+=?#") is None
    assert server.seen[0].target == "/api/profile-bulk-import-jobs/am9i%2F%2B%3D%3F%23"
