"""The gate behind the real dbt: what its commands leave holds models back, or lets them pass.

Our dbt package has a table that remembers every command.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from reverse_etl.dbt.findings import GateMode, GateOptions
from reverse_etl.errors import GuardRefused, UsageError
from reverse_etl.project import Project
from tests.clocks import QuickClock
from tests.dbt.real_dbt import PEOPLE, break_people, dbt, edit, reverse_etl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from reverse_etl.dbt.gate import GateVerdict
    from reverse_etl.errors import Problem
    from reverse_etl.models.model import Model

TEST = "tests/nobody_pays_less_than_nothing.sql"
DAY = 24 * 3600.0


def project(folder: Path, *, days: float = 0, artifacts: tuple[Path, ...] = ()) -> Project:
    """Load the corner shop's project, so many days from now."""
    clock = QuickClock(time.time() + days * DAY)
    return Project.load(folder, profiles_dir=folder, environ={}, clock=clock, dbt_artifacts=artifacts)


def verdict(folder: Path, *select: str, mode: GateMode = GateMode.ON, **given: Any) -> GateVerdict:
    """Return the gate's verdict on the selected models."""
    loaded = project(folder, **given)
    return loaded.check_gate(loaded.select(select), GateOptions(mode))


def short(problems: Sequence[Problem]) -> list[tuple[str, str]]:
    """Return the models and the beginning of the reason of each problem."""
    return [(", ".join(each.models), each.summary.split(" at 20")[0]) for each in problems]


def chosen(folder: Path, selector: str) -> tuple[Model, ...]:
    """Return the models that a selector chooses, none where it is an error."""
    try:
        return project(folder).select([selector])
    except UsageError:
        return ()


def max_age(folder: Path, span: str) -> None:
    """Give the shop's models a max_age."""
    for name in ("regulars", "neighbours"):
        edit(
            folder / f"reverse_etl/{name}.sql",
            "surface=",
            f"max_age='{span}',\n    surface=",
        )


def repair_people(folder: Path) -> None:
    """Put the model `people` right."""
    edit(folder / PEOPLE, "cast(email as integer) as city", "city")


def break_test(folder: Path) -> None:
    """Let the test of `visits` fail."""
    edit(folder / TEST, "spent < 0", "spent > 0")


def warn_only(folder: Path) -> None:
    """Give the failing test of `visits` severity warn."""
    break_test(folder)
    (folder / TEST).write_text("{{ config(severity='warn') }}\n" + (folder / TEST).read_text())


def fail_unit_test(folder: Path) -> None:
    """Add a unit test of `visits` that fails."""
    (folder / "models/marts/unit.yml").write_text(
        "unit_tests:\n"
        "  - name: nobody_visits\n"
        "    model: visits\n"
        "    given:\n"
        "      - input: ref('stg_payments')\n"
        "        rows: [{email: ann@example.com, amount: 3}]\n"
        "    expect: {rows: []}\n"
    )


def go_stale(folder: Path) -> None:
    """Let the source behind `stg_payments` have a limit that it does not keep."""
    edit(
        folder / "models/sources.yml",
        "identifier: receipts\n",
        "identifier: receipts\n        loaded_at_field: cast(paid_on as timestamp)\n"
        "        freshness: {error_after: {count: 1, period: day}}\n",
    )


def rename_test(folder: Path) -> None:
    """Put another test in the place of the failing one."""
    (folder / TEST).unlink()
    (folder / "tests/nobody_pays_nothing_at_all.sql").write_text(
        "select * from {{ ref('visits') }} where spent = 0"
    )


GateStep = tuple[str, ...]
Held = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class GateCase:
    """Steps, and which models are then held for which reason, with our package.

    A step is a change, or a dbt command; one that begins with a code must end with that. `without` is the
    result if only the artifacts of the last command are known, if it differs. In the `shop` before the first
    step every model is built, or the build of `people` has failed.
    """

    steps: tuple[GateStep | Callable[[Path], None], ...]
    held: Held = ()
    without: Held | None = None
    warnings: str = ""
    shop: str = "recorded_shop"


PEOPLE_FAILED = ("neighbours, regulars", "model.corner_shop.people.v2 failed in `dbt build`")
TEST_FAILED = (
    "regulars, spenders",
    "The test nobody_pays_less_than_nothing of model.corner_shop.visits failed in `dbt build`",
)
EMPTY = "was built without its rows: `dbt build` had --empty or --sample."
STALE = "is staler than its `freshness` in dbt allows: its newest row was loaded"
CASES = {
    "everything passes": GateCase(()),
    "a build of one model fails, then another one is built": GateCase(
        (break_people, ("1", "build", "--select", "people"), ("build", "--select", "visits")),
        held=(PEOPLE_FAILED,),
        without=(),
    ),
    "a build fails, then another model is run": GateCase(
        (("run", "--select", "visits"),), held=(PEOPLE_FAILED,), without=(), shop="failed_shop"
    ),
    "a test fails, then its table is built without tests": GateCase(
        (break_test, ("1", "build", "--select", "visits+"), ("run", "--select", "visits+")),
        held=(TEST_FAILED,),
        without=(),
    ),
    "a build fails, then docs are generated": GateCase(
        (("docs", "generate"),), held=(PEOPLE_FAILED,), without=(), shop="failed_shop"
    ),
    "a build fails, then the project is listed and compiled": GateCase(
        (("ls",), ("compile",)), held=(PEOPLE_FAILED,), without=(), shop="failed_shop"
    ),
    "a build fails, and a retry repairs it": GateCase((repair_people, ("retry",)), shop="failed_shop"),
    "a failed test is replaced by another": GateCase(
        (break_test, ("1", "build", "--select", "visits"), rename_test, ("build", "--select", "visits"))
    ),
    "a build is without rows": GateCase(
        (("build", "--empty", "--select", "people", "visits"),),
        held=(
            ("neighbours, regulars", f"model.corner_shop.people.v2 {EMPTY}"),
            ("regulars, spenders", f"model.corner_shop.visits {EMPTY}"),
        ),
    ),
    "a unit test fails": GateCase(
        (fail_unit_test, ("1", "build", "--select", "visits+")),
        held=(
            (
                "regulars, spenders",
                "The unit test nobody_visits of model.corner_shop.visits failed in `dbt build`",
            ),
        ),
    ),
    "a test of severity warn fails": GateCase(
        (warn_only, ("build", "--select", "visits")),
        warnings="The test nobody_pays_less_than_nothing of model.corner_shop.visits warned",
    ),
    "a source behind a staging model is stale": GateCase(
        (go_stale, ("build", "--select", "stg_payments"), ("1", "source", "freshness")),
        held=(
            (
                "neighbours, regulars, spenders",
                f"source.corner_shop.till.payments {STALE}",
            ),
        ),
    ),
    "a table is built and not tested": GateCase(
        (("run", "--select", "visits"),),
        warnings="No test of model.corner_shop.visits has run since it was built",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_newest_results_count_with_the_package_and_the_last_command_without(
    request: pytest.FixtureRequest, case: GateCase
) -> None:
    """With it, the newest result of each node counts, whichever command it came from.

    Without it, what the last command says nothing of passes with a warning, and is held by a strict gate.
    Each reason is said once.
    """
    shop: Path = request.getfixturevalue(case.shop)
    do(shop, case)
    gate_verdict = verdict(shop)
    assert short(gate_verdict.refusals) == [*case.held]
    assert case.warnings in str(gate_verdict.warnings)
    remove_package(shop)
    gate_verdict = verdict(shop)
    assert short(gate_verdict.refusals) == [*(case.held if case.without is None else case.without)]
    assert case.warnings in str(gate_verdict.warnings)
    if case.without is not None:
        assert "No result of dbt is known for model.corner_shop." in str(gate_verdict.warnings)
        strict = verdict(shop, mode=GateMode.STRICT)
        assert "No result of dbt is known for model.corner_shop." in str(strict.refusals)


def remove_package(folder: Path) -> None:
    """Leave what dbt leaves without our package: no table, and no macro of the package in the manifest."""
    change(folder, "drop table reverse_etl_dbt_results")
    path = folder / "target/manifest.json"
    manifest = json.loads(path.read_text())
    manifest["macros"] = {
        name: macro for name, macro in manifest["macros"].items() if macro["package_name"] != "reverse_etl"
    }
    path.write_text(json.dumps(manifest))


def do(folder: Path, case: GateCase) -> None:
    """Take a case's steps."""
    for step in case.steps:
        if callable(step):
            step(folder)
        elif step[0].isdecimal():
            dbt(folder, *step[1:], ends=int(step[0]))
        else:
            dbt(folder, *step)


def test_a_held_model_is_not_sent_and_the_others_are(shop: Path) -> None:
    """`plan` shows what it would send, and refuses it too."""
    break_people(shop)
    dbt(shop, "build", fails=True)
    with pytest.raises(GuardRefused) as caught:
        project(shop).run(["neighbours"])
    assert len(caught.value.problems) == 1
    assert "ann@example.com" not in str(caught.value)
    assert not (shop / "klaviyo_sandbox.sqlite").exists(), "nothing was sent, nobody was even asked"
    ended = reverse_etl(shop, "run", "--json")
    assert ended.code == 3
    document = json.loads(ended.out)
    held = {entry["model"] for entry in document["held_by_dbt_gate"]}
    assert "neighbours" in held
    assert "spenders" in {entry["model"] for entry in document["lists"]} - held
    assert PEOPLE_FAILED[1] in ended.err

    planned = reverse_etl(shop, "plan")
    assert planned.code == 3
    assert reverse_etl(shop, "debug").code == 3
    assert "neighbours" in planned.out, "the plan is shown too"
    assert PEOPLE_FAILED[1] in planned.err
    assert reverse_etl(shop, "run", "--select", "neighbours").code == 3
    passed = reverse_etl(shop, "run", "--select", "neighbours", "--no-dbt-gate")
    assert passed.code in {0, 1}, passed.err
    assert reverse_etl(shop, "run", "--select", "spenders").code == 0


def test_a_dbt_that_stops_before_it_runs_leaves_only_its_exit_code(recorded_shop: Path) -> None:
    """A model that can't be parsed: no hook runs, and the results are those of an earlier command."""
    (recorded_shop / PEOPLE).write_text("select {{ nothing( from")
    dbt(recorded_shop, "build", ends=2)
    assert reverse_etl(recorded_shop, "run", "--dbt-exit-code", "0", "--select", "spenders").code == 0
    held = reverse_etl(recorded_shop, "run", "--dbt-exit-code", "2", "--select", "spenders")
    assert held.code == 3
    assert "dbt ended with exit code 2, before it could write its results." in held.err
    assert reverse_etl(recorded_shop, "run", "--dbt-exit-code", "1").code == 3


def test_the_exit_code_of_a_build_that_failed_in_part_lets_the_others_pass(failed_shop: Path) -> None:
    sent = reverse_etl(failed_shop, "run", "--dbt-exit-code", "1", "--select", "spenders")
    assert sent.code == 0, sent.err
    assert reverse_etl(failed_shop, "run", "--dbt-exit-code", "1", "--select", "regulars").code == 3


def test_explain_says_that_the_gate_holds_a_model_back(failed_shop: Path) -> None:
    explained = reverse_etl(failed_shop, "explain", "ann@example.com", "--model", "regulars")
    assert "nothing: the dbt gate holds the model back. model.corner_shop.people.v2 failed" in explained.out
    sendable = reverse_etl(failed_shop, "explain", "ann@example.com", "--model", "spenders")
    assert "the dbt gate" not in sendable.out


def test_a_retry_that_repairs_one_table_does_not_age_the_other(failed_shop: Path) -> None:
    """Its results name only the nodes that were tried again; the age of the others is known even so."""
    max_age(failed_shop, "2h")
    repair_people(failed_shop)
    dbt(failed_shop, "retry")
    assert short(verdict(failed_shop, "regulars").refusals) == []
    without = "Nothing proves that source.corner_shop.till.payments is younger than 2h"
    assert short(verdict(failed_shop, "neighbours").refusals) == [
        ("neighbours", f"{without}: no freshness of this source is known.")
    ]


def test_old_tables_are_a_warning_and_later_a_refusal(recorded_shop: Path) -> None:
    """A table that is built every week stays below both; max_age is the model's own limit."""
    assert verdict(recorded_shop, days=7).warnings == ()
    assert short(verdict(recorded_shop, days=9).refusals) == []
    assert "model.corner_shop.visits was built 9d ago" in str(verdict(recorded_shop, days=9).warnings)
    refused = short(verdict(recorded_shop, days=61).refusals)
    assert [(models, reason.split(",")[0]) for models, reason in refused] == [
        ("neighbours, regulars", "model.corner_shop.people.v2 was built 61d ago"),
        ("regulars", "model.corner_shop.visits was built 61d ago"),
        ("spenders", "model.corner_shop.spenders was built 61d ago"),
    ]
    max_age(recorded_shop, "100d")
    assert short(verdict(recorded_shop, "regulars", days=61).refusals) == []


def test_the_dbt_graph_selects_models(shop: Path) -> None:
    fed = {"stg_payments+": "regulars spenders", "source:loyalty+": "", "raw_people+": "neighbours regulars"}
    for origin, expected in fed.items():
        names = [model.name for model in project(shop).models if model in chosen(shop, origin)]
        assert " ".join(names) == expected


def change(folder: Path, *statements: str) -> None:
    """Change the warehouse behind dbt's back."""
    with duckdb.connect(folder / "corner_shop.duckdb") as connection:
        for statement in statements:
            connection.execute(statement)
