"""Tables on a terminal that is too narrow for them, and everywhere else."""

from __future__ import annotations

import os
import pty
import re
from typing import TYPE_CHECKING

from tests.cli.command_line import SELECT

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine

NARROW = 80
LISTS = {"vip": "VIP customers of the year", "win_back_customers": "Win back"}


def _on_terminal(cli: CommandLine, columns: int, *command: str) -> str:
    """Return what a command prints on a terminal of so many columns."""
    cli.environ["COLUMNS"] = str(columns)
    controller, terminal = pty.openpty()
    with cli.begin(*command, stdout=terminal):
        os.close(terminal)
        shown = b""
        while True:
            try:
                shown += os.read(controller, 65536)
            except OSError:  # the process has closed its end
                break
    del cli.environ["COLUMNS"]
    return re.sub(r"\x1b\[\d*m", "", shown.decode()).replace("\r\n", "\n")


def _tables(text: str) -> list[list[list[str]]]:
    """Return the cells of each table, its headings first."""
    lines, tables = text.splitlines(), []
    for number, line in enumerate(lines):
        if line.startswith("───"):
            end = number + 1 + len(LISTS)
            rows = [lines[number - 1], *lines[number + 1 : end]]
            tables.append([re.split(r"\s{2,}", row.strip()) for row in rows])
    return tables


def _joined(tables: list[list[list[str]]]) -> list[list[str]]:
    """Return tables of the same lines as one."""
    first, *others = tables
    return [[*row, *(cell for table in others for cell in table[n][2:])] for n, row in enumerate(first)]


def test_a_table_that_is_too_wide_continues_below(cli: CommandLine) -> None:
    """No line is broken, each part says which lists its lines are of, and no figure is lost."""
    for name, listed in LISTS.items():
        cli.model(name, SELECT, list=listed, tags=["daily", "nightly"])
    cli.klaviyo()
    cli.run("run", "--limit", "5")
    for command in ("plan", "status", "ls", "run"):
        narrow = _on_terminal(cli, NARROW, command)
        tables = _tables(narrow)
        assert len(tables) > 1
        ruled = [line for line in narrow.splitlines() if "───" in line]
        assert max(map(len, ruled)) <= NARROW
        names = [row[:2] for row in tables[0]]
        assert all([row[:2] for row in table] == names for table in tables)
        if command != "run":  # of which there is another only with other figures
            ended = cli.run(command).out
            assert [_joined(tables)] == _tables(ended), command
            assert [_joined(tables)] == _tables(_on_terminal(cli, 200, command)), command


def test_a_table_in_a_file_has_whole_lines_however_long(cli: CommandLine) -> None:
    """A name of a list may be long: what is cut in two, nobody finds."""
    name = "Customers who " + "bought and " * 20 + "came back"
    cli.model("vip", SELECT, list=name)
    (row,) = [line for line in cli.run("plan").out.splitlines() if line.startswith(f"{name} *")]
    assert row.split()[-1] == "0"


def test_times_are_marked_as_utc(cli: CommandLine) -> None:
    """A time without its zone is taken for local time."""
    cli.run("run")
    headings, _, row = cli.run("status").out.splitlines()
    assert "last run (UTC)" in headings
    assert re.search(r" \d{4}-\d\d-\d\d \d\d:\d\d ", row)
