"""Sends messages: to the services that Apprise knows, to signed webhooks, and to the addresses of pings."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from dataclasses import dataclass
from http import HTTPStatus
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

import orjson
import requests

from reverse_etl.klaviyo.origin import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverse_etl.alerts.message import Message
    from reverse_etl.config.notify import Notify, Webhook

EXTRA_ADVICE: Final = 'the package is missing: pip install "reverse-etl[alerts]"'
_TIMEOUT: Final = 10.0  # seconds, to connect and between bytes
_MAX_SECONDS: Final = 20.0  # of a receiver in all; one that sends a byte at a time exceeds no other limit
_ATTEMPTS: Final = 2


class Receiver(Protocol):
    """An address that gets messages. Its name does not show the address, which holds secrets."""

    @property
    def name(self) -> str:
        """Return what people call the receiver."""
        ...

    def send(self, message: Message) -> str:
        """Send a message; returns why it failed, '' if it was sent."""
        ...


def find_receivers(notify: Notify) -> Iterator[Receiver]:
    """Yield the receivers of messages, in the order of the configuration."""
    for url in notify.urls:
        yield AppriseReceiver(url.partition("://")[0].lower(), url)
    for number, webhook in enumerate(notify.webhooks, start=1):
        yield WebhookReceiver(f"webhook {number}", webhook)


@dataclass(frozen=True)
class AppriseReceiver:
    """A service of Apprise, which is imported when a message is sent."""

    name: str
    url: str

    def send(self, message: Message) -> str:
        """Send a message; returns why it failed, '' if it was sent."""
        try:
            import apprise  # noqa: PLC0415 - an optional package, and slow
        except ImportError:
            return EXTRA_ADVICE
        # Its log may quote an address with its secrets.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        try:
            asset = apprise.AppriseAsset(
                app_id="reverse-etl", storage_mode=apprise.PersistentStoreMode.MEMORY, async_mode=False
            )
            service = apprise.Apprise(asset=asset)
            if not service.add(self.url):
                return "Apprise does not know such an address"
            sent = service.notify(
                body=message.body, title=message.title, body_format=apprise.NotifyFormat.TEXT
            )
        except Exception as error:  # noqa: BLE001 - of another program: it must not end a run
            return f"Apprise failed with {type(error).__name__}"
        return "" if sent else "the service did not take it"


@dataclass(frozen=True)
class WebhookReceiver:
    """An address that gets signed JSON."""

    name: str
    webhook: Webhook

    def send(self, message: Message) -> str:
        """Send a message; returns why it failed, '' if it was sent."""
        body = orjson.dumps(message.document)
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Reverse-Etl-Timestamp": timestamp,
            "X-Reverse-Etl-Signature": sign(body, timestamp, self.webhook.secret),
        }
        failure = ""
        for _ in range(_ATTEMPTS):
            failure, may_repeat = _request("POST", self.webhook.url, body, headers)
            if not failure or not may_repeat:
                break
        return failure


def sign(body: bytes, timestamp: str, secret: str) -> str:
    """Return the signature of a body at a time, as the receiver computes it too."""
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"v1={digest}"


def send_message(receiver: Receiver, message: Message) -> str:
    """Send a message to a receiver; returns why it failed, '' if it was sent. Never raises."""
    return _call_in_time(lambda: receiver.send(message))


def send_ping(url: str) -> str:
    """Call an address; returns why it failed, '' if it answered. Never raises."""
    return _call_in_time(lambda: _request("GET", url)[0])


def _call_in_time(send: Callable[[], str]) -> str:
    """Return what `send` returns; why it failed if it raised an error, or did not end in time.

    It has a thread of its own, which ends with the process: no limit of a library holds for everything
    that a receiver can do.
    """
    results: Queue[str] = Queue()

    def call() -> None:
        try:
            results.put(send())
        except Exception as error:  # noqa: BLE001 - an alert must not change how a run ends
            results.put(f"failed with {type(error).__name__}")

    Thread(target=call, daemon=True).start()
    try:
        return results.get(timeout=_MAX_SECONDS)
    except Empty:
        return f"no answer within {_MAX_SECONDS:.0f} seconds"


def _request(
    method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[str, bool]:
    """Return why a request failed, and whether it may help to send it again. No reply body is read."""
    try:
        with (
            _open_session(url) as session,
            session.request(
                method, url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False, stream=True
            ) as response,
        ):
            status = response.status_code
    except (requests.RequestException, ValueError, OSError) as error:
        return f"no answer from {urlsplit(url).hostname} ({type(error).__name__})", True
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return "", False
    return f"status {status}", status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _open_session(url: str) -> requests.Session:
    """Return a session for an address. One on this machine has no proxy: it is not encrypted."""
    session = requests.Session()
    session.trust_env = not is_loopback(urlsplit(url).hostname or "")
    return session
