# ruff: noqa: E501 - a message stands on one line
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.dbt.gate import GatedModel
from reverse_etl.errors import ModelError
from tests.dbt.made_artifacts import freshness, held, held_of, manifest, model, results

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

HOUR = 3600
VIPS, CUSTOMERS, ORDERS = "model.shop.vips", "model.shop.customers", "source.shop.erp.orders"
MENDED = "Mend it, and run: dbt build."

FAULTS = {
    "what is read failed": (
        {"vips": "error"},
        ["model.shop.vips failed in `dbt build` at 2026-11-22 07:00 UTC: It came to error."],
    ),
    "what is read was skipped, as its parent failed": (
        {"vips": "skipped", "customers": "error"},
        [
            "model.shop.vips was skipped by `dbt build` at 2026-11-22 07:00 UTC: It came to skipped.",
            "model.shop.customers failed in `dbt build` at 2026-11-22 07:00 UTC: It came to error.",
        ],
    ),
    "a far ancestor failed, and what is read was not selected": (
        {"raw": "error"},
        ["seed.shop.raw failed in `dbt build` at 2026-11-22 07:00 UTC: It came to error."],
    ),
    "batches are missing": (
        {"vips": "partial success"},
        [
            "model.shop.vips was built only in part by `dbt build` at 2026-11-22 07:00 UTC: It came to partial success."
        ],
    ),
    "a status of a later dbt": (
        {"vips": "dreaming"},
        [
            "model.shop.vips ended as 'dreaming', which is not known to be a success, in `dbt build` at 2026-11-22 07:00 UTC: It came to dreaming."
        ],
    ),
    "a test of what is read failed": (
        {"vips": "success", "unique_vips": "fail"},
        [
            "The test unique_vips of model.shop.vips failed in `dbt build` at 2026-11-22 07:00 UTC: It came to fail."
        ],
    ),
    "a test of a direct parent could not run": (
        {"vips": "success", "unique_customers": "error"},
        [
            "The test unique_customers of model.shop.customers failed in `dbt build` at 2026-11-22 07:00 UTC: It came to error."
        ],
    ),
    "a test of several tables, of which one is read": (
        {"vips": "success", "sums_agree": "fail"},
        [
            "The test sums_agree of model.shop.orders, model.shop.vips failed in `dbt build` at 2026-11-22 07:00 UTC: It came to fail."
        ],
    ),
}


@pytest.mark.parametrize(("statuses", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_upstream_holds_a_model_back(
    tmp_path: Path, statuses: dict[str, str], expected: list[str]
) -> None:
    """By node; only the first line of dbt's message is shown, since the others may quote rows."""
    problems = held(tmp_path, model(VIPS), run_results=results(statuses))
    assert [problem.summary for problem in problems] == expected
    assert {problem.where for problem in problems} == {"model members"}
    assert problems[0].hint == f"{MENDED} Without this gate: --no-dbt-gate."


def test_what_holds_several_models_back_is_said_once_and_all_of_them_are_left_out(tmp_path: Path) -> None:
    """Each reason with its models; the way to the others names every model that is held, or they would be too."""
    readers = [
        GatedModel("regulars", (VIPS,)),
        GatedModel("members", (VIPS, CUSTOMERS)),
        GatedModel("buyers", (ORDERS,)),
    ]
    found = results({"vips": "success", "unique_vips": "fail", "unique_customers": "error"})
    problems = held_of(tmp_path, readers, run_results=found)
    assert [(problem.summary.split(" failed")[0], problem.where) for problem in problems] == [
        ("The test unique_vips of model.shop.vips", "model regulars, model members"),
        ("The test unique_customers of model.shop.customers", "model regulars, model members"),
    ]
    assert [problem.models for problem in problems] == [("regulars", "members")] * 2
    assert {problem.hint for problem in problems} == {
        f"{MENDED} The other models alone: --exclude regulars --exclude members. Without this gate: --no-dbt-gate."
    }


HARMLESS = {
    "everything passed": {"vips": "success", "customers": "success", "unique_vips": "pass"},
    "a test of severity warn failed": {"vips": "success", "unique_vips": "warn"},
    "a test was skipped": {"vips": "success", "unique_vips": "skipped"},
    "a fault of something else": {"orders": "error", "vips": "success"},
    "a failed test of a grandparent": {"vips": "success", "unique_raw": "fail"},
    "a failed test that is another table's, though it reads a parent": {"orders_have_customers": "fail"},
    "nothing rebuilt since nothing changed": {"vips": "reused"},
    "a command that selected something else": {"orders": "success"},
}


@pytest.mark.parametrize("statuses", HARMLESS.values(), ids=HARMLESS)
def test_what_is_no_fault_of_what_a_model_reads_holds_nothing_back(
    tmp_path: Path, statuses: dict[str, str]
) -> None:
    """Warnings, and faults elsewhere."""
    assert held(tmp_path, model(VIPS), run_results=results(statuses)) == ()


def test_a_failed_unit_test_counts_as_a_test_of_its_model(tmp_path: Path) -> None:
    """Unit tests stand in a section of their own, and are attached to nothing."""
    unit = {"resource_type": "unit_test", "name": "u", "depends_on": {"nodes": [VIPS]}}
    found = results({"vips": "success"})
    found["results"].append({"unique_id": "unit_test.shop.vips.u", "status": "fail"})
    shop = manifest(unit_tests={"unit_test.shop.vips.u": unit})
    (problem,) = held(tmp_path, model(VIPS), manifest=shop, run_results=found)
    assert problem.summary.startswith("The unit test u of model.shop.vips failed")


def test_a_test_behind_an_ephemeral_parent_is_a_direct_parents(tmp_path: Path) -> None:
    """Customers is built from an ephemeral model, so the seed below that is the first table."""
    problems = held(tmp_path, model(CUSTOMERS), run_results=results({"unique_raw": "fail"}))
    assert [problem.summary.split(" of ")[0] for problem in problems] == ["The test unique_raw"]


@pytest.mark.parametrize(
    "which", ["compile", "generate", "show", "list", "parse", "run-operation", "clone", "freshness"]
)
@pytest.mark.parametrize("status", ["success", "error", "skipped"])
def test_a_command_that_builds_nothing_says_nothing(tmp_path: Path, which: str, status: str) -> None:
    """Neither that tables are good nor that they are bad; but it proves no age."""
    found = results({"vips": status}, which=which)
    assert held(tmp_path, model(VIPS), run_results=found) == ()
    (problem,) = held(tmp_path, model(VIPS, max_age=24 * HOUR), run_results=found)
    assert problem.summary == (
        f"Nothing proves that model.shop.vips is younger than 24h: dbt's last command, `dbt {which}`, built nothing."
    )


def test_a_failure_of_a_command_that_is_not_known_counts_and_a_success_does_not(tmp_path: Path) -> None:
    """Where dbt does not say which command it was."""
    failed, built = results({"vips": "error"}, which=None), results({"vips": "success"}, which=None)
    assert len(held(tmp_path, model(VIPS), run_results=failed)) == 1
    assert held(tmp_path, model(VIPS), run_results=built) == ()
    assert len(held(tmp_path, model(VIPS, max_age=HOUR * 24), run_results=built)) == 1


def test_tables_that_were_built_without_rows_are_held_back(tmp_path: Path) -> None:
    """`--empty` and `--sample` succeed, and would take everybody off the lists."""
    for flag in ({"empty": True}, {"sample": "3 days"}):
        (problem,) = held(tmp_path, model(VIPS), run_results=results({"customers": "success"}, **flag))
        assert problem.summary == (
            "model.shop.customers was built without its rows: `dbt build` had --empty or --sample."
        )


def test_results_of_another_target_hold_everything_back(tmp_path: Path) -> None:
    """Its tables are elsewhere, and so is what its manifest names."""
    (problem,) = held(tmp_path, model(VIPS), run_results=results({"vips": "error"}, target="dev"))
    assert problem.summary == "dbt's last results are of target dev; this run's is prod."
    assert problem.hint.startswith("Run: dbt build --target prod.")
    assert held(tmp_path, model(VIPS), run_results=results({"vips": "success"}, target="prod")) == ()


AGES = {
    "young enough": (results({"vips": "success"}), []),
    "older": (
        results({"vips": "success"}, at="2026-11-21T05:00:00Z"),
        ["model.shop.vips was built 27h ago, at 2026-11-21 05:00 UTC; max_age is 24h."],
    ),
    "tested only": (
        results({"unique_vips": "pass"}, which="test"),
        [
            "Nothing proves that model.shop.vips is younger than 24h: dbt's last command, `dbt test`, built nothing."
        ],
    ),
    "not selected": (
        results({"customers": "success"}, which="run"),
        [
            "Nothing proves that model.shop.vips is younger than 24h: dbt's last command, `dbt run`, did not build it."
        ],
    ),
    "failed": (
        results({"vips": "error"}),
        [
            "model.shop.vips failed in `dbt build` at 2026-11-22 07:00 UTC: It came to error.",
            "Nothing proves that model.shop.vips is younger than 24h: dbt's last command, `dbt build`, did not build it.",
        ],
    ),
    "without a time": (
        {"results": [{"unique_id": VIPS, "status": "success"}], "args": {"which": "build"}},
        ["Nothing proves that model.shop.vips is younger than 24h: its result has no time."],
    ),
}


@pytest.mark.parametrize(("found", "expected"), AGES.values(), ids=AGES)
def test_max_age_asks_for_proof(tmp_path: Path, found: dict[str, Any], expected: list[str]) -> None:
    """Only a build that built the very node proves how old it is."""
    problems = held(tmp_path, model(VIPS, max_age=24 * HOUR), run_results=found)
    assert [problem.summary for problem in problems] == expected


def test_without_artifacts_only_max_age_holds_back(tmp_path: Path) -> None:
    """No dbt, no gate; but nothing proves the age."""
    assert held(tmp_path, model(VIPS)) == ()
    (problem,) = held(tmp_path, model(VIPS, max_age=HOUR))
    assert (
        problem.summary == "Nothing proves that model.shop.vips is younger than 60m: dbt left no run results."
    )
    (problem,) = held(tmp_path, model("customers", max_age=HOUR))
    assert problem.summary == (
        "Nothing proves that customers is younger than 60m: dbt left no manifest that has it."
    )
    (problem,) = held(tmp_path, model(max_age=HOUR))
    assert problem.summary.startswith("max_age is 60m, but the model reads nothing by ref() or source()")


def test_the_age_of_a_source_is_that_of_its_newest_row(tmp_path: Path) -> None:
    """`dbt source freshness` says it; a source that is staler than dbt's own limit is held back in any case."""
    loaded = "2026-11-22T05:30:00+00:00"
    asked = model(ORDERS, max_age=2 * HOUR)
    assert [each.summary for each in held(tmp_path, asked)] == [
        "Nothing proves that source.shop.erp.orders is younger than 2h: dbt left no freshness of this source."
    ]
    assert [each.summary for each in held(tmp_path, asked, sources=freshness("pass", loaded))] == [
        "source.shop.erp.orders was loaded 2h ago, at 2026-11-22 05:30 UTC; max_age is 2h."
    ]
    assert held(tmp_path, model(ORDERS, max_age=3 * HOUR), sources=freshness("warn", loaded)) == ()
    assert [each.summary for each in held(tmp_path, model(ORDERS), sources=freshness("error", loaded))] == [
        "source.shop.erp.orders is staler than its `freshness` in dbt allows: its newest row was loaded at 2026-11-22 05:30 UTC."
    ]


@pytest.mark.parametrize("number", [4, 5, 6, 7])
def test_run_results_of_neighbouring_versions_are_read(tmp_path: Path, number: int) -> None:
    """Fields that a version lacks are left open."""
    metadata = {"dbt_schema_version": f"https://schemas.getdbt.com/dbt/run-results/v{number}.json"}
    found = results({"vips": "error"}) | {"metadata": metadata}
    del found["results"][0]["timing"], found["results"][0]["message"]
    (problem,) = held(tmp_path, model(VIPS), run_results=found)
    assert problem.summary == "model.shop.vips failed in `dbt build`."


@pytest.mark.parametrize(
    ("text", "what", "advice"),
    [
        ("{", "dbt's run_results.json is not JSON.", "Run: dbt build"),
        ("[]", "dbt's run_results.json has no results.", "Run: dbt build"),
        (
            '{"metadata": {"dbt_schema_version": "x/run-results/v8.json"}, "results": []}',
            "dbt's run_results.json has version 8; versions 4 to 7 can be read.",
            "Use a newer version of this program.",
        ),
        (
            '{"metadata": {"dbt_schema_version": "x/run-results/v3.json"}, "results": []}',
            "dbt's run_results.json has version 3; versions 4 to 7 can be read.",
            "Use dbt 1.5 or later.",
        ),
    ],
)
def test_run_results_that_cannot_be_read_stop_the_run(
    tmp_path: Path, text: str, what: str, advice: str
) -> None:
    """A gate that cannot see must not let pass."""
    (tmp_path / "run_results.json").write_text(text)
    with pytest.raises(ModelError) as caught:
        held(tmp_path, model(VIPS))
    (problem,) = caught.value.problems
    assert (problem.summary, problem.hint) == (what, advice)
    assert problem.where.endswith("run_results.json")
