"""Read what the pages show. Each query returns a bounded number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.sandbox.consents import EVERY_LIST, load_subscriptions
from reverse_etl.sandbox.events import EVENT_COLUMNS, EVENT_TABLES, StoredEvent
from reverse_etl.sandbox.jobs import JOB_COLUMNS, StoredJob
from reverse_etl.sandbox.lists import LIST_COLUMNS, StoredList
from reverse_etl.sandbox.profiles import PROFILE_COLUMNS, profile_from_row
from reverse_etl.sandbox.request_log import count_requests, load_latest_requests

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from reverse_etl.sandbox.consents import StoredConsent, StoredSuppression
    from reverse_etl.sandbox.matching import StoredProfile

PAGE_ROWS: Final = 50
_MOST_MEMBERSHIPS: Final = 200
_MAX_SEARCH_CHARACTERS: Final = 200
_NAME: Final = (
    "trim(coalesce(json_extract(CAST(p.attributes AS TEXT), '$.first_name'), '') || ' ' || "
    "coalesce(json_extract(CAST(p.attributes AS TEXT), '$.last_name'), ''))"
)
_MATCHES: Final = (
    "(p.email LIKE :pattern ESCAPE '\\' OR p.phone_number LIKE :pattern ESCAPE '\\' "
    "OR p.external_id LIKE :pattern ESCAPE '\\' OR p.id = :text OR p.seq IN "
    f"(SELECT profile FROM other_emails WHERE email = lower(:text)) OR {_NAME} LIKE :pattern ESCAPE '\\')"
)
_COUNTED_LISTS: Final = (
    f"SELECT {LIST_COLUMNS}, (SELECT count(*) FROM members m WHERE m.list = l.seq) FROM lists l "
)
_PROFILE_LISTS: Final = (
    "(SELECT group_concat(l.name, ', ') FROM members m JOIN lists l ON l.seq = m.list "
    "WHERE m.profile = p.seq)"
)
_COUNTS: Final = {
    "lists": "SELECT count(*) FROM lists",
    "memberships": "SELECT count(*) FROM members",
    "profiles": "SELECT count(*) FROM profiles",
    "events": "SELECT count(*) FROM events",
    "requests": "SELECT coalesce(max(seq), 0) FROM requests",
}


@dataclass(frozen=True)
class PageOfRows:
    """The rows of page `number`. `count` is the number of all rows, None if they were not counted."""

    rows: Sequence[Any]
    number: int
    count: int | None
    has_next: bool

    @property
    def last(self) -> int | None:
        """The number of the last page, None if the rows were not counted."""
        return None if self.count is None else max(1, -(-self.count // PAGE_ROWS))


@dataclass(frozen=True)
class CountedList:
    """A list and the number of its members."""

    stored: StoredList
    members: int


@dataclass(frozen=True)
class ShownProfile:
    """A profile as a row of a table shows it; `joined_at` is set for the members of a list."""

    profile: StoredProfile
    lists: str = ""
    joined_at: int | None = None

    @property
    def label(self) -> str:
        """The first identifier of the profile."""
        profile = self.profile
        return profile.email or profile.phone_number or profile.external_id or profile.id

    @property
    def name(self) -> str:
        """First and last name, "" if there is none."""
        parts = (self.profile.attributes.get("first_name"), self.profile.attributes.get("last_name"))
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class ProfileDetails:
    """All that belongs to one profile; of the events the newest.

    `unconfirmed` has channels, each with the name of a list or None, whose opt-in waits for the person.
    """

    shown: ShownProfile
    memberships: Sequence[tuple[StoredList, int]]
    consents: Sequence[StoredConsent]
    unconfirmed: Sequence[tuple[str, str | None]]
    suppressions: Sequence[tuple[StoredSuppression, str]]
    events: Sequence[StoredEvent]
    event_count: int


def count_content(db: sqlite3.Connection) -> dict[str, int]:
    """Return the numbers of lists, memberships, profiles, events and requests, by these names."""
    return {name: int(db.execute(query).fetchone()[0]) for name, query in _COUNTS.items()}


def count_records(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return the kinds of other resources, such as coupons, with their numbers."""
    return db.execute("SELECT kind, count(*) FROM records GROUP BY kind ORDER BY kind").fetchall()


def has_open_jobs(db: sqlite3.Connection) -> bool:
    """Return whether anything waits: jobs, subscriptions, suppressions or deletions."""
    return bool(
        db.execute(
            "SELECT EXISTS (SELECT 1 FROM jobs WHERE status IN ('queued', 'processing')) "
            "OR EXISTS (SELECT 1 FROM pending_consents) OR EXISTS (SELECT 1 FROM pending_deletions) "
            "OR EXISTS (SELECT 1 FROM suppression_jobs WHERE status <> 'complete')"
        ).fetchone()[0]
    )


def load_lists(db: sqlite3.Connection, number: int) -> PageOfRows:
    """Return a page of all lists, oldest first."""
    count = int(db.execute(_COUNTS["lists"]).fetchone()[0])
    number = _bound_page_number(number, count)
    rows = db.execute(f"{_COUNTED_LISTS} ORDER BY l.seq LIMIT ? OFFSET ?", (PAGE_ROWS, _skip(number)))
    lists = [CountedList(StoredList(*columns), members) for *columns, members in rows]
    return PageOfRows(lists, number, count, number * PAGE_ROWS < count)


def find_counted_list(db: sqlite3.Connection, resource_id: str) -> CountedList | None:
    """Return the list with this id, or None."""
    row = db.execute(f"{_COUNTED_LISTS} WHERE l.id = ?", (resource_id,)).fetchone()
    return None if row is None else CountedList(StoredList(*row[:-1]), row[-1])


def load_members(db: sqlite3.Connection, counted: CountedList, search: str, number: int) -> PageOfRows:
    """Return a page of the members of a list, the newest first; with a search, those that match it."""
    number = number if search else _bound_page_number(number, counted.members)
    matches = f"JOIN profiles p ON p.seq = m.profile WHERE m.list = :list AND {_MATCHES}"
    rows = db.execute(
        f"SELECT {_PROFILE_LISTS}, m.joined_at, {PROFILE_COLUMNS} FROM (SELECT m.joined_at, m.profile "
        f"FROM members m {matches if search else 'WHERE m.list = :list'} "
        "ORDER BY m.joined_at DESC, m.profile DESC LIMIT :limit OFFSET :skipped) m "
        "CROSS JOIN profiles p ON p.seq = m.profile ORDER BY m.joined_at DESC, m.profile DESC",
        _parameters(search, number) | {"list": counted.stored.seq},
    )
    shown = [ShownProfile(profile_from_row(row[2:]), row[0] or "", row[1]) for row in rows]
    return _to_page(shown, number, None if search else counted.members)


def load_profiles(db: sqlite3.Connection, search: str, number: int) -> PageOfRows:
    """Return a page of profiles, the newest first; with a search, those that match it."""
    count = None if search else int(db.execute(_COUNTS["profiles"]).fetchone()[0])
    number = number if count is None else _bound_page_number(number, count)
    rows = db.execute(
        f"SELECT {_PROFILE_LISTS}, {PROFILE_COLUMNS} FROM (SELECT p.seq FROM profiles p "
        f"WHERE {_MATCHES if search else 'true'} ORDER BY p.seq DESC LIMIT :limit OFFSET :skipped) found "
        "CROSS JOIN profiles p ON p.seq = found.seq ORDER BY p.seq DESC",
        _parameters(search, number),
    )
    return _to_page([ShownProfile(profile_from_row(row[1:]), row[0] or "") for row in rows], number, count)


def load_request_page(db: sqlite3.Connection, number: int) -> PageOfRows:
    """Return a page of the request log, the newest first."""
    count = count_requests(db)
    number = _bound_page_number(number, count)
    rows = load_latest_requests(db, PAGE_ROWS, _skip(number))
    return PageOfRows(rows, number, count, number * PAGE_ROWS < count)


def load_jobs(db: sqlite3.Connection, count: int) -> list[tuple[StoredJob, list[tuple[str, str]]]]:
    """Return the newest import jobs, each with the ids and names of its lists."""
    rows = db.execute(f"SELECT {JOB_COLUMNS} FROM jobs j ORDER BY j.seq DESC LIMIT ?", (count,))
    jobs = [StoredJob(*row) for row in rows]
    names = _find_list_names(db, [list_id for job in jobs for list_id in job.list_ids()])
    return [(job, [(list_id, names.get(list_id, list_id)) for list_id in job.list_ids()]) for job in jobs]


def load_newest_events(db: sqlite3.Connection, count: int) -> list[StoredEvent]:
    """Return the newest events, also those that cannot be read yet."""
    query = f"SELECT {EVENT_COLUMNS} FROM {EVENT_TABLES} ORDER BY e.seq DESC LIMIT ?"
    return [StoredEvent(*row) for row in db.execute(query, (count,))]


def load_details(db: sqlite3.Connection, profile: StoredProfile) -> ProfileDetails:
    """Return a profile with its memberships, consents, suppressions and newest events."""
    memberships = db.execute(
        f"SELECT {LIST_COLUMNS}, m.joined_at FROM members m JOIN lists l ON l.seq = m.list "
        "WHERE m.profile = ? ORDER BY m.joined_at DESC, l.seq DESC LIMIT ?",
        (profile.seq, _MOST_MEMBERSHIPS),
    ).fetchall()
    subscriptions = load_subscriptions(db, [profile.seq])[profile.seq]
    names = _find_list_names(db, [suppression.list_id for suppression in subscriptions.suppressions])
    names[EVERY_LIST] = "all lists"
    events = db.execute(
        f"SELECT {EVENT_COLUMNS} FROM {EVENT_TABLES} WHERE e.profile = ? "
        "ORDER BY e.at DESC, e.seq DESC LIMIT ?",
        (profile.seq, PAGE_ROWS),
    )
    count = db.execute("SELECT count(*) FROM events WHERE profile = ?", (profile.seq,)).fetchone()[0]
    return ProfileDetails(
        ShownProfile(profile),
        [(StoredList(*columns), joined_at) for *columns, joined_at in memberships],
        sorted(subscriptions.consents.values(), key=lambda consent: consent.channel),
        db.execute(
            "SELECT c.channel, l.name FROM confirmations c LEFT JOIN lists l ON l.id = c.list "
            "WHERE c.profile = ? ORDER BY c.channel, l.seq LIMIT ?",
            (profile.seq, PAGE_ROWS),
        ).fetchall(),
        [(entry, names.get(entry.list_id, entry.list_id)) for entry in subscriptions.suppressions],
        [StoredEvent(*row) for row in events],
        int(count),
    )


def _find_list_names(db: sqlite3.Connection, ids: Sequence[str]) -> dict[str, str]:
    query = "SELECT id, name FROM lists WHERE id IN (SELECT value FROM json_each(?))"
    return dict(db.execute(query, (orjson.dumps(ids).decode(),)).fetchall())


def _to_page(rows: Sequence[Any], number: int, count: int | None) -> PageOfRows:
    """Return a page of rows that were read with one more than a page holds."""
    return PageOfRows(rows[:PAGE_ROWS], number, count, len(rows) > PAGE_ROWS)


def _bound_page_number(number: int, count: int) -> int:
    return min(number, max(1, -(-count // PAGE_ROWS)))


def _skip(number: int) -> int:
    return (number - 1) * PAGE_ROWS


def _parameters(search: str, number: int) -> dict[str, Any]:
    text = search[:_MAX_SEARCH_CHARACTERS]
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {"text": text, "pattern": f"%{escaped}%", "limit": PAGE_ROWS + 1, "skipped": _skip(number)}
