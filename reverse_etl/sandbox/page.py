"""The HTML page at /: the content of the sandbox and its latest requests. It has no scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from reverse_etl.formatting import escape_page_value
from reverse_etl.sandbox.faults import load_queued_faults
from reverse_etl.sandbox.introspection import list_summaries, profile_count
from reverse_etl.sandbox.jobs import JOB_COLUMNS, StoredJob
from reverse_etl.sandbox.profiles import PROFILE_COLUMNS, profile_from_row
from reverse_etl.sandbox.request_log import load_latest_requests
from reverse_etl.sandbox.times import to_iso

if TYPE_CHECKING:
    import sqlite3

    from reverse_etl.sandbox.account import SandboxAccount
    from reverse_etl.sandbox.matching import StoredProfile

_MAX_JOBS: Final = 12
_MAX_PROFILES: Final = 12
_MAX_REQUESTS: Final = 40
_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("reverse_etl.sandbox"),
    autoescape=True,
    finalize=escape_page_value,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.filters["n"] = "{:,}".format


def render_page(account: SandboxAccount, nonce: str) -> str:
    """Return the page as HTML: totals, lists, queued faults, the newest jobs, profiles and requests.

    `nonce` is the one of its style in the content security policy.
    """
    with account.transaction() as db:
        lists = list_summaries(db)
        names = {entry["id"]: entry["name"] for entry in lists}
        return _ENVIRONMENT.get_template("page.html.j2").render(
            nonce=nonce,
            account=account.id,
            path=account.store.path,
            now=_format_time(account.now()),
            lists=lists,
            profile_count=profile_count(db),
            profiles=_newest_profiles(db),
            jobs=_newest_jobs(db, names),
            requests=[
                {"entry": entry, "at": _format_time(entry.at)}
                for entry in load_latest_requests(db, _MAX_REQUESTS)
            ],
            faults=load_queued_faults(db),
        )


def _newest_profiles(db: sqlite3.Connection) -> list[dict[str, Any]]:
    rows = db.execute(
        f"SELECT (SELECT group_concat(l.name, ', ') FROM members m JOIN lists l ON l.seq = m.list "
        f"WHERE m.profile = p.seq), {PROFILE_COLUMNS} FROM profiles p ORDER BY p.seq DESC LIMIT ?",
        (_MAX_PROFILES,),
    )
    return [
        {
            "person": (profile := profile_from_row(row[1:])),
            "name": _format_name(profile),
            "lists": row[0] or "",
        }
        for row in rows
    ]


def _newest_jobs(db: sqlite3.Connection, names: dict[str, str]) -> list[dict[str, Any]]:
    rows = db.execute(f"SELECT {JOB_COLUMNS} FROM jobs j ORDER BY j.seq DESC LIMIT ?", (_MAX_JOBS,))
    jobs = [StoredJob(*row) for row in rows]
    return [
        {
            "job": job,
            "at": _format_time(job.created_at),
            "lists": ", ".join(names.get(list_id, list_id) for list_id in job.list_ids()),
        }
        for job in jobs
    ]


def _format_name(profile: StoredProfile) -> str:
    parts = (profile.attributes.get("first_name"), profile.attributes.get("last_name"))
    return " ".join(part for part in parts if part)


def _format_time(seconds: float) -> str:
    return (to_iso(seconds) or "")[:19].replace("T", " ")
