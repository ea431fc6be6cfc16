"""The gate's limits on the age of tables and sources, and what it holds for lack of evidence."""

# ruff: noqa: E501 - a message is one line
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.dbt.sample_artifacts import freshness, held, model, results, verdict

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3600
VIPS, ORDERS = "model.shop.vips", "source.shop.erp.orders"

AGES = {
    "young enough": (results({"vips": "success"}), []),
    "older": (
        results({"vips": "success"}, at="2026-11-21T05:00:00Z"),
        ["model.shop.vips was built 27h ago, at 2026-11-21 05:00 UTC; max_age is 24h."],
    ),
    "tested only": (
        results({"unique_vips": "pass"}, which="test"),
        ["Nothing proves that model.shop.vips is younger than 24h: no build of it is known."],
    ),
    "not selected": (
        results({"customers": "success"}, which="run"),
        ["Nothing proves that model.shop.vips is younger than 24h: no build of it is known."],
    ),
    "failed": (
        results({"vips": "error"}),
        [
            "model.shop.vips failed in `dbt build` at 2026-11-22 07:00 UTC: It came to error.",
            "Nothing proves that model.shop.vips is younger than 24h: its last build failed.",
        ],
    ),
    "without a time": (
        {"results": [{"unique_id": VIPS, "status": "success"}], "args": {"which": "build"}},
        ["Nothing proves that model.shop.vips is younger than 24h: its last build has no time."],
    ),
}


@pytest.mark.parametrize(("run_results", "expected"), AGES.values(), ids=AGES)
def test_max_age_requires_evidence(tmp_path: Path, run_results: Any, expected: Any) -> None:
    """Only a build that built the very node proves how old it is."""
    problems = held(tmp_path, model(VIPS, max_age=24 * HOUR), run_results=run_results)
    assert [problem.summary for problem in problems] == expected


def test_without_results_only_max_age_holds_a_model(tmp_path: Path) -> None:
    """Whether results may be missing altogether is decided before: the gate says what it lacks."""
    (warning,) = verdict(tmp_path, [model(VIPS)]).warnings
    assert warning.summary == (
        "No result of dbt is known for model.shop.vips: nothing says whether it was built and tested."
    )
    (problem,) = held(tmp_path, model(VIPS, max_age=HOUR))
    assert (
        problem.summary == "Nothing proves that model.shop.vips is younger than 60m: no build of it is known."
    )
    (problem,) = held(tmp_path, model("customers", max_age=HOUR))
    assert problem.summary == (
        "Nothing proves that customers is younger than 60m: dbt's manifest does not have it."
    )
    (problem,) = held(tmp_path, model(max_age=HOUR))
    assert problem.summary.startswith("max_age is 60m, but the model reads nothing by ref() or source()")


def test_a_strict_gate_holds_models_without_evidence(tmp_path: Path) -> None:
    """Without it that is a warning, which names dbt's last command where that said nothing."""
    run_results = results({"vips": "success"}, which="compile")
    passed = verdict(tmp_path, [model(VIPS)], run_results=run_results)
    assert passed.refusals == ()
    (warning,) = passed.warnings
    assert warning.summary.endswith("built and tested. The last command was `dbt compile`.")
    strict = verdict(tmp_path, [model(VIPS)], run_results=run_results, strict=True)
    assert strict.warnings == ()
    assert [problem.summary for problem in strict.refusals] == [warning.summary]
    tested = results({"vips": "success", "unique_vips": "pass"})
    assert verdict(tmp_path, [model(VIPS)], run_results=tested, strict=True).refusals == ()


DEFAULT_AGES = {
    "a day": (["2026-11-21T08:00:00Z"], None, None),
    "a week, and no other build is known": (["2026-11-15T08:00:00Z"], None, None),
    "nine days, and no other build is known": (
        ["2026-11-13T08:00:00Z"],
        "note",
        "model.shop.vips was built 9d ago, at 2026-11-13 08:00 UTC; no other build of it is known.",
    ),
    "thirty days": (
        ["2026-10-23T08:00:00Z"],
        "refused",
        "model.shop.vips was built 30d ago, at 2026-10-23 08:00 UTC. Without a max_age, tables older than 30d are refused.",
    ),
    "two days, of a table that is built every day": (
        ["2026-11-20T07:00:00Z", "2026-11-19T07:00:00Z", "2026-11-18T07:00:00Z"],
        None,
        None,
    ),
    "four days, of a table that is built every day": (
        ["2026-11-18T07:00:00Z", "2026-11-17T07:00:00Z", "2026-11-16T07:00:00Z"],
        "note",
        "model.shop.vips was built 4d ago, at 2026-11-18 07:00 UTC; it is usually built every 24h.",
    ),
    "a week and a day, of a table that is built every week": (
        ["2026-11-14T07:00:00Z", "2026-11-07T07:00:00Z", "2026-10-31T07:00:00Z"],
        None,
        None,
    ),
    "thirty hours, of a table that is built every hour": (
        ["2026-11-21T02:00:00Z", "2026-11-21T01:00:00Z", "2026-11-21T00:00:00Z"],
        None,
        None,
    ),
    "two days, of a table that is built every hour": (
        ["2026-11-20T07:00:00Z", "2026-11-20T06:00:00Z", "2026-11-20T05:00:00Z"],
        "note",
        "model.shop.vips was built 2d ago, at 2026-11-20 07:00 UTC; it is usually built every 60m.",
    ),
}


@pytest.mark.parametrize(("times", "kind", "text"), DEFAULT_AGES.values(), ids=DEFAULT_AGES)
def test_without_max_age_a_table_may_be_as_old_as_usual(
    tmp_path: Path, times: list[str], kind: str | None, text: str
) -> None:
    """A note where three builds were missed, a refusal at thirty days."""
    run_results = [results({"vips": "success", "unique_vips": "pass"}, at=time) for time in times]
    run_results[0]["results"] += [node_result for each in run_results[1:] for node_result in each["results"]]
    result = verdict(tmp_path, [model(VIPS)], run_results=run_results[0])
    assert [problem.summary for problem in result.refusals] == ([text] if kind == "refused" else [])
    assert [problem.summary for problem in result.warnings] == ([text] if kind == "note" else [])


def test_an_explicit_max_age_replaces_the_default(tmp_path: Path) -> None:
    """A table that is built once a quarter has one of its own."""
    run_results = results({"vips": "success", "unique_vips": "pass"}, at="2026-09-01T08:00:00Z")
    asked = model(VIPS, max_age=100 * 24 * HOUR)
    assert verdict(tmp_path, [asked], run_results=run_results) == verdict(tmp_path, [])


def test_seeds_and_snapshots_may_be_of_any_age_and_views_are_as_old_as_their_tables(tmp_path: Path) -> None:
    """A seed is loaded when somebody changes it. A view shows what its tables hold."""
    old, new = "2026-09-01T08:00:00Z", "2026-11-22T07:00:00Z"
    seed, view = "seed.shop.raw", "model.shop.latest"
    run_results = results({"raw": "success", "unique_raw": "pass", "vips": "success"}, at=old)
    run_results["results"] += results({"latest": "success"}, at=new)["results"]
    assert held(tmp_path, model(seed), run_results=run_results) == ()
    (problem,) = held(tmp_path, model(view), run_results=run_results)
    assert problem.summary.startswith("model.shop.vips was built 82d ago")
    (problem,) = held(tmp_path, model(view, max_age=HOUR), run_results=run_results)
    assert problem.summary.startswith("model.shop.vips was built 82d ago")
    (problem,) = held(tmp_path, model(seed, max_age=HOUR), run_results=run_results)
    assert problem.summary.startswith("seed.shop.raw was built 82d ago"), (
        "a max_age of the model applies to seeds too"
    )


def test_the_age_of_a_source_is_that_of_its_newest_row(tmp_path: Path) -> None:
    """`dbt source freshness` says it; a source that is staler than dbt's own limit is held back in any case."""
    loaded = "2026-11-22T05:30:00+00:00"
    asked = model(ORDERS, max_age=2 * HOUR)
    assert [each.summary for each in held(tmp_path, asked)] == [
        "Nothing proves that source.shop.erp.orders is younger than 2h: no freshness of this source is known."
    ]
    assert [each.summary for each in held(tmp_path, asked, sources=freshness("pass", loaded))] == [
        "source.shop.erp.orders was loaded 2h ago, at 2026-11-22 05:30 UTC; max_age is 2h."
    ]
    assert held(tmp_path, model(ORDERS, max_age=3 * HOUR), sources=freshness("warn", loaded)) == ()
    assert [each.summary for each in held(tmp_path, model(ORDERS), sources=freshness("error", loaded))] == [
        "source.shop.erp.orders is staler than its `freshness` in dbt allows: its newest row was loaded at 2026-11-22 05:30 UTC."
    ]


def test_a_stale_source_holds_models_built_from_it(tmp_path: Path) -> None:
    """Through all ancestors, as a failure does."""
    stale = freshness("error", "2026-11-19T05:30:00+00:00")
    (problem,) = held(
        tmp_path, model("model.shop.orders"), run_results=results({"orders": "success"}), sources=stale
    )
    assert problem.summary.startswith("source.shop.erp.orders is staler than its `freshness` in dbt allows")
