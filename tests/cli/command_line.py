"""A project in a folder, and the command line as a real process in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from reverse_etl.sandbox import Sandbox
from tests.cli.process import Ended, Running, run_program
from tests.core.files import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from multiprocessing.process import BaseProcess

PROGRAM = Path(sys.executable).with_name("reverse-etl")
KEY = "pk_right"
SELECT = "select email, first_name from {{ ref('customers') }}"


class CommandLine:
    """A folder with profiles.yml, one model `vip` of the list 'VIP', and 20 customers in a DuckDB file.

    The destination is a sandbox that starts by itself, until `klaviyo` gives one in this process.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ: dict[str, str] = {}
        self._origin = ""
        self._stack = ExitStack()
        self.customers(20)
        self.model("vip", SELECT, list="VIP")
        self.profiles({"type": "klaviyo", "sandbox": True})

    def close(self) -> None:
        """Stop the sandbox."""
        self._stack.close()

    def copy(self, other: CommandLine) -> None:
        """Become a copy of another project, with its destination, which must not be closed before."""
        shutil.copytree(other.folder, self.folder, dirs_exist_ok=True)
        self.environ, self._origin = {**other.environ}, other._origin

    def ending(self, call: Callable[[], object]) -> None:
        """Call something in the end."""
        self._stack.callback(call)

    def customers(self, number: int, columns: str = "email VARCHAR, first_name VARCHAR") -> None:
        """Put p0, p1, ... into the warehouse, and nobody else."""
        rows = f"SELECT 'p' || i || '@example.com', 'First ' || i FROM range({number}) AS t(i)"
        self.sql(f"CREATE OR REPLACE TABLE customers ({columns})", f"INSERT INTO customers {rows}")

    def sql(self, *statements: str, file: str = "shop.duckdb") -> None:
        """Change the warehouse, as dbt would."""
        with opened(self.folder / file) as connection:
            for statement in statements:
                connection.execute(statement)

    def write(self, path: str, text: str) -> Path:
        """Write a file of the project."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        return place

    def model(self, name: str, select: str, **config: Any) -> None:
        """Write a model; its surface is list_memberships unless another is given."""
        arguments = ", ".join(
            f"{key}={value!r}" for key, value in {"surface": "list_memberships", **config}.items()
        )
        self.write(f"models/{name}.sql", f"{{{{ config({arguments}) }}}}\n{select}\n")

    def profiles(self, destination: Mapping[str, Any], output: Mapping[str, Any] | None = None) -> None:
        """Write profiles.yml with one target, trial."""
        outputs = {"trial": {"type": "duckdb", "path": "shop.duckdb", "threads": 1, **(output or {})}}
        shop = {"target": "trial", "outputs": outputs, "destinations": {"trial": dict(destination)}}
        self.write("profiles.yml", yaml.safe_dump({"shop": shop}, sort_keys=False))

    def klaviyo(self, *, destination: Mapping[str, Any] | None = None, **rules: Any) -> Sandbox:
        """Start a sandbox in this process and make it the destination; its key is in the environment."""
        settings = {"account_seed": "cli", "job_seconds": 0.1, "limits": False, "key": KEY, **rules}
        sandbox = self._stack.enter_context(Sandbox(None, **settings))
        self._origin = sandbox.origin
        self.environ["DESTINATIONS__KLAVIYO__PRIVATE_API_KEY"] = KEY
        self.profiles(
            {"type": "klaviyo", "origin": sandbox.origin, "create_lists": True, **(destination or {})}
        )
        return sandbox

    @contextmanager
    def locked(self, file: str) -> Iterator[int]:
        """Let another process hold a DuckDB file for writing; yields its id."""
        path = str(self.folder / file)
        code = f"import duckdb, sys; c = duckdb.connect({path!r}); print(1, flush=True); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as holder:
            assert holder.stdin is not None
            assert holder.stdout is not None
            holder.stdout.readline()
            try:
                yield holder.pid
            finally:
                holder.stdin.close()

    def begin(self, *arguments: str, **options: Any) -> Running:
        """Begin a command in the folder, with nothing of this process's environment but the path."""
        return Running(arguments, self.folder, self.environment(), **options)

    def run(self, *arguments: str, started: Callable[[BaseProcess], object] = lambda _: None) -> Ended:
        """Run a command to its end, as a process of its own, which `started` gets."""
        ended = run_program(arguments, self.folder, self.environment(), started)
        return Ended(self.plain(ended.out), self.plain(ended.err), ended.code)

    def environment(self) -> dict[str, str]:
        """Return what a command has for its environment. The log has no time, which differs in each run."""
        home = {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), "LANG": "C.UTF-8"}
        ours = {"REVERSE_ETL_LOG_FORMAT": "text", "TMPDIR": tempfile.gettempdir()}
        return home | ours | self.environ

    def plain(self, text: str) -> str:
        """Return a text without what differs from machine to machine, or blanks at the ends of lines."""
        text = re.sub(r"in \d+\.\d s", "in <time> s", text.replace(str(self.folder), "<folder>"))
        text = re.sub(r"\(\d+ days? old", "(<age> old", text)
        if self._origin:
            text = text.replace(self._origin, "<sandbox>")
        return "\n".join(line.rstrip() for line in text.splitlines())
