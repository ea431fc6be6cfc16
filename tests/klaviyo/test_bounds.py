"""Replies are bounded: in size, in time and in pages; headers may hold anything."""

from __future__ import annotations

import gzip
import socket
from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import KlaviyoError, ReplyLost, UnusableReply
from reverse_etl.klaviyo import deadline as deadlines
from reverse_etl.klaviyo import reply_body
from reverse_etl.klaviyo.api import Klaviyo
from reverse_etl.klaviyo.deadline import Deadline
from reverse_etl.klaviyo.messages import Response
from reverse_etl.klaviyo.reply_body import BodyIncomplete, BodyTooLarge, read_body
from reverse_etl.klaviyo.retry import parse_retry_after
from reverse_etl.klaviyo.transport import Timeouts
from tests.klaviyo.server import BODY, JOB, DummyKey, Reply, a_list, page, problem, refused

if TYPE_CHECKING:
    from tests.clocks import QuickClock
    from tests.klaviyo.server import ApiServer

GZIP = {"content-encoding": "gzip"}


class HandTimers:
    """Lets deadlines expire when a test says so, whatever the seconds; in the place of the watchdog."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._deadlines: list[Deadline] = []

    def add(self, deadline: Deadline, seconds: float) -> None:
        """Remember a deadline."""
        self.seconds.append(seconds)
        self._deadlines.append(deadline)

    def remove(self, deadline: Deadline) -> None:
        """Do nothing: a deadline may expire while it is removed."""

    def expire(self) -> None:
        """Let all deadlines so far expire, those of earlier requests too."""
        for deadline in [*self._deadlines]:
            deadline.expire()


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> HandTimers:
    """Let deadlines expire by the test."""
    timers = HandTimers()
    monkeypatch.setattr(deadlines, "_watchdog", timers)
    return timers


@pytest.fixture
def impatient(server: ApiServer, clock: QuickClock, timers: HandTimers) -> Klaviyo:
    """Connect a client whose requests have a deadline that a test lets pass."""
    assert timers.seconds == []
    timeouts = Timeouts(read=120.0, total=0.5)
    return Klaviyo.connect(server.origin, DummyKey(), "2026-10-15", clock=clock, timeouts=timeouts)


@pytest.mark.parametrize("what", ["headers", "body"])
def test_a_reply_that_comes_byte_by_byte_is_given_up(
    server: ApiServer, impatient: Klaviyo, timers: HandTimers, what: str
) -> None:
    """Each byte is in time, and the whole would take hours: three attempts, each cut at the deadline."""
    server.usual = Reply(content=b"{" + b" " * 10_000, drip=what, stall=timers.expire)
    with pytest.raises(KlaviyoError, match="The reply was not complete in time after 3 attempts"):
        impatient.get_account()
    assert len(server.seen) == 3
    assert timers.seconds == [0.5] * 3


def test_the_deadline_ends_the_connection(server: ApiServer, impatient: Klaviyo, timers: HandTimers) -> None:
    """The read that waits for the next byte ends by it, not by its own timeout."""
    server.usual = Reply(content=b"{" + b" " * 10_000, drip="body", stall=timers.expire)
    with pytest.raises(KlaviyoError):
        impatient.get_account()
    assert all(server.hang_ups.acquire(timeout=60) for _ in range(3))


def test_a_slow_reply_to_a_write_leaves_its_outcome_unknown(
    server: ApiServer, impatient: Klaviyo, timers: HandTimers
) -> None:
    """Klaviyo may have carried it out."""
    server.usual = Reply(202, content=b"{" + b" " * 10_000, drip="body", stall=timers.expire)
    with pytest.raises(ReplyLost):
        impatient.start_import(BODY)


def test_an_impatient_client_goes_on_after_a_slow_reply(
    server: ApiServer, impatient: Klaviyo, timers: HandTimers
) -> None:
    """The deadline of one attempt cuts no other."""
    server.will(Reply(content=b" " * 10_000, drip="body", stall=timers.expire))
    server.usual = page([a_list("L1", "VIP")])
    assert [listed.id for listed in impatient.find_lists("VIP")] == ["L1"]
    timers.expire()
    assert [listed.id for listed in impatient.find_lists("VIP")] == ["L1"]
    assert len(server.seen) == 3


def test_deadlines_expire_by_themselves_and_a_later_one_holds_up_no_earlier_one() -> None:
    """The thread that waits for an hour is woken for the one that is due at once, and starts again."""
    for _ in range(2):
        ours, theirs = socket.socketpair()
        with ours, theirs, Deadline(3600.0) as patient:
            with Deadline(0.0) as due:
                due.watch(ours)
                assert ours.recv(1) == b""  # waits until the socket is shut down
            assert (due.expired, patient.expired) == (True, False)


@pytest.mark.parametrize("packed", [False, True])
def test_a_reply_beyond_every_size_is_not_kept(
    server: ApiServer, klaviyo: Klaviyo, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    """A few kilobytes of gzip can hold gigabytes. It is not asked for again."""
    monkeypatch.setattr(reply_body, "MAX_BYTES", 1_000_000)
    content = b" " * 5_000_000
    server.usual = Reply(
        content=gzip.compress(content) if packed else content, headers=GZIP if packed else {}
    )
    with pytest.raises(UnusableReply, match="The reply was larger than"):
        klaviyo.get_account()
    assert len(server.seen) == 1


def test_a_redirects_body_is_bounded_too(
    server: ApiServer, klaviyo: Klaviyo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library reads the body of a redirect by itself, even if it is not to be followed."""
    monkeypatch.setattr(reply_body, "MAX_BYTES", 1_000_000)
    bomb = gzip.compress(b" " * 5_000_000)
    server.usual = Reply(302, content=bomb, headers={**GZIP, "location": "/api/accounts"})
    with pytest.raises(KlaviyoError, match="The reply was larger than"):
        klaviyo.get_account()


def test_a_write_with_an_endless_reply_has_an_unknown_outcome(
    server: ApiServer, klaviyo: Klaviyo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its status said that it was taken."""
    monkeypatch.setattr(reply_body, "MAX_BYTES", 1_000)
    server.will(Reply(202, content=b" " * 5_000))
    with pytest.raises(ReplyLost):
        klaviyo.start_import(BODY)


def test_gzip_is_unpacked_whatever_its_pieces() -> None:
    """Several members, chunks of any size, and nothing at all."""
    packed = gzip.compress(b"one, ") + gzip.compress(b"two")
    for size in (1, 7, 1_000):
        chunks = [packed[at : at + size] for at in range(0, len(packed), size)]
        assert read_body(chunks, "GZIP") == b"one, two"
    assert read_body([], "gzip") == b""
    with pytest.raises(BodyIncomplete):
        read_body([packed[:-3]], "gzip")
    with pytest.raises(BodyIncomplete):
        read_body([b"no gzip at all"], "gzip")


def test_unpacking_stops_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than a byte beyond it is unpacked."""
    monkeypatch.setattr(reply_body, "MAX_BYTES", 10)
    assert read_body([gzip.compress(b"x" * 10)], "gzip") == b"x" * 10
    for encoding, content in (("gzip", gzip.compress(b"x" * 11)), ("", b"x" * 11)):
        with pytest.raises(BodyTooLarge):
            read_body([content], encoding)


def test_packed_replies_are_read(server: ApiServer, klaviyo: Klaviyo) -> None:
    """Klaviyo packs its replies if it is asked."""
    body = page([a_list("L1", "VIP")]).body()
    server.will(Reply(content=gzip.compress(body), headers=GZIP))
    assert [listed.id for listed in klaviyo.find_lists("VIP")] == ["L1"]
    assert server.seen[0].headers["accept-encoding"] == "gzip"


def test_pages_without_end_are_given_up(server: ApiServer, klaviyo: Klaviyo) -> None:
    """Each page has a link to another one that was never read."""
    links = (f"{server.origin}/api/lists?page%5Bcursor%5D={number}" for number in range(1_100))
    server.will(*(page([], link) for link in links))
    with pytest.raises(UnusableReply, match="pages do not end: 1,000 were read"):
        klaviyo.get_list_names()
    assert len(server.seen) == 1_000


FORMS = ["", "soon", "-1", "1e309", "nan", "inf", "9" * 5_000, "²", "0.5", "10;w=1", "\u0663"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["ratelimit-remaining", "ratelimit-reset", "retry-after", "date"])
def test_a_header_of_any_form_ends_no_request(
    server: ApiServer, klaviyo: Klaviyo, name: str, form: str
) -> None:
    """Whatever a proxy writes there, the reply is read."""
    form = form.encode().decode("latin-1")
    others = {"ratelimit-remaining": "100", "ratelimit-reset": "10"}
    reply = page([a_list("L1", "VIP")])
    reply.headers = others if name == "date" else {**others, name: form}
    reply.date = form if name == "date" else ""
    server.will(refused(503, **{name: form}) if name == "retry-after" else reply)
    server.usual = reply
    assert [listed.id for listed in klaviyo.find_lists("VIP")] == ["L1"]


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 +99999999999999999999",
    ],
)
def test_a_date_at_the_end_of_time_is_none(server: ApiServer, klaviyo: Klaviyo, date: str) -> None:
    """Computing with it would overflow."""
    server.will(Reply(document={"data": []}, date=date))
    klaviyo.get_list_names()
    with pytest.raises(KlaviyoError, match="time is not known"):
        _ = klaviyo.server_time


@pytest.mark.parametrize("created", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00"])
def test_a_timestamp_at_the_end_of_time_is_unreadable(
    server: ApiServer, klaviyo: Klaviyo, created: str
) -> None:
    """As any other that is none; there is no traceback."""
    server.will(page([{"type": "list", "id": "L1", "attributes": {"name": "VIP", "created": created}}]))
    with pytest.raises(UnusableReply) as error:
        klaviyo.find_lists("VIP")
    assert "created of L1 is not a timestamp" in problem(error).summary


NOW = "Sat, 21 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("header", "date", "seconds"),
    [
        ("1.5", NOW, 1.5),
        ("+3", NOW, 3.0),
        ("Sat, 21 Nov 2026 10:00:30 GMT", NOW, 30.0),
        ("Sat, 21 Nov 2026 09:59:30 GMT", NOW, None),
        ("Sat, 21 Nov 2026 10:00:30 GMT", "", None),
        ("-5", NOW, None),
        ("9" * 400, NOW, None),
        ("1e3", NOW, None),
        ("nan", NOW, None),
    ],
)
def test_retry_after_may_have_any_form(header: str, date: str, seconds: float | None) -> None:
    """A number, a fraction, a date; anything else backs off as without it."""
    assert parse_retry_after(Response(429, {"retry-after": header, "date": date}, b"")) == seconds


def test_a_reply_to_an_import_is_still_read(server: ApiServer, klaviyo: Klaviyo) -> None:
    """The bounds are far from what Klaviyo sends."""
    server.will(JOB)
    assert klaviyo.start_import(BODY)
