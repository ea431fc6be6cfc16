"""The real dbt, run as a user runs it, and the corner shop that it builds."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
from functools import cache, partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

import duckdb

from reverse_etl.config.profiles import load_target
from reverse_etl.models.compile import compile_models
from tests.cli.process import Ended, run_program

if TYPE_CHECKING:
    from reverse_etl.config.target import Target
    from reverse_etl.models.model import Model

TESTS = Path(__file__).parents[1]
SHOP = TESTS / "dbt_shop"
PACKAGE = TESTS.parent / "dbt_package"
PEOPLE = "models/marts/people_v2.sql"
DBT = Path(os.environ.get("RETL_DBT_BIN", TESTS.parent / ".venv-dbt" / "bin" / "dbt"))


class Commands:
    """Begins dbt's commands, each as a process of its own, from one that has imported dbt."""

    def __init__(self) -> None:
        """Start dbt's own Python; it ends when this process does."""
        self._process = subprocess.Popen(
            [DBT.with_name("python"), Path(__file__).with_name("commands.py")],
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self._process.communicate)

    def ended(self, folder: Path, *arguments: str) -> tuple[str, str, int]:
        """Run a command to its end; return its stdout, its stderr and its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        text = partial(NamedTemporaryFile, "r", encoding="utf-8")
        with text() as out, text() as err:
            asked = {
                "command": [str(DBT), *arguments],
                "folder": str(folder),
                "environ": _environment(),
                "out": out.name,
                "err": err.name,
            }
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            code = int(self._process.stdout.readline())
            return out.read(), err.read(), code


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    # A file of each command's events, which no test reads, takes a fifteenth of its time.
    return ours | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DBT_LOG_LEVEL_FILE": "none"}


@cache
def _commands() -> Commands:
    assert DBT.is_file(), f"There is no dbt at {DBT}. Run: make .venv-dbt/ready. Or name one in RETL_DBT_BIN."
    return Commands()


def dbt(folder: Path, *arguments: str, fails: bool = False, ends: int | None = None) -> str:
    """Run the real dbt in a project's folder; return what it printed.

    It must end with exit code 0, with 1 where it `fails`, or with the code that it `ends` with.
    """
    command = ["--no-use-colors", *arguments]
    if "--profiles-dir" not in arguments:
        command += ["--profiles-dir", str(folder)]
    out, err, code = _commands().ended(folder, *command)
    assert code == (int(fails) if ends is None else ends), out + err
    return out


def reverse_etl(folder: Path, *arguments: str) -> Ended:
    """Run our own command line in a project's folder, with this process's environment."""
    return run_program(arguments, folder, os.environ)


def add_package(folder: Path) -> None:
    """Add our dbt package to a project's packages.yml; `dbt deps` installs it."""
    packages = folder / "packages.yml"
    listed = packages.read_text() if packages.exists() else "packages:\n"
    packages.write_text(f"{listed}  - local: {PACKAGE}\n")


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
    """Replace a text that occurs in a file once."""
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {path.name}"
    path.write_text(text.replace(old, new))


def break_people(folder: Path) -> None:
    """Let the model `people` fail."""
    edit(folder / PEOPLE, "first_name, city", "first_name, cast(email as integer) as city")
