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
    "rich",
    "snowflake",
    "sqlglot",
    "starlette",
)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--help"], ()),
        (["ls"], ("pydantic", "rich", "sqlglot")),
        (["plan"], ("duckdb", "pydantic", "requests", "rich", "sqlglot")),
    ],
    ids=["help", "ls", "plan"],
)
def test_a_command_imports_only_what_it_uses(
    world: World, arguments: list[str], expected: tuple[str, ...]
) -> None:
    become(world, people("ann"))
    world.model("members", SELECT, identifiers=BY_EMAIL)
    world.profile()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=world.folder, capture_output=True, check=True
    )
    modules = json.loads(done.stdout)
    assert tuple(name for name in FRAMEWORKS if name in modules) == expected
    assert "reverse_etl.delivery.deliver" not in modules
