"""The endpoints in use: path, rate limit, success status, scopes.

Sources: Klaviyo's API reference, revision 2026-10-15; guide 'Rate limits, status codes and errors'.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias
from urllib.parse import quote

from reverse_etl.errors import KlaviyoError


@dataclass(frozen=True)
class RateLimit:
    """The requests allowed to an account: `burst` per second, `steady` per minute, `daily` per day."""

    burst: int
    steady: int
    daily: int | None = None


XS = RateLimit(burst=1, steady=15)
M = RateLimit(burst=10, steady=150)
L = RateLimit(burst=75, steady=750)
XL = RateLimit(burst=350, steady=3_500)
S = RateLimit(burst=3, steady=60)

_READ_LISTS = ("lists:read",)
_READ_PROFILES = ("profiles:read",)
_READ_BOTH = ("lists:read", "profiles:read")
_WRITE_PROFILES = ("profiles:write",)
_WRITE_BOTH = ("lists:write", "profiles:write")
_READ_CONSENT = ("subscriptions:read",)
_WRITE_CONSENT = ("subscriptions:write",)
_SUPPRESS = ("profiles:write", "subscriptions:write")
_SUBSCRIBE = (*_WRITE_BOTH, "subscriptions:write")


class Endpoint(Enum):
    """One endpoint.

    `template` is the path with placeholders for ids, `success` the statuses of success, `scopes` the scopes
    that the key needs. If `idempotent`, carrying out a request twice has the same effect as once.
    """

    ACCOUNTS = ("GET", "/api/accounts", XS, 200, ("accounts:read",))
    LISTS = ("GET", "/api/lists", L, 200, _READ_LISTS)
    LIST = ("GET", "/api/lists/{id}", L, 200, _READ_LISTS)
    CREATE_LIST = ("POST", "/api/lists", RateLimit(10, 150, daily=150), 201, ("lists:write",), False)
    LIST_PROFILES = ("GET", "/api/lists/{id}/profiles", L, 200, _READ_BOTH)
    ADD_TO_LIST = ("POST", "/api/lists/{id}/relationships/profiles", M, 204, _WRITE_BOTH)
    REMOVE_FROM_LIST = ("DELETE", "/api/lists/{id}/relationships/profiles", M, 204, _WRITE_BOTH)
    PROFILES = ("GET", "/api/profiles", L, 200, _READ_PROFILES)
    UPDATE_PROFILE = ("PATCH", "/api/profiles/{id}", L, 200, _WRITE_PROFILES)
    IMPORT_PROFILE = ("POST", "/api/profile-import", L, (200, 201), _WRITE_PROFILES)
    START_IMPORT = ("POST", "/api/profile-bulk-import-jobs", M, 202, _WRITE_BOTH)
    IMPORTS = ("GET", "/api/profile-bulk-import-jobs", M, 200, _READ_BOTH)
    IMPORT = ("GET", "/api/profile-bulk-import-jobs/{id}", M, 200, _READ_BOTH)
    SUPPRESS = ("POST", "/api/profile-suppression-bulk-create-jobs", L, 202, _SUPPRESS)
    SUPPRESSION = ("GET", "/api/profile-suppression-bulk-create-jobs/{id}", L, 200, _READ_CONSENT)
    UNSUPPRESS = ("POST", "/api/profile-suppression-bulk-delete-jobs", L, 202, _WRITE_CONSENT)
    UNSUPPRESSION = ("GET", "/api/profile-suppression-bulk-delete-jobs/{id}", L, 200, _READ_CONSENT)
    CREATE_EVENTS = ("POST", "/api/event-bulk-create-jobs", M, 202, ("events:write",), False)
    CREATE_EVENT = ("POST", "/api/events", XL, 202, ("events:write",))
    METRICS = ("GET", "/api/metrics", M, 200, ("metrics:read",))
    IMPORT_LISTS = ("GET", "/api/profile-bulk-import-jobs/{id}/relationships/lists", M, 200, _READ_BOTH)
    DELETE_PROFILE = ("POST", "/api/data-privacy-deletion-jobs", S, 202, ("data-privacy:write",))
    IMPORT_ERRORS = ("GET", "/api/profile-bulk-import-jobs/{id}/import-errors", M, 200, _READ_PROFILES)
    SUBSCRIBE = ("POST", "/api/profile-subscription-bulk-create-jobs", L, 202, _SUBSCRIBE)
    UNSUBSCRIBE = ("POST", "/api/profile-subscription-bulk-delete-jobs", L, 202, _SUBSCRIBE)

    def __init__(  # noqa: PLR0913, PLR0917 - the columns of the table above
        self,
        method: str,
        template: str,
        rate_limit: RateLimit,
        success_status: int | tuple[int, ...],
        scopes: tuple[str, ...],
        idempotent: bool = True,  # noqa: FBT001, FBT002 - few rows of the table are False
    ) -> None:
        self.method = method
        self.template = template
        self.rate_limit = rate_limit
        self.success = (success_status,) if isinstance(success_status, int) else success_status
        self.scopes = scopes
        self.idempotent = idempotent

    @property
    def writes(self) -> bool:
        """Return whether a request changes data in Klaviyo."""
        return self.method != "GET"

    def is_success(self, status: int) -> bool:
        """Return whether a status means that the request was carried out."""
        return status in self.success

    def path(self, *ids: str) -> str:
        """Return the path with percent-encoded ids. Raises KlaviyoError for a text that cannot be an id."""
        path = self.template
        for value in ids:
            if not value.strip("."):  # "." and ".." would lead to another path
                raise KlaviyoError.of(
                    f"{value!r} is not a Klaviyo id.",
                    where=f"{self.method} {self.template}",
                    hint="Check the list ids in profiles.yml and in the models.",
                )
            path = path.replace("{id}", quote(value, safe=""), 1)
        return path


@dataclass(frozen=True)
class CustomEndpoint:
    """An endpoint that a model names. `template` is the unfilled path, by which its rate limit is kept."""

    method: str
    template: str
    success: frozenset[int]
    idempotent: bool

    @property
    def rate_limit(self) -> RateLimit:
        """Return the limit until a reply states another."""
        return XS

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the scopes that the key needs: not known here."""
        return ()

    @property
    def writes(self) -> bool:
        """Return whether a request changes data in Klaviyo."""
        return self.method != "GET"

    def is_success(self, status: int) -> bool:
        """Return whether a status means that the request was carried out."""
        return status in self.success


AnyEndpoint: TypeAlias = Endpoint | CustomEndpoint
