"""The gate behind the real dbt: artifacts missing, cut off, of another target or of several commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reverse_etl.dbt.findings import GateMode
from reverse_etl.errors import UsageError
from tests.dbt.real_dbt import break_people, dbt, edit, reverse_etl
from tests.dbt.test_gate_real import (
    PEOPLE_FAILED,
    break_test,
    change,
    repair_people,
    short,
    verdict,
)

if TYPE_CHECKING:
    from pathlib import Path


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
        assert ended.code == 2, ended.err
        assert f"at {looked_at}" in ended.err
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
        verdict(recorded_shop)


def test_half_written_artifacts_are_a_retryable_error(shop: Path) -> None:
    for name in ("manifest.json", "run_results.json"):
        path = shop / "target" / name
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        ended = reverse_etl(shop, "run")
        assert ended.code == 4
        assert f"{name} is not complete" in ended.err or "manifest is not complete" in ended.err
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


def move_artifacts(shop: Path, folder: Path) -> None:
    """Move dbt's artifacts to a folder; what dbt keeps of its parsing stays, which takes a second to make."""
    for path in (shop / "target").glob("*.json"):
        path.rename(folder / path.name)


def test_artifacts_of_several_commands_are_merged_by_time(shop: Path, tmp_path: Path) -> None:
    """As steps of a job leave them, each in a folder of its own; the order of the folders does not matter."""
    folders = []
    for number, command in enumerate((("run",), ("test",), ("run", "--select", "visits"))):
        if number == 1:
            break_test(shop)
        dbt(shop, *command, fails=command == ("test",))
        folders.append(tmp_path / f"step_{number}")
        folders[-1].mkdir()
        move_artifacts(shop, folders[-1])
    for given in (tuple(folders), tuple(folders[::-1])):
        assert [reason.split(" in `")[0] for _, reason in short(verdict(shop, artifacts=given).refusals)] == [
            "The test nobody_pays_less_than_nothing of model.corner_shop.visits failed"
        ]
        assert "No result of dbt is known" not in str(verdict(shop, artifacts=given).warnings)
    flags = [f"--dbt-artifacts={folder}" for folder in folders]
    alone = ["run", *flags[:1], "--exclude", "neighbours"]
    assert reverse_etl(shop, *alone).code == 0
    assert reverse_etl(shop, "run", *flags).code == 3
    assert reverse_etl(shop, *alone).code == 3, "the run before remembers the failed test"


def test_without_the_package_a_run_remembers_what_it_saw(shop: Path, tmp_path: Path) -> None:
    """Also one that was refused: a later build of something else does not make the failure forgotten."""
    record = shop / ".reverse_etl/dbt_results.json"
    break_people(shop)
    dbt(shop, "build", fails=True)
    assert short(verdict(shop).refusals) == [PEOPLE_FAILED]
    assert not record.exists(), "only a run writes it"
    assert reverse_etl(shop, "run", "--select", "regulars").code == 3
    assert record.exists()
    assert "ann@example.com" not in record.read_text()
    gone = tmp_path / "gone"
    gone.mkdir()
    move_artifacts(shop, gone)  # as after `dbt clean`
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
    record = shop / ".reverse_etl/dbt_results.json"
    record.parent.mkdir(exist_ok=True)
    record.write_text(content)
    with pytest.raises(UsageError, match="The record of dbt's results cannot be read") as caught:
        verdict(shop)
    assert caught.value.problems[0].where == ".reverse_etl/dbt_results.json"
