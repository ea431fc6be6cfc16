"""Notes that a plan has beside its changes: each note in each format, or on stderr beside CSV."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest

from reverse_etl.cli.commands.plan import PlanFormat, PlanView, plan_and_print
from reverse_etl.clock import SystemClock
from reverse_etl.dbt.gate import GateVerdict
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.errors import GuardRefused, Problem
from reverse_etl.planning.event_facts import EventPlan
from reverse_etl.planning.profile_forecast import NewProfiles
from reverse_etl.planning.row_comparison import RowComparison
from reverse_etl.project import Project
from reverse_etl.surfaces.events import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.planning.plan import ModelPlan, Plan
    from tests.cli.command_line import CommandLine


@pytest.fixture(scope="module")
def planned(shared_cli: CommandLine) -> tuple[Project, Plan]:
    """Give a project and its plan, of which each case changes a part."""
    shared_cli.profiles(
        {"type": "klaviyo", "sandbox": True}, {"path": str(shared_cli.folder / "shop.duckdb")}
    )
    project = Project.load(shared_cli.folder, environ=shared_cli.environ)
    return project, project.plan()


def _with_model(plan: Plan, **changes: Any) -> Plan:
    return replace(plan, models=(replace(plan.models[0], **changes),))


def _with_list(plan: Plan, **changes: Any) -> Plan:
    first = {"first_load": False, "new_profiles": None, **changes}
    return _with_model(plan, lists=(replace(plan.models[0].lists[0], **first),))


def _with_surface(model_plan: ModelPlan, **changes: Any) -> Any:
    model = model_plan.model
    return replace(model, config=replace(model.config, surface=replace(model.config.surface, **changes)))


def _with_events(plan: Plan) -> Plan:
    model = _with_surface(plan.models[0], event_rules=EVENTS.event_rules)
    noon = datetime(2026, 11, 30, 12, tzinfo=UTC)
    return _with_model(plan, model=model, events=EventPlan(noon, old_rows=4))


FLOWS = "a flow triggered by this list starts again for them if its settings allow re-entry"
NOTES: dict[str, Callable[[Plan], Plan]] = {
    "3 rows repeat others in every column": lambda plan: _with_model(plan, duplicate_rows=3),
    "2 rows are sent without phone, which other rows share": lambda plan: _with_model(
        plan, omitted_identifiers={IdentifierType.PHONE: 2}
    ),
    "1 row is sent without e-mail, which Klaviyo has of another row's person": lambda plan: _with_model(
        plan, omitted_identifiers={IdentifierType.EMAIL: 1}, claimed_identifiers={IdentifierType.EMAIL: 1}
    ),
    "compared: 7 rows by updated_at": lambda plan: _with_model(
        plan, comparison=RowComparison("", is_full=False, compared_rows=7)
    ),
    "not skipped: it is new": lambda plan: _with_model(plan, read_reason="it is new"),
    "2 removes were sent without e-mail and phone": lambda plan: _with_list(
        plan, removes=2, removes_without_contact=2, snapshot_rows=2
    ),
    "2,000 updates exceed the limit": lambda plan: _with_list(plan, updates=2_000, exempt_updates=2_000),
    "first load: flows that start when somebody joins this list will start for all 20": lambda plan: (
        _with_list(plan, first_load=True)
    ),
    f"3 adds were on this list before, and removed by a run: {FLOWS}": lambda plan: _with_list(
        plan, added_again=3
    ),
    f"run r1 removed 5 rows from this list. If the adds are these people, {FLOWS}": lambda plan: _with_list(
        plan, removed_before=(("r1", 5),)
    ),
    "4 of the 20 adds would be new profiles": lambda plan: _with_list(plan, new_profiles=NewProfiles(4, 4)),
    "a cleared value is gone": lambda plan: _with_list(plan, clears=1),
    "people are written to": lambda plan: _with_model(
        plan, model=_with_surface(plan.models[0], upsert_effect="people are written to")
    ),
    "people are taken back": lambda plan: replace(
        changed := _with_list(plan, removes=1),
        models=(
            replace(
                changed.models[0],
                model=_with_surface(changed.models[0], remove_effect="people are taken back"),
            ),
        ),
    ),
    "4 rows are from before 2026-11-30 12:00 UTC": _with_events,
    "The deleted model old has rows.": lambda plan: replace(plan, notes=("The deleted model old has rows.",)),
}


def _print(
    planned: tuple[Project, Plan], format_: PlanFormat, plan: Plan, verdict: GateVerdict | None = None
) -> None:
    """Print a plan as the command does, in a project that returns it."""
    project = MagicMock(target=planned[0].target, clock=SystemClock())
    project.plan.return_value = plan
    project.check_gate.return_value = verdict or GateVerdict()
    flags = MagicMock(new_profiles=None, show_values=False)
    flags.options = MagicMock(spec=[])
    plan_and_print(project, flags, PlanView(format_))


@pytest.mark.parametrize("format_", PlanFormat)
def test_each_note_is_in_each_format(
    planned: tuple[Project, Plan],
    format_: PlanFormat,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file of CSV holds records alone: there, the notes are beside it, on stderr."""
    monkeypatch.setattr("reverse_etl.cli.commands.plan.replace", lambda *_, **__: None)
    for note, change in NOTES.items():
        _print(planned, format_, change(planned[1]))
        printed = capsys.readouterr()
        if format_ is PlanFormat.CSV:
            assert note in printed.err, note
            assert note not in printed.out
        else:
            assert note in printed.out, note


GATED = GateVerdict(
    refusals=(Problem("dbt failed to build people.", hint="Run dbt again.", models=("vip",)),),
    warnings=(Problem("No test covers people."),),
)


def test_a_pull_request_sees_what_a_terminal_sees_on_stderr(
    planned: tuple[Project, Plan], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate's reasons, warnings, and what makes a plan unsure."""
    monkeypatch.setattr("reverse_etl.cli.commands.plan.replace", lambda *_, **__: None)
    plan = replace(planned[1], lists_looked_up=False, unfinished_runs=1)
    for format_ in (PlanFormat.MARKDOWN, PlanFormat.JSON):
        with suppress(GuardRefused):
            _print(planned, format_, plan, GATED)
        printed = capsys.readouterr()
        for said in ("No test covers people.", "Lists were not looked up", "1 earlier run did not finish."):
            assert said in printed.err
            assert said in printed.out or format_ is PlanFormat.JSON
        if format_ is PlanFormat.JSON:
            held = json.loads(printed.out)["held_by_dbt_gate"]
            assert held == [{"model": "vip", "reason": "dbt failed to build people."}]
        else:
            assert "- `dbt failed to build people. Run dbt again.`" in printed.out
