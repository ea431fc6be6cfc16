"""The port of surfaces, tried by one that nobody needs: it only appends, and its key is two columns.

Nothing but its value in `tests/surfaces.py` knows of it. Its rows are no people, so that no rule about people
may touch them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from reverse_etl.cli import app
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import JobProgress
from reverse_etl.errors import UsageError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.surfaces.interface import (
    Columns,
    DiffKind,
    OtherColumns,
    Phase,
    Surface,
    SurfaceSettings,
)
from tests.core.rows import become, members_model, people
from tests.core.world import only_list
from tests.paths import IMPORTS
from tests.surfaces import CODES, register

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World

COLUMNS = "coupon VARCHAR, code VARCHAR, percent INTEGER"


@pytest.fixture(autouse=True)
def codes_surface(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let models name the surface `codes`."""
    register(monkeypatch, CODES)


def codes(world: World, *rows: tuple[str | None, str | None, int | None], model: str = "codes") -> None:
    """Let the table of codes be these rows, and a model send it."""
    names = ("coupon", "code", "percent")
    world.people([dict(zip(names, row, strict=True)) for row in rows], model, COLUMNS)
    world.model(model, f"select coupon, code, percent from {model}", surface="codes")


def sent(world: World) -> dict[str, Any]:
    """Return the properties of what reached Klaviyo, by `coupon/code`."""
    world.sandbox.finish_jobs()
    return {each["external_id"]: each["properties"] for each in world.sandbox.profiles()}


def test_rows_are_sent_once(world: World) -> None:
    """The plan names rows by their key; a second run sends nothing."""
    codes(world, ("SPRING", "A1", 10), ("SPRING", "A2", 10), ("MAY", "A1", 20))
    plan = world.plan()
    ((_, list_plan),) = plan.list_plans()
    assert [change.identity for change in list_plan.sample] == [
        "key:MAY|A1",
        "key:SPRING|A1",
        "key:SPRING|A2",
    ]
    assert (list_plan.adds, list_plan.updates, list_plan.removes) == (3, 0, 0)
    assert world.writes() == []
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 3}
    assert sent(world) == {
        "MAY/A1": {"percent": 20},
        "SPRING/A1": {"percent": 10},
        "SPRING/A2": {"percent": 10},
    }
    writes = len(world.writes())
    result = world.run()
    assert (only_list(result).outcomes, result.exit_code, len(world.writes())) == ({}, 0, writes)
    assert only_list(result).list_plan.unchanged == 3


def test_only_new_keys_are_sent_and_a_changed_row_is_rejected_by_name(world: World) -> None:
    """A sent row cannot be changed: it is rejected with the reason, and stops no other row."""
    codes(world, ("SPRING", "A1", 10), ("SPRING", "A2", 10))
    world.run()
    codes(world, ("SPRING", "A1", 15), ("SPRING", "A2", 10), ("SPRING", "A3", 10))
    result = world.run()
    (rejection,) = only_list(result).list_plan.check_rejections
    assert (rejection.reason.code, rejection.rows, rejection.new_rows) == ("changed", 1, 1)
    assert only_list(result).outcomes == {Outcome.APPLIED: 1}
    assert result.exit_code == 1
    assert sent(world)["SPRING/A1"] == {"percent": 10}
    (standing,) = world.project().status().lists[0].rejections
    assert (standing.reason.code, standing.reason.detail.lower()) == ("changed", "percent")
    assert standing.example == "key:SPRING|A1"
    again = world.run()
    assert (only_list(again).outcomes, again.exit_code) == ({}, 0)
    codes(world, ("SPRING", "A1", 10), ("SPRING", "A2", 10), ("SPRING", "A3", 10))
    assert only_list(world.run()).list_plan.check_rejections == ()


def test_a_row_that_leaves_is_not_removed_and_not_sent_again_when_it_comes_back(world: World) -> None:
    """A known key stays known, whatever the model returns today."""
    codes(world, ("SPRING", "A1", 10), ("SPRING", "A2", 10))
    world.run()
    writes = len(world.writes())
    codes(world)
    gone = only_list(world.run())
    assert (gone.list_plan.removes, gone.outcomes) == (0, {})
    codes(world, ("SPRING", "A1", 10), ("SPRING", "A2", 10))
    assert only_list(world.run()).outcomes == {}
    assert len(world.writes()) == writes


def test_a_column_that_was_not_sent_with_a_row_does_not_change_it(world: World) -> None:
    """A new column, and a value where there was none, are no reason to reject every known row."""
    codes(world, ("SPRING", "A1", None))
    world.run()
    codes(world, ("SPRING", "A1", 10))
    world.model("codes", "select coupon, code, percent, 'new' as label from codes", surface="codes")
    result = world.run()
    assert (only_list(result).outcomes, only_list(result).list_plan.check_rejections) == ({}, ())
    assert world.run().exit_code == 0


def test_a_full_refresh_sends_no_known_key_again(world: World) -> None:
    codes(world, ("SPRING", "A1", 10))
    world.run()
    codes(world, ("SPRING", "A1", 10), ("SPRING", "A2", 10))
    assert only_list(world.run(options=PlanOptions(full_refresh=True))).outcomes == {Outcome.APPLIED: 1}


def test_keys_never_collide_and_duplicate_keys_are_reported(world: World) -> None:
    """Equal rows count once, rows that differ are rejected, and so is a row without a part of its key."""
    codes(
        world,
        ("A|B", "C", 1),
        ("A", "B|C", 2),
        ("A%7CB", "C", 3),
        ("same", "1", 5),
        ("same", "1", 5),
        ("other", "1", 5),
        ("other", "1", 6),
        (None, "1", 7),
        ("", "1", 8),
    )
    result = world.run()
    rejected = {each.reason.code: each.rows for each in only_list(result).list_plan.check_rejections}
    assert rejected == {"duplicate": 2, "no_key": 2}
    assert only_list(result).outcomes == {Outcome.APPLIED: 4}
    assert sorted(sent(world)) == ["A%7CB/C", "A/B|C", "A|B/C", "same/1"]


def test_a_whole_number_is_one_key_whatever_its_type(world: World) -> None:
    """The key is text: 42 and 42.00 are one, and '42' too."""
    codes(world, ("A", "42", 1))
    world.run()
    for code in ("42", "CAST(42 AS DECIMAL(10, 2))", "CAST('42' AS VARCHAR)"):
        world.model("codes", f"select coupon, {code} as code, percent from codes", surface="codes")
        assert only_list(world.run()).outcomes == {}


def test_a_row_that_cannot_be_rendered_is_rejected_alone(world: World) -> None:
    codes(world, ("SPRING", "A1", 0), ("SPRING", "A2", 10))
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1, Outcome.REJECTED: 1}
    assert only_list(world.run()).outcomes == {}


def test_uncertain_rows_are_sent_again_or_forgotten(world: World) -> None:
    """After a lost reply: the one that is still desired is sent, the other is no longer asked for."""
    codes(world, ("SPRING", "A1", 10), ("SPRING", "A2", 10))
    world.fault(Fault(FaultKind.CUT, "POST", IMPORTS, times=None))
    assert only_list(world.run()).outcomes == {Outcome.UNKNOWN: 2}
    world.calm()
    codes(world, ("SPRING", "A1", 10))
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1, Outcome.LEFT_IN_PLACE: 1}
    (status,) = world.project().status().lists
    assert (status.label, status.applied, status.uncertain) == ("(codes)", 1, 0)
    assert list(sent(world)) == ["SPRING/A1"]


def test_a_run_killed_after_sending_is_settled_by_the_next(world: World) -> None:
    """Rows that its job proves are known from then on, and are not sent again."""
    codes(world, ("SPRING", "A1", 10), ("SPRING", "A2", 10))
    assert world.dies(lambda event: isinstance(event, JobProgress))
    writes = len(world.writes())
    codes(world, ("SPRING", "A1", 10), ("SPRING", "A2", 10), ("SPRING", "A3", 10))
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert len(world.writes()) == writes + 1
    assert only_list(world.run()).outcomes == {}


def test_a_later_phase_is_delivered_after_every_model_of_an_earlier_one(world: World) -> None:
    members_model(world)
    become(world, people("ann"))
    codes(world, ("SPRING", "A1", 10), model="a_codes")
    assert [listed.model for listed in world.run().lists] == ["members", "a_codes"]


def test_an_unfinished_import_of_people_blocks_only_people(make_world: Callable[..., World]) -> None:
    """Codes are nobody's import: they go out, and their own unfinished import keeps nobody waiting."""
    world = make_world(job_seconds=7_200.0)
    world.profile(job_timeout_minutes=1)
    members_model(world)
    world.model("everyone", "select email from people", surface="profiles", identifiers={"email": "email"})
    become(world, people("ann"))
    codes(world, ("SPRING", "A1", 10), model="codes")
    codes(world, ("SPRING", "A2", 10), model="more_codes")
    outcomes = {listed.model: listed.outcomes for listed in world.run().lists}
    assert outcomes == {
        "members": {Outcome.ACCEPTED: 1},  # its rows have an id, so that it is delivered first
        "everyone": {Outcome.NOT_SENT: 1},
        "codes": {Outcome.ACCEPTED: 1},
        "more_codes": {Outcome.ACCEPTED: 1},
    }


@pytest.mark.parametrize(
    ("select", "config", "summary"),
    [
        ("select coupon, percent from codes", {}, "needs the column code, which is not selected"),
        (
            "select coupon, code from codes",
            {"list": "A"},
            "The surface codes has no list, but list is given.",
        ),
        (
            "select coupon, code, percent as email from codes",
            {"identifiers": {"email": "email"}},
            "The rows of the surface codes are not people, but identifiers are given.",
        ),
        ("select coupon, code, email, location_city from codes", {}, ""),
    ],
)
def test_a_config_is_held_against_what_the_surface_says(
    world: World, select: str, config: dict[str, Any], summary: str
) -> None:
    """Names that mean something for people mean nothing here."""
    world.model("codes", select, surface="codes", **config)
    if not summary:
        world.project().select()
        return
    with pytest.raises(UsageError) as raised:
        world.project().select()
    assert summary in str(raised.value)


def test_a_key_is_made_of_texts_and_exact_numbers(world: World) -> None:
    """Another type has more than one form as text, and one form for every client is not promised."""
    codes(world, ("SPRING", "A1", 10))
    world.model("codes", "select coupon, CAST(percent AS DOUBLE) as code from codes", surface="codes")
    with pytest.raises(UsageError, match="part of the row key"):
        world.plan()


def test_a_model_of_other_keys_is_refused_even_if_a_change_of_identifiers_is_allowed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that were sent by e-mail are not known by coupon and code."""
    register(monkeypatch, replace(CODES, name="early_codes", phase=Phase.PEOPLE))
    become(world, people("ann"))
    world.model("codes", "select email from people", surface="profiles", identifiers={"email": "email"})
    world.run()
    codes(world, ("SPRING", "A1", 10))
    world.model("codes", "select coupon, code, percent from codes", surface="early_codes")
    with pytest.raises(UsageError, match="The row key of this model changed"):
        world.run(options=PlanOptions(rekey=frozenset({"codes"})))


def test_the_command_line_needs_no_change_for_a_surface(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same through commands: ls, plan, run, status and report."""
    world = make_world(job_seconds=0.0)  # a command's clock is the machine's, which moves no job on
    codes(world, ("SPRING", "ann@example.com", 10))
    world.project()
    monkeypatch.chdir(world.folder)

    def printed(*arguments: str, exit_code: int = 0) -> str:
        result = CliRunner().invoke(app, [*arguments], prog_name="reverse-etl", standalone_mode=False)
        assert (result.exception, result.return_value or 0) == (None, exit_code), result.output
        return result.stdout

    assert json.loads(printed("ls", "--select", "surface:codes", "--json"))[0]["surface"] == "codes"
    assert "SPRING|a**@e******.com" in printed("plan")
    assert "SPRING|ann@example.com" in printed("plan", "--show-values")
    assert "(codes)" in printed("run")
    assert "Nothing to send." in printed("plan")
    codes(world, ("SPRING", "ann@example.com", 20))
    printed("run", exit_code=1)
    assert "changed after it was sent, and cannot be sent again: percent: SPRING|a**@" in printed("status")
    assert [each.label.text for each in world.project().report().lists] == ["(codes)"]


class CodeSettings(SurfaceSettings):
    """A setting that only models of the surface `codes` have."""

    once: bool = False

    def configure(self, surface: Surface) -> Surface:
        """Return the surface, which sends a changed code again unless codes are sent once."""
        kind = DiffKind.APPEND_ONLY if self.once else DiffKind.STATE
        return replace(surface, diff=kind)

    def describe(self) -> dict[str, Any]:
        """Return the settings."""
        return {"once": self.once}


def test_a_surface_has_settings_of_its_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """They decide the model's surface, and a model whose setting changes is another model."""
    register(monkeypatch, replace(CODES, name="settled_codes", settings=CodeSettings))
    codes(world, ("SPRING", "A1", 10))
    world.model("codes", "select coupon, code, percent from codes", surface="settled_codes", once=True)
    appending = world.plan().models[0].model
    world.model("codes", "select coupon, code, percent from codes", surface="settled_codes")
    stating = world.plan().models[0].model
    assert appending.config.surface.diff is DiffKind.APPEND_ONLY
    assert stating.config.surface.diff is DiffKind.STATE
    assert appending.checksum != stating.checksum


def test_a_setting_of_another_surface_is_refused_by_name(world: World) -> None:
    """A model of the surface `codes` can't have a setting of the surface `request`."""
    codes(world, ("SPRING", "A1", 10))
    world.model("codes", "select coupon, code, percent from codes", surface="codes", unsafe=True)
    with pytest.raises(UsageError) as caught:
        world.plan()
    assert caught.value.problems[0].summary == (
        "unsafe is a setting of the surface request, and the model's is codes."
    )


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        (
            Columns(OtherColumns.FIELDS, identifiers=(), key=("coupon",), required=("starts_at",)),
            "The surface strict_codes needs the column starts_at, which is not selected.",
        ),
        (
            Columns(OtherColumns.REFUSED, identifiers=(), key=("coupon",), optional=("code",)),
            "The surface strict_codes sends no column but coupon, code, but column percent is selected.",
        ),
    ],
)
def test_a_surface_says_which_columns_it_needs_and_takes(
    world: World, monkeypatch: pytest.MonkeyPatch, columns: Columns, problem: str
) -> None:
    """A column that is missing, or that can't be sent, is refused when the model is compiled."""
    register(monkeypatch, replace(CODES, name="strict_codes", columns=columns))
    codes(world, ("SPRING", "A1", 10))
    world.model("codes", "select coupon, code, percent from codes", surface="strict_codes")
    with pytest.raises(UsageError) as caught:
        world.plan()
    assert [each.summary for each in caught.value.problems] == [problem]
