"""The commands that plan, run and report: what they print, and their exit codes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests

from reverse_etl.sandbox import Fault, FaultKind
from tests.cli.command_line import SELECT
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine


HEADINGS = [
    "list",
    "model",
    "staged",
    "valid",
    "snapshot rows",
    "adds",
    "updates",
    "removes",
    "held",
    "rejected",
    "unchanged",
]
WRITES = {"POST", "DELETE", "PATCH", "PUT"}
REFUSED = "Klaviyo refused %d rows one by one and accepted none, so the cause is the model or the account."


def _row(out: str, name: str) -> list[str]:
    """Return the cells of a table's line."""
    return next(line.split() for line in out.splitlines() if line.startswith(name))


def _files(cli: CommandLine) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(cli.folder.rglob("*")) if path.is_file()}


def test_ls_and_compile_show_the_models(cli: CommandLine) -> None:
    cli.model("daily", "select email from {{ ref('customers') }}", list="Daily", tags=["daily"])
    listed = cli.run("ls")
    assert _row(listed.out, "daily") == [
        "daily",
        "list_memberships",
        "Daily",
        "email:",
        "email",
        "daily",
        "models/daily.sql",
    ]
    assert [model["name"] for model in json.loads(cli.run("ls", "--json").out)] == ["daily", "vip"]
    assert [m["name"] for m in json.loads(cli.run("ls", "--exclude", "tag:daily", "--json").out)] == ["vip"]
    compiled = cli.run("compile", "--select", "daily")
    assert compiled.out == '-- models/daily.sql\nselect email from "shop"."main"."customers";\n'
    (as_json,) = json.loads(cli.run("compile", "--select", "daily", "--json").out)
    assert as_json["sql"] == 'select email from "shop"."main"."customers"'


def test_plan_sends_nothing_and_changes_no_file(cli: CommandLine) -> None:
    sandbox = cli.klaviyo()
    cli.run("run")
    cli.customers(19)
    before = _files(cli)
    sandbox.clear_log()
    planned = cli.run("plan")
    dry = cli.run("run", "--dry-run")
    assert planned.code == dry.code == 0
    assert planned.out == dry.out
    assert re.split(r"  +", planned.out.splitlines()[0].strip()) == HEADINGS
    assert _row(planned.out, "VIP") == ["VIP", "vip", "19", "19", "20", "0", "0", "1", "0", "0", "19"]
    assert "About 2 requests (1 list look-up, 1 removal)" in planned.out
    assert {entry.method for entry in sandbox.log()} == {"GET"}
    assert _files(cli) == before


def test_plan_as_json_is_one_document(cli: CommandLine) -> None:
    planned = cli.run("plan", "--json")
    piped = subprocess.run(
        [sys.executable, "-m", "json.tool"], input=planned.out, capture_output=True, text=True, check=True
    )
    document = json.loads(piped.stdout)
    (listed,) = document["lists"]
    assert (listed["list"], listed["adds"], listed["removes"], listed["list_id"]) == ("VIP", 20, 0, None)
    assert document["lists_looked_up"] is False
    assert document["requests"] == {"start_import": 1, "create_list": 1}
    assert "@example.com" not in planned.out
    assert "p0@example.com" in cli.run("plan", "--json", "--show-values").out


def test_plan_shows_what_changes(cli: CommandLine) -> None:
    cli.klaviyo()
    cli.run("run")
    cli.sql("UPDATE customers SET first_name = 'Anne' WHERE email = 'p7@example.com'")
    assert "  ~ p*@e******.com   first_name: 'First 7' -> 'Anne'" in cli.run("plan").out
    assert "  ~ p7@example.com   first_name: 'First 7' -> 'Anne'" in cli.run("plan", "--show-values").out


def test_a_guard_ends_plan_and_run_with_3_unless_a_flag_allows_it(cli: CommandLine) -> None:
    """The plan is printed even so; the run sends no write."""
    sandbox = cli.klaviyo()
    cli.run("run")
    cli.customers(3)
    sandbox.clear_log()
    planned = cli.run("plan", "--json")
    assert planned.code == 3
    assert json.loads(planned.out)["lists"][0]["removes"] == 17
    assert cli.run("run").code == 3
    assert not [entry for entry in sandbox.log() if entry.method in WRITES]
    assert cli.run("plan", "--allow-removes", "vip").code == 0
    passed = cli.run("run", "--allow-removes", "vip", "--json")
    assert passed.code == 0
    assert json.loads(passed.out)["lists"][0]["removed"] == 17
    assert len(sandbox.members("VIP")) == 3


def test_a_removal_that_is_held_for_a_stopped_list_is_explained_by_it(cli: CommandLine) -> None:
    """Nobody looks for a rejected row that does not exist."""
    cli.klaviyo()
    cli.sql("CREATE TABLE bosses AS SELECT 'p9@example.com' AS email UNION ALL SELECT 'p1@example.com'")
    cli.model("bosses", "select email from {{ ref('bosses') }}", list="Bosses")
    assert cli.run("run").code == 0
    cli.customers(3)
    cli.sql("DELETE FROM bosses WHERE email = 'p9@example.com'")
    planned = cli.run("plan")
    assert planned.code == 3
    assert "not removed: a person on a stopped list may be the same person" in planned.out
    explained = " ".join(cli.run("explain", "p9@example.com").out.split())
    held = "nothing: the row left the model, but the person is on a list that a guard stops (VIP)"
    assert held in explained
    assert "rejected row" not in explained


def test_a_refusal_is_recorded_for_its_own_model(cli: CommandLine) -> None:
    cli.klaviyo()
    cli.sql("CREATE TABLE bosses (email VARCHAR)", "INSERT INTO bosses VALUES ('boss@example.com')")
    cli.model("vip", "select email from {{ ref('bosses') }}", list="VIP")
    cli.model("vip_customers", "select email from {{ ref('customers') }}", list="VIP customers")
    assert cli.run("run").code == 0
    cli.customers(3)
    assert cli.run("run").code == 3
    (vip, customers) = json.loads((cli.folder / "target/reverse_etl/run_results.json").read_text())["results"]
    would = "17 of 20 rows would be removed (85 %); the limit is 10 (max_removes is 10 %). Nothing was sent."
    assert (customers["unique_id"], customers["status"], customers["message"]) == (
        "model.reverse_etl.vip_customers",
        "skipped",
        f"VIP customers: 17 not sent, stopped: {would}",
    )
    assert (vip["unique_id"], vip["status"], vip["message"]) == (
        "model.reverse_etl.vip",
        "success",
        "VIP: nothing to do",
    )


def _cells(out: str, name: str) -> dict[str, str]:
    """Return the cells of one list's row by their headings."""
    (headings,) = [re.split(r"\s{2,}", line.strip()) for line in out.splitlines() if line.startswith("list ")]
    return dict(zip(headings, _row(out, name), strict=True))


def test_limit_sends_some_rows_and_removes_nobody_and_full_refresh_sends_all(cli: CommandLine) -> None:
    sandbox = cli.klaviyo()
    first = cli.run("run", "--limit", "5")
    assert (_cells(first.out, "VIP")["applied"], first.code) == ("5", 0)
    assert len(sandbox.members("VIP")) == 5
    assert _cells(cli.run("run").out, "VIP")["applied"] == "15"
    assert _cells(cli.run("run").out, "VIP")["applied"] == "0"
    cli.customers(18)
    few = _cells(cli.run("run", "--limit", "5").out, "VIP")
    assert (few["applied"], few["removed"]) == ("0", "0")
    again = _cells(cli.run("run", "--full-refresh").out, "VIP")
    assert (again["applied"], again["removed"]) == ("18", "2")


def test_rejections_are_counted_as_rows_everywhere_and_end_by_retry(cli: CommandLine) -> None:
    """New ones end a run with 1, older ones only with --strict; plan, run and status give one number."""
    sandbox = cli.klaviyo()
    cli.sql("INSERT INTO customers VALUES ('x', 'y'), ('x', 'y'), ('', 'z'), ('p1@example.com', 'other')")
    sandbox.add_fault(Fault(FaultKind.REFUSE_ROWS, pattern="^p3@", code="invalid", detail="No."))
    first = cli.run("run")
    assert first.code == 1
    ends = _cells(first.out, "VIP")
    assert (ends["applied"], ends["rejected"], ends["held"]) == ("18", "6", "0")
    assert first.err.endswith("6 rows newly rejected. To see why: reverse-etl status")
    told = cli.run("status").out
    assert "VIP: 1 rejected: no usable identifier" in told
    refused = (
        "VIP: 1 rejected: error from Klaviyo: invalid (email): No. (reverse-etl retry sends them again): "
    )
    assert refused + "p*@e******.com" in told
    assert refused + "p3@example.com" in cli.run("status", "--show-values").out
    assert "p3@" not in cli.run("status", "--json").out
    assert _row(cli.run("plan").out, "VIP")[9] == "6"
    (stands,) = json.loads(cli.run("status", "--json").out)["lists"]
    assert (stands["applied"], stands["rejected"], stands["uncertain"]) == (18, 6, 0)
    again = cli.run("run")
    assert again.code == 0
    assert again.err.endswith("6 rows rejected as before. To see why: reverse-etl status")
    assert cli.run("run", "--strict").code == 1
    assert cli.run("retry").out == "vip: the next run sends 1 row again"
    assert _cells(cli.run("run").out, "VIP")["applied"] == "1"
    assert json.loads(cli.run("retry", "--json").out) == {"vip": 0}


def test_status_before_and_after_a_run_and_why_a_list_stopped(cli: CommandLine) -> None:
    sandbox = cli.klaviyo()
    assert (
        cli.run("status").out == "Nothing has been sent yet. To see what a run would send: reverse-etl plan"
    )
    assert cli.run("status", "--select", "nobody").code == 2
    cli.run("run")
    path = "/api/profile-bulk-import-jobs"
    sandbox.add_fault(Fault(FaultKind.STATUS, method="POST", path=path, status=400, times=None))
    cli.customers(40)
    assert cli.run("run").code == 4
    cli.environ.clear()
    told = cli.run("status")
    assert told.code == 0
    assert _row(told.out, "VIP")[4:] == ["stopped", "20", "0", "0", "0"]
    assert f"VIP stopped: {REFUSED % 20}" in told.out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("debug", "--send"), "--send is for a model's request"),
        (("debug", "--notify", "--json"), "--notify sends test messages and does nothing else"),
        (("debug", "--notify", "--request", "vip"), "--notify sends test messages and does nothing else"),
        (("debug", "--json", "--request", "vip"), "--json is for the checks"),
        (("debug", "--show-values"), "--show-values is for a model's request"),
        (("run", "--new-profiles", "9"), "--new-profiles needs --dry-run"),
        (("run", "--allow-deletes", "members=0"), "'0' is not a number of people above 0."),
    ],
)
def test_a_flag_without_effect_is_refused(
    cli: CommandLine, arguments: tuple[str, ...], expected: str
) -> None:
    """Before anything is sent."""
    refused = cli.run(*arguments)
    assert refused.code == 2
    assert expected in refused.err


def test_debug_tells_of_a_retired_revision(cli: CommandLine) -> None:
    """Before the request fails, whose message has the status; nothing falls forward to another revision."""
    cli.klaviyo()
    cli.environ["DESTINATIONS__KLAVIYO__API_REVISION"] = "2024-10-15"
    checked = cli.run("debug")
    assert checked.code == 4
    assert "revision 2024-10-15 (<age> old, retired on 2026-10-15)" in checked.out
    advice = "Set api_revision to 2026-10-15, or remove it."
    assert f"retired revision 2024-10-15 on 2026-10-15 and refuses its requests. {advice}" in checked.err
    assert "This API revision is retired" in checked.err
    assert cli.run("run").code == 4


def test_debug_passes_if_a_run_works(cli: CommandLine) -> None:
    """Each check on a line; nothing is sent but GETs."""
    sandbox = cli.klaviyo()
    cli.run("run")
    sandbox.clear_log()
    checked = cli.run("debug")
    assert checked.code == 0
    assert checked.err == ""
    where = "the environment variable DESTINATIONS__KLAVIYO__PRIVATE_API_KEY"
    revision = "revision 2026-10-15 (<age> old, retired on 2028-10-15)"
    assert checked.out.splitlines() == [
        "profile    ok: shop, profiles.yml",
        "target     trial: duckdb",
        f"to         <sandbox>, with the key from {where}, {revision}",
        "models     ok: 1 model compiles",
        "warehouse  ok: every model's SQL is valid",
        "state      ok: 1 model sent before",
        f"klaviyo    ok: account Sandbox ({sandbox.account_id}), a test account; 1 list found",
        "",
        "A run would work. To see what it would send: reverse-etl plan",
    ]
    assert {entry.method for entry in sandbox.log()} == {"GET"}


def test_debug_fails_with_the_exit_code_of_the_run(cli: CommandLine) -> None:
    sandbox = cli.klaviyo(destination={"create_lists": False})
    cli.model("broken", "select email, nothing from {{ ref('customers') }}", surface="profiles")
    checked = cli.run("debug")
    assert checked.code == 2
    assert checked.err.count("error ") == 2
    assert "warehouse  failed" in checked.out
    assert "klaviyo    failed" in checked.out
    (cli.folder / "models" / "broken.sql").unlink()
    sandbox.add_fault(Fault(FaultKind.HTML, path="/api/accounts"))
    assert cli.run("debug").code == 4
    with cli.locked("shop.duckdb"):
        assert cli.run("debug").code == 4


def test_debug_reports_a_missing_key_even_if_a_model_is_refused(cli: CommandLine) -> None:
    cli.klaviyo()
    del cli.environ["DESTINATIONS__KLAVIYO__PRIVATE_API_KEY"]
    cli.model("vip", "select email from customers", lst="VIP")
    checked = cli.run("debug")
    assert checked.code == 2
    assert "lst is not a key of config()" in checked.err
    assert "private_api_key" in checked.err
    assert "klaviyo    failed" in checked.out


def test_debug_reports_a_problem_of_several_checks_once(cli: CommandLine) -> None:
    """There is no warehouse file: neither warehouse nor state nor lists can be looked at."""
    (cli.folder / "shop.duckdb").unlink()
    checked = cli.run("debug")
    assert checked.err.count("error ") == 1, checked.err
    assert checked.out.count("failed, as above") == 2, checked.out


def test_debug_fails_as_a_run_does_if_another_process_holds_the_sandbox(cli: CommandLine) -> None:
    """The file of the sandbox that starts by itself: a plan asks a copy, a run needs the file."""
    cli.run("run")
    with cli.begin("sandbox", "--port", "0") as process:
        process.stdout.readline()
        ran, checked = cli.run("run"), cli.run("debug")
        assert cli.run("plan").code == 0
        process.send_signal(signal.SIGTERM)
    assert ran.code == checked.code == 4
    assert "klaviyo    failed" in checked.out
    assert ran.err.startswith("error The sandbox's state file is in use by another process.")
    assert checked.err == ran.err
    assert cli.run("debug").code == 0


def test_the_sandbox_serves_until_it_is_ended(cli: CommandLine) -> None:
    """Stdout has only its address; its file keeps what was sent to it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        flags = ("--port", "0", "--job-seconds", "0.1", "--no-limits", "--file", "other.sqlite")
        with cli.begin("sandbox", *flags) as process:
            origin = process.stdout.readline().strip()
            assert requests.get(origin, timeout=10).status_code == 200
            cli.profiles(
                {"type": "klaviyo", "origin": origin, "private_api_key": "pk_any", "create_lists": True}
            )
            ran = cli.run("run", "--json")
            assert ran.code == 0
            process.send_signal(number)
            rest, talk = process.communicate()
        assert process.returncode == 0
        assert rest == ""
        assert talk.splitlines()[-1] == "Stopped the sandbox. Its data is kept."
    assert json.loads(ran.out)["lists"][0]["applied"] == 0
    assert (cli.folder / "other.sqlite").exists()


def test_the_reason_why_a_list_stopped_is_printed_once(cli: CommandLine) -> None:
    for quiet in ([], ["-q"]):
        cli.klaviyo().add_fault(Fault(FaultKind.STATUS, method="POST", path=IMPORTS, status=400, times=None))
        ran = cli.run(*quiet, "run")
        assert ran.code == 4
        assert (ran.out + ran.err).count(f"VIP stopped: {REFUSED % 20}") == 1
        assert "warning VIP stopped: " in ran.err


def test_the_log_does_not_say_that_a_sandbox_is_klaviyo(cli: CommandLine) -> None:
    """A reader of the log may look for the new list in Klaviyo."""
    ran = cli.run("run")
    assert re.search(r"^VIP: created the list \(\w+\)$", ran.err, flags=re.MULTILINE)
    assert "Klaviyo" not in ran.err


def test_the_first_plan_explains_its_asterisk(cli: CommandLine) -> None:
    """Nobody looked whether the list exists; it is planned as one that does not."""
    told = cli.run("plan")
    assert "\n* assumed new; Klaviyo was not asked\n" in told.out
    assert "Lists were not looked up: the sandbox starts with the first run." in told.err
    cli.klaviyo()
    assert "\n* will be created\n" in cli.run("plan").out


def test_a_plan_counts_requests_that_read_lists_separately(cli: CommandLine) -> None:
    """A person with neither e-mail nor phone is found by reading, and no time is promised for that."""
    cli.klaviyo()
    select = "select email from {{ ref('customers') }}"
    cli.model("vip", select, list="VIP", identifiers={"external_id": "email"}, max_removes=1.0)
    assert cli.run("run").code == 0
    cli.sql("DELETE FROM customers WHERE email LIKE 'p19@%'")
    planned = cli.run("plan")
    assert "plus its processing time. Reading lists may take up to 1 request more." in planned.out, planned


def test_a_plan_knows_that_a_sandbox_without_its_file_starts_empty(cli: CommandLine) -> None:
    """The plan shows what the run will send: everything, to a new account."""
    assert cli.run("run").code == 0
    assert "Nothing to send." in cli.run("plan").out
    (cli.folder / "klaviyo_sandbox.sqlite").unlink()
    planned = json.loads(cli.run("plan", "--json").out)
    assert [listed["adds"] for listed in planned["lists"]] == [20]
    assert cli.run("run").code == 0


@pytest.mark.parametrize("command", ["plan", "run", "debug"])
def test_too_many_new_lists_are_refused_alike_in_a_sandbox_without_a_file(
    cli: CommandLine, command: str
) -> None:
    """Six models of six lists: the plan needs nobody to count them."""
    for number in range(5):
        cli.model(f"list_{number}", SELECT, list=f"List {number}")
    ended = cli.run(command)
    assert ended.code == 3
    assert "This run would create 6 lists; the limit is 5 in one run." in ended.err


@pytest.mark.parametrize("command", ["plan", "run", "debug"])
def test_a_missing_list_is_refused_alike_in_a_sandbox_without_a_file(cli: CommandLine, command: str) -> None:
    """With create_lists: false there is nothing that a run could send to."""
    cli.profiles({"type": "klaviyo", "sandbox": True, "create_lists": False})
    ended = cli.run(command)
    assert ended.code == 2
    assert "create_lists" in ended.err
    assert "'VIP'" in ended.err


def test_a_plan_without_a_key_warns_that_lists_may_not_be_created(cli: CommandLine) -> None:
    """Nobody can be asked whether the list exists."""
    cli.profiles({"type": "klaviyo"})
    ended = cli.run("plan")
    assert ended.code == 0
    assert "create_lists is false: a run stops if Klaviyo does not have the lists 'VIP'." in ended.err
