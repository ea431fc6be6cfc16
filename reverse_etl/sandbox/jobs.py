"""Accept, store and show import jobs; `importing` applies them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.sandbox.identities import derive_job_id
from reverse_etl.sandbox.replies import select_fields
from reverse_etl.sandbox.rules import JOB_RETENTION_SECONDS, Rules
from reverse_etl.sandbox.store import next_number
from reverse_etl.sandbox.times import to_iso

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

JOB_COLUMNS: Final = (
    "j.seq, j.id, j.status, j.created_at, j.starts_at, j.ends_at, j.expires_at, "
    "j.total, j.completed, j.failed, j.lists"
)
JOB_FIELDS: Final = frozenset(
    {
        "id",
        "status",
        "created_at",
        "started_at",
        "completed_at",
        "expires_at",
        "total_count",
        "completed_count",
        "failed_count",
    }
)
_QUEUED_SHARE: Final = 0.25
_NEVER: Final = 1e12


@dataclass(frozen=True)
class StoredJob:
    """A stored job, in the order of `JOB_COLUMNS`. `lists` is a JSON list of list ids."""

    seq: int
    id: str
    status: str
    created_at: float
    starts_at: float
    ends_at: float
    expires_at: float
    total: int
    completed: int
    failed: int
    lists: str

    def row(self) -> tuple[Any, ...]:
        """Return the job as a row of `JOB_COLUMNS`."""
        return (
            self.seq,
            self.id,
            self.status,
            self.created_at,
            self.starts_at,
            self.ends_at,
            self.expires_at,
            self.total,
            self.completed,
            self.failed,
            self.lists,
        )

    def list_ids(self) -> list[str]:
        """Return the ids of the lists to which the job adds its profiles."""
        return [str(resource_id) for resource_id in orjson.loads(self.lists)]

    def to_resource(self, origin: str, requested_fields: frozenset[str] | None) -> dict[str, Any]:
        """Return the job as a JSON:API resource."""
        is_finished = self.status in {"complete", "cancelled"}
        attributes = {
            "status": self.status,
            "created_at": to_iso(self.created_at),
            "total_count": self.total,
            "completed_count": self.completed,
            "failed_count": self.failed,
            "started_at": None if self.status == "queued" else to_iso(self.starts_at),
            "completed_at": to_iso(self.ends_at) if is_finished else None,
            "expires_at": to_iso(self.expires_at),
        }
        self_url = f"{origin}/api/profile-bulk-import-jobs/{self.id}"
        lists = [{"type": "list", "id": resource_id} for resource_id in self.list_ids()]
        return {
            "type": "profile-bulk-import-job",
            "id": self.id,
            "attributes": select_fields(attributes, requested_fields),
            "relationships": {
                "lists": {
                    "data": lists,
                    "links": {"self": f"{self_url}/relationships/lists/", "related": f"{self_url}/lists/"},
                },
                "profiles": {
                    "links": {
                        "self": f"{self_url}/relationships/profiles/",
                        "related": f"{self_url}/profiles/",
                    }
                },
                "import-errors": {"links": {"related": f"{self_url}/import-errors/"}},
            },
            "links": {"self": f"{self_url}/"},
        }


@dataclass(frozen=True)
class RowFailurePlan:
    """A row that a fault makes fail when its job is applied. `index` is its index in the request."""

    index: int
    code: str
    field: str
    detail: str
    payload: str

    def document(self) -> dict[str, Any]:
        """Return the failure as stored in the state file."""
        return {
            "place": self.index,
            "code": self.code,
            "field": self.field,
            "detail": self.detail,
            "payload": self.payload,
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> RowFailurePlan:
        """Return the failure of a stored document; the inverse of `document`."""
        return cls(kept["place"], kept["code"], kept["field"], kept["detail"], kept["payload"])


@dataclass(frozen=True)
class JobScript:
    """The effect of faults on a job.

    `row_failures` are the rows that fail, `silent_failures` is how many of the last rows fail without an
    error, and `cancelled_after` is the number of rows after which the job is cancelled.
    """

    row_failures: list[RowFailurePlan] = field(default_factory=list)
    silent_failures: int = 0
    cancelled_after: int | None = None

    def to_json(self) -> str:
        """Return the script as JSON, for the state file."""
        content = {
            "doomed": [failure.document() for failure in self.row_failures],
            "silent": self.silent_failures,
            "cancelled_after": self.cancelled_after,
        }
        return orjson.dumps(content).decode()

    @classmethod
    def from_json(cls, text: str) -> JobScript:
        """Return the script of a JSON text; the inverse of `to_json`."""
        stored = orjson.loads(text)
        return cls(
            [RowFailurePlan.of(failure_plan) for failure_plan in stored["doomed"]],
            stored["silent"],
            stored["cancelled_after"],
        )


@dataclass(frozen=True)
class JobRequest:
    """The content of an import request: rows, lists to add them to, and the effect of faults.

    A `stalled` job never ends. From `forgotten_after` seconds on, the job cannot be read any more.
    """

    rows: Sequence[Any]
    lists: tuple[str, ...]
    script: JobScript
    stalled: bool = False
    forgotten_after: float = JOB_RETENTION_SECONDS


def accept_job(
    db: sqlite3.Connection, account_id: str, rules: Rules, job_request: JobRequest, now: float
) -> StoredJob:
    """Store a queued job with its rows and return it; it starts and ends later."""
    number = next_number(db, "jobs")
    duration = rules.job_seconds + rules.row_seconds * len(job_request.rows)
    job = StoredJob(
        seq=number,
        id=derive_job_id(account_id, number),
        status="queued",
        created_at=now,
        starts_at=now + duration * _QUEUED_SHARE,
        ends_at=_NEVER if job_request.stalled else now + duration,
        expires_at=now + job_request.forgotten_after,
        total=len(job_request.rows),
        completed=0,
        failed=0,
        lists=orjson.dumps(job_request.lists).decode(),
    )
    db.execute(
        f"INSERT INTO jobs ({JOB_COLUMNS.replace('j.', '')}, content, fate) VALUES ({', '.join('?' * 13)})",
        (*job.row(), orjson.dumps(job_request.rows), job_request.script.to_json()),
    )
    return job


def find_job(db: sqlite3.Connection, resource_id: str, now: float) -> StoredJob | None:
    """Return the job with this id, or None if it does not exist or has expired."""
    row = db.execute(
        f"SELECT {JOB_COLUMNS} FROM jobs j WHERE j.id = ? AND j.expires_at > ?", (resource_id, now)
    ).fetchone()
    return None if row is None else StoredJob(*row)


def finish_jobs(db: sqlite3.Connection, now: float) -> None:
    """End all open jobs now, except those that a fault has stalled."""
    db.execute(
        "UPDATE jobs SET starts_at = min(starts_at, ?), ends_at = min(ends_at, ?) "
        "WHERE status IN ('queued', 'processing') AND ends_at < ?",
        (now, now, _NEVER),
    )
