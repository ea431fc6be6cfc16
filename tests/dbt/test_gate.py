# ruff: noqa: E501 - a message is one line
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.dbt.findings import GatedModel, TargetSchema
from reverse_etl.errors import IncompleteFile, ModelError
from tests.dbt.sample_artifacts import freshness, held, manifest, model, results, verdict

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3600
VIPS, CUSTOMERS, ORDERS = "model.shop.vips", "model.shop.customers", "source.shop.erp.orders"
FIX = "Fix it, and run: dbt build."

FAULTS = {
    "what is read failed": (
        {"vips": "error"},
        ["model.shop.vips failed in `dbt build` at 2026-11-22 07:00 UTC: It came to error."],
    ),
    "what is read was skipped, as its parent failed": (
        {"vips": "skipped", "customers": "error"},
        ["model.shop.customers failed in `dbt build` at 2026-11-22 07:00 UTC: It came to error."],
    ),
    "what is read was skipped, and nothing says why": (
        {"vips": "skipped"},
        ["model.shop.vips was skipped by `dbt build` at 2026-11-22 07:00 UTC: It came to skipped."],
    ),
    "what is read was skipped, as a test of a far ancestor failed": (
        {"vips": "skipped", "customers": "skipped", "unique_raw": "fail"},
        [
            "The test unique_raw of seed.shop.raw failed in `dbt build` at 2026-11-22 07:00 UTC: It came to fail."
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
def test_a_fault_upstream_holds_a_model_back(tmp_path: Path, statuses: dict[str, str], expected: Any) -> None:
    """By node; only the first line of dbt's message is shown, since the others may quote rows."""
    problems = held(tmp_path, model(VIPS), run_results=results(statuses))
    assert [problem.summary for problem in problems] == expected
    assert {problem.where for problem in problems} == {"model members"}
    assert problems[0].hint == f"{FIX} To ignore what dbt says: --no-dbt-gate."


def test_a_fault_that_holds_several_models_is_reported_once(tmp_path: Path) -> None:
    """Each reason with its models, and that the others are not held back."""
    models = [
        GatedModel("regulars", (VIPS,)),
        GatedModel("members", (VIPS, CUSTOMERS)),
        GatedModel("buyers", (ORDERS,)),
    ]
    run_results = results({"vips": "success", "unique_vips": "fail", "unique_customers": "error"})
    problems = verdict(tmp_path, models, run_results=run_results).refusals
    assert [(problem.summary.split(" failed")[0], problem.where) for problem in problems] == [
        ("The test unique_vips of model.shop.vips", "model regulars, model members"),
        ("The test unique_customers of model.shop.customers", "model regulars, model members"),
    ]
    assert [problem.models for problem in problems] == [("regulars", "members")] * 2
    assert {problem.hint for problem in problems} == {
        f"{FIX} Other models are not held back. To ignore what dbt says: --no-dbt-gate."
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
def test_a_fault_outside_the_models_ancestors_holds_nothing(tmp_path: Path, statuses: dict[str, str]) -> None:
    assert held(tmp_path, model(VIPS), run_results=results(statuses)) == ()


def test_a_failed_unit_test_counts_as_a_test_of_its_model(tmp_path: Path) -> None:
    """Unit tests are in a section of their own, and are attached to nothing."""
    unit = {"resource_type": "unit_test", "name": "u", "depends_on": {"nodes": [VIPS]}}
    run_results = results({"vips": "success"})
    run_results["results"].append({"unique_id": "unit_test.shop.vips.u", "status": "fail"})
    shop = manifest(unit_tests={"unit_test.shop.vips.u": unit})
    (problem,) = held(tmp_path, model(VIPS), manifest=shop, run_results=run_results)
    assert problem.summary.startswith("The unit test u of model.shop.vips failed")


def test_a_failed_unit_test_is_reported_once_with_the_skipped_model(tmp_path: Path) -> None:
    """The model, and what is built from it, were skipped for the one reason."""
    unit = {"resource_type": "unit_test", "name": "u", "depends_on": {"nodes": [CUSTOMERS]}}
    run_results = results({"customers": "skipped", "vips": "skipped"})
    run_results["results"].append({"unique_id": "unit_test.shop.customers.u", "status": "fail"})
    shop = manifest(unit_tests={"unit_test.shop.customers.u": unit})
    problems = held(tmp_path, model(VIPS), manifest=shop, run_results=run_results)
    assert [problem.summary for problem in problems] == [
        "The unit test u of model.shop.customers failed in `dbt build` at 2026-11-22 07:00 UTC."
    ]


def test_a_test_of_an_ephemeral_parent_counts_as_a_direct_parents(tmp_path: Path) -> None:
    """Customers is built from an ephemeral model, so the seed below that is the first table."""
    problems = held(tmp_path, model(CUSTOMERS), run_results=results({"unique_raw": "fail"}))
    assert [problem.summary.split(" of ")[0] for problem in problems] == ["The test unique_raw"]


@pytest.mark.parametrize(
    "which", ["compile", "generate", "show", "list", "parse", "run-operation", "clone", "freshness"]
)
@pytest.mark.parametrize("status", ["success", "error", "skipped"])
def test_a_command_that_builds_nothing_is_no_evidence(tmp_path: Path, which: str, status: str) -> None:
    run_results = results({"vips": status}, which=which)
    assert held(tmp_path, model(VIPS), run_results=run_results) == ()
    (problem,) = held(tmp_path, model(VIPS, max_age=24 * HOUR), run_results=run_results)
    assert (
        problem.summary == "Nothing proves that model.shop.vips is younger than 24h: no build of it is known."
    )


def test_an_unknown_commands_failure_counts_and_its_success_does_not(tmp_path: Path) -> None:
    """Where dbt does not say which command it was."""
    failed, built = results({"vips": "error"}, which=None), results({"vips": "success"}, which=None)
    assert len(held(tmp_path, model(VIPS), run_results=failed)) == 1
    assert held(tmp_path, model(VIPS), run_results=built) == ()
    assert len(held(tmp_path, model(VIPS, max_age=HOUR * 24), run_results=built)) == 1


def test_tables_that_were_built_without_rows_are_held_back(tmp_path: Path) -> None:
    """`--empty` and `--sample` succeed, and would remove everybody from the lists."""
    for flag in ({"empty": True}, {"sample": "3 days"}):
        (problem,) = held(tmp_path, model(VIPS), run_results=results({"customers": "success"}, **flag))
        assert problem.summary == (
            "model.shop.customers was built without its rows: `dbt build` had --empty or --sample."
        )


HERE, ELSEWHERE = TargetSchema("prod", "shop", "marts"), TargetSchema("prod", "shop", "dbt_ann")
TARGETS = {
    "the same target": (HERE, "prod", None),
    "a target that has another name and builds here": (HERE, "default", None),
    "a target without a name that builds here": (HERE, None, None),
    "the same target, though all its nodes have schemas of their own": (ELSEWHERE, "prod", None),
    "another target that builds elsewhere": (
        ELSEWHERE,
        "dev",
        "are of target dev, which builds in shop.marts; target prod reads shop.dbt_ann.",
    ),
    "a target without a name that builds elsewhere": (
        ELSEWHERE,
        None,
        "are of another target, which builds in shop.marts; target prod reads shop.dbt_ann.",
    ),
}


@pytest.mark.parametrize(("target_schema", "target", "reason"), TARGETS.values(), ids=TARGETS)
def test_results_of_another_target_hold_every_model(
    tmp_path: Path, target_schema: Any, target: str | None, reason: str | None
) -> None:
    """Its tables lie elsewhere, and so does what its manifest names. dbt Cloud calls every target `default`."""
    run_results = results({"vips": "error"}, **({"target": target} if target else {}))
    (problem,) = verdict(
        tmp_path, [model(VIPS)], run_results=run_results, given={"target_schema": target_schema}
    ).refusals
    if reason:
        assert problem.summary == f"dbt's results in {tmp_path / 'run_results.json'} {reason}"
        assert problem.hint.startswith("Run: dbt build --target prod.")
    else:
        assert problem.summary.startswith("model.shop.vips failed")


EXITS = {
    0: ({"vips": "success"}, None),
    1: ({"vips": "success", "orders": "error"}, None),
    2: ({"vips": "success"}, "dbt ended with exit code 2, before it could write its results."),
    137: ({"vips": "success"}, "dbt ended with exit code 137, before it could write its results."),
}


@pytest.mark.parametrize(("code", "run_results"), EXITS.items(), ids=map(str, EXITS))
def test_the_exit_code_of_dbt_shows_whether_its_results_are_current(
    tmp_path: Path, code: int, run_results: Any
) -> None:
    """A parse error leaves the results of an earlier command. With 1 dbt ran, and its results say what failed."""
    statuses, reason = run_results
    problems = verdict(
        tmp_path, [model(VIPS)], run_results=results(statuses), given={"dbt_exit_code": code}
    ).refusals
    assert [problem.summary for problem in problems] == ([reason] if reason else [])


def test_an_unexplained_exit_code_holds_every_model(tmp_path: Path) -> None:
    run_results = results({"vips": "success", "unique_vips": "pass"})
    (problem,) = verdict(
        tmp_path, [model(VIPS)], run_results=run_results, given={"dbt_exit_code": 1}
    ).refusals
    assert problem.summary == (
        "dbt ended with exit code 1, but its newest results, of `dbt build` of 2026-11-22 07:00 UTC, show no "
        "failure. They are of an earlier command."
    )


def test_a_stale_source_explains_the_exit_code_of_source_freshness(tmp_path: Path) -> None:
    """It is no result of the build before it; one that was stale before the build explains nothing."""
    built = results({"vips": "success", "unique_vips": "pass"})
    for moment, held_back in (("2026-11-22T07:30:00Z", False), ("2026-11-22T06:00:00Z", True)):
        stale = freshness("error", "2026-11-19T05:30:00+00:00")
        stale["results"][0] |= {"snapshotted_at": moment}
        gate_verdict = verdict(
            tmp_path, [model(VIPS)], run_results=built, sources=stale, given={"dbt_exit_code": 1}
        )
        assert bool(gate_verdict.refusals) == held_back


def test_warned_tests_and_missing_tests_are_reported(tmp_path: Path) -> None:
    run_results = results({"vips": "success", "unique_vips": "warn"})
    run_results["results"][-1] |= {"failures": 3}
    result = verdict(tmp_path, [model(VIPS)], run_results=run_results)
    assert result.refusals == ()
    assert [warning.summary for warning in result.warnings] == [
        "The test unique_vips of model.shop.vips warned at 2026-11-22 07:00 UTC: 3 rows."
    ]
    run_results = results({"vips": "success"}, which="run")
    result = verdict(tmp_path, [model(VIPS)], run_results=run_results)
    assert result.refusals == ()
    assert [(warning.summary, warning.hint) for warning in result.warnings] == [
        (
            "No test of model.shop.vips has run since it was built at 2026-11-22 07:00 UTC.",
            "Run: dbt test --select vips.",
        )
    ]


@pytest.mark.parametrize("number", [4, 5, 6, 7])
def test_run_results_of_neighbouring_versions_are_read(tmp_path: Path, number: int) -> None:
    metadata = {"dbt_schema_version": f"https://schemas.getdbt.com/dbt/run-results/v{number}.json"}
    run_results = results({"vips": "error"}) | {"metadata": metadata}
    del run_results["results"][0]["timing"], run_results["results"][0]["message"]
    (problem,) = held(tmp_path, model(VIPS), run_results=run_results)
    assert problem.summary == "model.shop.vips failed in `dbt build`."


@pytest.mark.parametrize(
    ("text", "what", "advice"),
    [
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
    (tmp_path / "run_results.json").write_text(text)
    with pytest.raises(ModelError) as caught:
        held(tmp_path, model(VIPS))
    (problem,) = caught.value.problems
    assert (problem.summary, problem.hint) == (what, advice)
    assert problem.where.endswith("run_results.json")


@pytest.mark.parametrize("text", ["", "{", '{"results": [{"unique_id": "model.shop.vi'])
def test_a_truncated_artifact_is_a_retryable_error(tmp_path: Path, text: str) -> None:
    for name in ("run_results.json", "sources.json"):
        (tmp_path / name).write_text(text)
        with pytest.raises(IncompleteFile) as caught:
            held(tmp_path, model(VIPS))
        assert caught.value.exit_code == 4
        assert caught.value.problems[0].where.endswith(name)
        (tmp_path / name).unlink()


ODD = {
    "results that are no objects": {"results": [None, 3, "text", {"status": "error"}]},
    "timing that is no list": {"results": [{"unique_id": VIPS, "status": "error", "timing": "soon"}]},
    "counts that are texts": {"results": [{"unique_id": VIPS, "status": "error", "failures": "many"}]},
    "metadata and arguments that are lists": {"metadata": {}, "args": [], "results": []},
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_incomplete_artifacts_are_read_as_far_as_possible(tmp_path: Path, content: dict[str, Any]) -> None:
    expected = 1 if VIPS in str(content) else 0
    assert len(held(tmp_path, model(VIPS), run_results=content)) == expected
