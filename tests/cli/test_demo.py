"""The demo ends in what the sandbox has, and in what the shop's warehouse says by SQL of another hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

from reverse_etl.sandbox import Sandbox

if TYPE_CHECKING:
    from cli_world import World

MODELS = Path(__file__).parents[2] / "models"
PLAIN = r"[a-z0-9]+([._+-][a-z0-9]+)*@[a-z0-9-]+(\.[a-z0-9-]+)+"
VIPS = """
    SELECT lower(trim(email)) AS address, count(*) AS times FROM customers
    WHERE lifetime_value > 500 AND email LIKE '%@%.%' GROUP BY address
"""


@pytest.mark.timeout(200)
def test_the_demo_ends_in_what_sandbox_and_warehouse_say(world: World) -> None:
    """Exit 0; its last table is what the sandbox counts; the VIPs are those of the warehouse.

    Its plans and runs say on stderr what the commands would.
    """
    ran = world.run("demo", "--dir", "demo", "--models", str(MODELS))
    assert ran.code == 0, ran.err
    table = ran.out.partition("The lists, as the sandbox has them now:")[2].partition("Files:")[0]
    rows = re.findall(r"^(\w[\w ]*?)  +([\d, ]+)$", table, flags=re.MULTILINE)
    shown = {name: [int(cell.replace(",", "")) for cell in cells.split()] for name, cells in rows}
    with Sandbox(world.folder / "demo" / "klaviyo_sandbox.sqlite") as sandbox:
        assert {name: cells[-1] for name, cells in shown.items()} == {
            one["name"]: one["members"] for one in sandbox.lists()
        }
        emails = {member["email"] for member in sandbox.members("VIP customers")}
    with duckdb.connect(str(world.folder / "demo" / "shop.duckdb"), read_only=True) as warehouse:
        times = dict(warehouse.execute(VIPS).fetchall())
    plain = {email for email in times if times[email] == 1 and re.fullmatch(PLAIN, email)}
    assert plain <= emails - {None} <= times.keys()  # None: those known by their number alone
    assert len(plain) > 4_000
    for before, added, _, removed, _, now in shown.values():
        assert before + added - removed == now
    assert "Once more: nothing changed since, so nothing is sent." in ran.out
    told = ran.err.splitlines()
    assert told[0].startswith("Lists were not looked up: the sandbox starts with the first run.")
    assert [line for line in told if "newly rejected" in line]
    again = world.run("run", "--project-dir", "demo", "--profiles-dir", "demo", "--json")
    assert again.code == 0


def test_the_demo_replaces_no_folder_but_its_own(world: World) -> None:
    """A folder with other files is left as it is; so is one without the demo's models."""
    refused = world.run("demo", "--dir", ".", "--models", str(MODELS))  # it has a shop.duckdb too
    assert "holds other files; the demo would remove them." in refused.err
    assert (world.folder / "profiles.yml").exists()
    assert refused.code == 2
    missing = world.run("demo", "--dir", "demo", "--models", "nowhere")
    assert missing.code == 2
    assert not (world.folder / "demo").exists()
