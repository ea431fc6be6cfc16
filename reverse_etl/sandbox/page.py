"""The page at /: what the sandbox holds, and its latest requests. It needs no scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from reverse_etl.sandbox.faults import standing_faults
from reverse_etl.sandbox.introspection import list_summaries, profile_count
from reverse_etl.sandbox.jobs import JOB_COLUMNS, StoredJob
from reverse_etl.sandbox.journal import latest_entries
from reverse_etl.sandbox.profiles import COLUMNS, person_of
from reverse_etl.sandbox.times import wire

if TYPE_CHECKING:
    import sqlite3

    from reverse_etl.sandbox.account import Account
    from reverse_etl.sandbox.matching import Person

_JOBS: Final = 12
_PROFILES: Final = 12
_REQUESTS: Final = 40
_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("reverse_etl.sandbox"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.filters["n"] = "{:,}".format


def show_page(account: Account) -> str:
    """Return the page as HTML: totals, lists, queued faults, the newest jobs, profiles and requests."""
    with account.state() as db:
        lists = list_summaries(db)
        names = {one["id"]: one["name"] for one in lists}
        return _ENVIRONMENT.get_template("page.html.j2").render(
            account=account.id,
            path=account.store.path,
            now=_time(account.now()),
            lists=lists,
            profile_count=profile_count(db),
            profiles=_newest_profiles(db),
            jobs=_newest_jobs(db, names),
            requests=[{"entry": one, "at": _time(one.at)} for one in latest_entries(db, _REQUESTS)],
            faults=standing_faults(db),
        )


def _newest_profiles(db: sqlite3.Connection) -> list[dict[str, Any]]:
    rows = db.execute(
        f"SELECT (SELECT group_concat(l.name, ', ') FROM members m JOIN lists l ON l.seq = m.list "
        f"WHERE m.profile = p.seq), {COLUMNS} FROM profiles p ORDER BY p.seq DESC LIMIT ?",
        (_PROFILES,),
    )
    return [
        {"person": (one := person_of(row[1:])), "name": _name(one), "lists": row[0] or ""} for row in rows
    ]


def _newest_jobs(db: sqlite3.Connection, names: dict[str, str]) -> list[dict[str, Any]]:
    rows = db.execute(f"SELECT {JOB_COLUMNS} FROM jobs j ORDER BY j.seq DESC LIMIT ?", (_JOBS,))
    jobs = [StoredJob(*row) for row in rows]
    return [
        {
            "job": job,
            "at": _time(job.created_at),
            "lists": ", ".join(names.get(identity, identity) for identity in job.list_ids()),
        }
        for job in jobs
    ]


def _name(person: Person) -> str:
    parts = (person.attributes.get("first_name"), person.attributes.get("last_name"))
    return " ".join(part for part in parts if part)


def _time(seconds: float) -> str:
    return (wire(seconds) or "")[:19].replace("T", " ")
