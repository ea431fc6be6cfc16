"""The number of statements of a run, as docs/snowflake.md says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.core.rows import BY_EMAIL, SELECT, become, members_model, people, person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tests.warehouse.snowflake_accounts import Server
    from tests.warehouse.snowflake_world import SnowflakeWorld

DOCUMENT = Path(__file__).parents[2] / "docs" / "snowflake.md"


@pytest.fixture
def counted(server: Server) -> Iterator[Callable[..., Any]]:
    """Return what calls something and counts its statements, and those of them on the models' own tables.

    The lease is kept by the clock, and left out.
    """

    def count(call: Callable[..., Any]) -> tuple[int, int]:
        server.control("forget")
        call()
        texts = [entry["sql"] for entry in server.control("look")["journal"] if '"LEASE"' not in entry["sql"]]
        return len(texts), sum(
            re.search(r"_(MEMBERS|OTHERS)_[0-9A-F]{8}\"", text) is not None for text in texts
        )

    yield count
    server.control("forget")


def row(name: str, *counts: tuple[int, int]) -> str:
    """Return a line of the document's table: for one count, or from the first to the last."""
    cells = [" to ".join(dict.fromkeys(map(str, each))) for each in zip(*counts, strict=True)]
    return f"| {name} | {' | '.join(cells)} |"


def test_the_documented_number_of_statements_is_true(
    world: SnowflakeWorld, counted: Callable[..., Any]
) -> None:
    """One model, one list, two identifiers; then another model beside it."""
    members_model(world)
    become(world, people("ann", "bob", "cat"))
    world.run()
    idle = counted(world.plan), counted(world.run)
    become(world, [person("ann", first_name="Anna"), *people("bob", "dan")])
    busy = counted(world.plan), counted(world.run)
    world.model("others", SELECT, list="Others", identifiers=BY_EMAIL)
    world.run()
    both_idle = counted(world.run)
    become(world, [person("ann", first_name="Anna"), *people("bob", "eve")])
    both_busy = counted(world.run)

    further = [
        tuple(two - first for two, first in zip(*pair, strict=True))
        for pair in ((both_idle, idle[1]), (both_busy, busy[1]))
    ]
    rows = [
        row("plan", idle[0], busy[0]),
        row("run, nothing changed", idle[1]),
        row("run, with upserts and removes", busy[1]),
        row("each further model, nothing changed", further[0]),
        row("each further model, with upserts and removes", further[1]),
    ]
    document = DOCUMENT.read_text("utf-8")
    assert [line for line in rows if line not in document] == []
