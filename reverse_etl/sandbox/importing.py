"""Applying an import job: all of it in one transaction, at the time at which the job ends."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.sandbox.jobs import JOB_COLUMNS, Doom, Fate, StoredJob
from reverse_etl.sandbox.lists import find_list, join
from reverse_etl.sandbox.matching import Person, RowFailure
from reverse_etl.sandbox.profiles import people_for, save_people
from reverse_etl.sandbox.replies import title_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from reverse_etl.sandbox.rules import Rules


@dataclass(frozen=True)
class _Work:
    job: StoredJob
    rows: list[dict[str, Any]]
    fate: Fate


@dataclass
class Outcome:
    """What came of a job's rows: profiles made or changed, failures that are told, how many are not."""

    people: dict[int, Person] = field(default_factory=dict)
    failures: list[tuple[Doom, Mapping[str, Any]]] = field(default_factory=list)
    silent: int = 0
    applied: int = 0


def settle_jobs(db: sqlite3.Connection, account: str, rules: Rules, now: float) -> None:
    """Start and end the jobs whose time has come, the earliest end first.

    Those that have ended are left alone.
    """
    db.execute("UPDATE jobs SET status = 'processing' WHERE status = 'queued' AND starts_at <= ?", (now,))
    due = db.execute(
        f"SELECT {JOB_COLUMNS}, j.content, j.fate FROM jobs j "
        "WHERE j.status IN ('queued', 'processing') AND j.ends_at <= ? ORDER BY j.ends_at, j.seq",
        (now,),
    ).fetchall()
    for *columns, content, fate in due:
        _end(db, account, rules, _Work(StoredJob(*columns), orjson.loads(content), Fate.load(fate)))


def _end(db: sqlite3.Connection, account: str, rules: Rules, work: _Work) -> None:
    job, cancelled = work.job, work.fate.cancelled_after is not None
    outcome = _apply(db, account, rules, work)
    save_people(db, outcome.people.values())
    for listed in (find_list(db, identity) for identity in job.list_ids()):
        if listed is not None:  # deleted since the job was accepted
            join(db, listed, outcome.people, job.ends_at)
    db.executemany("INSERT INTO job_profiles VALUES (?, ?)", ((job.seq, one) for one in outcome.people))
    db.executemany(
        "INSERT INTO job_errors (job, id, code, title, detail, pointer, original_payload) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (_error_row(job, doom, row) for doom, row in outcome.failures),
    )
    db.execute(
        "UPDATE jobs SET status = ?, completed = ?, failed = ?, content = NULL WHERE seq = ?",
        (
            "cancelled" if cancelled else "complete",
            outcome.applied,
            len(outcome.failures) + outcome.silent,
            job.seq,
        ),
    )


def _apply(db: sqlite3.Connection, account: str, rules: Rules, work: _Work) -> Outcome:
    rows, now = work.rows[: work.fate.cancelled_after], int(work.job.ends_at)
    people = people_for(db, account, rules, rows, now)
    doomed = {doom.place: doom for doom in work.fate.doomed}
    silent = _last_places(len(rows), work.fate.silent, doomed)
    outcome = Outcome(silent=len(silent))
    for place, row in enumerate(rows):
        if place in silent:
            continue
        if doom := doomed.get(place):
            outcome.failures.append((doom, row))
            continue
        match people.apply(row, now):
            case RowFailure(code, name, detail):
                outcome.failures.append((Doom(place, code, name, detail, "attributes"), row))
            case person:
                outcome.people[person.seq] = person
                outcome.applied += 1
    return outcome


def _last_places(total: int, count: int, taken: Iterable[int]) -> set[int]:
    kept = set(taken)
    free = [place for place in range(total) if place not in kept]
    return set(free[-count:]) if count else set()


def _error_row(job: StoredJob, doom: Doom, row: Mapping[str, Any]) -> tuple[Any, ...]:
    payloads = {
        "resource": row,
        "attributes": {**row["attributes"], **({"id": row["id"]} if row.get("id") else {})},
    }
    payload = payloads.get(doom.payload)
    identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{job.id}/{doom.place}"))
    pointer = "/data/id" if doom.field == "id" else f"/data/attributes/{doom.field}"
    return (
        job.seq,
        identity,
        doom.code,
        title_of(400),
        doom.detail,
        pointer,
        None if payload is None else orjson.dumps(payload),
    )
