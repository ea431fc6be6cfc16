"""A project of the real dbt: dbt builds it and leaves our models alone; our models read what it built."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from reverse_etl.dbt.manifest import relations_of
from reverse_etl.errors import ModelError
from reverse_etl.models.compile import compile_models
from reverse_etl.models.model import Model
from reverse_etl.profiles.load import load_target
from reverse_etl.templates import ContextError

if TYPE_CHECKING:
    from reverse_etl.profiles.target import Target

HERE = Path(__file__).parent
DBT = Path(os.environ.get("RETL_DBT_BIN", HERE.parent / ".venv-dbt" / "bin" / "dbt"))


def dbt(folder: Path, *arguments: str) -> str:
    """Run the real dbt in a project's folder, as a user would; return what it printed."""
    if not DBT.is_file():
        pytest.fail(f"There is no dbt at {DBT}. Run: make .venv-dbt/ready. Or name one in RETL_DBT_BIN.")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    done = subprocess.run(
        [DBT, "--no-use-colors", *arguments, "--profiles-dir", folder],
        cwd=folder,
        env=ours | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the corner shop after `dbt build`. That takes seconds: the tests share it."""
    folder = tmp_path_factory.mktemp("dbt") / "corner_shop"
    shutil.copytree(HERE / "dbt_shop", folder)
    dbt(folder, "build")
    return folder


def trial(folder: Path) -> Target:
    """Return the corner shop's trial target, its database where dbt built it."""
    return load_target(folder, profiles_dir=folder, environ={})


def compiled(folder: Path, **variables: object) -> dict[str, Model]:
    """Return the corner shop's models of ours by name."""
    models = compile_models(folder, trial(folder), vars=variables, environ={})
    return {model.name: model for model in models}


def rows(folder: Path, model: Model) -> list[tuple[object, ...]]:
    """Return what a model selects from the file that dbt built."""
    with duckdb.connect(folder / "corner_shop.duckdb", read_only=True) as connection:
        return sorted(connection.execute(model.sql).fetchall())


def test_dbt_builds_the_project_though_our_models_and_destinations_are_in_it(shop):
    """Every node passes; dbt neither parses reverse_etl/ nor minds `destinations` in profiles.yml."""
    results = json.loads((shop / "target" / "run_results.json").read_text())["results"]
    assert {result["status"] for result in results} == {"success", "pass"}
    manifest = json.loads((shop / "target" / "manifest.json").read_text())
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] != "operation"]
    assert {Path(node["original_file_path"]).parts[0] for node in nodes} == {"models", "seeds", "tests"}


RELATIONS = {
    "a seed": (("raw_people", None, None), '"corner_shop"."main"."raw_people"'),
    "an alias in a schema of its own": (("visits", None, None), '"corner_shop"."main_marts"."visit_totals"'),
    "the latest version": (("people", None, None), '"corner_shop"."main"."people_v2"'),
    "an older version": (("people", None, "1"), '"corner_shop"."main"."people_v1"'),
    "a model of a named package": (("people", "corner_shop", "2"), '"corner_shop"."main"."people_v2"'),
}


@pytest.mark.parametrize(("call", "relation"), RELATIONS.values(), ids=RELATIONS)
def test_ref_is_the_relation_that_dbt_built(shop, call, relation):
    """The name comes from dbt's manifest: aliases, schemas and versions are dbt's.."""
    found = str(relations_of(trial(shop), shop / "target" / "manifest.json").ref(*call))
    assert found == relation
    with duckdb.connect(shop / "corner_shop.duckdb", read_only=True) as connection:
        assert connection.execute(f"select count(*) > 0 from {found}").fetchall() == [(True,)]


def test_source_is_the_table_that_the_source_names(shop):
    """The source's schema and identifier are used, not its name."""
    relations = relations_of(trial(shop), shop / "target" / "manifest.json")
    assert str(relations.source("till", "payments")) == '"corner_shop"."till_data"."receipts"'


REFUSED = {
    "an ephemeral model": (("stg_people", None, None), "stg_people is ephemeral in dbt"),
    "a disabled model": (("closed_shop", None, None), "closed_shop is disabled in dbt"),
    "a version that is not there": (("people", None, "3"), "no version 3 of people"),
    "a name that is not there": (("peopel", None, None), "no model, seed or snapshot of that name"),
    "another package's name": (("people", "other_shop", None), "package other_shop"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_what_dbt_did_not_build_cannot_be_read(shop, call, message):
    """Each has a message of its own, which names it."""
    with pytest.raises(ContextError) as caught:
        relations_of(trial(shop), shop / "target" / "manifest.json").ref(*call)
    assert message in caught.value.what


def test_our_models_run_on_what_dbt_built(shop):
    """Compiled SQL runs as it is on dbt's file, and knows which of dbt's nodes it reads."""
    models = compiled(shop)
    assert list(models) == ["neighbours", "regulars"]
    regulars = rows(shop, models["regulars"])
    assert [(row[1], row[3]) for row in regulars] == [("ann@example.com", 3), ("zoe@example.net", 4)]
    assert len(rows(shop, models["neighbours"])) == 5
    assert set(models["regulars"].reads) == {"model.corner_shop.people.v2", "model.corner_shop.visits"}
    assert set(models["neighbours"].reads) == {
        "model.corner_shop.people.v2",
        "source.corner_shop.till.payments",
    }


def test_a_variable_of_the_command_line_beats_the_projects(shop):
    """`var` gives dbt_project.yml's value unless another is given."""
    assert len(rows(shop, compiled(shop, regular_from=4)["regulars"])) == 1


def test_without_a_manifest_names_are_looked_for_in_the_targets_schema(shop, tmp_path):
    """Before dbt's first command, `ref` is a table of the target's schema, and a source is a schema."""
    folder = tmp_path / "corner_shop"
    shutil.copytree(shop, folder, ignore=shutil.ignore_patterns("target"))
    models = compiled(folder)
    assert '"corner_shop"."main"."visits"' in models["regulars"].sql
    assert '"corner_shop"."till"."payments"' in models["neighbours"].sql


def test_a_manifest_of_another_database_is_refused(shop, tmp_path):
    """A manifest that dbt wrote for another target would send us to the wrong tables."""
    folder = tmp_path / "corner_shop"
    shutil.copytree(shop, folder)
    profiles = folder / "profiles.yml"
    profiles.write_text(profiles.read_text().replace("path: corner_shop.duckdb", "path: other_shop.duckdb"))
    with pytest.raises(ModelError, match="written for another target"):
        compiled(folder)


def test_any_later_command_of_dbt_leaves_a_manifest_that_we_read(shop):
    """`dbt parse` and `dbt ls` write the manifest anew: relation names stay."""
    before = {name: model.sql for name, model in compiled(shop).items()}
    listed = dbt(shop, "ls", "--resource-type", "model")
    assert "corner_shop.marts.visits" in listed
    assert "regulars" not in listed
    assert {name: model.sql for name, model in compiled(shop).items()} == before
