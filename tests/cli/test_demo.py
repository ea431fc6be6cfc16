"""The demo ends in what the sandbox has, and in what the shop's warehouse says by SQL of another hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from click.testing import CliRunner

from reverse_etl.cli import app
from reverse_etl.demo import shop
from reverse_etl.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine

MODELS = Path(__file__).parents[2] / "models"
README = Path(__file__).parents[2] / "README.md"
PLAIN = r"[a-z0-9]+([._+-][a-z0-9]+)*@[a-z0-9-]+(\.[a-z0-9-]+)+"
LISTS = {  # who belongs on each list
    "VIP customers": "lifetime_value > 500",
    "Newsletter": "accepts_marketing",
    "Coffee club": "accepts_marketing AND favourite_category = 'coffee'",
    "Tea club": "accepts_marketing AND favourite_category = 'tea'",
    "Win back": """orders > 1 AND date_diff('day', last_order_on, (SELECT max(ordered_on) FROM orders))
        BETWEEN 181 AND 365""",
}
ADDRESSES = """
    SELECT lower(trim(email)) AS address, count(*), bool_and(phone IS NULL) FROM customers
    WHERE email LIKE '%@%.%' AND {} GROUP BY address
"""


def _check_lists(folder: Path, out: str) -> None:
    """Check that the last table is what the sandbox counts, and the members those of the warehouse."""
    table = out.partition("Lists in the sandbox:")[2].partition("Files:")[0]
    rows = re.findall(r"^(\w[\w ]*?)  +([\d, ]+)$", table, flags=re.MULTILINE)
    shown = {name: [int(cell.replace(",", "")) for cell in cells.split()] for name, cells in rows}
    with Sandbox(folder / "klaviyo_sandbox.sqlite") as sandbox:
        assert {name: cells[-1] for name, cells in shown.items()} == {
            listed["name"]: listed["members"] for listed in sandbox.lists()
        }
        emails = {name: {member["email"] for member in sandbox.members(name)} for name in LISTS}
    with duckdb.connect(str(folder / "shop.duckdb"), read_only=True) as warehouse:
        expected_addresses = {
            name: warehouse.execute(ADDRESSES.format(who)).fetchall() for name, who in LISTS.items()
        }
    assert shown.keys() == expected_addresses.keys()
    for name, addresses in expected_addresses.items():
        plain = {email for email, times, _ in addresses if times == 1 and re.fullmatch(PLAIN, email)}
        if name == "Win back":  # whose rows are rejected for a malformed phone too
            plain &= {email for email, _, without_phone in addresses if without_phone}
        assert plain <= emails[name] - {None} <= {email for email, *_ in addresses}, name
        assert len(plain) > len(emails[name]) * (0.1 if name == "Win back" else 0.9), name
    for before, added, _, removed, _, now in shown.values():
        assert before + added - removed == now


def _check_prints(out: str, err: str) -> None:
    """Check that the third run sends nothing; plans and runs say on stderr what the commands would."""
    once_more = out.partition("Third run: nothing changed, so nothing is sent.")[2].partition("The lists")[0]
    ends = [line.split()[-4:-2] for line in once_more.splitlines() if line.rstrip().endswith(" 0")]
    assert ends == [["0", "0"]] * 6  # applied and removed, of five lists and the profiles
    told = err.splitlines()
    assert told[0].startswith("Lists were not looked up: the sandbox starts with the first run.")
    assert [line for line in told if "newly rejected" in line]


def _read_promised_lines() -> list[str]:
    """Return the lines that the README shows of the demo's output."""
    readme = README.read_text(encoding="utf-8").partition("$ reverse-etl plan --project-dir demo\n")[2]
    promised = [line for line in readme.partition("```")[0].splitlines() if line[:1] not in {".", "$"}]
    assert len(promised) > 10
    return promised


def _without_figures(lines: list[str]) -> list[str]:
    """Return lines whose figures and widths do not count."""
    return [re.sub(r"\d[\d,]*", "0", re.sub("─+", "─", " ".join(line.split()))) for line in lines]


def test_the_demo_ends_with_the_lists_that_the_warehouse_says(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With fewer customers, in this process, it prints what the README shows, but for the figures.

    A command then works in the demo's folder.
    """
    monkeypatch.setattr(shop, "CUSTOMERS", 5_000)
    monkeypatch.chdir(cli.folder)
    ran = CliRunner().invoke(app, ["demo", "--dir", "demo", "--models", str(MODELS)])
    assert ran.exit_code == 0, ran.output
    _check_lists(cli.folder / "demo", ran.stdout)
    _check_prints(ran.stdout, ran.stderr)
    printed = _without_figures(ran.stdout.splitlines())
    assert [line for line in _without_figures(_read_promised_lines()) if line not in printed] == []
    assert cli.run("run", "--project-dir", "demo", "--profiles-dir", "demo", "--json").code == 0


@pytest.mark.long
def test_the_demo_of_the_whole_shop_prints_what_the_readme_shows(cli: CommandLine) -> None:
    ran = cli.run("demo", "--dir", "demo", "--models", str(MODELS))
    assert ran.code == 0, ran.err
    _check_lists(cli.folder / "demo", ran.out)
    _check_prints(ran.out, ran.err)
    printed = [line.rstrip() for line in ran.out.splitlines()]
    assert [line for line in _read_promised_lines() if line not in printed] == []


def test_the_demo_replaces_only_its_own_folder(cli: CommandLine) -> None:
    """A folder with other files is left as it is; so is one without the demo's models."""
    refused = cli.run("demo", "--dir", ".", "--models", str(MODELS))  # it has a shop.duckdb too
    assert "holds other files, which the demo would delete." in refused.err
    assert (cli.folder / "profiles.yml").exists()
    assert refused.code == 2
    missing = cli.run("demo", "--dir", "demo", "--models", "nowhere")
    assert missing.code == 2
    assert not (cli.folder / "demo").exists()
