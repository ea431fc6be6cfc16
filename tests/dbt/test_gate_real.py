"""The gate behind the real dbt: what its commands leave holds models back, or lets them pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import GuardRefused, UsageError
from reverse_etl.project import Project
from tests.dbt.real_dbt import dbt, edit

if TYPE_CHECKING:
    from reverse_etl.models.model import Model

PEOPLE, TEST = "models/marts/people_v2.sql", "tests/nobody_pays_less_than_nothing.sql"


def project(folder: Path) -> Project:
    """Load the corner shop's project."""
    return Project.load(folder, profiles_dir=folder, environ={})


def reasons(folder: Path, *select: str) -> list[tuple[str, str]]:
    """Return why the gate holds the selected models back, as (models, beginning of the reason)."""
    loaded = project(folder)
    held = loaded.check_gate(loaded.select(select))
    return [(each.where.replace("model ", ""), each.summary.split(" at 20")[0]) for each in held]


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


def test_after_a_build_that_passed_everything_may_run(shop: Path) -> None:
    """Also where every model asks for proof of its age, but for a source, whose age is dbt's to say."""
    assert reasons(shop) == []
    fed = {"stg_payments+": "regulars spenders", "source:loyalty+": "", "raw_people+": "neighbours regulars"}
    for origin, expected in fed.items():
        found = [model.name for model in project(shop).models if model in chosen(shop, origin)]
        assert " ".join(found) == expected
    max_age(shop, "2h")
    assert reasons(shop, "regulars") == []
    why = "is younger than 2h: dbt left no freshness of this source."
    assert reasons(shop, "neighbours") == [
        (
            "neighbours",
            f"Nothing proves that source.corner_shop.till.payments {why}",
        )
    ]


def test_a_build_that_failed_holds_back_until_it_is_mended(shop: Path) -> None:
    """A run-time error and a failed test, told by node; a test of severity warn does not count."""
    edit(shop / PEOPLE, "first_name, city", "first_name, cast(email as integer) as city")
    edit(shop / TEST, "spent < 0", "spent > 0")
    dbt(shop, "build", fails=True)
    failed = "model.corner_shop.people.v2 failed in `dbt build`"
    test = "The test nobody_pays_less_than_nothing of model.corner_shop.visits failed in `dbt build`"
    assert reasons(shop) == [
        ("neighbours, regulars", failed),
        ("regulars, spenders", test),
        ("spenders", "model.corner_shop.spenders was skipped by `dbt build`"),
    ]

    with pytest.raises(GuardRefused) as caught:
        project(shop).run()
    assert len(caught.value.problems) == 3
    assert "ann@example.com" not in str(caught.value)
    assert not (shop / "klaviyo_sandbox.sqlite").exists(), "nothing was sent, nobody was even asked"

    planned = reverse_etl(shop, "plan")
    assert planned.returncode == 3
    assert reverse_etl(shop, "debug").returncode == 3
    assert "neighbours" in planned.stdout, "the plan is shown all the same"
    assert failed in planned.stderr
    assert reverse_etl(shop, "run", "--select", "neighbours").returncode == 3
    passed = reverse_etl(shop, "run", "--select", "neighbours", "--no-dbt-gate")
    assert passed.returncode in {0, 1}, passed.stderr

    edit(shop / PEOPLE, "cast(email as integer) as city", "city")
    (shop / TEST).write_text("{{ config(severity='warn') }}\n" + (shop / TEST).read_text())
    assert "WARN=1" in dbt(shop, "retry")
    assert reasons(shop) == []


def test_commands_that_build_nothing_of_ours_prove_no_age(shop: Path) -> None:
    """`dbt compile` writes success for every node; a partial build covers what it built."""
    max_age(shop, "2h")
    dbt(shop, "compile", "--select", "people")
    warned = reverse_etl(shop, "-q", "plan", "--select", "spenders")
    assert (
        "warning dbt's last command, `dbt compile`, says nothing of what was built and tested"
        in warned.stderr
    )
    why = "is younger than 2h: dbt's last command, `dbt compile`, built nothing."
    assert reasons(shop, "regulars") == [
        ("regulars", f"Nothing proves that model.corner_shop.people.v2 {why}"),
        ("regulars", f"Nothing proves that model.corner_shop.visits {why}"),
    ]
    dbt(shop, "run", "--select", "people")
    why = "is younger than 2h: dbt's last command, `dbt run`, did not build it."
    assert reasons(shop, "regulars") == [
        (
            "regulars",
            f"Nothing proves that model.corner_shop.visits {why}",
        )
    ]


def test_an_empty_build_and_another_targets_are_held_back(shop: Path) -> None:
    """`--empty` leaves tables without rows; `--target` other tables."""
    dbt(shop, "build", "--empty", "--exclude", "test_type:unit", "--target", "trial")
    assert {what.split(":")[0] for _, what in reasons(shop, "regulars")} >= {
        "model.corner_shop.people.v2 was built without its rows"
    }
    path = shop / "target" / "run_results.json"
    path.write_text(path.read_text().replace('"target": "trial"', '"target": "prod"'))
    assert reasons(shop, "regulars") == [
        ("regulars", "dbt's last results are of target prod; this run's is trial.")
    ]
