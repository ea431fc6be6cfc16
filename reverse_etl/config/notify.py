"""The key `notify` of a destination: the receivers of alerts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from reverse_etl.klaviyo.origin import is_loopback
from reverse_etl.parsing.validation import AdviceError, StrictModel


class AlertKind(StrEnum):
    """The kinds of messages about a run."""

    FAILED = "failed"
    STOPPED = "stopped"
    ATTENTION = "attention"
    RECOVERED = "recovered"
    TEST = "test"


ALERT_KINDS: Final = tuple(kind for kind in AlertKind if kind is not AlertKind.TEST)


@dataclass(frozen=True)
class Webhook:
    """An address that gets JSON, signed with the secret."""

    url: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Ping:
    """Addresses that are called when a run starts, ends well (exit codes 0 and 1), and fails; "" for none."""

    start: str = field(default="", repr=False)
    success: str = field(default="", repr=False)
    failure: str = field(default="", repr=False)


@dataclass(frozen=True)
class Notify:
    """The receivers of alerts, and the kinds that they get.

    `urls` are addresses as Apprise writes them; they hold secrets.
    """

    urls: tuple[str, ...] = field(default=(), repr=False)
    webhooks: tuple[Webhook, ...] = ()
    ping: Ping = field(default_factory=Ping)
    kinds: frozenset[AlertKind] = frozenset(ALERT_KINDS)


class _WebhookInput(StrictModel):
    url: str = Field(repr=False)
    secret: str = Field(repr=False, min_length=16)

    @field_validator("url")
    @classmethod
    def _validate_url(cls, value: str) -> str:
        return _require_safe_url(value)


class _PingInput(StrictModel):
    start: str = Field(default="", repr=False)
    success: str = Field(default="", repr=False)
    failure: str = Field(default="", repr=False)

    @field_validator("start", "success", "failure")
    @classmethod
    def _validate_url(cls, value: str) -> str:
        return _require_safe_url(value) if value else ""


class NotifyInput(StrictModel):
    """The rendered key `notify`."""

    urls: list[str] = Field(default=[], repr=False)
    webhooks: list[_WebhookInput] = Field(default=[])
    ping: _PingInput = Field(default_factory=_PingInput)
    kinds: list[str] = Field(default=[], description=f"Write a list of: {', '.join(ALERT_KINDS)}")

    @field_validator("urls")
    @classmethod
    def _validate_urls(cls, value: list[str]) -> list[str]:
        if any("://" not in url for url in value):
            raise AdviceError(
                "An entry of notify.urls is not an address.",
                "Write it as Apprise does, for example mailtos://user:password@smtp.example.com",
            )
        return value

    @field_validator("kinds")
    @classmethod
    def _validate_kinds(cls, value: list[str]) -> list[str]:
        if unknown := [kind for kind in value if kind not in ALERT_KINDS]:
            raise AdviceError(
                f"kinds cannot be {unknown[0]!r}.", f"Write a list of: {', '.join(ALERT_KINDS)}"
            )
        return value

    def build(self) -> Notify:
        """Return the checked value."""
        return Notify(
            urls=tuple(self.urls),
            webhooks=tuple(Webhook(webhook.url, webhook.secret) for webhook in self.webhooks),
            ping=Ping(self.ping.start, self.ping.success, self.ping.failure),
            kinds=frozenset(map(AlertKind, self.kinds or ALERT_KINDS)),
        )


def _require_safe_url(value: str) -> str:
    """Return an address to which a message may go. Raises AdviceError for one that others could read."""
    try:
        parts = urlsplit(value.strip())
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        raise AdviceError(
            "An address of notify is neither https nor on this machine.", "Write an address with https://"
        )
    return value.strip()
