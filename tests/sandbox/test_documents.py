"""The JSON keys that the sandbox stores and prints stay the same if fields are renamed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.sandbox import Fault, FaultKind, LoggedRequest, Sandbox
from reverse_etl.sandbox.jobs import JOB_COLUMNS, JobScript, RowFailurePlan, StoredJob
from tests.sandbox.caller import Caller, people

if TYPE_CHECKING:
    from pathlib import Path

FAULT = {
    "kind": "miscount",
    "method": "POST",
    "path": "/api/*",
    "times": 2,
    "probability": 0.5,
    "seed": 7,
    "after": True,
    "status": 503,
    "retry_after": 9,
    "seconds": 1.5,
    "pattern": "a+",
    "field": "phone_number",
    "code": "duplicate",
    "detail": "No.",
    "payload": "resource",
    "rows": 3,
    "value": {"a": 1},
}
FATE = (
    '{"doomed":[{"place":4,"code":"invalid","field":"email","detail":"No.","payload":"none"}],'
    '"silent":1,"cancelled_after":2}'
)


def test_a_fault_is_read_and_written_by_its_keys() -> None:
    fault = Fault.parse(FAULT)
    assert json.dumps(fault.to_dict()) == json.dumps(FAULT)
    values: list[Any] = list(FAULT.values())
    assert fault == Fault(FaultKind.MISCOUNT, *values[1:])
    assert len(fields(Fault)) == len(FAULT)


@pytest.mark.parametrize("key", [key for key in FAULT if key != "kind"])
def test_a_fault_without_a_key_has_its_default(key: str) -> None:
    given = {name: value for name, value in FAULT.items() if name != key}
    assert Fault.parse(given).to_dict() == FAULT | {key: Fault(FaultKind.MISCOUNT).to_dict()[key]}


def test_the_script_of_a_job_is_stored_by_its_keys() -> None:
    fate = JobScript([RowFailurePlan(4, "invalid", "email", "No.", "none")], 1, 2)
    assert fate.to_json() == FATE
    assert JobScript.from_json(FATE) == fate


def test_an_entry_of_the_log_has_its_keys() -> None:
    entry = LoggedRequest(12.5, "GET", "/api/lists", "a=b", 200, 3, 40, "slow", 9)
    assert json.dumps(entry.document()) == (
        '{"at": 12.5, "method": "GET", "path": "/api/lists", "query": "a=b", "status": 200, "rows": 3, '
        '"bytes": 40, "fault": "slow", "number": 9}'
    )


def test_a_job_is_kept_in_the_order_of_its_columns() -> None:
    values = (1, "j", "queued", 1.0, 2.0, 3.0, 4.0, 5, 6, 7, '["L1"]')
    assert StoredJob(*values).row() == values
    assert len(JOB_COLUMNS.split(",")) == len(values)


def test_a_state_file_from_before_consent_and_events_is_read(tmp_path: Path) -> None:
    """It gets the tables that it lacks; its profiles stay."""
    path = tmp_path / "trial.db"
    with Sandbox(path, job_seconds=0) as sandbox, (caller := Caller(sandbox)).session:
        caller.run_import(people(2))
    with closing(sqlite3.connect(path)) as db:
        for table in (
            "consents",
            "suppressions",
            "suppression_jobs",
            "events",
            "metrics",
            "pending_deletions",
        ):
            db.execute(f"DROP TABLE {table}")
    with Sandbox(path, job_seconds=0) as sandbox, (caller := Caller(sandbox)).session:
        sandbox.opt_out("u0@example.com")
        assert (sandbox.profile_count(), sandbox.events()) == (2, [])
