"""The key and personal data are in no log, error or repr."""

from __future__ import annotations

import logging
import threading
import traceback
from typing import TYPE_CHECKING

import pytest

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.errors import KlaviyoError
from reverse_etl.klaviyo.api import Klaviyo
from reverse_etl.klaviyo.endpoints import RateLimit
from reverse_etl.klaviyo.imports import ImportAccepted, RowsRefused
from tests.klaviyo.server import (
    BODY,
    JOB,
    KEY,
    DummyKey,
    Reply,
    page,
    refused,
    throttled,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.clocks import QuickClock
    from tests.klaviyo.server import ApiServer


def test_the_request_hook_gets_every_attempt_without_personal_data(
    server: ApiServer, clock: QuickClock
) -> None:
    """Method, path without its query, status or fault, seconds and attempt."""
    heard: list[Any] = []
    klaviyo = Klaviyo.connect(server.origin, DummyKey(), "2026-10-15", clock=clock, on_request=heard.append)
    server.will(refused(503), Reply(cut="after"), page([]))
    klaviyo.find_profiles(IdentifierType.EMAIL, ["ann@example.com"])
    assert [(e.method, e.path, e.status, e.error, e.attempt) for e in heard] == [
        ("GET", "/api/profiles", 503, "", 1),
        ("GET", "/api/profiles", None, "the connection was lost", 2),
        ("GET", "/api/profiles", 200, "", 3),
    ]
    assert "ann" not in repr(heard)
    assert KEY not in repr(heard)


def test_other_limits_may_be_given(server: ApiServer, clock: QuickClock) -> None:
    klaviyo = Klaviyo.connect(
        server.origin, DummyKey(), "2026-10-15", clock=clock, rate_limit_for=lambda _: RateLimit(10**9, 10**9)
    )
    server.usual = page([{"type": "account", "id": "A", "attributes": {}}])
    for _ in range(20):
        klaviyo.get_account()
    assert clock.slept == []


def test_many_threads_share_one_client(server: ApiServer, klaviyo: Klaviyo) -> None:
    """Each gets its own answer, on at most as many connections as were asked for."""
    server.usual = JOB
    replies: list[Any] = []

    def work() -> None:
        replies.extend(klaviyo.start_import(BODY) for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert replies == [ImportAccepted("am9i/+=", earlier_reply_lost=False)] * 120
    assert len({seen.connection for seen in server.seen}) <= 8


def everything_shown(error: KlaviyoError) -> tuple[str, list[BaseException | None]]:
    """Return all that a person, a log or a tool that walks tracebacks could see of an error."""
    assert error.__traceback__ is not None
    error.with_traceback(error.__traceback__.tb_next)  # this test's own locals hold the key
    shown = [str(error), repr(error), *map(str, error.problems)]
    shown.extend(traceback.format_exception(error))
    shown.extend(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    links = [error.__cause__, error.__context__]
    return "\n".join(shown), links


@pytest.mark.parametrize(
    "reply",
    [
        Reply(cut="after"),
        Reply(cut="before"),
        refused(401, "authentication_failed", detail=f"The key {KEY} is not known."),
        refused(503, detail=KEY),
        Reply(403, content=KEY.encode(), kind="text/html"),
        Reply(200, content=KEY.encode(), kind="text/html"),
        Reply(302, headers={"location": f"https://example.com/?key={KEY}"}),
        throttled(86_400),
    ],
    ids=["cut after", "cut before", "401", "503", "403 page", "200 page", "redirect", "429"],
)
@pytest.mark.parametrize(
    "ask",
    [lambda klaviyo: klaviyo.get_account(), lambda klaviyo: klaviyo.start_import(BODY)],
    ids=["read", "write"],
)
def test_the_key_is_in_nothing_that_an_error_shows(
    server: ApiServer,
    klaviyo: Klaviyo,
    caplog: pytest.LogCaptureFixture,
    reply: Reply,
    ask: Callable[..., Any],
) -> None:
    """Not in its text, its repr, its traceback with the values of locals, its causes, nor in any log."""
    caplog.set_level(logging.DEBUG)
    server.usual = reply
    with pytest.raises(KlaviyoError) as error:
        ask(klaviyo)
    shown, links = everything_shown(error.value)
    assert KEY not in shown
    assert links == [None, None]
    assert KEY not in caplog.text


def test_the_key_is_in_nothing_that_a_refused_connection_shows(clock: QuickClock) -> None:
    """The library's exception carries the prepared request: it goes no further."""
    klaviyo = Klaviyo.connect("http://127.0.0.1:1", DummyKey(), "2026-10-15", clock=clock)
    with pytest.raises(KlaviyoError) as error:
        klaviyo.start_import(BODY)
    shown, links = everything_shown(error.value)
    assert KEY not in shown
    assert links == [None, None]


def test_the_key_is_in_no_repr_of_the_client(klaviyo: Klaviyo) -> None:
    wire = klaviyo._client._transport
    shown = [klaviyo, klaviyo._client, wire, wire._session, wire._session.auth, wire._session.headers]
    assert KEY not in "".join(map(repr, shown))


def test_a_refusal_that_repeats_the_key_is_cleaned_before_it_is_kept(
    server: ApiServer, klaviyo: Klaviyo
) -> None:
    """Details go to tables and reports."""
    server.will(refused(400, pointer="/data/attributes/profiles/data/0", detail=f"Key {KEY}!"))
    result = klaviyo.start_import(BODY)
    assert isinstance(result, RowsRefused)
    assert result.errors[0].detail == "Key ***!"
