"""Lists that a model no longer controls: a run reports them once, plan and status always."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import requests

from tests.cli.command_line import SELECT
from tests.cli.message_cases import HEADERS

if TYPE_CHECKING:
    from reverse_etl.sandbox import Sandbox
    from tests.cli.command_line import CommandLine


def _sent_elsewhere(cli: CommandLine) -> tuple[Sandbox, str]:
    """Let a model control another list after its first run; returns the id of the list before."""
    sandbox = cli.klaviyo()
    assert cli.run("run").code == 0
    cli.model("vip", SELECT, list="Others")
    return sandbox, str(sandbox.lists()[0]["id"])


def _notes(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("Note: ")]


def _delete(sandbox: Sandbox, list_id: str) -> None:
    requests.delete(f"{sandbox.origin}/api/lists/{list_id}", headers=HEADERS, timeout=10)


def test_a_run_reports_an_orphaned_list_once_and_plan_and_status_always(cli: CommandLine) -> None:
    """A note that repeats every night is not read; one that is never shown again is forgotten."""
    _, before = _sent_elsewhere(cli)
    note = (
        f"Note: The model vip has 20 rows on the list 'VIP' ({before}) but no longer owns it. No run removes "
        "these members. If nobody needs the list, delete it in Klaviyo; to own it again, set "
        f"list_id='{before}' in vip. To end this note: reverse-etl state forget vip --list {before}"
    )
    assert _notes(cli.run("plan").out) == [note]
    item = f"- `{note.removeprefix('Note: ')}`"
    assert item in cli.run("plan", "--format", "markdown").out.splitlines()
    assert _notes(cli.run("run").err) == [note]
    assert _notes(cli.run("run").err) == []
    assert _notes(cli.run("plan").out) == _notes(cli.run("status").out) == [note]
    in_markdown = cli.run("plan", "--format", "markdown").out
    assert "\n### Notes\n\n- `" in in_markdown
    as_json = json.loads(cli.run("run", "--json").out)
    assert as_json["notes"] == []
    assert as_json["models"][0]["orphaned_rows"] == {before: 20}


def test_each_suggested_step_ends_the_note(cli: CommandLine) -> None:
    """The list is deleted in Klaviyo; or the model controls it again, and leaves the other one."""
    sandbox, before = _sent_elsewhere(cli)
    cli.run("run")
    cli.model("vip", SELECT, list_id=before)
    (note,) = _notes(cli.run("run").err)
    assert note.startswith("Note: The model vip has 20 rows on the list 'Others' ")
    (other,) = [listed["id"] for listed in sandbox.lists() if listed["name"] == "Others"]
    _delete(sandbox, other)
    assert _notes(cli.run("plan").out) == []
    assert _notes(cli.run("run").err) == []


def test_the_list_of_a_deleted_model_is_reported_the_same_way(cli: CommandLine) -> None:
    """Its name is the next step. A model of another name owns the list, but not the rows from before."""
    sandbox = cli.klaviyo()
    cli.model("old", SELECT, list="Old")
    cli.model("moved", SELECT, list="Moved")
    assert cli.run("run").code == 0
    for name in ("old", "moved"):
        (cli.folder / "models" / f"{name}.sql").unlink()
    cli.model("renamed", SELECT, list="Moved")
    ids = {listed["name"]: listed["id"] for listed in sandbox.lists()}
    told = _notes(cli.run("run").err)
    moved, old = told
    assert moved == (
        f"Note: The deleted model moved has 20 rows on the list 'Moved' ({ids['Moved']}), which renamed owns "
        "now. These members stay even if renamed does not return them. If renamed is the new name of the "
        "model: reverse-etl state rename moved renamed. To end this note: reverse-etl state forget moved"
    )
    assert old == (
        f"Note: The deleted model old has 20 rows on the list 'Old' ({ids['Old']}) but no longer owns it. No "
        "run removes these members. If the model was renamed: reverse-etl state rename old NEW_NAME. If "
        "nobody needs the list, delete it in Klaviyo. To end this note: reverse-etl state forget old"
    )
    assert _notes(cli.run("run").err) == []
    assert sorted(_notes(cli.run("plan").out)) == sorted(_notes(cli.run("status").out)) == told
    _delete(sandbox, ids["Old"])
    assert _notes(cli.run("plan").out) == [moved]
    assert _notes(cli.run("run").err) == []
    assert _notes(cli.run("status").out) == [moved]


def test_the_state_command_prints_the_rows_by_list_and_ends_the_notes(cli: CommandLine) -> None:
    """As text for people, and as JSON for programs; a mistake is exit code 2."""
    sandbox = cli.klaviyo()
    for name in ("old", "gone"):
        cli.model(name, SELECT, list=name.title())
    assert cli.run("run").code == 0
    for name in ("old", "gone"):
        (cli.folder / "models" / f"{name}.sql").unlink()
    cli.model("renamed", SELECT, list="Old")
    ids = {listed["name"]: listed["id"] for listed in sandbox.lists()}
    renamed = cli.run("state", "rename", "old", "renamed")
    assert (renamed.out, renamed.code) == (f"renamed continues old: 20 rows on Old ({ids['Old']})", 0)
    forgotten = cli.run("state", "forget", "gone", "--json")
    lists = [{"list": "Gone", "list_id": ids["Gone"], "rows": 20}]
    assert json.loads(forgotten.out) == {"model": "gone", "lists": lists}
    assert _notes(cli.run("status").out) == _notes(cli.run("plan").out) == []
    wrong = cli.run("state", "forget", "renamed", "--list", ids["Old"])
    assert (wrong.code, "owns the list" in wrong.err) == (2, True)
    as_json = cli.run("state", "rename", "old", "renamed", "--json")
    assert (as_json.code, "The state has no model old" in as_json.err) == (2, True)


def test_a_project_under_a_new_name_hears_of_its_earlier_state(cli: CommandLine) -> None:
    """Its name is part of every key: under a new one all that was sent would be forgotten in silence."""
    cli.klaviyo()
    cli.run("run")
    profiles = (cli.folder / "profiles.yml").read_text()
    (cli.folder / "profiles.yml").write_text(profiles.replace("shop:", "store:", 1))
    note = (
        "Note: The state has no rows of the profile store, but rows of shop. If you renamed the profile, "
        "every row counts as new, and members who left the model since the last run are never removed. "
        "Before you run: reverse-etl state move --from-profile shop"
    )
    assert _notes(cli.run("plan").out) == _notes(cli.run("status").out) == [note]
    assert _notes(cli.run("run").err) == [note]
    assert _notes(cli.run("plan").out) == _notes(cli.run("run").err) == []


def test_compile_plan_and_run_print_the_warnings_of_a_model(cli: CommandLine) -> None:
    cli.model(
        "vip",
        "select email, any_value(first_name) as nick, 'Rome' as city from {{ ref('customers') }} group by 1",
        list="VIP",
    )
    warned = "Column nick may change from run to run"
    for command in (["compile"], ["plan"], ["run"]):
        ended = cli.run(*command)
        assert ended.code == 0, ended.err
        assert ended.err.count(warned) == 1
        assert warned not in ended.out
        hints = ended.err.count("such values: city (location_city).")
        assert hints == (0 if command == ["run"] else 1)
    assert warned not in cli.run("ls").err + cli.run("status").err
