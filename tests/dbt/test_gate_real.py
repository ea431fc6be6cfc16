"""The gate behind the real dbt: what its commands leave holds models back, or lets them pass.

Each case is tried with our dbt package, whose table remembers every command, and without it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from reverse_etl.dbt.gate import GateMode, GateOptions
from reverse_etl.errors import GuardRefused, UsageError
from reverse_etl.project import Project
from tests.clocks import QuickClock
from tests.dbt.real_dbt import dbt, edit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.dbt.gate import GateVerdict
    from reverse_etl.errors import Problem
    from reverse_etl.models.model import Model

PEOPLE, TEST = "models/marts/people_v2.sql", "tests/nobody_pays_less_than_nothing.sql"
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


def reverse_etl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run our own command line in a project's folder."""
    return subprocess.run(
        [Path(sys.executable).with_name("reverse-etl"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def max_age(folder: Path, span: str) -> None:
    """Give the shop's models a max_age."""
    for name in ("regulars", "neighbours"):
        edit(
            folder / f"reverse_etl/{name}.sql",
            "surface=",
            f"max_age='{span}',\n    surface=",
        )


def break_people(folder: Path) -> None:
    """Let the model `people` fail."""
    edit(folder / PEOPLE, "first_name, city", "first_name, cast(email as integer) as city")


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


Step = tuple[str, ...]
Held = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Case:
    """What is done to the shop, and why which models are held back then, with our package.

    A step is a change, or a dbt command; one that begins with a code must end with that. `without` is what is
    said where only the artifacts of the last command are known, if that is something else.
    """

    steps: tuple[Step | Callable[[Path], None], ...]
    held: Held = ()
    without: Held | None = None
    warnings: str = ""


PEOPLE_FAILED = ("neighbours, regulars", "model.corner_shop.people.v2 failed in `dbt build`")
TEST_FAILED = (
    "regulars, spenders",
    "The test nobody_pays_less_than_nothing of model.corner_shop.visits failed in `dbt build`",
)
EMPTY = "was built without its rows: `dbt build` had --empty or --sample."
STALE = "is staler than its `freshness` in dbt allows: its newest row was loaded"
CASES = {
    "everything passes": Case(()),
    "a build of one model fails, then another one is built": Case(
        (break_people, ("1", "build", "--select", "people"), ("build", "--select", "visits")),
        held=(PEOPLE_FAILED,),
        without=(),
    ),
    "a build fails, then another model is run": Case(
        (break_people, ("1", "build"), ("run", "--select", "visits")), held=(PEOPLE_FAILED,), without=()
    ),
    "a test fails, then its table is built without tests": Case(
        (break_test, ("1", "build"), ("run", "--select", "visits+")), held=(TEST_FAILED,), without=()
    ),
    "a build fails, then docs are generated": Case(
        (break_people, ("1", "build"), ("docs", "generate")), held=(PEOPLE_FAILED,), without=()
    ),
    "a build fails, then the project is listed and compiled": Case(
        (break_people, ("1", "build"), ("ls",), ("compile",)), held=(PEOPLE_FAILED,), without=()
    ),
    "a build fails, and a retry repairs it": Case((break_people, ("1", "build"), repair_people, ("retry",))),
    "a failed test is replaced by another": Case((break_test, ("1", "build"), rename_test, ("build",))),
    "a build is without rows": Case(
        (("build", "--empty", "--select", "people", "visits"),),
        held=(
            ("neighbours, regulars", f"model.corner_shop.people.v2 {EMPTY}"),
            ("regulars, spenders", f"model.corner_shop.visits {EMPTY}"),
        ),
    ),
    "a unit test fails": Case(
        (fail_unit_test, ("1", "build")),
        held=(
            (
                "regulars, spenders",
                "The unit test nobody_visits of model.corner_shop.visits failed in `dbt build`",
            ),
        ),
    ),
    "a test of severity warn fails": Case(
        (warn_only, ("build",)),
        warnings="The test nobody_pays_less_than_nothing of model.corner_shop.visits warned",
    ),
    "a source behind a staging model is stale": Case(
        (go_stale, ("build",), ("1", "source", "freshness")),
        held=(
            (
                "neighbours, regulars, spenders",
                f"source.corner_shop.till.payments {STALE}",
            ),
        ),
    ),
    "a table is built and not tested": Case(
        (("run", "--select", "visits"),),
        warnings="No test of model.corner_shop.visits has run since it was built",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_with_the_package_every_command_counts(recorded_shop: Path, case: Case) -> None:
    """The newest result of each node counts, whichever command it came from. Each reason is said once."""
    do(recorded_shop, case)
    found = verdict(recorded_shop)
    assert short(found.refusals) == [*case.held]
    assert case.warnings in str(found.warnings)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_without_the_package_the_last_command_counts(shop: Path, case: Case) -> None:
    """What it says nothing of passes with a warning, and is held back by a strict gate."""
    do(shop, case)
    found = verdict(shop)
    assert short(found.refusals) == [*(case.held if case.without is None else case.without)]
    assert case.warnings in str(found.warnings)
    if case.without is not None:
        assert "No result of dbt is known for model.corner_shop." in str(found.warnings)
        strict = verdict(shop, mode=GateMode.STRICT)
        assert "No result of dbt is known for model.corner_shop." in str(strict.refusals)


def do(folder: Path, case: Case) -> None:
    """Take a case's steps."""
    for step in case.steps:
        if callable(step):
            step(folder)
        elif step[0].isdecimal():
            dbt(folder, *step[1:], ends=int(step[0]))
        else:
            dbt(folder, *step)


def test_a_held_model_is_refused_before_anything_is_sent_and_others_can_run(shop: Path) -> None:
    """`plan` shows what it would send, and refuses it too."""
    break_people(shop)
    dbt(shop, "build", fails=True)
    with pytest.raises(GuardRefused) as caught:
        project(shop).run()
    assert len(caught.value.problems) == 1
    assert "ann@example.com" not in str(caught.value)
    assert not (shop / "klaviyo_sandbox.sqlite").exists(), "nothing was sent, nobody was even asked"

    planned = reverse_etl(shop, "plan")
    assert planned.returncode == 3
    assert reverse_etl(shop, "debug").returncode == 3
    assert "neighbours" in planned.stdout, "the plan is shown all the same"
    assert PEOPLE_FAILED[1] in planned.stderr
    assert reverse_etl(shop, "run", "--select", "neighbours").returncode == 3
    passed = reverse_etl(shop, "run", "--select", "neighbours", "--no-dbt-gate")
    assert passed.returncode in {0, 1}, passed.stderr
    assert reverse_etl(shop, "run", "--select", "spenders").returncode == 0


def test_a_dbt_that_stops_before_it_runs_leaves_only_its_exit_code(recorded_shop: Path) -> None:
    """A model that can't be parsed: no hook runs, and the results are those of an earlier command."""
    (recorded_shop / PEOPLE).write_text("select {{ nothing( from")
    dbt(recorded_shop, "build", ends=2)
    assert reverse_etl(recorded_shop, "run", "--dbt-exit-code", "0", "--select", "spenders").returncode == 0
    held = reverse_etl(recorded_shop, "run", "--dbt-exit-code", "2", "--select", "spenders")
    assert held.returncode == 3
    assert "dbt ended with exit code 2, before it could write its results." in held.stderr
    assert reverse_etl(recorded_shop, "run", "--dbt-exit-code", "1").returncode == 3


def test_the_exit_code_of_a_build_that_failed_in_part_lets_the_others_pass(recorded_shop: Path) -> None:
    """Its results say what failed."""
    break_people(recorded_shop)
    dbt(recorded_shop, "build", fails=True)
    sent = reverse_etl(recorded_shop, "run", "--dbt-exit-code", "1", "--select", "spenders")
    assert sent.returncode == 0, sent.stderr
    assert reverse_etl(recorded_shop, "run", "--dbt-exit-code", "1", "--select", "regulars").returncode == 3


def test_a_retry_that_repairs_one_table_does_not_age_the_other(recorded_shop: Path) -> None:
    """Its results name only what was tried again; the age of what it did not touch is known all the same."""
    max_age(recorded_shop, "2h")
    break_people(recorded_shop)
    dbt(recorded_shop, "build", fails=True)
    repair_people(recorded_shop)
    dbt(recorded_shop, "retry")
    assert short(verdict(recorded_shop, "regulars").refusals) == []
    without = "Nothing proves that source.corner_shop.till.payments is younger than 2h"
    assert short(verdict(recorded_shop, "neighbours").refusals) == [
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


def test_artifacts_of_another_target_that_builds_the_same_tables_are_ours(shop: Path, tmp_path: Path) -> None:
    """Dbt Cloud calls every target `default`."""
    cloud = tmp_path / "cloud"
    cloud.mkdir()
    text = (shop / "profiles.yml").read_text()
    renamed = text.replace("target: trial", "target: default").replace(
        "trial: {type: duckdb", "default: {type: duckdb"
    )
    (cloud / "profiles.yml").write_text(renamed)
    dbt(shop, "build", "--target", "default", "--profiles-dir", str(cloud))
    assert short(verdict(shop).refusals) == []


def test_artifacts_of_a_target_with_other_tables_hold_every_model(shop: Path) -> None:
    """Also where dbt was not told its target by name, so that its results don't say it."""
    edit(shop / "profiles.yml", "schema: main, threads", "schema: dbt_ann, threads")
    dbt(shop, "build")
    edit(shop / "profiles.yml", "schema: dbt_ann, threads", "schema: main, threads")
    ((models, reason),) = short(verdict(shop).refusals)
    assert models == "neighbours, regulars, spenders"
    assert reason.endswith(
        "are of another target, which builds in corner_shop.dbt_ann; target trial reads corner_shop.main."
    )


MISSING = {
    "the target folder": ("target", "target/manifest.json"),
    "the manifest": ("target/manifest.json", "target/manifest.json"),
    "the run results": ("target/run_results.json", "target/run_results.json"),
}


@pytest.mark.parametrize(("gone", "looked_at"), MISSING.values(), ids=MISSING)
def test_missing_artifacts_are_an_error_that_names_the_path(shop: Path, gone: str, looked_at: str) -> None:
    """`dbt clean`, another target path or a new container: nothing says what is in the tables."""
    path = shop / gone
    path.rename(shop / "elsewhere")
    for command in ("run", "plan", "debug"):
        ended = reverse_etl(shop, command)
        assert ended.returncode == 2, ended.stderr
        assert f"at {looked_at}" in ended.stderr
    assert not (shop / "klaviyo_sandbox.sqlite").exists()


def test_with_the_package_run_results_may_be_missing_and_a_manifest_may_not(recorded_shop: Path) -> None:
    """Its table says more. A table that can't be read is an error too."""
    (recorded_shop / "target/run_results.json").unlink()
    assert verdict(recorded_shop) == verdict(recorded_shop, mode=GateMode.STRICT)
    assert short(verdict(recorded_shop).refusals) == []
    change(recorded_shop, "alter table reverse_etl_dbt_results drop column failures")
    with pytest.raises(UsageError, match="has no column failures"):
        verdict(recorded_shop)
    change(recorded_shop, "drop table reverse_etl_dbt_results")
    with pytest.raises(UsageError, match="the table in which it records results is missing") as caught:
        verdict(recorded_shop)
    assert caught.value.problems[0].where == '"corner_shop"."main"."reverse_etl_dbt_results"'
    (recorded_shop / "target/manifest.json").unlink()
    with pytest.raises(UsageError, match="dbt's manifest is missing"):
        project(recorded_shop)


def test_half_written_artifacts_are_a_retryable_error(shop: Path) -> None:
    """Exit code 4: trying again helps."""
    for name in ("manifest.json", "run_results.json"):
        path = shop / "target" / name
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        ended = reverse_etl(shop, "run")
        assert ended.returncode == 4
        assert f"{name} is not complete" in ended.stderr or "manifest is not complete" in ended.stderr
        path.write_bytes(whole)


def test_a_command_without_recorded_results_holds_every_model(
    recorded_shop: Path,
) -> None:
    """The hook failed this time, so it may have failed before."""
    dbt(recorded_shop, "build", "--select", "visits")
    results = json.loads((recorded_shop / "target/run_results.json").read_text())
    invocation = results["metadata"]["invocation_id"]
    change(recorded_shop, f"delete from reverse_etl_dbt_results where invocation_id = '{invocation}'")
    ((models, reason),) = short(verdict(recorded_shop).refusals)
    assert models == "neighbours, regulars, spenders"
    assert reason.startswith("`dbt build` of 20")
    assert reason.endswith('ended, but "corner_shop"."main"."reverse_etl_dbt_results" lacks its results.')
    dbt(recorded_shop, "build", "--select", "visits")
    assert short(verdict(recorded_shop).refusals) == []


def test_artifacts_of_several_commands_are_merged_by_time(shop: Path, tmp_path: Path) -> None:
    """As steps of a job leave them, each in a folder of its own; the order of the folders does not matter."""
    folders = []
    for number, command in enumerate((("run",), ("test",), ("run", "--select", "visits"))):
        if number == 1:
            break_test(shop)
        dbt(shop, *command, fails=command == ("test",))
        folders.append(tmp_path / f"step_{number}")
        (shop / "target").rename(folders[-1])
        (shop / "target").mkdir()
    for given in (tuple(folders), tuple(folders[::-1])):
        assert [reason.split(" in `")[0] for _, reason in short(verdict(shop, artifacts=given).refusals)] == [
            "The test nobody_pays_less_than_nothing of model.corner_shop.visits failed"
        ]
        assert "No result of dbt is known" not in str(verdict(shop, artifacts=given).warnings)
    flags = [f"--dbt-artifacts={folder}" for folder in folders]
    alone = ["run", *flags[:1], "--exclude", "neighbours"]
    assert reverse_etl(shop, *alone).returncode == 0
    assert reverse_etl(shop, "run", *flags).returncode == 3
    assert reverse_etl(shop, *alone).returncode == 3, "the run before remembers the failed test"


def test_without_the_package_a_run_remembers_what_it_saw(shop: Path) -> None:
    """Also one that was refused: a later build of something else does not make the failure forgotten."""
    record = shop / "target/reverse_etl/dbt_results.json"
    break_people(shop)
    dbt(shop, "build", fails=True)
    assert short(verdict(shop).refusals) == [PEOPLE_FAILED]
    assert not record.exists(), "only a run writes it"
    assert reverse_etl(shop, "run", "--select", "regulars").returncode == 3
    assert record.exists()
    assert "ann@example.com" not in record.read_text()
    dbt(shop, "build", "--select", "visits")
    assert short(verdict(shop).refusals) == [PEOPLE_FAILED]
    assert "No result of dbt is known" not in str(verdict(shop).warnings)
    repair_people(shop)
    dbt(shop, "build", "--select", "people")
    assert short(verdict(shop).refusals) == []
    assert short(verdict(shop, mode=GateMode.STRICT).refusals) == []


@pytest.mark.parametrize(
    "content", ["", "{}", '{"version": 2, "targets": {}}', '{"version": 1, "targets": {"trial": 3}}']
)
def test_a_record_that_cannot_be_read_is_an_error(shop: Path, content: str) -> None:
    """It may hold a failure that nothing else tells of."""
    record = shop / "target/reverse_etl/dbt_results.json"
    record.parent.mkdir(exist_ok=True)
    record.write_text(content)
    with pytest.raises(UsageError, match="The record of dbt's results cannot be read") as caught:
        verdict(shop)
    assert caught.value.problems[0].where == "target/reverse_etl/dbt_results.json"


def test_the_dbt_graph_selects_models(shop: Path) -> None:
    """What a node of dbt feeds."""
    fed = {"stg_payments+": "regulars spenders", "source:loyalty+": "", "raw_people+": "neighbours regulars"}
    for origin, expected in fed.items():
        found = [model.name for model in project(shop).models if model in chosen(shop, origin)]
        assert " ".join(found) == expected


def change(folder: Path, *statements: str) -> None:
    """Change the warehouse behind dbt's back."""
    with duckdb.connect(folder / "corner_shop.duckdb") as connection:
        for statement in statements:
            connection.execute(statement)
