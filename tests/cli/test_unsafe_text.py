"""Control characters, line breaks and marks of direction in data forge no line and retitle no window."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverse_etl.formatting import escape_unsafe
from reverse_etl.sandbox.faults import Fault, FaultKind

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine

PACKAGE = Path(__file__).parents[2] / "reverse_etl"
FORGED = "error All 20 rows were removed."
TITLE = "\x1b]0;owned\x07"
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
EVIL = f"VIP\n{FORGED}{TITLE}\x9b2J\u202egnp.exe\u2028x"
EVIL_SQL = (
    f"'VIP' || chr(10) || '{FORGED}' || chr(27) || ']0;owned' || chr(7) || chr(155) || '2J' || chr(8238) || "
    "'gnp.exe' || chr(8232) || 'x'"
)


@pytest.fixture
def evil(cli: CommandLine) -> CommandLine:
    """Return a project in which values, and names of lists of a second model, hold such characters."""
    cli.model("vip", f"select email, {EVIL_SQL} as first_name from {{{{ ref('customers') }}}}", list="VIP")
    select = f"select email, {EVIL_SQL} as list_name from {{{{ ref('customers') }}}}"
    cli.model("many", select, list_column="list_name")
    return cli


def assert_safe(text: str) -> None:
    """Assert that no such character is in an output, and that no line is forged."""
    assert UNSAFE.findall(text) == []
    assert not [line for line in text.splitlines() if line.startswith(FORGED[:12])]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_commands_show_names_and_values_as_escapes(evil: CommandLine, log_format: str) -> None:
    """On stdout and in both logs, as tables, lines and JSON."""
    evil.klaviyo()
    for command in ("plan --show-values", "run", "status", "plan --json --show-values", "run --json", "ls"):
        ended = evil.run("--log-format", log_format, "-v", *command.split())
        assert ended.code in {0, 1}, ended.err
        assert_safe(ended.out)
        assert_safe(ended.err)
        if "--json" in command:
            assert json.loads(ended.out)


def test_json_keeps_the_values(evil: CommandLine) -> None:
    """The escapes are those of JSON."""
    evil.klaviyo()
    assert evil.run("run", "--select", "vip").code == 0
    evil.model("vip", f"select email, 'x' || {EVIL_SQL} as first_name from customers", list="VIP")
    document = json.loads(evil.run("plan", "--select", "vip", "--json", "--show-values").out)
    change = document["lists"][0]["sample"][0]
    assert (change["before"]["first_name"], change["after"]["first_name"]) == (EVIL, f"x{EVIL}")


def test_texts_of_klaviyo_are_shown_with_escapes(cli: CommandLine) -> None:
    """Its errors reach the log of a run and the problems of a command."""
    sandbox = cli.klaviyo()
    sandbox.add_fault(Fault(FaultKind.REFUSE_ROWS, pattern="^p3@", code=EVIL, detail=EVIL, times=None))
    assert cli.run("run").code == 1
    for command in ("status", "report --json", "plan"):
        ended = cli.run(*command.split())
        assert_safe(ended.err)
        assert_safe(ended.out)
    assert "gnp.exe" in cli.run("status").out


def test_names_of_files_and_arguments_are_shown_as_escapes(cli: CommandLine) -> None:
    """A file may be called anything, even what is no text."""
    bad = cli.folder / f"models/x\n{FORGED[:12]}{TITLE}.sql"
    bad.write_text("{{ config(surface='profiles') }}\nselect", encoding="utf-8")
    for arguments in (
        ("ls",),
        ("run", "--select", EVIL),
        (EVIL,),
        ("apply", EVIL),
        ("report", "--out", EVIL),
    ):
        ended = cli.run(*arguments)
        assert_safe(ended.err)
        assert_safe(ended.out)


def test_a_page_shows_values_as_escapes(evil: CommandLine) -> None:
    """The report, in a file and on stdout, and the sandbox's page."""
    evil.klaviyo()
    assert evil.run("run").code in {0, 1}
    ended = evil.run("report", "--out", "-", "--show-values")
    assert "VIP" in ended.out
    assert_safe(ended.out)
    assert evil.run("report", "--show-values", "--out", "page.html").code == 0
    assert_safe((evil.folder / "page.html").read_text("utf-8"))


def test_compiled_sql_keeps_its_lines_and_shows_the_rest_as_escapes(cli: CommandLine) -> None:
    """Marks of direction in a model could let it read as another one."""
    cli.model("vip", "select email,\n\t'\u202e\x1b[2J' as x from t", list="VIP")
    assert cli.run("compile").out.splitlines()[:3] == [
        "-- models/vip.sql",
        "select email,",
        "\t'\\u202e\\x1b[2J' as x from t;",
    ]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\x00\x1b\x7f\x85\u061c\u2069", "a\\x00\\x1b\\x7f\\x85\\u061c\\u2069"),
        ("name\udcff.sql", "name\\udcff.sql"),
        ("Zoë 👩\u200d👩 العربية", "Zoë 👩\u200d👩 العربية"),
    ],
)
def test_letters_of_all_languages_stay(text: str, escaped: str) -> None:
    """Joined emoji too."""
    assert escape_unsafe(text) == escaped


def test_commands_print_only_through_the_functions_that_escape() -> None:
    """`print` and click's printing functions are called in cli/output alone."""
    calls = []
    for file in (PACKAGE / "cli").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and file.parent.name != "output":
                called = ast.unparse(node.func)
                calls += [f"{file.name}: {called}"] * (called in {"print", "click.echo", "click.secho"})
    assert calls == []
