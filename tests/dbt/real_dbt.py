"""The real dbt, started as a user starts it, and the corner shop that it builds."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from reverse_etl.models.compile import compile_models
from reverse_etl.profiles.load import load_target

if TYPE_CHECKING:
    from reverse_etl.models.model import Model
    from reverse_etl.target import Target

TESTS = Path(__file__).parents[1]
SHOP = TESTS / "dbt_shop"
DBT = Path(os.environ.get("RETL_DBT_BIN", TESTS.parent / ".venv-dbt" / "bin" / "dbt"))


def dbt(folder: Path, *arguments: str, fails: bool = False) -> str:
    """Run the real dbt in a project's folder; return what it printed. It must fail where `fails`."""
    assert DBT.is_file(), f"There is no dbt at {DBT}. Run: make .venv-dbt/ready. Or name one in RETL_DBT_BIN."
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
    assert done.returncode == (1 if fails else 0), done.stdout + done.stderr
    return done.stdout


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


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that stands in a file once."""
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new))
