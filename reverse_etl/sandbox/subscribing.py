"""Carry out requests that subscribe and unsubscribe profiles, and what people do themselves.

A subscription takes effect after a while, an unsubscription at once. Sources: API reference of Bulk Subscribe
Profiles and Bulk Unsubscribe Profiles; guide "Collect consent".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import orjson

from reverse_etl.errors import UsageError
from reverse_etl.sandbox.consents import (
    EVERY_LIST,
    NEVER_SUBSCRIBED,
    SUBSCRIBED,
    UNSUBSCRIBED,
    StoredConsent,
    StoredSuppression,
    add_suppression,
    drop_suppressions,
    load_subscriptions,
    save_consent,
)
from reverse_etl.sandbox.lists import StoredList, add_members, find_list, remove_members
from reverse_etl.sandbox.matching import StoredProfile
from reverse_etl.sandbox.profiles import (
    PROFILE_COLUMNS,
    load_matching_profiles,
    profile_from_row,
    save_profiles,
)
from reverse_etl.sandbox.subscription_rows import ConsentRequest, ConsentRow

if TYPE_CHECKING:
    import sqlite3

    from reverse_etl.sandbox.rules import Rules

LIFTED_REASONS: Final = ("UNSUBSCRIBE", "SPAM_REPORT", "SPAM_COMPLAINT", "USER_SUPPRESSED")

_EMAIL: Final = "email.marketing"
_METHOD: Final = "API"


def accept_subscriptions(db: sqlite3.Connection, request: ConsentRequest, rules: Rules) -> None:
    """Store a request, which takes effect `consent_seconds` later."""
    db.execute(
        "INSERT INTO pending_consents (due_at, content) VALUES (?, ?)",
        (request.requested_at + rules.consent_seconds, orjson.dumps(request.document())),
    )


def advance_subscriptions(db: sqlite3.Connection, account_id: str, rules: Rules, now: float) -> None:
    """Carry out the requests that are due, in their order."""
    due = db.execute(
        "SELECT seq, due_at, content FROM pending_consents WHERE due_at <= ? ORDER BY due_at, seq", (now,)
    ).fetchall()
    for seq, due_at, content in due:
        db.execute("DELETE FROM pending_consents WHERE seq = ?", (seq,))
        _RequestExecution(db, account_id, rules, ConsentRequest.of(orjson.loads(content)), due_at).subscribe()


def finish_subscriptions(db: sqlite3.Connection, now: float) -> None:
    """Let all accepted subscriptions take effect now."""
    db.execute("UPDATE pending_consents SET due_at = min(due_at, ?)", (now,))


def find_newer_opt_out(db: sqlite3.Connection, row: ConsentRow) -> str | None:
    """Return the first channel of a row whose consent is older than an opt-out of its person, or None."""
    profile = find_person(db, row)
    if profile is None:
        return None
    subscriptions = load_subscriptions(db, [profile.seq])[profile.seq]
    for channel, consented_at in row.channels.items():
        stored = subscriptions.consents.get(channel)
        if (
            stored is not None
            and stored.consent == UNSUBSCRIBED
            and consented_at is not None
            and consented_at <= stored.updated_at
        ):
            return channel
    return None


def unsubscribe(db: sqlite3.Connection, request: ConsentRequest) -> None:
    """Unsubscribe people at once; unknown ones are ignored.

    With a list, a member loses the list alone; everybody else is unsubscribed from everything.
    """
    stored_list = find_list(db, request.list_id) if request.list_id else None
    for row in request.rows:
        profile = find_person(db, row)
        if profile is None:
            continue
        if stored_list is not None and _is_member(db, stored_list, profile):
            remove_members(db, stored_list, [profile.seq])
            if _EMAIL in row.channels:
                add_suppression(
                    db, profile.seq, StoredSuppression(stored_list.id, "UNSUBSCRIBE", request.requested_at)
                )
            continue
        for channel in row.channels:
            opt_out(db, profile, channel, request.requested_at)


def opt_out(db: sqlite3.Connection, profile: StoredProfile, channel: str, opted_out_at: float) -> None:
    """Unsubscribe a profile from a channel globally."""
    save_consent(db, profile.seq, StoredConsent(channel, UNSUBSCRIBED, opted_out_at, opted_out_at))
    if channel == _EMAIL:
        add_suppression(db, profile.seq, StoredSuppression(EVERY_LIST, "UNSUBSCRIBE", opted_out_at))


def confirm_opt_in(db: sqlite3.Connection, email_or_phone: str, now: float) -> None:
    """Confirm the subscriptions of which a person was asked by a message. Raises UsageError if none."""
    profile = require_person(db, email_or_phone)
    asked = db.execute(
        "DELETE FROM confirmations WHERE profile = ? RETURNING channel, list, source", (profile.seq,)
    ).fetchall()
    if not asked:
        raise UsageError.of(f"{email_or_phone} was not asked for a confirmation.")
    for channel, list_id, source in asked:
        stored = StoredConsent(channel, SUBSCRIBED, now, now, _METHOD, source, double_optin=True)
        _subscribe_profile(db, profile, stored, find_list(db, list_id))


def require_person(db: sqlite3.Connection, email_or_phone: str) -> StoredProfile:
    """Return the profile with this e-mail or phone. Raises UsageError if there is none."""
    profile = find_person(db, ConsentRow(None, email_or_phone, email_or_phone, {}))
    if profile is None:
        raise UsageError.of(f"The sandbox has no profile with {email_or_phone}.")
    return profile


def find_person(db: sqlite3.Connection, row: ConsentRow) -> StoredProfile | None:
    """Return the profile of a row, found by its id, or by its identifiers, that of the channel first."""
    first_channel = next(iter(row.channels), "")
    by_phone = first_channel.startswith(("sms.", "whatsapp."))
    names = ("phone_number", "email") if by_phone else ("email", "phone_number")
    keys = [("id", row.id)] if row.id else [(name, getattr(row, name)) for name in names]
    for name, value in keys:
        if value is not None:
            profile_row = db.execute(
                f"SELECT {PROFILE_COLUMNS} FROM profiles p WHERE p.{name} = ? ORDER BY p.seq", (value,)
            ).fetchone()
            if profile_row is not None:
                return profile_from_row(profile_row)
    return None


@dataclass(frozen=True)
class _RequestExecution:
    """Carries out one request at the time at which it takes effect."""

    db: sqlite3.Connection
    account_id: str
    rules: Rules
    request: ConsentRequest
    now: float

    def subscribe(self) -> None:
        stored_list = find_list(self.db, self.request.list_id) if self.request.list_id else None
        for row in self.request.rows:
            profile = self._find_or_create(row, stored_list)
            if profile is not None and not self._is_silenced(profile):
                for channel, consented_at in row.channels.items():
                    self._subscribe_channel(profile, channel, consented_at, stored_list)

    def _find_or_create(self, row: ConsentRow, stored_list: StoredList | None) -> StoredProfile | None:
        """Return the row's profile; a new address without a list and a past consent makes none."""
        profile = find_person(self.db, row)
        if profile is None and (row.id or not (stored_list or self.request.historical)):
            return None
        identifiers = {
            name: value
            for name, value in (("email", row.email), ("phone_number", row.phone_number))
            if value is not None
        }
        resource = {"attributes": identifiers} | ({"id": profile.id} if profile else {})
        rules, now = replace(self.rules, conflicts="drop"), int(self.now)
        index = load_matching_profiles(self.db, self.account_id, rules, [resource], now)
        result = index.apply_row(resource, now)
        if not isinstance(result, StoredProfile):
            return None
        save_profiles(self.db, [result])
        return result

    def _is_silenced(self, profile: StoredProfile) -> bool:
        row = self.db.execute("SELECT at FROM subscribed_events WHERE profile = ?", (profile.seq,)).fetchone()
        recent = row is not None and self.request.requested_at - row[0] < self.rules.silence_seconds
        return recent and not self.request.historical

    def _subscribe_channel(
        self,
        profile: StoredProfile,
        channel: str,
        consented_at: float | None,
        stored_list: StoredList | None,
    ) -> None:
        stored = load_subscriptions(self.db, [profile.seq])[profile.seq].consents.get(channel)
        given_at = self.request.requested_at if consented_at is None else consented_at
        if stored is not None and stored.consent == UNSUBSCRIBED and stored.updated_at >= given_at:
            return  # the person has opted out since
        if self._asks_for_confirmation(channel, stored_list):
            self._ask(profile, channel, stored, stored_list)
            return
        if stored is None or stored.consent != SUBSCRIBED:  # a subscribed person keeps the old time
            stored = StoredConsent(channel, SUBSCRIBED, given_at, self.now, _METHOD, self.request.source)
        _subscribe_profile(self.db, profile, stored, stored_list, event=not self.request.historical)

    def _asks_for_confirmation(self, channel: str, stored_list: StoredList | None) -> bool:
        if self.request.historical or channel not in {_EMAIL, "sms.marketing"} or stored_list is None:
            return False
        return stored_list.opt_in_process == "double_opt_in"

    def _ask(
        self,
        profile: StoredProfile,
        channel: str,
        stored: StoredConsent | None,
        stored_list: StoredList | None,
    ) -> None:
        if stored is None:
            save_consent(self.db, profile.seq, StoredConsent(channel, NEVER_SUBSCRIBED, None, self.now))
        self.db.execute(
            "INSERT OR REPLACE INTO confirmations VALUES (?, ?, ?, ?)",
            (profile.seq, channel, stored_list.id if stored_list else EVERY_LIST, self.request.source),
        )


def _subscribe_profile(
    db: sqlite3.Connection,
    profile: StoredProfile,
    stored: StoredConsent,
    stored_list: StoredList | None,
    *,
    event: bool = True,
) -> None:
    save_consent(db, profile.seq, stored)
    if stored.channel == _EMAIL:
        drop_suppressions(db, profile.seq, LIFTED_REASONS)
    if event:
        db.execute("INSERT OR REPLACE INTO subscribed_events VALUES (?, ?)", (profile.seq, stored.updated_at))
    if stored_list is not None and stored.channel.endswith(".marketing"):
        drop_suppressions(db, profile.seq, LIFTED_REASONS, stored_list.id)
        add_members(db, stored_list, [profile.seq], stored.updated_at)


def _is_member(db: sqlite3.Connection, stored_list: StoredList, profile: StoredProfile) -> bool:
    query = "SELECT 1 FROM members WHERE list = ? AND profile = ?"
    return db.execute(query, (stored_list.seq, profile.seq)).fetchone() is not None
