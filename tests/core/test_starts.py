"""The modules that a command imports: a start takes as long as its imports."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.core.rows import BY_EMAIL, SELECT, become, people

if TYPE_CHECKING:
    from tests.core.world import World

PROGRAM = """
import json, sys
from reverse_etl.cli import app
sys.stdout = sys.stderr
try:
    app.main(sys.argv[1:])
except SystemExit:
    pass
json.dump([*sys.modules], sys.__stdout__)
"""
FRAMEWORKS = (
    "apprise",
    "duckdb",
    "flask",
    "pydantic",
    "requests",
    "rich.console",
    "snowflake",
    "sqlglot",
    "starlette",
)


@pytest.mark.parametrize(
    ("command", "frameworks", "most_modules"),
    [
        ("--help", (), 20),
        ("ls", ("pydantic", "sqlglot"), 150),
        ("status", ("duckdb", "pydantic"), 210),
        ("plan", ("duckdb", "pydantic", "requests", "sqlglot"), 265),
    ],
)
def test_a_command_imports_only_what_it_uses(
    world: World, command: str, frameworks: tuple[str, ...], most_modules: int
) -> None:
    """Most classes of the package's modules are dataclasses, whose methods Python compiles at each start."""
    become(world, people("ann"))
    world.model("members", SELECT, identifiers=BY_EMAIL)
    world.profile()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, command], cwd=world.folder, capture_output=True, check=True
    )
    modules = json.loads(done.stdout)
    assert tuple(name for name in FRAMEWORKS if name in modules) == frameworks
    own = [name for name in modules if name.startswith("reverse_etl")]
    assert len(own) <= most_modules
    assert not [name for name in own if name.startswith(("reverse_etl.delivery", "reverse_etl.reconcile"))]
