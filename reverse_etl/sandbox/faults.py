"""Inject faults: of which kind, for which requests, how often.

Kinds for any request (only the first match applies and is counted):

    status        reply with `status`, and `Retry-After: retry_after` if given; 429 has no RateLimit headers
    html          reply with 200 and a page of HTML, like a proxy
    slow          reply after `seconds`
    cut           close the connection without a reply
    omit          reply without the members at `field`, a JSON pointer (`*`: each element of a list)
    set           reply with `value` in the place of those members
    drip          send each byte of the reply `seconds` after the one before
    endless       let the last page of a collection link to another page, without end
    flood         reply with a small body that unpacks (gzip) to `rows` megabytes

With `after` the request is carried out before the fault; otherwise it is not carried out (`slow` and the
kinds that change a reply always carry it out; `flood` replaces the reply).

Kinds for an import request that would be accepted (all matches apply):

    too_large     refuse a request with more than `rows` rows (413)
    invalid_request  refuse a request with a row whose `field` matches `pattern`, with no pointer to a row
    invalid_rows  refuse the request with a row pointer for each row whose `field` matches `pattern`
    refuse_rows   fail those rows in the job, with `code` and `detail`; errors repeat a row as `payload` says
    miscount      let the last `rows` rows fail without an import error: failed_count exceeds the errors
    cancel        end the job as `cancelled` after its first `rows` rows were applied
    stall         let the job be `processing` for ever; its rows are never applied
    forget        reply 404 for the job from `seconds` after its request; its rows are applied
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from reverse_etl.errors import UsageError

if TYPE_CHECKING:
    import sqlite3


class FaultKind(StrEnum):
    """The kind of a fault."""

    STATUS = "status"
    HTML = "html"
    SLOW = "slow"
    CUT = "cut"
    OMIT = "omit"
    SET = "set"
    DRIP = "drip"
    ENDLESS = "endless"
    FLOOD = "flood"
    TOO_LARGE = "too_large"
    INVALID_REQUEST = "invalid_request"
    INVALID_ROWS = "invalid_rows"
    REFUSE_ROWS = "refuse_rows"
    MISCOUNT = "miscount"
    CANCEL = "cancel"
    STALL = "stall"
    FORGET = "forget"


JOB_KINDS: Final = frozenset(
    {
        FaultKind.TOO_LARGE,
        FaultKind.INVALID_REQUEST,
        FaultKind.INVALID_ROWS,
        FaultKind.REFUSE_ROWS,
        FaultKind.MISCOUNT,
        FaultKind.CANCEL,
        FaultKind.STALL,
        FaultKind.FORGET,
    }
)
REQUEST_KINDS: Final = frozenset(FaultKind) - JOB_KINDS
_Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]  # JSON and SQLite have no larger ones
_Number = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e9)]  # JSON has no others; longer sleeps fail


@dataclass(frozen=True)
class Fault:
    """One fault.

    It applies to requests of `method` and `path` (shell patterns), `times` times (None: until cleared). A
    `probability` below 1 makes it random, repeatable by `seed`. A row fault that matches no row of a request
    is not counted. The alias of a field is its name in JSON, as in `to_dict`.
    """

    kind: Annotated[FaultKind, Field(alias="kind")]
    method: Annotated[str, Field(alias="method")] = "*"
    path: Annotated[str, Field(alias="path")] = "*"
    times: Annotated[_Whole | None, Field(alias="times")] = 1
    probability: Annotated[_Number, Field(alias="probability")] = 1.0
    seed: Annotated[_Whole, Field(alias="seed")] = 0
    after: Annotated[bool, Field(alias="after")] = False
    status: Annotated[_Whole, Field(alias="status")] = 500
    retry_after: Annotated[_Whole | None, Field(alias="retry_after")] = None
    seconds: Annotated[_Number, Field(alias="seconds")] = 1.0
    pattern: Annotated[str, Field(alias="pattern")] = ""
    field: Annotated[str, Field(alias="field")] = "email"
    code: Annotated[str, Field(alias="code")] = "invalid"
    detail: Annotated[str, Field(alias="detail")] = "The value was not accepted."
    payload: Annotated[Literal["attributes", "resource", "none"], Field(alias="payload")] = "attributes"
    rows: Annotated[_Whole, Field(alias="rows")] = 0
    value: Annotated[Any, Field(alias="value")] = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", FaultKind(self.kind))
        re.compile(self.pattern)
        if self.kind in {FaultKind.MISCOUNT, FaultKind.FLOOD} and self.rows < 1:
            object.__setattr__(self, "rows", 1)

    @classmethod
    def parse(cls, document: object) -> Fault:
        """Return the fault in a JSON object. Raises UsageError for an unknown name or kind."""
        known_fields = cls(FaultKind.STATUS).to_dict().keys()
        if not isinstance(document, Mapping) or document.keys() - known_fields or "kind" not in document:
            raise UsageError.of(
                "A fault is an object with a kind.", hint=f"Known fields: {', '.join(sorted(known_fields))}."
            )
        try:
            return _reader().validate_python(document)
        except ValidationError as error:
            messages = (
                f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()
            )
            raise UsageError.of(f"The fault cannot be read: {'; '.join(messages)}.") from error
        except re.error as error:
            raise UsageError.of(f"The fault's pattern cannot be read: {error}.") from error

    def to_dict(self) -> dict[str, Any]:
        """Return the fault as a JSON object."""
        return {
            "kind": self.kind.value,
            "method": self.method,
            "path": self.path,
            "times": self.times,
            "probability": self.probability,
            "seed": self.seed,
            "after": self.after,
            "status": self.status,
            "retry_after": self.retry_after,
            "seconds": self.seconds,
            "pattern": self.pattern,
            "field": self.field,
            "code": self.code,
            "detail": self.detail,
            "payload": self.payload,
            "rows": self.rows,
            "value": self.value,
        }

    def matches_request(self, method: str, path: str) -> bool:
        """Return whether the fault applies to requests of this method and path."""
        return fnmatchcase(method, self.method) and fnmatchcase(path, self.path)

    def find_matching_rows(self, rows: list[dict[str, Any]]) -> list[int]:
        """Return the indexes of the rows whose `field` contains a match of `pattern`."""
        search = re.compile(self.pattern).search
        return [
            index for index, row in enumerate(rows) if search(str(row["attributes"].get(self.field) or ""))
        ]


@cache
def _reader() -> TypeAdapter[Fault]:
    return TypeAdapter(Fault)


@dataclass(frozen=True)
class QueuedFault:
    """A fault in the queue, and how many times it still applies."""

    number: int
    fault: Fault
    remaining: int | None


def add_fault(db: sqlite3.Connection, fault: Fault) -> int:
    """Append a fault to the queue and return its number."""
    spec = orjson.dumps(fault.to_dict()).decode()
    cursor = db.execute("INSERT INTO faults (spec, remaining, draws) VALUES (?, ?, 0)", (spec, fault.times))
    return int(cursor.lastrowid or 0)


def clear_faults(db: sqlite3.Connection) -> None:
    """Empty the queue. Jobs that were already accepted keep their scripts."""
    db.execute("DELETE FROM faults")


def drop_fault(db: sqlite3.Connection, number: int) -> None:
    """Remove one fault from the queue, if it is still there."""
    db.execute("DELETE FROM faults WHERE seq = ?", (number,))


def load_queued_faults(db: sqlite3.Connection) -> list[QueuedFault]:
    """Return the queued faults, in order."""
    rows = db.execute("SELECT seq, spec, remaining FROM faults ORDER BY seq").fetchall()
    return [
        QueuedFault(seq, _reader().validate_python(orjson.loads(spec)), remaining)
        for seq, spec, remaining in rows
    ]


def take_request_fault(db: sqlite3.Connection, method: str, path: str) -> Fault | None:
    """Return the fault that applies to this request, or None, and count it."""
    for queued_fault in load_queued_faults(db):
        fault = queued_fault.fault
        if (
            fault.kind in REQUEST_KINDS
            and fault.matches_request(method, path)
            and _draw_strike(db, queued_fault)
        ):
            count_strike(db, queued_fault)
            return fault
    return None


def draw_job_faults(db: sqlite3.Connection, method: str, path: str) -> list[QueuedFault]:
    """Return the faults that apply to this import request, without counting them."""
    job_faults = (
        queued_fault for queued_fault in load_queued_faults(db) if queued_fault.fault.kind in JOB_KINDS
    )
    return [
        queued_fault
        for queued_fault in job_faults
        if queued_fault.fault.matches_request(method, path) and _draw_strike(db, queued_fault)
    ]


def count_strike(db: sqlite3.Connection, queued_fault: QueuedFault) -> None:
    """Count one use of a fault, and delete it from the queue after its last one."""
    if queued_fault.remaining == 1:
        drop_fault(db, queued_fault.number)
    elif queued_fault.remaining is not None:
        db.execute("UPDATE faults SET remaining = remaining - 1 WHERE seq = ?", (queued_fault.number,))


def _draw_strike(db: sqlite3.Connection, queued_fault: QueuedFault) -> bool:
    if queued_fault.fault.probability >= 1:
        return True
    row = db.execute(
        "UPDATE faults SET draws = draws + 1 WHERE seq = ? RETURNING draws", (queued_fault.number,)
    ).fetchone()
    draw = random.Random(f"{queued_fault.fault.seed}:{row[0]}").random()  # noqa: S311 - repeatable, not secret
    return draw < queued_fault.fault.probability
