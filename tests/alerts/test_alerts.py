"""Alerts of runs of the command line, to real receivers on this machine, and failures of theirs."""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.alerts.receivers import WebServer, mail_server, web_server
from tests.cli.command_line import SELECT, CommandLine

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "a secret of sixteen or more"


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as started:
        yield started


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CommandLine]:
    cli = CommandLine(tmp_path)
    try:
        yield cli
    finally:
        cli.close()


def notified(cli: CommandLine, **notify: Any) -> CommandLine:
    """Let the destination be a sandbox with receivers of alerts."""
    cli.klaviyo(destination={"notify": notify})
    return cli


def hook(server: WebServer) -> list[dict[str, str]]:
    return [{"url": f"{server.origin}/hook", "secret": SECRET}]


def kinds(server: WebServer) -> list[str]:
    return [request.document["kind"] for request in server.received if request.path == "/hook"]


def test_a_change_is_reported_once_and_its_end_too(cli: CommandLine, server: WebServer) -> None:
    notified(cli, webhooks=hook(server))
    assert cli.run("run").code == 0
    assert kinds(server) == []
    cli.sql("CREATE TABLE kept AS FROM customers", "DELETE FROM customers")
    assert cli.run("run").code == 3
    assert cli.run("run").code == 3
    assert kinds(server) == ["stopped"]
    cli.sql("INSERT INTO customers FROM kept")
    assert cli.run("run").code == 0
    assert cli.run("run").code == 0
    assert kinds(server) == ["stopped", "recovered"]
    recorded = [run["run_id"] for run in json.loads(cli.run("history", "--json").out)["runs"]]
    assert [got.document["run_id"] for got in server.received] == [recorded[3], recorded[1]]


def test_a_webhook_gets_figures_that_are_signed_and_no_person(cli: CommandLine, server: WebServer) -> None:
    notified(cli, webhooks=hook(server))
    cli.sql("INSERT INTO customers VALUES ('secret-person', 'x')")
    assert cli.run("run").code == 1
    (got,) = server.received
    timestamp = got.headers["X-Reverse-Etl-Timestamp"]
    signed = hmac.new(SECRET.encode(), timestamp.encode() + b"." + got.body, hashlib.sha256).hexdigest()
    assert got.headers["X-Reverse-Etl-Signature"] == f"v1={signed}"
    assert abs(time.time() - int(timestamp)) < 3600
    assert b"secret-person" not in got.body
    document = got.document
    assert document["title"] == "reverse-etl: the run of shop/trial needs attention"
    assert (document["exit_code"], document["profile"], document["target"]) == (1, "shop", "trial")
    (condition,) = document["conditions"]
    assert (condition["kind"], condition["model"], condition["list"]) == ("attention", "vip", "VIP")
    assert condition["causes"] == ["rejected_rows"]
    assert condition["figures"]["rejected_by_check"] == 1
    assert condition["figures"]["applied"] == 20


def test_a_run_that_fails_before_it_begins_is_reported(cli: CommandLine, server: WebServer) -> None:
    notified(cli, webhooks=hook(server))
    cli.sql("DROP TABLE customers")
    assert cli.run("run").code == 2
    (got,) = server.received
    (recorded,) = json.loads(cli.run("history", "--json").out)["runs"]
    assert (got.document["kind"], got.document["exit_code"]) == ("failed", 2)
    assert (got.document["run_id"], recorded["stop_cause"]) == (recorded["run_id"], "model")
    assert b"customers" not in got.body  # the warehouse's text may quote a value


def test_a_missing_warehouse_is_not_a_wrong_setting(cli: CommandLine, server: WebServer) -> None:
    notified(cli, webhooks=hook(server))
    (cli.folder / "shop.duckdb").unlink()
    assert cli.run("run").code == 2
    (condition,) = server.received[0].document["conditions"]
    assert condition["causes"] == ["warehouse_unavailable"]


def test_a_broken_model_has_failed_and_the_others_were_not_sent(cli: CommandLine, server: WebServer) -> None:
    notified(cli, webhooks=hook(server))
    cli.model("other", "select 'a@example.com' as email", list="Other")
    cli.model("vip", "select nothing from nowhere at all", list="VIP")
    assert cli.run("run").code == 2
    (got,) = server.received
    conditions = [(condition["model"], condition["causes"]) for condition in got.document["conditions"]]
    assert conditions == [("vip", ["model"])]
    assert got.document["not_sent"] == ["other"]


def test_rows_that_a_guard_stop_elsewhere_holds_are_not_reported(cli: CommandLine, server: WebServer) -> None:
    """The stop is: with it they end. A model of profiles removes nobody, in any case."""
    notified(cli, webhooks=hook(server))
    cli.model("everybody", SELECT, surface="profiles")
    cli.model("twin", SELECT, list="Twin", max_removes=1.0)
    assert cli.run("run").code == 0
    cli.sql("DELETE FROM customers WHERE email NOT LIKE 'p1@%'")
    ended = json.loads(cli.run("run", "--json").out)
    assert {entry["model"]: entry["held_at_plan"] for entry in ended["lists"]} == {
        "everybody": 19,
        "twin": 19,
        "vip": 0,
    }
    (got,) = server.received
    conditions = [(condition["model"], condition["causes"]) for condition in got.document["conditions"]]
    assert conditions == [("vip", ["guard"])]


def test_a_plan_that_is_applied_again_is_not_reported(cli: CommandLine, server: WebServer) -> None:
    """The job did not work, which the ping says; with the lists all is well."""
    notified(cli, webhooks=hook(server), ping={"failure": f"{server.origin}/failure"})
    cli.run("plan", "--out", "plan.json")
    assert [cli.run("apply", "plan.json").code for _ in range(2)] == [0, 3]
    assert server.paths() == ["/failure"]
    cli.sql("INSERT INTO customers VALUES ('new@example.com', 'x')")
    assert cli.run("apply", "plan.json").code == 3
    assert kinds(server) == ["stopped"]
    (condition,) = server.received[-2].document["conditions"]
    assert (condition["model"], condition["causes"]) == (None, ["plan_differs"])


def test_a_damaged_state_has_a_code_of_its_own(cli: CommandLine, server: WebServer) -> None:
    notified(cli, webhooks=hook(server))
    cli.write("shop.reverse_etl.duckdb", "not a database")
    assert cli.run("run").code == 2
    (condition,) = server.received[0].document["conditions"]
    assert condition["causes"] == ["state_damaged"]


def test_pings_say_that_a_run_began_and_how_it_ended(cli: CommandLine, server: WebServer) -> None:
    addresses = {name: f"{server.origin}/{name}" for name in ("start", "success", "failure")}
    notified(cli, ping=addresses)
    assert cli.run("run").code == 0
    cli.sql("INSERT INTO customers VALUES ('x', 'y')")
    assert cli.run("run").code == 1
    cli.sql("DELETE FROM customers")
    assert cli.run("run").code == 3
    assert server.paths() == ["/start", "/success"] * 2 + ["/start", "/failure"]
    assert {request.method for request in server.received} == {"GET"}


@pytest.mark.parametrize(
    ("statuses", "requests", "warning"),
    [
        ([503, 200], 2, ""),
        ([503], 2, "status 503"),
        ([404], 1, "status 404"),
        ([302], 1, "status 302"),
    ],
)
def test_an_alert_that_cannot_be_sent_changes_no_outcome(
    cli: CommandLine, server: WebServer, statuses: list[int], requests: int, warning: str
) -> None:
    server.statuses = statuses
    notified(cli, webhooks=hook(server))
    cli.sql("INSERT INTO customers VALUES ('x', 'y')")
    ended = cli.run("run")
    assert ended.code == 1
    assert server.paths() == ["/hook"] * requests
    assert ("The alert to webhook 1 could not be sent" in ended.err) is bool(warning)
    assert warning in ended.err
    assert SECRET not in ended.err


def test_an_alert_that_was_not_sent_is_sent_by_the_next_run(cli: CommandLine, server: WebServer) -> None:
    """Also if the rows need no attention any more, since the first run counted them."""
    server.statuses = [404, 200]
    notified(cli, webhooks=hook(server))
    cli.sql("INSERT INTO customers VALUES ('x', 'y')")
    assert [cli.run("run").code for _ in range(3)] == [1, 0, 0]
    assert kinds(server) == ["attention"] * 2


def test_rows_that_stay_rejected_have_not_recovered(cli: CommandLine, server: WebServer) -> None:
    notified(cli, webhooks=hook(server))
    cli.sql("INSERT INTO customers VALUES ('x', 'y')")
    assert [cli.run("run").code for _ in range(2)] == [1, 0]
    assert kinds(server) == ["attention"]
    cli.sql("INSERT INTO customers VALUES ('z', 'y')")
    assert [cli.run("run").code for _ in range(2)] == [1, 0]
    assert kinds(server) == ["attention"] * 2  # another row is news
    cli.sql("DELETE FROM customers WHERE email IN ('x', 'z')")
    assert cli.run("run").code == 0
    assert kinds(server) == ["attention"] * 2 + ["recovered"]


@pytest.mark.parametrize("flags", [["--select", "vipp"], ["--allow-removes", "vipp"], ["--rekey", "vipp"]])
def test_a_wrong_flag_sends_nothing(cli: CommandLine, server: WebServer, flags: list[str]) -> None:
    notified(cli, webhooks=hook(server), ping={"start": f"{server.origin}/start"})
    assert cli.run("run", *flags).code == 2
    assert server.received == []


def test_a_failed_run_has_recovered_when_its_models_run(cli: CommandLine, server: WebServer) -> None:
    notified(cli, webhooks=hook(server))
    cli.model("other", "select 'a@example.com' as email", list="Other")
    cli.sql("ALTER TABLE customers RENAME TO moved")
    assert cli.run("run", "--select", "vip").code == 2
    assert cli.run("run", "--select", "other").code == 0
    assert kinds(server) == ["failed"]
    cli.sql("ALTER TABLE moved RENAME TO customers")
    assert cli.run("run").code == 0
    assert kinds(server) == ["failed", "recovered"]


def test_the_example_of_the_document_is_accepted(cli: CommandLine) -> None:
    document = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    example = document.partition("```yaml\n")[2].partition("```")[0]
    destination = yaml.safe_load(example)["destinations"]["prod"]
    kinds_example = yaml.safe_load(document.partition("limits the messages: `")[2].partition("`")[0])
    cli.profiles({**destination, "sandbox": True, "notify": destination["notify"] | kinds_example})
    cli.environ |= dict.fromkeys(("ALERT_SLACK_URL", "SMTP_USER", "SMTP_PASSWORD"), "slack://a/b/c")
    cli.environ["ALERT_SECRET"] = SECRET
    assert cli.run("ls").code == 0


def test_services_of_apprise_get_a_message(cli: CommandLine, server: WebServer) -> None:
    with mail_server() as (port, mails):
        mail = f"mailto://me:pw@127.0.0.1:{port}?smtp=127.0.0.1&from=a@example.com&to=b@example.com&mode=insecure"
        notified(cli, urls=[f"json://127.0.0.1:{server.port}/apprise", mail])
        cli.sql("INSERT INTO customers VALUES ('secret-person', 'y')")
        ended = cli.run("run")
    assert (ended.code, "could not be sent" in ended.err) == (1, False)
    (got,) = server.received
    assert got.document["title"] == "reverse-etl: the run of shop/trial needs attention"
    assert "VIP (model vip): has rows that need attention" in got.document["message"]
    (text,) = mails
    assert "needs attention" in text
    assert "secret-person" not in text + got.document["message"]


def test_a_service_that_is_down_or_unknown_is_named_without_its_secrets(cli: CommandLine) -> None:
    notified(cli, urls=["json://user:hidden-word@127.0.0.1:9/x", "nosuch://hidden-word@host"])
    cli.sql("INSERT INTO customers VALUES ('x', 'y')")
    ended = cli.run("run")
    assert ended.code == 1
    assert "The alert to json could not be sent: the service did not take it." in ended.err
    assert "The alert to nosuch could not be sent: Apprise does not know such an address." in ended.err
    assert "hidden-word" not in ended.err + ended.out


def test_an_interruption_sends_nothing(cli: CommandLine, server: WebServer) -> None:
    """The ping of the end does not come: that is what a dead man's switch is for."""
    addresses = {name: f"{server.origin}/{name}" for name in ("start", "success", "failure")}
    sandbox = cli.klaviyo(
        destination={"notify": {"webhooks": hook(server), "ping": addresses}}, job_seconds=60.0
    )
    with cli.begin("run") as process:
        while not any(entry.method == "POST" and "import" in entry.path for entry in sandbox.log()):
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 143
    assert server.paths() == ["/start"]


def test_a_plan_and_a_dry_run_send_nothing(cli: CommandLine, server: WebServer) -> None:
    notified(cli, webhooks=hook(server), ping={"start": f"{server.origin}/start"})
    cli.sql("INSERT INTO customers VALUES ('x', 'y')")
    cli.run("plan")
    cli.run("run", "--dry-run")
    assert server.received == []


def test_debug_sends_a_test_message_to_each_receiver(cli: CommandLine, server: WebServer) -> None:
    server.statuses = [200, 500]
    url = f"json://127.0.0.1:{server.port}/apprise"
    notified(cli, urls=[url], webhooks=hook(server), ping={"start": f"{server.origin}/start"})
    ended = cli.run("debug", "--notify")
    assert ended.code == 4
    assert ended.out.splitlines() == ["json         sent", "webhook 1    failed: status 500"]
    assert "Not every alert could be sent." in ended.err
    assert server.paths() == ["/apprise", "/hook", "/hook"]
    assert server.received[-1].document["kind"] == "test"


def test_debug_says_that_there_is_no_receiver(cli: CommandLine) -> None:
    ended = cli.run("debug", "--notify")
    assert ended.code == 2
    assert "The destination trial has no urls and no webhooks in notify." in ended.err


@pytest.mark.parametrize(
    ("notify", "message"),
    [
        (
            {"webhooks": [{"url": "http://ops.example.com", "secret": SECRET}]},
            "neither https nor",
        ),
        ({"ping": {"start": "ftp://x"}}, "neither https nor on this machine"),
        ({"urls": ["slack"]}, "An entry of notify.urls is not an address."),
        ({"kinds": ["always"]}, "kinds cannot be 'always'."),
        ({"webhook": []}, "webhook"),
    ],
)
def test_a_receiver_that_cannot_be_right_is_refused(
    cli: CommandLine, notify: dict[str, Any], message: str
) -> None:
    cli.profiles({"type": "klaviyo", "sandbox": True, "notify": notify})
    ended = cli.run("ls")
    assert ended.code == 2
    assert message in ended.err
    assert "profiles.yml" in ended.err
    assert SECRET not in ended.err


def test_a_model_cannot_read_the_secrets_of_receivers(cli: CommandLine) -> None:
    cli.environ["HOOK_SECRET"] = SECRET
    notified(
        cli,
        webhooks=[{"url": "https://ops.example.com", "secret": "{{ env_var('HOOK_SECRET') }}"}],
    )
    cli.model("vip", "select '{{ env_var('HOOK_SECRET') }}' as email", list="VIP")
    ended = cli.run("compile")
    assert ended.code == 2
    assert SECRET not in ended.out + ended.err


def test_the_record_of_alerts_is_private(cli: CommandLine, server: WebServer) -> None:
    notified(cli, webhooks=hook(server))
    cli.sql("INSERT INTO customers VALUES ('x', 'y')")
    cli.run("run")
    (record,) = (cli.folder / ".reverse_etl").glob("alerts_shop_trial_*.json")
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    record.write_text("{", encoding="utf-8")
    assert cli.run("run", "--strict").code == 1
    assert len(server.received) == 2


@pytest.mark.parametrize("blank", [False, True], ids=["unset", "blank"])
def test_a_receiver_whose_variable_is_not_set_stops_nothing(
    cli: CommandLine, server: WebServer, *, blank: bool
) -> None:
    """Commands that send no alert do not need it. A run says so, and sends its alert once it is set."""
    notified(cli, webhooks=[{"url": f"{server.origin}/hook", "secret": "{{ env_var('HOOK_SECRET') }}"}])
    if blank:
        cli.environ["HOOK_SECRET"] = ""
    assert (status := cli.run("status")).code == 0
    assert "alert" not in status.err
    cli.sql("INSERT INTO customers VALUES ('secret-person', 'x')")
    ended = cli.run("run")
    assert ended.code == 1
    assert "notify.webhooks.0.secret: " in ended.err
    assert "This run sends no alert there. " in ended.err
    debugged = cli.run("debug", "--notify")
    assert (debugged.code, "profiles.yml" in debugged.err) == (2, True)
    cli.environ["HOOK_SECRET"] = SECRET
    assert cli.run("run").code == 0
    assert kinds(server) == ["attention"]
