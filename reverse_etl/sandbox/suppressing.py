"""Accept, carry out and show the jobs that suppress profiles and lift suppressions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson

from reverse_etl.sandbox.consents import EVERY_LIST, StoredSuppression, add_suppression, drop_suppressions
from reverse_etl.sandbox.identities import derive_suppression_job_id
from reverse_etl.sandbox.lists import find_list
from reverse_etl.sandbox.matching import StoredProfile
from reverse_etl.sandbox.profiles import load_matching_profiles, save_profiles
from reverse_etl.sandbox.replies import ErrorObject, HttpError, bad_request_error
from reverse_etl.sandbox.store import next_number
from reverse_etl.sandbox.times import to_iso
from reverse_etl.sandbox.validation import (
    ROWS_POINTER,
    is_email,
    parse_resource,
    parse_resource_ids,
    require_object,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from reverse_etl.sandbox.rules import Rules

Verb = Literal["create", "delete"]

BY_HAND: Final = "USER_SUPPRESSED"
SUPPRESSION_JOB_COLUMNS: Final = (
    "j.seq, j.id, j.verb, j.list, j.emails, j.created_at, j.ends_at, "
    "j.total, j.completed, j.skipped, j.status"
)
SUPPRESSION_JOB_FIELDS: Final = frozenset(
    {"id", "status", "created_at", "total_count", "completed_count", "completed_at", "skipped_count"}
)
_MAX_PROFILES: Final = 100


@dataclass(frozen=True)
class SuppressionRequest:
    """E-mails to suppress or to unsuppress, or the id of a list whose members are meant."""

    verb: Verb
    emails: tuple[str, ...] = ()
    list_id: str = ""


@dataclass(frozen=True)
class SuppressionJob:
    """A stored job, in the order of `SUPPRESSION_JOB_COLUMNS`. `emails` is a JSON list."""

    seq: int
    id: str
    verb: Verb
    list_id: str
    emails: str
    created_at: float
    ends_at: float
    total: int
    completed: int
    skipped: int
    status: str

    def to_resource(self, origin: str, fields: frozenset[str] | None, rules: Rules) -> dict[str, Any]:
        """Return the job as a JSON:API resource.

        Jobs of a lying account are never complete, and claim to have skipped every row.
        """
        lies = rules.suppression_jobs == "lie"
        is_complete = self.status == "complete" and not lies
        attributes = {
            "status": "processing" if lies else self.status,
            "created_at": to_iso(self.created_at),
            "total_count": self.total,
            "completed_count": 0 if lies else self.completed,
            "completed_at": to_iso(self.ends_at) if is_complete else None,
            "skipped_count": self.total if lies else self.skipped,
        }
        return self._resource(origin, attributes, fields)

    def to_first_reply(self, origin: str, fields: frozenset[str] | None, rules: Rules) -> dict[str, Any]:
        """Return the job as in the reply to its request; a lying account shows no rows, and an end."""
        if rules.suppression_jobs == "honest":
            return self.to_resource(origin, fields, rules)
        attributes = {
            "status": "processing",
            "created_at": to_iso(self.created_at),
            "total_count": 0,
            "completed_count": 0,
            "completed_at": to_iso(self.created_at),
            "skipped_count": 0,
        }
        return self._resource(origin, attributes, fields)

    def _resource(
        self, origin: str, attributes: dict[str, Any], fields: frozenset[str] | None
    ) -> dict[str, Any]:
        self_url = f"{origin}/api/profile-suppression-bulk-{self.verb}-jobs/{self.id}"
        return {
            "type": f"profile-suppression-bulk-{self.verb}-job",
            "id": self.id,
            "attributes": {name: value for name, value in attributes.items() if not fields or name in fields},
            "relationships": {
                name: {
                    "links": {"self": f"{self_url}/relationships/{name}/", "related": f"{self_url}/{name}/"}
                }
                for name in ("lists", "segments")
            },
            "links": {"self": f"{self_url}/"},
        }


def parse_suppression(document: Any, verb: Verb, rules: Rules) -> SuppressionRequest:
    """Return the request of a body: e-mails, or a list. Raises HttpError (400)."""
    resource = parse_resource(document, f"profile-suppression-bulk-{verb}-job")
    attributes = require_object(resource.get("attributes"), "/data/attributes", {"profiles"})
    relationships = require_object(
        resource.get("relationships") or {}, "/data/relationships", {"list", "segment"}
    )
    relationship_names = [name for name in ("list", "segment") if relationships.get(name) is not None]
    profiles = attributes.get("profiles")
    if len(relationship_names) + (profiles is not None) != 1:
        raise bad_request_error(
            "Profiles, a list or a segment are required, and only one of them.", pointer="/data"
        )
    if profiles is not None:
        return SuppressionRequest(verb, emails=_parse_emails(profiles, rules))
    pointer = f"/data/relationships/{relationship_names[0]}"
    data = require_object(relationships[relationship_names[0]], pointer, {"data"}).get("data")
    (resource_id,) = parse_resource_ids([data], relationship_names[0], f"{pointer}/data")
    if relationship_names[0] == "segment":
        raise bad_request_error(
            f"A segment with id {resource_id} does not exist.", pointer=f"{pointer}/data/id"
        )
    return SuppressionRequest(verb, list_id=resource_id)


def _parse_emails(profiles: Any, rules: Rules) -> tuple[str, ...]:
    rows = require_object(profiles, "/data/attributes/profiles", {"data"}).get("data")
    if not isinstance(rows, list) or not 1 <= len(rows) <= _MAX_PROFILES:
        raise bad_request_error(f"From 1 to {_MAX_PROFILES} profiles are required.", pointer=ROWS_POINTER)
    errors = [error for index, row in enumerate(rows) for error in _find_row_errors(row, index)]
    if errors:
        raise HttpError(400, *errors[: rules.errors_per_reply])
    return tuple(row["attributes"]["email"].strip().lower() for row in rows)


def _find_row_errors(row: Any, index: int) -> Iterator[ErrorObject]:
    pointer = f"{ROWS_POINTER}/{index}"
    attributes = row.get("attributes") if isinstance(row, dict) else None
    if not isinstance(attributes, dict) or row.get("type") != "profile":
        yield ErrorObject("A resource of type 'profile' with attributes is required.", pointer)
        return
    for name in attributes.keys() - {"email"}:
        yield ErrorObject(f"'{name}' is not a valid field here.", f"{pointer}/attributes/{name}")
    if not isinstance(attributes.get("email"), str) or not is_email(attributes["email"]):
        yield ErrorObject("A valid e-mail is required.", f"{pointer}/attributes/email")


def accept_suppression(
    db: sqlite3.Connection, account_id: str, rules: Rules, request: SuppressionRequest, now: float
) -> SuppressionJob:
    """Store a job and return it; it acts `suppression_seconds` later."""
    number = next_number(db, "suppression_jobs")
    emails = _emails_of_list(db, request.list_id) if request.list_id else request.emails
    job = SuppressionJob(
        seq=number,
        id=derive_suppression_job_id(account_id, number),
        verb=request.verb,
        list_id=request.list_id,
        emails=orjson.dumps(emails).decode(),
        created_at=now,
        ends_at=now + rules.suppression_seconds,
        total=len(emails),
        completed=0,
        skipped=0,
        status="queued",
    )
    values = {
        "seq": job.seq,
        "id": job.id,
        "verb": job.verb,
        "list": job.list_id,
        "emails": job.emails,
        "created_at": job.created_at,
        "ends_at": job.ends_at,
        "total": job.total,
        "completed": job.completed,
        "skipped": job.skipped,
        "status": job.status,
    }
    columns, placeholders = ", ".join(values), ", ".join("?" * len(values))
    db.execute(f"INSERT INTO suppression_jobs ({columns}) VALUES ({placeholders})", (*values.values(),))
    return job


def advance_suppressions(db: sqlite3.Connection, account_id: str, rules: Rules, now: float) -> None:
    """Carry out the jobs that are due, in their order."""
    due = db.execute(
        f"SELECT {SUPPRESSION_JOB_COLUMNS} FROM suppression_jobs j "
        "WHERE j.status <> 'complete' AND j.ends_at <= ? ORDER BY j.ends_at, j.seq",
        (now,),
    ).fetchall()
    for columns in due:
        job = SuppressionJob(*columns)
        done = [_carry_out(db, account_id, rules, job, email) for email in orjson.loads(job.emails)]
        db.execute(
            "UPDATE suppression_jobs SET status = 'complete', completed = ?, skipped = ? WHERE seq = ?",
            (sum(done), len(done) - sum(done), job.seq),
        )


def finish_suppressions(db: sqlite3.Connection, now: float) -> None:
    """Let all open jobs act now."""
    db.execute("UPDATE suppression_jobs SET ends_at = min(ends_at, ?) WHERE status <> 'complete'", (now,))


def _carry_out(
    db: sqlite3.Connection, account_id: str, rules: Rules, job: SuppressionJob, email: str
) -> bool:
    """Suppress or free one address; return False if there was nothing to do."""
    resource, now = {"attributes": {"email": email}}, int(job.ends_at)
    exists = db.execute("SELECT 1 FROM profiles WHERE email = ?", (email,)).fetchone() is not None
    if not exists and (job.verb == "delete" or not rules.suppression_creates):
        return False
    profile = load_matching_profiles(db, account_id, rules, [resource], now).apply_row(resource, now)
    if not isinstance(profile, StoredProfile):
        return False
    save_profiles(db, [profile])
    if job.verb == "delete":
        return drop_suppressions(db, profile.seq, [BY_HAND])
    return add_suppression(db, profile.seq, StoredSuppression(EVERY_LIST, BY_HAND, job.ends_at))


def _emails_of_list(db: sqlite3.Connection, list_id: str) -> tuple[str, ...]:
    stored_list = find_list(db, list_id)
    if stored_list is None:
        pointer = "/data/relationships/list/data/id"
        raise bad_request_error(f"A list with id {list_id} does not exist.", pointer=pointer)
    rows = db.execute(
        "SELECT p.email FROM members m JOIN profiles p ON p.seq = m.profile "
        "WHERE m.list = ? AND p.email IS NOT NULL ORDER BY p.seq",
        (stored_list.seq,),
    )
    return tuple(email for (email,) in rows)
