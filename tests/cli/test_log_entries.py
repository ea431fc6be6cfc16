"""The JSON log: each entry's name and keys stay as they are, whatever the classes and fields are called."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from reverse_etl.cli.output.log_entries import problem_document, progress_entry, request_entry
from reverse_etl.domain.progress import (
    ClearProgress,
    JobProgress,
    ListCreated,
    ListDone,
    ListRead,
    ModelStaged,
    Progress,
    RecoveryStarted,
    RemoveProgress,
    SendProgress,
    StateMigrated,
    Warned,
)
from reverse_etl.errors import Problem
from reverse_etl.klaviyo.messages import RequestLogEntry

ROWS_OF_TOTAL = '{"model": "vip", "list": "VIP", "rows": 3, "total": 5}'
ENTRIES = (
    (Warned("so and so"), "warning", '{"text": "so and so"}'),
    (
        StateMigrated(1, 2, "shop.v1.duckdb"),
        "state_migrated",
        '{"old_version": 1, "new_version": 2, "backup": "shop.v1.duckdb"}',
    ),
    (ModelStaged("vip", 5, 0.5), "model_staged", '{"model": "vip", "rows": 5, "seconds": 0.5}'),
    (RecoveryStarted(1, 2), "recovery_started", '{"runs": 1, "open_jobs": 2}'),
    (ListCreated("VIP", "L1"), "list_created", '{"list": "VIP", "list_id": "L1"}'),
    (
        SendProgress("vip", "VIP", 3, 5),
        "send_progress",
        '{"model": "vip", "list": "VIP", "rows": 3, "total": 5}',
    ),
    (JobProgress("vip", "VIP", 2), "job_progress", '{"model": "vip", "list": "VIP", "open_jobs": 2}'),
    (
        ClearProgress("vip", "VIP", 3, 5),
        "clear_progress",
        '{"model": "vip", "list": "VIP", "rows": 3, "total": 5}',
    ),
    (
        RemoveProgress("vip", "VIP", 3, 5),
        "remove_progress",
        '{"model": "vip", "list": "VIP", "rows": 3, "total": 5}',
    ),
    (ListRead("vip", "VIP", 9), "list_read", '{"model": "vip", "list": "VIP", "members": 9}'),
    (
        ListDone("vip", "VIP", {"applied": 5}, "why"),
        "list_done",
        '{"model": "vip", "list": "VIP", "counts": {"applied": 5}, "stop_reason": "why"}',
    ),
)


@pytest.mark.parametrize(("progress", "name", "content"), ENTRIES, ids=[name for _, name, _ in ENTRIES])
def test_each_kind_of_progress_has_its_name_and_keys(progress: Progress, name: str, content: str) -> None:
    written, entry = progress_entry(progress)
    assert (written, json.dumps(entry)) == (name, content)


def test_every_kind_of_progress_is_among_these() -> None:
    assert {type(progress) for progress, _, _ in ENTRIES} == set(get_args(Progress))


def test_a_request_has_its_name_and_keys() -> None:
    """`status` is null where `error` says why no reply came."""
    name, content = request_entry(RequestLogEntry("GET", "/api/lists", None, "no reply", 1.5, 2))
    assert name == "request"
    assert json.dumps(content) == (
        '{"method": "GET", "path": "/api/lists", "status": null, "error": "no reply", '
        '"seconds": 1.5, "attempt": 2}'
    )


def test_a_problem_has_its_keys() -> None:
    document = problem_document(Problem("It is wrong.", "a.sql:1", "Correct it."))
    assert json.dumps(document) == '{"summary": "It is wrong.", "where": "a.sql:1", "hint": "Correct it."}'
