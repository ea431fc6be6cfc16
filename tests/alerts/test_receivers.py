"""Receivers that never end, and names that a chat or the record would misread."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from reverse_etl.alerts import receivers
from reverse_etl.alerts.conditions import Cause, Condition, RunEnd, Subject
from reverse_etl.alerts.decisions import Reported, decide_message
from reverse_etl.alerts.message import build_message, build_test_message
from reverse_etl.alerts.receivers import WebhookReceiver, send_message, send_ping
from reverse_etl.alerts.record import AlertRecord
from reverse_etl.config.notify import ALERT_KINDS, AlertKind, Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "a secret of sixteen or more"


@pytest.fixture
def endless_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of a server that sends a byte of its reply each 50 ms, and never ends."""
    monkeypatch.setattr(receivers, "_MAX_SECONDS", 0.5)
    stopped = threading.Event()

    def answer(listener: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not stopped.wait(0.05):
                    connection.sendall(b"a")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=answer, args=(listener,))
        server.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        stopped.set()
        server.join()


def test_a_receiver_that_sends_a_byte_at_a_time_ends(endless_url: str) -> None:
    """The run would never end otherwise, since each byte comes in time."""
    assert send_ping(endless_url).startswith("no answer within")


@pytest.mark.parametrize(("secret", "target"), [(SECRET + "\udc80", "trial"), (SECRET, "trial\ud800")])
def test_an_error_of_a_receiver_is_a_failure(secret: str, target: str) -> None:
    """A secret from the environment may have bytes that are not text."""
    receiver = WebhookReceiver("webhook 1", Webhook("http://127.0.0.1:9/", secret))
    failure = send_message(receiver, build_test_message("shop", target))
    assert failure in {"failed with UnicodeEncodeError", "failed with TypeError"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_address_on_this_machine_is_called_without_a_proxy(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message to it is not encrypted, and the reply of a proxy would pass for the receiver's."""
    monkeypatch.setattr(receivers, "_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        assert send_ping(f"http://{host}:9/").startswith("no answer from")
        proxy.setblocking(False)
        with pytest.raises(BlockingIOError):
            proxy.accept()


def test_a_name_mentions_nobody_and_is_no_link() -> None:
    name = "<!channel> @everyone [VIP](https://example.com)\n"
    condition = Condition(Subject(AlertKind.STOPPED, "vip", name), (Cause.GUARD,), {"held": 3})
    end = RunEnd("r1", 3, (condition,), frozenset({"vip"}))
    message = build_message(decide_message(end, Reported(), ALERT_KINDS, {"vip"}), end, "shop", "trial")
    assert not any(markup in message.body for markup in ("<!", "@e", "](", "\n("))
    assert message.document["conditions"][0]["list"] == name


def test_targets_whose_names_look_alike_have_records_of_their_own(tmp_path: Path) -> None:
    """The reports of one target must not keep the alerts of another one silent."""
    names = [("shop", "prod-eu"), ("shop", "prod_eu"), ("shop_prod", "eu")]
    assert len({AlertRecord.of(tmp_path, *name).path for name in names}) == 3
