"""The artifacts of a run can be read by the real dbt's own classes."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from reverse_etl.connections import Connections
from reverse_etl.errors import GuardRefused, KlaviyoError, UsageError, WarehouseError
from reverse_etl.project import Project
from reverse_etl.report.wording import RunEnding, Severity, find_run_ending, summarize_run
from tests.dbt.real_dbt import DBT, edit

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


READ = """
import json, sys
from argparse import Namespace
from dbt.flags import set_from_args
set_from_args(Namespace(state_modified_compare_more_unrendered_values=False), {})  # dbt 1.12 asks as it reads
from dbt.artifacts.schemas.manifest import WritableManifest
from dbt.artifacts.schemas.run import RunResultsArtifact
manifest = WritableManifest.read_and_check_versions(sys.argv[1] + "/manifest.json")
results = RunResultsArtifact.read_and_check_versions(sys.argv[1] + "/run_results.json")
print(json.dumps({
    "nodes": {key: [node.name, node.depends_on.nodes, node.tags] for key, node in manifest.nodes.items()},
    "parents": manifest.parent_map,
    "results": {each.unique_id: str(each.status) for each in results.results},
    "which": results.args["which"],
}))
"""


def project(folder: Path) -> Project:
    """Load a project."""
    return Project.load(folder, profiles_dir=folder, environ={})


def record(folder: Path, name: str = "run_results") -> dict[str, Any]:
    """Return what a run left."""
    return dict(json.loads((folder / "target" / "reverse_etl" / f"{name}.json").read_text()))


def statuses(folder: Path) -> dict[str, tuple[str, str]]:
    """Return the status and message of each model."""
    return {
        each["unique_id"].removeprefix("model.reverse_etl."): (each["status"], each["message"])
        for each in record(folder)["results"]
    }


def test_dbts_own_classes_read_the_artifacts_of_a_run(shop: Path) -> None:
    """Statuses by model, with the counts of each list; the graph goes on from dbt's nodes."""
    project(shop).plan()
    assert not (shop / "target" / "reverse_etl").exists(), "a plan leaves nothing"
    result = project(shop).run()
    read = subprocess.run(
        [DBT.with_name("python"), "-c", READ, shop / "target" / "reverse_etl"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert not read.returncode, read.stderr
    document = json.loads(read.stdout)
    assert document["nodes"]["model.reverse_etl.regulars"] == [
        "regulars",
        ["model.corner_shop.people.v2", "model.corner_shop.visits"],
        ["daily"],
    ]
    assert document["parents"]["model.reverse_etl.spenders"] == ["model.corner_shop.spenders"]
    assert document["which"] == "run"
    assert document["results"] == {
        "model.reverse_etl.neighbours": "partial success",  # one of the e-mails is none
        "model.reverse_etl.regulars": "success",
        "model.reverse_etl.spenders": "success",
    }
    assert record(shop)["metadata"]["invocation_id"] == result.run_id
    regulars = next(each for each in record(shop)["results"] if each["unique_id"].endswith("regulars"))
    assert regulars["message"] == "regulars: 2 applied"
    (listed,) = regulars["adapter_response"]["lists"]
    assert (listed["list"], listed["rows"], listed["applied"]) == ("regulars", 2, 2)
    assert record(shop, "manifest")["child_map"]["model.corner_shop.visits"] == ["model.reverse_etl.regulars"]


def run_with_a_failed_model(shop: Path) -> None:
    """Run two models, of which dbt failed to build one."""
    path = shop / "target" / "run_results.json"
    results = json.loads(path.read_text())
    for result in results["results"]:
        if result["unique_id"] == "model.corner_shop.spenders":
            result |= {"status": "error", "message": "It broke"}
    path.write_text(json.dumps(results))
    assert project(shop).run(["regulars", "spenders"]).exit_code == GuardRefused.exit_code


def test_a_refused_run_leaves_its_reasons_and_no_older_success(shop: Path) -> None:
    """`skipped` where the gate or a guard refused a model; the others are delivered."""
    run_with_a_failed_model(shop)
    statuses_by_model = statuses(shop)
    assert list(statuses_by_model) == ["regulars", "spenders"]
    assert statuses_by_model["spenders"][0] == "skipped"
    assert statuses_by_model["spenders"][1].startswith("model.corner_shop.spenders failed in `dbt build`")
    assert statuses_by_model["regulars"] == ("success", "regulars: 2 applied")
    with pytest.raises(GuardRefused):
        project(shop).run(["spenders"])
    assert statuses(shop)["spenders"][0] == "skipped"


def test_a_run_without_the_models_that_the_gate_holds_is_recorded_with_its_exit_code(shop: Path) -> None:
    """History, status and the report say that the gate held a model, and why."""
    run_with_a_failed_model(shop)
    (ran,) = project(shop).history()
    assert (ran.run.exit_code, find_run_ending(ran)) == (GuardRefused.exit_code, RunEnding.GATE_HELD)
    assert [summary.label.model for summary in ran.lists] == ["regulars"]
    report = project(shop).report()
    summary = summarize_run(report)
    assert (summary.severity, summary.headline) == (Severity.ERROR, "Not all models were sent.")
    assert summary.details[0].startswith("The dbt gate held models back")
    (reason,) = report.refusal_reasons
    assert reason.startswith("model.corner_shop.spenders failed in `dbt build`")
    status = project(shop).status()
    assert status.describe_refusals() == [f"Run {ran.run.run_id} did not send all models: {reason}"]


def test_a_run_that_fails_or_is_interrupted_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also beside no dbt project: the folder is called `target` there too."""
    (tmp_path / "profiles.yml").write_text(
        "shop: {outputs: {t: {type: duckdb, path: shop.duckdb}}, target: t,\n"
        "  destinations: {t: {type: klaviyo, sandbox: true}}}"
    )
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "m.sql").write_text("{{ config(surface='profiles') }}\nselect email from t")

    def fails(error: KeyboardInterrupt | KlaviyoError | WarehouseError) -> tuple[str, str]:
        def run(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setattr(Connections, "delivery_context", run)
        with pytest.raises(type(error)):
            project(tmp_path).run()
        return statuses(tmp_path)["m"]

    assert fails(WarehouseError.of("The disk is full.")) == ("error", "The disk is full.")
    assert fails(KlaviyoError.of("No answer.")) == ("error", "No answer.")
    assert fails(KeyboardInterrupt()) == ("error", "The run was interrupted. It is safe to run again.")


def test_a_run_that_cannot_start_leaves_an_older_record_alone(shop: Path) -> None:
    project(shop).run(["regulars"])
    before = record(shop)
    edit(shop / "profiles.yml", "trial: {type: klaviyo, sandbox: true}", "trial: {type: klaviyo}")

    with pytest.raises(UsageError):
        project(shop).run(["regulars"])
    assert record(shop) == before


def test_an_unwritable_folder_does_not_stop_a_run(shop: Path) -> None:
    (shop / "target" / "reverse_etl").write_text("a file is in the way")
    assert project(shop).run(["regulars"]).exit_code == 0
