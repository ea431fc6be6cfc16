"""Imports and new lists: refusals, lost replies, waiting."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import KlaviyoError, ReplyLost
from reverse_etl.klaviyo.api import Klaviyo
from reverse_etl.klaviyo.imports import ImportAccepted, RequestRefused, RowError, RowsRefused
from reverse_etl.klaviyo.transport import Timeouts
from tests.klaviyo.server import (
    BODY,
    JOB,
    DummyKey,
    Reply,
    a_list,
    page,
    problem,
    refused,
    throttled,
)

if TYPE_CHECKING:
    from typing import Any

    from tests.clocks import QuickClock
    from tests.klaviyo.server import ApiServer


def test_an_import_that_is_accepted_gives_its_job(server: ApiServer, klaviyo: Klaviyo) -> None:
    server.will(JOB)
    assert klaviyo.start_import(BODY) == ImportAccepted("am9i/+=", earlier_reply_lost=False)


def test_refused_rows_come_by_index(server: ApiServer, klaviyo: Klaviyo) -> None:
    server.will(refused(400, pointer="/data/attributes/profiles/data/7/attributes/email"))
    assert klaviyo.start_import(BODY) == RowsRefused(
        {7: RowError("invalid", "email", "It will not do.")}, earlier_reply_lost=False
    )


def test_a_refused_request_differs_from_refused_rows(server: ApiServer, klaviyo: Klaviyo) -> None:
    server.will(refused(404, "not_found", "/data"))
    assert klaviyo.start_import(BODY) == RequestRefused(
        RowError("not_found", "/data", "It will not do."), 404, earlier_reply_lost=False
    )


@pytest.mark.parametrize("cut", ["before", "after"])
def test_an_import_is_sent_again_after_a_cut_connection_and_says_so(
    server: ApiServer, klaviyo: Klaviyo, cut: str
) -> None:
    """A twin of the job may exist: the first try may have been carried out."""
    server.will(Reply(cut=cut), JOB)
    assert klaviyo.start_import(BODY) == ImportAccepted("am9i/+=", earlier_reply_lost=True)
    assert [seen.body for seen in server.seen] == ([BODY] if cut == "before" else [BODY, BODY])


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_an_import_is_sent_again_after_a_failure_and_says_so(
    server: ApiServer, klaviyo: Klaviyo, status: int
) -> None:
    """With a refusal after it, too, the first try's job may exist."""
    server.will(refused(status), refused(400, pointer="/data"))
    assert klaviyo.start_import(BODY).earlier_reply_lost


def test_a_gateways_error_page_is_a_failure_like_any_5xx(server: ApiServer, klaviyo: Klaviyo) -> None:
    server.will(
        Reply(502, content=b"<html>Bad gateway</html>", kind="text/html"), page([a_list("L1", "VIP")])
    )
    assert klaviyo.get_list_names() == ("VIP",)


def test_an_import_without_any_reply_raises_reply_lost(server: ApiServer, klaviyo: Klaviyo) -> None:
    server.usual = Reply(cut="after")
    with pytest.raises(ReplyLost, match=r"The connection was lost after 8 attempts\. It is unknown") as error:
        klaviyo.start_import(BODY)
    assert len(server.seen) == 8
    assert problem(error).where == "POST /api/profile-bulk-import-jobs"


def test_a_refused_key_after_a_lost_reply_raises_reply_lost(server: ApiServer, klaviyo: Klaviyo) -> None:
    server.will(Reply(cut="after"), refused(401, "authentication_failed"))
    with pytest.raises(ReplyLost, match="does not accept the key"):
        klaviyo.start_import(BODY)


def test_a_list_is_created_once(server: ApiServer, klaviyo: Klaviyo) -> None:
    server.will(Reply(201, {"data": a_list("L9", "VIP")}))
    assert klaviyo.create_list("VIP").id == "L9"
    assert server.seen[0].body == b'{"data":{"type":"list","attributes":{"name":"VIP"}}}'


@pytest.mark.parametrize(
    "reply", [Reply(cut="before"), Reply(cut="after"), refused(503), refused(500), refused(408)]
)
def test_creating_a_list_is_not_repeated_after_a_lost_reply(
    server: ApiServer, klaviyo: Klaviyo, reply: Reply
) -> None:
    server.will(reply)
    with pytest.raises(ReplyLost):
        klaviyo.create_list("VIP")
    assert len(server.seen) <= 1
    assert len(server.replies) == 0


def test_creating_a_list_is_repeated_after_a_429(server: ApiServer, klaviyo: Klaviyo) -> None:
    server.will(throttled(3), Reply(201, {"data": a_list("L9", "VIP")}))
    assert klaviyo.create_list("VIP").id == "L9"


@pytest.fixture
def nobody() -> str:
    """Give an address of this machine at which nothing listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def test_an_unreachable_server_is_not_a_lost_reply(
    clock: QuickClock, monkeypatch: pytest.MonkeyPatch, nobody: str
) -> None:
    """No connection, no request: it is tried again, also for a new list, and given up without doubt."""
    monkeypatch.setenv("HTTPS_PROXY", nobody)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    klaviyo = Klaviyo.connect("https://a.klaviyo.com", DummyKey(), "2026-10-15", clock=clock)
    with pytest.raises(KlaviyoError, match="Could not connect to Klaviyo after 8 attempts") as error:
        klaviyo.create_list("VIP")
    assert not isinstance(error.value, ReplyLost)


def test_a_refused_loopback_connection_fails_soon(clock: QuickClock, nobody: str) -> None:
    """A sandbox that nobody started does not come by waiting: the message has its address and its command."""
    tries: list[Any] = []
    klaviyo = Klaviyo.connect(nobody, DummyKey(), "2026-10-15", clock=clock, on_request=tries.append)
    with pytest.raises(KlaviyoError, match="connection refused after 3 attempts") as error:
        klaviyo.create_list("VIP")
    assert not isinstance(error.value, ReplyLost)
    assert len(tries) == 3
    assert sum(clock.slept) <= 1.5
    assert nobody in problem(error).summary
    assert f"reverse-etl sandbox --port {nobody.rpartition(':')[2]}." in problem(error).hint


def test_retry_after_is_obeyed_to_the_second(server: ApiServer, klaviyo: Klaviyo, clock: QuickClock) -> None:
    server.will(throttled(30), page([]))
    klaviyo.get_list_names()
    assert sum(clock.slept) >= 30


def test_a_429_without_retry_after_waits_too(server: ApiServer, klaviyo: Klaviyo, clock: QuickClock) -> None:
    server.will(throttled(None), throttled(0), page([]))
    klaviyo.get_list_names()
    assert sum(clock.slept) >= 0.5 + 1


@pytest.mark.parametrize("limit", ["750", "750, 75;w=1, 750;w=60"])
def test_no_remaining_quota_delays_the_next_request_until_the_reset(
    server: ApiServer, klaviyo: Klaviyo, clock: QuickClock, limit: str
) -> None:
    """Others have used the rest of the account's minute; the documented form and the one that is sent."""
    server.will(
        Reply(
            document={"data": []},
            headers={"RateLimit-Limit": limit, "RateLimit-Remaining": "0", "RateLimit-Reset": "41"},
        )
    )
    klaviyo.get_list_names()
    klaviyo.get_list_names()
    assert sum(clock.slept) >= 41


def test_no_quota_left_in_a_second_delays_by_a_second(
    server: ApiServer, klaviyo: Klaviyo, clock: QuickClock
) -> None:
    """The headers describe the window with the fewest requests left, which is not the minute here."""
    told = {"RateLimit-Limit": "75, 75;w=1, 750;w=60", "RateLimit-Remaining": "0", "RateLimit-Reset": "0"}
    server.will(Reply(document={"data": []}, headers=told))
    klaviyo.get_list_names()
    klaviyo.get_list_names()
    assert 0.5 < sum(clock.slept) <= 2


def test_a_timeout_is_a_lost_reply(server: ApiServer, clock: QuickClock) -> None:
    hold = threading.Event()
    server.will(Reply(hold=hold), JOB)
    klaviyo = Klaviyo.connect(
        server.origin, DummyKey(), "2026-10-15", clock=clock, timeouts=Timeouts(read=0.2)
    )
    assert klaviyo.start_import(BODY) == ImportAccepted("am9i/+=", earlier_reply_lost=True)
    hold.set()


def test_stopping_cancels_waiting_requests(server: ApiServer) -> None:
    """On the real clock: minutes of waiting end within a second; nothing more goes out."""
    heard: list[Any] = []
    errors = []
    klaviyo = Klaviyo.connect(server.origin, DummyKey(), "2026-10-15", on_request=heard.append)
    server.will(throttled(600))

    def ask() -> None:
        try:
            klaviyo.get_list_names()
        except KlaviyoError as error:
            errors.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    while not heard:
        threading.Event().wait(0.01)
    klaviyo.stop()
    thread.join(5)
    assert errors == ["The run is stopping; the request was cancelled."]
    assert len(server.seen) == 1
