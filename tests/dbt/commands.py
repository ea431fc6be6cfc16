"""The real dbt, once it is imported: a command is a process of its own that begins with dbt in it.

Run by dbt's own Python: `python commands.py`. Each line of stdin asks for a command, as a document; each
line of stdout is the exit code of one. Importing dbt takes longer than most commands do.
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

SECONDS = 120  # longer than any command takes here


def main() -> None:
    """Import dbt, then run one command after another until stdin ends."""
    for name in ("dbt.cli.main", "dbt.task.build", "dbt.adapters.duckdb"):
        importlib.import_module(name)
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
