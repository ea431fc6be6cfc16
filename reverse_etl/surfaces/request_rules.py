"""The requests that a model may describe. A path that a surface covers needs `unsafe: true`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from reverse_etl.klaviyo.revision import OPT_OUT_HEADER

LIST_WAYS: Final = (
    "To add people to a list: surface='list_memberships' (creates and adds), "
    "surface='list_memberships_by_profile_id' (profiles that exist), or POST "
    "/api/lists/{{ list_id }}/relationships/profiles with unsafe=true."
)
METHODS: Final = ("POST", "PATCH", "DELETE")

# Headers of the connection, of the credentials, or of the body: never a model's.
_REFUSED_HEADERS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        OPT_OUT_HEADER,
        "x-http-method",
        "x-http-method-override",  # another method than the one that was checked
        "x-method-override",
    }
)
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True)
class RiskyPath:
    """Paths that need `unsafe: true`, what their requests do, and which surface to use instead."""

    pattern: re.Pattern[str]
    effect: str
    instead: str


def _risky(pattern: str, effect: str, instead: str) -> RiskyPath:
    return RiskyPath(re.compile(f"/api/(?:{pattern})/?", re.IGNORECASE), effect, instead)


_RISKY_PATHS: Final = (
    _risky("profile-subscription-bulk-(create|delete)-jobs", "changes people's consent", ""),
    _risky(
        "profile-suppression-bulk-(create|delete)-jobs", "decides who gets no e-mail at all", "suppressions"
    ),
    _risky("data-privacy-deletion-jobs", "deletes people for good", "profile_deletions"),
    _risky("profile-bulk-import-jobs|profile-import|profiles(/[^/]+)?", "changes profiles", "profiles"),
    _risky("lists/[^/]+/relationships/profiles", "changes who is on a list", "list_memberships"),
    _risky("lists/[^/]+", "changes or deletes a list", ""),
    _risky("campaign-send-jobs(/.*)?|(conversation-)?messages(/.*)?", "sends messages to people", ""),
    _risky("(flow-actions|flows)(/[^/]+)?", "changes flows, which send messages to people", ""),
)


def find_risky_path(path: str) -> RiskyPath | None:
    """Return why a request is risky; `path` is filled, or has any text in the place of its placeholders."""
    return next((risky for risky in _RISKY_PATHS if risky.pattern.fullmatch(path)), None)


def find_header_problem(name: str, value: str) -> str:
    """Return why a model can't send a header, "" if it can: the predicate of a sentence."""
    if not _HEADER_NAME.fullmatch(name):
        return "is not the name of a header"
    if name.lower() in _REFUSED_HEADERS:
        return "is set by reverse-etl"
    if not value.isascii() or not value.isprintable() or value != value.strip():
        return "has a value with unusual characters, or with blanks around it"
    if "{{" in value:
        return "has a placeholder, but headers are the same for all rows"
    return ""
