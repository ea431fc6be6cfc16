"""The consent of profiles per channel, and their suppressions, in the state file and in replies."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.sandbox.times import to_iso

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

_CONSENTS_TABLE: Final = """
CREATE TABLE IF NOT EXISTS consents (
    profile INTEGER NOT NULL, channel TEXT NOT NULL, consent TEXT NOT NULL, consented_at REAL,
    updated_at REAL NOT NULL, method TEXT, detail TEXT, double_optin INTEGER, PRIMARY KEY (profile, channel)
) WITHOUT ROWID
"""
_SUPPRESSIONS_TABLE: Final = """
CREATE TABLE IF NOT EXISTS suppressions (
    profile INTEGER NOT NULL, list TEXT NOT NULL, reason TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (profile, list, reason)
) WITHOUT ROWID
"""
_PENDING_TABLE: Final = """
CREATE TABLE IF NOT EXISTS pending_consents (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, due_at REAL NOT NULL, content BLOB NOT NULL
)
"""
_CONFIRMATIONS_TABLE: Final = """
CREATE TABLE IF NOT EXISTS confirmations (
    profile INTEGER NOT NULL, channel TEXT NOT NULL, list TEXT NOT NULL, source TEXT,
    PRIMARY KEY (profile, channel, list)
) WITHOUT ROWID
"""
_EVENTS_TABLE: Final = """
CREATE TABLE IF NOT EXISTS subscribed_events (profile INTEGER PRIMARY KEY, at REAL NOT NULL)
"""
_SUPPRESSION_JOBS_TABLE: Final = """
CREATE TABLE IF NOT EXISTS suppression_jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, verb TEXT NOT NULL, list TEXT NOT NULL,
    emails TEXT NOT NULL, created_at REAL NOT NULL, ends_at REAL NOT NULL, total INTEGER NOT NULL,
    completed INTEGER NOT NULL, skipped INTEGER NOT NULL, status TEXT NOT NULL
)
"""
_DELETIONS_TABLE: Final = """
CREATE TABLE IF NOT EXISTS pending_deletions (profile INTEGER PRIMARY KEY, due_at REAL NOT NULL)
"""
CONSENT_TABLES: Final = (
    _CONSENTS_TABLE,
    _SUPPRESSIONS_TABLE,
    _PENDING_TABLE,
    _CONFIRMATIONS_TABLE,
    _EVENTS_TABLE,
    _SUPPRESSION_JOBS_TABLE,
    _DELETIONS_TABLE,
)
# `p` is the profile, `column` is one of `suppressions`, and `lists` compares its list with no list.
SUPPRESSED_TEMPLATE: Final = (
    "EXISTS (SELECT 1 FROM suppressions s WHERE s.profile = p.seq AND s.list {lists} '' "
    "AND s.{column} {{comparison}} ?)"
)
SUPPRESSED_AT: Final = (
    "coalesce((SELECT max(s.at) FROM suppressions s WHERE s.profile = p.seq AND s.list {lists} ''), 0)"
)
EVERY_LIST: Final = ""  # the `list` of a suppression that is not of one list
SUBSCRIBED, UNSUBSCRIBED, NEVER_SUBSCRIBED = "SUBSCRIBED", "UNSUBSCRIBED", "NEVER_SUBSCRIBED"

_EMAIL: Final = "email.marketing"


@dataclass(frozen=True)
class StoredConsent:
    """The consent of a profile for a channel, such as `sms.marketing`, and how it was given."""

    channel: str
    consent: str
    consented_at: float | None
    updated_at: float
    method: str | None = None
    detail: str | None = None
    double_optin: bool | None = None


@dataclass(frozen=True)
class StoredSuppression:
    """A reason for which a profile gets no marketing mail at all, or none of one list."""

    list_id: str
    reason: str
    suppressed_at: float


@dataclass(frozen=True)
class Subscriptions:
    """The consents of a profile by channel, and its suppressions."""

    consents: Mapping[str, StoredConsent]
    suppressions: Sequence[StoredSuppression] = ()

    def to_attribute(self) -> dict[str, Any]:
        """Return the attribute `subscriptions` of a profile; WhatsApp is null if it was never used."""
        whatsapp = {
            name: self._tracking(f"whatsapp.{name}") | {"phone_number": None}
            for name in ("marketing", "transactional", "conversational")
        }
        push = self._find("push.marketing")
        return {
            "email": {
                "marketing": self._email_marketing(),
                "open_tracking": self._tracking("email.open_tracking"),
                "click_tracking": self._tracking("email.click_tracking"),
            },
            "sms": {name: self._sms(name) for name in ("marketing", "transactional")},
            "mobile_push": {
                "marketing": {
                    "can_receive_push_marketing": push.consent == SUBSCRIBED,
                    "consent": push.consent,
                    "consent_timestamp": to_iso(push.consented_at),
                }
            },
            "whatsapp": whatsapp if any(name.startswith("whatsapp.") for name in self.consents) else None,
        }

    def _email_marketing(self) -> dict[str, Any]:
        stored = self._find(_EMAIL)
        everywhere = [suppression for suppression in self.suppressions if suppression.list_id == EVERY_LIST]
        of_lists = [suppression for suppression in self.suppressions if suppression.list_id != EVERY_LIST]
        return {
            "can_receive_email_marketing": not everywhere,
            "consent": stored.consent,
            "consent_timestamp": to_iso(stored.consented_at),
            "last_updated": to_iso(stored.updated_at or None),
            "method": stored.method,
            "method_detail": stored.detail or "",
            "custom_method_detail": stored.detail,
            "double_optin": stored.double_optin,
            "suppression": [
                {"reason": suppression.reason, "timestamp": to_iso(suppression.suppressed_at)}
                for suppression in everywhere
            ],
            "list_suppressions": [
                {
                    "list_id": suppression.list_id,
                    "reason": suppression.reason,
                    "timestamp": to_iso(suppression.suppressed_at),
                }
                for suppression in of_lists
            ],
        }

    def _sms(self, name: str) -> dict[str, Any]:
        stored = self._find(f"sms.{name}")
        return {
            f"can_receive_sms_{name}": stored.consent == SUBSCRIBED,
            "consent": stored.consent,
            "consent_timestamp": to_iso(stored.consented_at),
            "method": stored.method,
            "method_detail": stored.detail or "",
            "last_updated": to_iso(stored.updated_at or None),
        }

    def _tracking(self, channel: str) -> dict[str, Any]:
        stored = self._find(channel)
        return {
            "can_receive": stored.consent == SUBSCRIBED,
            "consent": stored.consent,
            "consent_timestamp": to_iso(stored.consented_at),
            "last_updated": to_iso(stored.updated_at or None),
            "created_timestamp": to_iso(stored.updated_at or None),
            "metadata": None,
            "valid_until": None,
        }

    def _find(self, channel: str) -> StoredConsent:
        return self.consents.get(channel, StoredConsent(channel, NEVER_SUBSCRIBED, None, 0))


def load_subscriptions(db: sqlite3.Connection, profiles: Iterable[int]) -> dict[int, Subscriptions]:
    """Return the subscriptions of profiles, by their numbers."""
    numbers = list(profiles)
    condition = "WHERE profile IN (SELECT value FROM json_each(?))"
    numbers_json = orjson.dumps(numbers).decode()
    consents: dict[int, dict[str, StoredConsent]] = defaultdict(dict)
    for number, channel, consent, consented_at, updated_at, method, detail, double_optin in db.execute(
        "SELECT profile, channel, consent, consented_at, updated_at, method, detail, double_optin "
        f"FROM consents {condition}",
        (numbers_json,),
    ):
        is_double = None if double_optin is None else bool(double_optin)
        consents[number][channel] = StoredConsent(
            channel, consent, consented_at, updated_at, method, detail, is_double
        )
    suppressions: dict[int, list[StoredSuppression]] = defaultdict(list)
    for number, *values in db.execute(
        f"SELECT profile, list, reason, at FROM suppressions {condition} ORDER BY at, list, reason",
        (numbers_json,),
    ):
        suppressions[number].append(StoredSuppression(*values))
    return {number: Subscriptions(consents[number], suppressions[number]) for number in numbers}


def save_consent(db: sqlite3.Connection, profile: int, stored: StoredConsent) -> None:
    """Keep the consent of a profile for a channel in the place of an earlier one."""
    db.execute(
        "INSERT OR REPLACE INTO consents VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            profile,
            stored.channel,
            stored.consent,
            stored.consented_at,
            stored.updated_at,
            stored.method,
            stored.detail,
            stored.double_optin,
        ),
    )


def add_suppression(db: sqlite3.Connection, profile: int, suppression: StoredSuppression) -> bool:
    """Suppress a profile for a reason; return False if it is suppressed for it already."""
    values = (profile, suppression.list_id, suppression.reason, suppression.suppressed_at)
    return db.execute("INSERT OR IGNORE INTO suppressions VALUES (?, ?, ?, ?)", values).rowcount > 0


def drop_suppressions(
    db: sqlite3.Connection, profile: int, reasons: Iterable[str], list_id: str = EVERY_LIST
) -> bool:
    """Lift the suppressions of a profile for these reasons; return whether there were any."""
    dropped = [
        db.execute(
            "DELETE FROM suppressions WHERE profile = ? AND list = ? AND reason = ?",
            (profile, list_id, reason),
        ).rowcount
        for reason in reasons
    ]
    return sum(dropped) > 0


def merge_subscriptions(db: sqlite3.Connection, target: int, source: int) -> None:
    """Give a profile the consents that it lacks and the suppressions of another one, which loses them."""
    for table in ("consents", "suppressions"):
        db.execute(f"UPDATE OR IGNORE {table} SET profile = ? WHERE profile = ?", (target, source))
        db.execute(f"DELETE FROM {table} WHERE profile = ?", (source,))
