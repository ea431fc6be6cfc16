"""The client trusts only replies that are Klaviyo's: status, content, pages, errors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from reverse_etl.errors import KlaviyoError, ReplyLost
from tests.klaviyo.server import (
    BODY,
    Reply,
    a_list,
    page,
    problem,
    refused,
)

if TYPE_CHECKING:
    from reverse_etl.klaviyo.api import Klaviyo
    from tests.klaviyo.server import ApiServer

HTML = Reply(200, content=b"<html>Welcome to the hotel</html>", kind="text/html")


@pytest.mark.parametrize(
    "reply",
    [
        HTML,
        Reply(200, content=b"<html>", kind="application/json"),
        Reply(200, document={"ok": True}),
        Reply(200, content=b""),
    ],
)
def test_a_200_that_is_not_klaviyos_is_an_error(server: ApiServer, klaviyo: Klaviyo, reply: Reply) -> None:
    """A hotel's page is no list, and an empty page is not 'no lists'."""
    server.will(reply)
    with pytest.raises(KlaviyoError, match="The status was 200, but the reply is") as error:
        klaviyo.find_lists("VIP")
    assert "proxy" in problem(error).hint


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_good_status_with_a_page_does_not_count_as_delivered(
    server: ApiServer, klaviyo: Klaviyo, status: int
) -> None:
    server.will(Reply(status, content=b"<html></html>", kind="text/html"))
    with pytest.raises(ReplyLost):
        klaviyo.start_import(BODY)


def test_a_200_instead_of_204_does_not_count_as_success(server: ApiServer, klaviyo: Klaviyo) -> None:
    """The reference names one status for each request."""
    server.will(Reply(200, document={"data": []}))
    with pytest.raises(ReplyLost):
        klaviyo.add_members("L1", ["P1"])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:1/api/lists", "/api/elsewhere", "https://example.com/"]
)
def test_redirects_are_not_followed(server: ApiServer, klaviyo: Klaviyo, status: int, location: str) -> None:
    server.will(Reply(status, headers={"location": location}))
    with pytest.raises(KlaviyoError, match="redirect") as error:
        klaviyo.start_import(BODY)
    assert len(server.seen) == 1
    assert not isinstance(error.value, ReplyLost)


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:1/api/lists?page%5Bcursor%5D=x",
        "https://example.com/api/lists",
        "http://user@{host}/api/lists",
        "https://{host}/api/lists",
        "//{host}/api/lists",
        "/api/lists",
        "{origin}/other/lists",
        "{origin}/api/../other",
        "{origin}",
        "http://[",
        "javascript:alert(1)",
    ],
)
def test_a_next_page_at_another_origin_is_not_fetched(server: ApiServer, klaviyo: Klaviyo, link: str) -> None:
    host = server.origin.removeprefix("http://")
    server.will(page([a_list("L1", "VIP")], link.format(origin=server.origin, host=host)))
    with pytest.raises(KlaviyoError, match="The next page is at"):
        klaviyo.get_list_names()
    assert len(server.seen) == 1


def test_page_links_in_a_circle_are_an_error(server: ApiServer, klaviyo: Klaviyo) -> None:
    first, two = (f"{server.origin}/api/lists?page%5Bcursor%5D={n}" for n in (1, 2))
    server.will(page([], first), page([], two), page([], first))
    with pytest.raises(KlaviyoError, match="circle"):
        klaviyo.get_list_names()


def test_every_page_is_read(server: ApiServer, klaviyo: Klaviyo) -> None:
    """A list of the same name on the last page is found too; a name that only resembles is not."""
    following = [f"{server.origin}/api/lists?page%5Bcursor%5D={n}" for n in range(149)]
    pages = [page([a_list(f"L{n}", "vip")], link) for n, link in enumerate(following)]
    server.will(*pages, page([a_list("L149", "VIP"), a_list("L150", "VIP ")]))
    assert [listed.id for listed in klaviyo.find_lists("VIP")] == ["L149"]
    assert len(server.seen) == 150
    assert parse_qs(urlsplit(server.seen[0].target).query) == {
        "filter": ['any(name,["VIP"])'],
        "page[size]": ["10"],
        "fields[list]": ["name,created"],
    }
    assert server.seen[149].target == "/api/lists?page%5Bcursor%5D=148"


CLOUDFLARE = Reply(403, content=b"<html>", kind="text/html", headers={"cf-mitigated": "challenge"})
REFUSALS = [
    (refused(401, "authentication_failed"), "Klaviyo does not accept the key (401 ", "Check the private key"),
    (refused(403, "permission_denied"), "The key is valid, but lacks a scope (403 ", "needs accounts:read."),
    (refused(410, "gone"), "Klaviyo refused the request: 410 gone", "set a newer api_revision"),
    (
        refused(400, pointer="/data/x"),
        "Klaviyo refused the request: 400 invalid: It will not do (at /data/x)",
        "safe",
    ),
    (CLOUDFLARE, "Cloudflare, in front of Klaviyo, challenged the request (403).", "Run again later"),
    (
        Reply(403, content=b"<html>", kind="text/html"),
        "The reply was 403 with text/html, which is not ",
        "proxy",
    ),
    (Reply(407, content=b"", kind=""), "The reply was 407 with no content type, which is not ", "proxy"),
]


@pytest.mark.parametrize(("reply", "what", "advice"), REFUSALS)
def test_a_refusal_says_what_is_wrong_and_what_to_do(
    server: ApiServer, klaviyo: Klaviyo, reply: Reply, what: str, advice: str
) -> None:
    """A wrong key, a key without a scope, and a page of somebody between are three things."""
    server.will(reply)
    with pytest.raises(KlaviyoError) as error:
        klaviyo.get_account()
    found = problem(error)
    assert found.summary.startswith(what)
    assert advice in found.hint
    assert found.where == "GET /api/accounts"
    assert len(server.seen) == 1


def test_a_missing_scope_error_names_all_scopes_of_the_request(server: ApiServer, klaviyo: Klaviyo) -> None:
    """An import needs two, even without a list."""
    server.will(refused(403, "permission_denied"))
    with pytest.raises(KlaviyoError) as error:
        klaviyo.start_import(BODY)
    assert "lists:write and profiles:write" in problem(error).hint


def test_klaviyos_404_is_none_but_a_proxys_404_is_an_error(server: ApiServer, klaviyo: Klaviyo) -> None:
    """Only Klaviyo can say that a list is not there."""
    server.will(refused(404, "not_found"), Reply(404, content=b"<html>", kind="text/html"))
    assert klaviyo.get_list("L1") is None
    with pytest.raises(KlaviyoError, match="The reply was 404 with text/html"):
        klaviyo.get_list("L1")


def test_the_servers_time_is_the_newest_date(server: ApiServer, klaviyo: Klaviyo) -> None:
    """An older one, overtaken on its way, does not turn it back."""
    with pytest.raises(KlaviyoError, match="time is not known before the first reply"):
        _ = klaviyo.server_time
    dates = [f"Sat, 21 Nov 2026 10:00:{second} GMT" for second in ("05", "04")]
    server.will(*(Reply(document={"data": []}, date=date) for date in dates))
    for _ in dates:
        klaviyo.get_list_names()
        assert klaviyo.server_time == datetime(2026, 11, 21, 10, 0, 5, tzinfo=UTC)
