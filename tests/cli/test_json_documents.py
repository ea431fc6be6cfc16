"""The documents that --json prints: every key and value, whatever classes and fields are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverse_etl.cli.output.drift import differences_document
from reverse_etl.cli.output.json import REQUESTS
from reverse_etl.cli.output.status import status_document
from reverse_etl.domain.rejections import RejectedRows, RejectionReason, RejectionSource
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.reconcile.drift import ListDifference
from reverse_etl.report.status import ListStatus, Status
from reverse_etl.state import RunList, RunRecord, RunState
from reverse_etl.state.runs import StopCause

if TYPE_CHECKING:
    from tests.gold import Gold

FOLDER = Path(__file__).parent / "gold" / "documents"
LAST = RunList(
    "20261122T060000-a1b2c3",
    "2026-11-22T06:00:00.000Z",
    "vip",
    "L1",
    "VIP",
    {"applied": 5, "held": 1},
    StopCause.FAILURE,
    "No.",
)
STATUS = Status(
    "A1",
    (
        ListStatus(
            "vip",
            "L1",
            "VIP",
            5,
            2,
            1,
            3,
            LAST,
            (
                RejectedRows(
                    RejectionReason(RejectionSource.KLAVIYO, "invalid", "email", "It is refused."),
                    1,
                    example="email:ann@example.com",
                ),
                RejectedRows(RejectionReason(RejectionSource.CHECK, "no_identifier"), 1),
            ),
            "vip no longer controls it.",
        ),
        ListStatus("everybody", "", "", 7, 0, 0, 0, None, ()),
    ),
    (
        RunRecord(LAST.run_id, RunState.REFUSED, LAST.started_at, "2026-11-22T06:00:09.000Z", 3),
        RunRecord("20261121T060000-a1b2c3", RunState.SUBMITTING, "2026-11-21T06:00:00.000Z", None, None),
    ),
    ("Too many rows would be removed.",),
    ("The deleted model old has rows.",),
)
DRIFT = (
    ListDifference(
        "vip",
        "L1",
        "VIP",
        9,
        1,
        8,
        2,
        3,
        4,
        5,
        ("email:ann@example.com",),
        ("email:bo@example.com",),
        ("email:cy@example.com",),
    ),
    ListDifference("tea", "L2", "Tea", deleted=True),
)


@pytest.mark.parametrize("show_values", [False, True])
def test_the_json_of_status_stays(gold: Gold, *, show_values: bool) -> None:
    """With every key that docs/cli.md names."""
    _check(gold, "status", status_document(STATUS, show_values=show_values), show_values=show_values)


@pytest.mark.parametrize("show_values", [False, True])
def test_the_json_of_adopt_and_reconcile_stays(gold: Gold, *, show_values: bool) -> None:
    """For an existing list and for a deleted one."""
    _check(gold, "drift", differences_document(DRIFT, show_values=show_values), show_values=show_values)


def test_requests_are_named_by_endpoint() -> None:
    """Each endpoint has a name in the document of a plan, and no other has it."""
    assert REQUESTS.keys() == set(Endpoint)
    assert list(REQUESTS.values()) == [
        "accounts",
        "lists",
        "list",
        "create_list",
        "list_profiles",
        "add_to_list",
        "remove_from_list",
        "profiles",
        "update_profile",
        "import_profile",
        "start_import",
        "imports",
        "import",
        "import_lists",
        "import_errors",
        "suppress",
        "suppression",
        "delete_profile",
        "unsuppress",
        "unsuppression",
        "create_events",
        "create_event",
        "metrics",
        "subscribe",
        "unsubscribe",
    ]


def _check(gold: Gold, name: str, document: object, *, show_values: bool) -> None:
    file = FOLDER / f"{name}{'-values' if show_values else ''}.json"
    gold.check(file, json.dumps(document, indent=1) + "\n")
