"""Import jobs as they are accepted, kept and shown; `importing` applies them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.sandbox.faults import FaultKind, Standing, count_fault
from reverse_etl.sandbox.identities import job_id
from reverse_etl.sandbox.replies import ApiError
from reverse_etl.sandbox.rules import JOB_RETENTION_SECONDS, Rules
from reverse_etl.sandbox.store import next_number
from reverse_etl.sandbox.times import wire
from reverse_etl.sandbox.validation import ROWS_POINTER

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


@dataclass(frozen=True)
class StoredJob:
    """A job as it is stored, in the order of `JOB_COLUMNS`. `lists` is a JSON list of list ids."""

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
        """Return the ids of the lists that the job puts its profiles on."""
        return [str(identity) for identity in orjson.loads(self.lists)]

    def resource(self, origin: str, wanted: frozenset[str] | None) -> dict[str, Any]:
        """Return the job as a JSON:API resource."""
        ended = self.status in {"complete", "cancelled"}
        attributes = {
            "status": self.status,
            "created_at": wire(self.created_at),
            "total_count": self.total,
            "completed_count": self.completed,
            "failed_count": self.failed,
            "started_at": None if self.status == "queued" else wire(self.starts_at),
            "completed_at": wire(self.ends_at) if ended else None,
            "expires_at": wire(self.expires_at),
        }
        own = f"{origin}/api/profile-bulk-import-jobs/{self.id}"
        lists = [{"type": "list", "id": identity} for identity in self.list_ids()]
        return {
            "type": "profile-bulk-import-job",
            "id": self.id,
            "attributes": {
                name: value for name, value in attributes.items() if wanted is None or name in wanted
            },
            "relationships": {
                "lists": {
                    "data": lists,
                    "links": {"self": f"{own}/relationships/lists", "related": f"{own}/lists"},
                },
                "profiles": {
                    "links": {"self": f"{own}/relationships/profiles", "related": f"{own}/profiles"}
                },
                "import-errors": {"links": {"related": f"{own}/import-errors"}},
            },
            "links": {"self": own},
        }


@dataclass(frozen=True)
class Doom:
    """A row that a fault makes fail when its job is applied; `place` is its index in the request."""

    place: int
    code: str
    field: str
    detail: str
    payload: str

    def document(self) -> dict[str, Any]:
        """Return the row's end as it is kept in the state file."""
        return {
            "place": self.place,
            "code": self.code,
            "field": self.field,
            "detail": self.detail,
            "payload": self.payload,
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Doom:
        """Return what `document` made."""
        return cls(kept["place"], kept["code"], kept["field"], kept["detail"], kept["payload"])


@dataclass(frozen=True)
class Fate:
    """What faults do to a job.

    Rows that fail, how many of the last rows fail without an error, and after how many rows it is cancelled.
    """

    doomed: list[Doom] = field(default_factory=list)
    silent: int = 0
    cancelled_after: int | None = None

    def dump(self) -> str:
        """Return the fate as the JSON that `load` reads."""
        content = {
            "doomed": [doom.document() for doom in self.doomed],
            "silent": self.silent,
            "cancelled_after": self.cancelled_after,
        }
        return orjson.dumps(content).decode()

    @classmethod
    def load(cls, text: str) -> Fate:
        """Return the fate that `dump` wrote."""
        stored = orjson.loads(text)
        return cls([Doom.of(doom) for doom in stored["doomed"]], stored["silent"], stored["cancelled_after"])


@dataclass(frozen=True)
class JobOrder:
    """What an import request asks for: rows, lists to put them on, and what faults will do to it."""

    rows: Sequence[Any]
    lists: tuple[str, ...]
    fate: Fate


def accept_job(db: sqlite3.Connection, account: str, rules: Rules, order: JobOrder, now: float) -> StoredJob:
    """Keep the rows of a job that starts and ends later, and return the job, queued."""
    number = next_number(db, "jobs")
    lasting = rules.job_seconds + rules.row_seconds * len(order.rows)
    job = StoredJob(
        seq=number,
        id=job_id(account, number),
        status="queued",
        created_at=now,
        starts_at=now + lasting * _QUEUED_SHARE,
        ends_at=now + lasting,
        expires_at=now + JOB_RETENTION_SECONDS,
        total=len(order.rows),
        completed=0,
        failed=0,
        lists=orjson.dumps(order.lists).decode(),
    )
    db.execute(
        f"INSERT INTO jobs ({JOB_COLUMNS.replace('j.', '')}, content, fate) VALUES ({', '.join('?' * 13)})",
        (*job.row(), orjson.dumps(order.rows), order.fate.dump()),
    )
    return job


def find_job(db: sqlite3.Connection, identity: str, now: float) -> StoredJob | None:
    """Return the job with this id, or None if there is none or it has expired."""
    row = db.execute(
        f"SELECT {JOB_COLUMNS} FROM jobs j WHERE j.id = ? AND j.expires_at > ?", (identity, now)
    ).fetchone()
    return None if row is None else StoredJob(*row)


def hurry_jobs(db: sqlite3.Connection, now: float) -> None:
    """Let every open job end now."""
    db.execute(
        "UPDATE jobs SET starts_at = min(starts_at, ?), ends_at = min(ends_at, ?) "
        "WHERE status IN ('queued', 'processing')",
        (now, now),
    )


def invalid_rows(
    db: sqlite3.Connection, standing: Sequence[Standing], rows: list[dict[str, Any]]
) -> list[ApiError]:
    """Return the errors that faults find in rows that are in order, and count those faults.

    The errors come in the order of the rows.
    """
    errors: dict[int, ApiError] = {}
    for one in standing:
        fault = one.fault
        places = fault.matching(rows) if fault.kind is FaultKind.INVALID_ROWS else []
        if places:
            count_fault(db, one)
        for place in places:
            pointer = f"{ROWS_POINTER}/{place}/attributes/{fault.field}"
            errors.setdefault(place, ApiError(fault.detail, pointer, code=fault.code))
    return [errors[place] for place in sorted(errors)]


def fate_of(db: sqlite3.Connection, standing: Sequence[Standing], rows: list[dict[str, Any]]) -> Fate:
    """Return what faults do to a job of these rows, and count those faults."""
    doomed: dict[int, Doom] = {}
    silent, cancelled_after = 0, None
    for one in standing:
        fault = one.fault
        places = fault.matching(rows) if fault.kind is FaultKind.REFUSE_ROWS else []
        for place in places:
            doomed.setdefault(place, Doom(place, fault.code, fault.field, fault.detail, fault.payload))
        if fault.kind is FaultKind.MISCOUNT:
            silent = fault.rows
        if fault.kind is FaultKind.CANCEL:
            cancelled_after = fault.rows
        if places or fault.kind in {FaultKind.MISCOUNT, FaultKind.CANCEL}:
            count_fault(db, one)
    return Fate([doomed[place] for place in sorted(doomed)], silent, cancelled_after)
