"""A web page of another site cannot use the sandbox through a browser; other users cannot read its file."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

import pytest
import requests

from reverse_etl.errors import UsageError
from reverse_etl.sandbox import Fault, FaultKind, Sandbox
from tests.sandbox.caller import HEADERS, Caller, people

if TYPE_CHECKING:
    from pathlib import Path

ADDRESSES = ["/", "/sandbox/profiles", "/api/lists", "/nowhere"]


def status(sandbox: Sandbox, path: str, headers: dict[str, str | None], method: str = "GET") -> int:
    """Return the status of the reply to a request with these headers."""
    sent = {**HEADERS, **headers}
    return requests.request(method, sandbox.origin + path, headers=sent, timeout=5).status_code


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize(
    "host",
    [
        "sandbox.example.com",
        "localhost.example.com:8765",
        "127.0.0.1.example.com",
        "192.168.0.7:8765",
        "a.klaviyo.com",
        "localhost@example.com",
        "example.com/localhost",
        "127.0.0.1:port",
        "2130706433",
    ],
)
def test_a_foreign_host_name_is_misdirected(sandbox: Sandbox, path: str, host: str) -> None:
    """As after DNS rebinding: the name leads here, and the page is another site's."""
    assert status(sandbox, path, {"Host": host}) == 421


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:9", "127.0.0.1", "127.0.0.1:1", "[::1]:80", "127.1.2.3:80"]
)
def test_the_machines_own_names_are_answered(sandbox: Sandbox, host: str) -> None:
    """With any port: a forwarded one is another."""
    assert status(sandbox, "/api/lists", {"Host": host}) == 200


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize(
    "origin",
    ["https://example.com", "http://localhost:3000", "null", "", "http://127.0.0.1:8765.example.com"],
)
def test_another_origin_is_refused(sandbox: Sandbox, path: str, origin: str) -> None:
    """Browsers name the page that lets them send a request; another local port is another origin."""
    assert status(sandbox, path, {"Host": "localhost:8765", "Origin": origin}) == 403


def test_a_page_cannot_change_the_state_by_a_simple_request(sandbox: Sandbox) -> None:
    """A form's POST needs no permission of the server, so that the server has to look."""
    headers: dict[str, str | None] = {"Origin": "https://example.com", "Content-Type": "text/plain"}
    assert status(sandbox, "/sandbox/jobs/finish", headers, "POST") == 403
    assert status(sandbox, "/sandbox/faults", headers, "DELETE") == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_cannot_load_parts(sandbox: Sandbox, site: str) -> None:
    """As with <img> or <script>, which name no origin; a link to the sandbox may be followed."""
    headers: dict[str, str | None] = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    assert status(sandbox, "/sandbox/profiles", headers) == 403
    assert status(sandbox, "/", headers | {"Sec-Fetch-Mode": "navigate"}) == 200


@pytest.mark.parametrize(
    "path", ["/faults", "/faults/clear", "/faults/1/clear", "/jobs/finish", "/requests/clear"]
)
def test_a_form_of_another_page_changes_nothing(sandbox: Sandbox, path: str) -> None:
    """Neither with another origin nor without one: a browser always names it with a form."""
    sandbox.add_fault(Fault(FaultKind.CUT))
    form: dict[str, str | None] = {"Content-Type": "application/x-www-form-urlencoded"}
    for origin in ("https://example.com", "null", None):
        assert status(sandbox, path, form | {"Origin": origin}, "POST") == 403
    assert requests.get(f"{sandbox.origin}/sandbox/faults", timeout=5).json()["data"] != []


def test_the_sandboxs_own_origin_is_answered(sandbox: Sandbox) -> None:
    """The origin is the host's; without a browser there is none."""
    assert status(sandbox, "/sandbox/lists", {"Origin": sandbox.origin}) == 200
    assert status(sandbox, "/sandbox/lists", {"Host": "localhost:80", "Origin": "http://localhost:80"}) == 200


def test_the_page_allows_nothing_but_its_own_style_and_script(caller: Caller, sandbox: Sandbox) -> None:
    """No image or frame; forms lead to the sandbox; style and script have a nonce, new each time."""
    caller.run_import(people(2), caller.make_list("<script>alert(1)</script>"))
    first, second = (requests.get(sandbox.origin, timeout=5) for _ in range(2))
    policy = first.headers["Content-Security-Policy"]
    (nonce,) = set(re.findall(r"(?:style|script)-src 'nonce-([^']+)'", policy))
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith("connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
    assert f'<style nonce="{nonce}">' in first.text
    assert nonce not in second.text
    assert " style=" not in first.text
    assert re.findall(r"<script[^>]*>", first.text) == [f'<script nonce="{nonce}">']
    assert "&lt;script&gt;" in first.text
    assert first.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.skipif(os.name == "nt", reason="permissions of other users are not bits there")
@pytest.mark.parametrize("exists", [False, True])
def test_the_state_file_is_private(tmp_path: Path, exists: bool) -> None:
    """Also the files that SQLite puts beside it, and a file that was readable before."""
    path = tmp_path / "sandbox.sqlite"
    if exists:
        with Sandbox(path):
            pass
        path.chmod(0o644)
    before = os.umask(0o022)
    try:
        with Sandbox(path, job_seconds=0) as sandbox, (caller := Caller(sandbox)).session:
            caller.run_import(people(1))
            modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert "sandbox.sqlite" in modes
    assert set(modes.values()) == {0o600}


def test_a_folder_in_the_place_of_the_file_keeps_its_permissions(tmp_path: Path) -> None:
    """It cannot be opened, and stays as it is."""
    folder = tmp_path / "folder"
    folder.mkdir(0o755)
    with pytest.raises(UsageError) as caught:
        Sandbox(folder).start()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert "delete it" not in caught.value.problems[0].hint
