"""Lists that the command line reads back and takes over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from reverse_etl.sandbox import Sandbox
    from tests.cli.command_line import CommandLine


NOTHING_SENT = "Nothing to compare: these models have sent nothing that can be read back."


def _row(out: str, name: str) -> list[str]:
    """Return the cells of a table's line."""
    return next(line.split() for line in out.splitlines() if line.startswith(name))


def change_members(sandbox: Sandbox, method: str, *emails: str) -> None:
    """Add people to the list, or remove them from it, as somebody at Klaviyo would."""
    url = f"{sandbox.origin}/api/lists/{sandbox.lists()[0]['id']}/relationships/profiles"
    ids = [each["id"] for each in sandbox.profiles() if each["email"] in emails]
    headers = {"Authorization": "Klaviyo-API-Key pk_right", "revision": "2026-10-15"}
    body = {"data": [{"type": "profile", "id": each} for each in ids]}
    assert requests.request(method, url, json=body, headers=headers, timeout=10).status_code == 204


def start_job(sandbox: Sandbox, kind: str, email: str, **attributes: Any) -> None:
    """Start a job for one person, as another app would."""
    headers = {"Authorization": "Klaviyo-API-Key pk_right", "revision": "2026-10-15"}
    rows = [{"type": "profile", "attributes": {"email": email, **attributes}}]
    body = {"data": {"type": kind, "attributes": {"profiles": {"data": rows}}}}
    url = f"{sandbox.origin}/api/{kind}s"
    assert requests.post(url, json=body, headers=headers, timeout=10).status_code == 202


def test_reconcile_shows_missing_members_and_resends_them(cli: CommandLine) -> None:
    sandbox = cli.klaviyo()
    cli.run("run")
    sandbox.finish_jobs()
    assert cli.run("reconcile").code == 0
    gone = min(str(each["email"]) for each in sandbox.profiles())
    change_members(sandbox, "DELETE", gone)
    shown = cli.run("reconcile")
    assert shown.code == 1
    assert _row(shown.out, "VIP") == ["VIP", "vip", "20", "19", "1", "0"]
    assert "VIP: 1 applied but not on the list: " in shown.out
    assert gone not in shown.out
    assert "reverse-etl reconcile --resend --select vip" in shown.err
    (document,) = json.loads(cli.run("reconcile", "--json", "--show-values").out)["lists"]
    assert (document["missing"], document["missing_sample"]) == (1, [f"email:{gone}"])
    assert cli.run("reconcile", "--resend").code == 0
    assert cli.run("run").code == 0
    sandbox.finish_jobs()
    assert len(sandbox.members("VIP")) == 20


def test_adopt_takes_a_list_over(cli: CommandLine) -> None:
    """A dry run first; then the next plan removes the members without a row. The model must be named."""
    sandbox = cli.klaviyo()
    cli.run("run")
    sandbox.finish_jobs()
    (cli.folder / "shop.reverse_etl.duckdb").unlink()
    cli.customers(19)
    cli.run("run")
    sandbox.finish_jobs()
    dry = cli.run("adopt", "--select", "vip", "--dry-run")
    assert dry.code == 0
    assert _row(dry.out, "VIP")[:6] == ["VIP", "vip", "19", "20", "0", "1"]
    assert "Would be adopted: 1 member without a row" in dry.err
    assert json.loads(cli.run("plan", "--json").out)["lists"][0]["removes"] == 0
    assert cli.run("adopt", "--select", "vip").code == 0
    assert json.loads(cli.run("plan", "--json").out)["lists"][0]["removes"] == 1
    assert cli.run("run").code == 0
    assert len(sandbox.members("VIP")) == 19
    unchosen = cli.run("adopt")
    assert (unchosen.code, unchosen.out) == (2, "")
    assert "next Use --select: reverse-etl adopt --select MODEL" in unchosen.err


def test_nothing_to_reconcile_is_said_plainly(cli: CommandLine) -> None:
    cli.klaviyo()
    before = cli.run("reconcile")
    assert (before.out, before.code) == (NOTHING_SENT, 0)


def test_adopt_and_reconcile_report_a_deleted_list(cli: CommandLine) -> None:
    sandbox = cli.klaviyo()
    cli.run("run")
    headers = {"Authorization": "Klaviyo-API-Key pk_right", "revision": "2026-10-15"}
    url = f"{sandbox.origin}/api/lists/{sandbox.lists()[0]['id']}"
    assert requests.delete(url, headers=headers, timeout=10).status_code == 204
    for command in (["reconcile"], ["adopt", "--select", "vip"]):
        shown = cli.run(*command)
        assert (shown.code, "no longer exists in Klaviyo" in shown.out) == (1, True)
        assert "adopt" not in shown.err
    (document,) = json.loads(cli.run("reconcile", "--json").out)["lists"]
    assert (document["deleted"], document["members"]) == (True, None)


def test_adopt_reports_rows_that_are_not_on_the_list(cli: CommandLine) -> None:
    sandbox = cli.klaviyo()
    cli.run("run")
    sandbox.finish_jobs()
    change_members(sandbox, "DELETE", min(str(each["email"]) for each in sandbox.profiles()))
    told = cli.run("adopt", "--select", "vip").err
    assert "Nothing to adopt" in told
    assert "The next run sends 1 missing row again if the model still returns it." in told


def test_reconcile_shows_suppressions_and_consents(cli: CommandLine) -> None:
    """Each in its own words: nothing of them is on a list, and nobody is adopted."""
    sandbox = cli.klaviyo()
    cli.run("run")
    sandbox.finish_jobs()
    first, second, *_ = sorted(str(each["email"]) for each in sandbox.profiles())
    sandbox.suppress(first, "USER_SUPPRESSED")
    leaf = {"email": {"marketing": {"consent": "SUBSCRIBED"}}}
    start_job(sandbox, "profile-subscription-bulk-create-job", second, subscriptions=leaf)
    sandbox.finish_jobs()
    cli.model("blocked", f"select '{first}' as email", surface="suppressions")
    texts = f"select '{second}' as email, timestamptz '2020-05-01 12:00:00+00' as consented_at"
    cli.model("newsletter", texts, surface="subscriptions", channel="email")
    selected = ("--select", "blocked newsletter")
    assert cli.run("run", *selected).code == 0
    assert cli.run("reconcile", *selected).code == 0
    start_job(sandbox, "profile-suppression-bulk-delete-job", first)
    sandbox.finish_jobs()
    sandbox.opt_out(second)
    shown = cli.run("reconcile", *selected)
    assert shown.code == 1
    assert _row(shown.out, "(suppressed)") == ["(suppressed)", "blocked", "1", "0", "1", "0", "0"]
    assert _row(shown.out, "(subscribed)") == ["(subscribed)", "newsletter", "1", "0", "0", "0", "1"]
    assert "(suppressed): 1 applied but not suppressed: " in shown.out
    assert "(subscribed): 1 opted out or suppressed since, and not to be sent again" in shown.out
    assert "adopt" not in shown.err
    assert first not in shown.out
    opted_out = cli.run("reconcile", "--select", "newsletter", "--json")
    (document,) = json.loads(opted_out.out)["lists"]
    assert (opted_out.code, document["list"], document["opted_out"], document["missing"]) == (0, "", 1, 0)
