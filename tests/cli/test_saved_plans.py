"""Plans that are saved and applied by the command line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine


def test_a_saved_plan_is_applied_by_another_process(cli: CommandLine) -> None:
    """With the flags that it was made with; the second time it is refused, and sends nothing."""
    sandbox = cli.klaviyo()
    planned = cli.run("plan", "--out", "plan.json", "--limit", "5")
    assert planned.code == 0
    assert "reverse-etl apply plan.json" in planned.err
    applied = cli.run("apply", "plan.json", "--json")
    assert (applied.code, json.loads(applied.out)["lists"][0]["applied"]) == (0, 5)
    sandbox.clear_log()
    again = cli.run("apply", "plan.json")
    assert (again.code, again.out) == (3, "")
    assert re.search(r"VIP: the list did not exist, now it is \w+; snapshot rows 0, now 5;", again.err)
    assert {entry.method for entry in sandbox.log()} == {"GET"}
    shown = json.loads(cli.run("history", "--json").out)["runs"][0]
    assert (shown["state"], shown["result"]) == ("refused", "plan_differs")
    assert "the saved plan no longer fits" in cli.run("history").out


def test_variables_of_any_kind_are_in_a_saved_plan(cli: CommandLine) -> None:
    """As they were written: a moment, a number beyond 64 bits and a mapping of numbers are the same again."""
    cli.klaviyo()
    told = "{{ var('since') }} {{ var('big') }} {{ var('by')[1] }}"
    cli.model("vip", f"select email, '{told}' as told from {{{{ ref('customers') }}}}", list="VIP")
    given = "{since: 2026-01-01 10:00:00, big: 123456789012345678901234567890, by: {1: one}}"
    assert cli.run("plan", "--out", "plan.json", "--vars", given).code == 0
    assert cli.run("apply", "plan.json").code == 0


def test_a_plan_that_a_guard_refuses_is_not_saved(cli: CommandLine) -> None:
    """It could not be applied; allowed to pass, it is saved with that."""
    cli.klaviyo()
    cli.run("run")
    cli.customers(5)
    refused = cli.run("plan", "--out", "plan.json")
    assert refused.code == 3
    assert "not saved" in refused.err
    assert not (cli.folder / "plan.json").exists()
    assert cli.run("plan", "--out", "plan.json", "--allow-removes", "vip").code == 0
    assert cli.run("apply", "plan.json").code == 0


def test_a_plan_that_cannot_be_saved_or_read_names_its_path(cli: CommandLine) -> None:
    """A file that can't be kept is exit 4, and one that is not there exit 2."""
    cli.klaviyo()
    nowhere = cli.run("plan", "--out", "profiles.yml/plan.json")
    assert (nowhere.code, "at profiles.yml/plan.json" in nowhere.err) == (4, True)
    missing = cli.run("apply", "plan.json")
    assert missing.code == 2
    assert "error The plan can't be read: No such file or directory.\n   at plan.json" in missing.err


def test_a_plan_without_a_key_is_not_saved(cli: CommandLine) -> None:
    """Nobody knows which lists it would be applied to."""
    cli.profiles({"type": "klaviyo"})
    keyless = cli.run("plan", "--out", "plan.json")
    assert keyless.code == 2
    assert "There is no private key" in keyless.err
    assert not (cli.folder / "plan.json").exists()


def test_a_stale_plan_writes_its_refusal_as_run_results(cli: CommandLine) -> None:
    """As a guard's: what the last run left there would be taken for what this one did."""
    cli.klaviyo()
    cli.run("run")
    cli.customers(21)
    cli.run("plan", "--out", "plan.json")
    cli.model("vip", "select email from {{ ref('customers') }}", list="VIP")
    stale = cli.run("apply", "plan.json")
    assert stale.code == 3
    assert "error The model vip changed since the plan was saved." in stale.err
    (left,) = json.loads((cli.folder / "target/reverse_etl/run_results.json").read_text())["results"]
    assert (left["status"], "changed since the plan" in left["message"]) == ("skipped", True)


def test_variables_that_differ_from_the_plans_are_refused(cli: CommandLine) -> None:
    """They would make another model, of which nobody would know why it changed."""
    cli.klaviyo()
    cli.run("plan", "--out", "plan.json", "--vars", "{n: 20}")
    other = cli.run("apply", "plan.json", "--vars", "{n: 25}")
    assert other.code == 2
    assert "error The plan was made with --vars '{n: 20}'." in other.err
    assert cli.run("apply", "plan.json", "--vars", "{n: 20}").code == 0


def test_a_plan_is_not_saved_in_stdout(cli: CommandLine) -> None:
    cli.klaviyo()
    assert cli.run("plan", "--out", "-").code == 2
    assert not (cli.folder / "-").exists()
