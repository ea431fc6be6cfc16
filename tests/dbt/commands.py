"""The real dbt, once it is imported: a command is a process of its own that begins with dbt in it.

Run by dbt's own Python: `python commands.py`. Each line of stdin asks for a command, as a document; each
line of stdout is the exit code of one. Importing dbt takes longer than most commands do, and so does the
code that dbt writes for its classes and schemas when it first needs them.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

SECONDS = 120  # longer than any command takes here
_PROJECT: Final = {
    "dbt_project.yml": "name: small\nprofile: small\n",
    "profiles.yml": "small: {target: trial, outputs: {trial: {type: duckdb, path: small.duckdb}}}\n",
    "models/people.sql": "select 1 as id\n",
    "models/people.yml": "models: [{name: people, columns: [{name: id, data_tests: [unique]}]}]\n"
    "sources: [{name: shop, tables: [{name: visits}]}]\n",
}


def main() -> None:
    """Import dbt, then run one command after another until stdin ends."""
    for name in ("dbt.cli.main", "dbt.task.build", "dbt.adapters.duckdb", "dbt.adapters.snowflake"):
        importlib.import_module(name)
    importlib.import_module("dbt_common.tests").enable_test_caching()  # macros are parsed once
    parse_project()
    gc.freeze()  # no command needs to look for garbage in what is imported
    for line in sys.stdin:
        number = os.fork()
        if not number:
            become(**json.loads(line))
            return
        _, status = os.waitpid(number, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    gc.unfreeze()  # or DuckDB would tell of it on stderr


def parse_project() -> None:
    """Let dbt parse a small project, so that it need not prepare its classes and schemas in each command.

    Without the static parser, whose threads a forked process would wait for.
    """
    with TemporaryDirectory() as folder:
        for path, text in _PROJECT.items():
            Path(folder, path).parent.mkdir(exist_ok=True)
            Path(folder, path).write_text(text, encoding="utf-8")
        runner = importlib.import_module("dbt.cli.main").dbtRunner()
        options = [
            "--quiet",
            "--no-static-parser",
            "--no-send-anonymous-usage-stats",
            "--log-level-file",
            "none",
        ]
        result = runner.invoke([*options, "parse", "--project-dir", folder, "--profiles-dir", folder])
        assert result.success, result.exception


def become(command: list[str], *, folder: str, environ: dict[str, str], out: str, err: str) -> None:
    """Become the command in its folder. It ends as it ends by itself, or is killed when it takes too long."""
    for number, path, flags in ((0, os.devnull, os.O_RDONLY), (1, out, os.O_WRONLY), (2, err, os.O_WRONLY)):
        opened = os.open(path, flags)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = command
    sys.path[0] = str(Path(command[0]).parent)
    signal.alarm(SECONDS)
    runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    main()
