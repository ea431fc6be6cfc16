"""Each option of each command changes something: what the library is asked for, or what is printed."""

from __future__ import annotations

import re
import shlex
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import MagicMock

import click
import pytest
from click.testing import CliRunner

from reverse_etl.cli import app
from reverse_etl.cli.commands import apply, plan, run
from reverse_etl.project import Project
from tests.cli.command_line import CommandLine
from tests.cli.test_adopt_and_reconcile import change_members, start_job

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOADED: Final = {  # options of `Project.load`, with a value
    "--project-dir": "models",
    "--profiles-dir": "elsewhere",
    "--profile": "other",
    "--target": "other",
    "--vars": "{x: 1}",
    "--dbt-artifacts": "target",
    "--threads": "2",
}
# Options that change what `plan` and `run` ask the library for.
PLANNED: Final = {
    "--select": "vip",
    "--exclude": "other",
    "--full-refresh": "",
    "--full-comparison": "",
    "--limit": "3",
    "--live-since": "2026-11-30T08:00:00Z",
    "--allow-deletes": "vip=3",
    "--no-dbt-gate": "",
    "--strict-gate": "",
    "--dbt-exit-code": "1",
    "--rekey": "vip",
    **{
        f"--allow-{name}": "vip"
        for name in [
            "removes",
            "adds",
            "updates",
            "rejected",
            "new-lists",
            "request",
            "clears",
            "resubscribe",
        ]
    },
}
RUN: Final = {"--strict": "", "--lease-timeout": "1"}  # the same for `run` and `apply`
ASKED: Final = {"plan": PLANNED, "run": PLANNED | RUN, "apply saved.json": RUN}
# Options that change what a command prints or writes, with the command without them.
PRINTED: Final[tuple[tuple[str, str], ...]] = (
    ("ls", "--json"),
    ("ls", "--select nothing"),
    ("ls", "--exclude vip"),
    ("compile", "--json"),
    ("compile", "--select nothing"),
    ("compile", "--exclude vip"),
    ("debug", "--json"),
    ("debug", "--request vip"),
    ("debug", "--notify"),
    ("plan", "--json"),
    ("plan", "--show-values"),
    ("plan", "--detailed-exitcode"),
    ("plan", "--format markdown"),
    ("plan", "--rows 1"),
    ("plan", "--new-profiles 0"),
    ("plan", "--out saved.json"),
    ("run --dry-run", "--json"),
    ("run --dry-run", "--show-values"),
    ("run --dry-run", "--new-profiles 0"),
    ("status", "--json"),
    ("status", "--show-values"),
    ("status", "--select nothing"),
    ("status", "--exclude vip"),
    ("status", "--rejected"),
    ("status --rejected", "--format csv"),
    ("explain p1@example.com", "--json"),
    ("explain p1@example.com", "--model nothing"),
    ("explain p1@example.com", "--list nothing"),
    ("explain p1@example.com", "--ask-klaviyo"),
    ("history", "--json"),
    ("history", "--limit 1"),
    ("history", "--model vip"),
    ("report --out -", "--show-values"),
    ("report", "--json"),
    ("report", "--out page.html"),
    ("report", "--all pages"),
    ("report --all site", "--limit 1"),
    ("retry", "--json"),
    ("retry", "--unknown"),
    ("retry", "--select nothing"),
    ("retry", "--exclude vip"),
    ("adopt --select vip --dry-run", "--json"),
    ("adopt --select vip --dry-run", "--exclude vip"),
    ("adopt --dry-run", "--select vip"),
    ("reconcile", "--json"),
    ("reconcile", "--show-values"),
    ("reconcile", "--select nothing"),
    ("reconcile", "--exclude vip"),
    ("reconcile", "--resend"),
    ("adopt --select vip --dry-run", "--show-values"),
    ("state trust", "--json"),
    ("state readmit email:p1@example.com", "--json"),
    ("adopt --select vip", "--dry-run"),
    ("run", "--dry-run"),
)
# Options of which another file has the test: they need a run of their own, or another kind of project.
TESTED_ELSEWHERE: Final[Mapping[str, str]] = {
    "apply": "cli/test_saved_plans.py: --json",
    "debug": "cli/test_commands.py core/test_request_preview.py: --send --show-values",
    "exposures": "dbt/test_exposures.py: --output --check --owner-name --owner-email",
    "init": "cli/test_init.py schedules/test_snowflake_task.py: --warehouse --schedule --after --template "
    "--dbt-source --from-dbt",
    "sandbox": "cli/test_commands.py: --file --port --job-seconds --no-limits",
    "demo": "cli/test_demo.py: --dir --models",
    "status": "cli/test_held_rows.py: --held",
    "state forget": "cli/test_orphaned_lists.py: --list --json",
    "state move": "cli/test_state_move.py: --from-profile --from --json",
    "state rename": "cli/test_orphaned_lists.py: --json",
}
REFUSED: Final = (  # options that would have no effect beside the others
    "run --show-values",
    "run --new-profiles 5",
    "run --dry-run --strict",
    "run --dry-run --lease-timeout 1",
    "plan --no-dbt-gate --strict-gate",
    "plan --no-dbt-gate --dbt-exit-code 0",
    "plan --dbt-artifacts target",
    "plan --live-since 2026-01-01T00:00:00Z",
    "status --format csv",
    "report --limit 3",
    "report --json --out page.html",
    "report --all site --json",
    "debug --send",
    "debug --show-values",
    "debug --notify --json",
    "init --after build",
    "init --warehouse shop.duckdb --template join",
    "init --dbt-source --template join",
    "state move --from-profile a --from b",
)
TESTS = Path(__file__).parents[1]


def _commands() -> dict[str, click.Command]:
    """Return all commands by name, those of groups too."""
    context = click.Context(app)
    commands: dict[str, click.Command] = {}
    for name in app.list_commands(context):
        command = app.get_command(context, name)
        assert command is not None
        inner = command.commands if isinstance(command, click.Group) else {}
        commands |= {f"{name} {key}": inner[key] for key in inner} or {name: command}
    return commands


def _options(command: click.Command) -> list[str]:
    return [
        [*option.opts, *option.secondary_opts][-1]
        for option in command.params
        if isinstance(option, click.Option)
    ]


def test_each_option_is_looked_at() -> None:
    """A new option of a command has to be added to one of the tables."""
    printed = {(line.split(" --")[0], added.split()[0]) for line, added in PRINTED}
    line_of = {"apply": "apply saved.json"}
    for name, command in _commands().items():
        files, _, flags = TESTED_ELSEWHERE.get(name, ":").partition(":")
        left = {
            option
            for option in _options(command)
            if option not in LOADED
            and option not in ASKED.get(line_of.get(name, name), ())
            and not any(line.startswith(name) and option == added for line, added in printed)
        }
        assert left == set(flags.split()), name
        texts = "".join((TESTS / file).read_text(encoding="utf-8") for file in files.split())
        assert [flag for flag in left if flag not in texts] == [], name


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """Give a project that has run, with a rejected row and changes; no command changes what others print."""
    folder = tmp_path_factory.mktemp("options")
    (folder / "home").mkdir()
    line = CommandLine(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HOME", str(folder / "home"))
        line.sql("INSERT INTO customers VALUES ('nobody.example', 'Nobody')")
        sandbox = line.klaviyo()
        patch.setenv(
            "DESTINATIONS__KLAVIYO__PRIVATE_API_KEY", line.environ["DESTINATIONS__KLAVIYO__PRIVATE_API_KEY"]
        )
        line.sql("INSERT INTO customers SELECT 'l' || i || '@example.com', 'L' FROM range(3) AS t(i)")
        _invoke("run")
        line.sql("INSERT INTO customers SELECT 'n' || i || '@example.com', 'N' FROM range(5) AS t(i)")
        line.sql("DELETE FROM customers WHERE email = 'p3@example.com'")
        _invoke("run --limit 2")
        sandbox.finish_jobs()
        change_members(sandbox, "DELETE", "l1@example.com")
        start_job(sandbox, "profile-bulk-import-job", "guest@example.com")
        sandbox.finish_jobs()
        change_members(sandbox, "POST", "guest@example.com")
        line.sql("DELETE FROM customers WHERE email IN ('l2@example.com', 'n1@example.com')")
        yield line
    line.close()


def _invoke(line: str) -> str:
    """Run a command in this process; return what it printed, its exit code and the files."""
    ended = CliRunner().invoke(app, shlex.split(line), standalone_mode=False)
    code = getattr(ended.exception, "exit_code", ended.return_value or 0)
    output = re.sub(r"in \d+\.\d s", "", ended.output)
    return f"{code} {output} {ended.exception} {sorted(map(str, Path().rglob('*')))}"


@pytest.mark.long
def test_an_option_changes_what_is_printed(cli: CommandLine) -> None:
    del cli
    for line, added in PRINTED:
        assert _invoke(f"{line} {added}") != _invoke(line), (line, added)


class _AskedError(Exception):
    """The library was asked."""


def _replace(value: Any, **changes: object) -> Any:
    return value if isinstance(value, MagicMock) else replace(value, **changes)


def _ask(line: str, patch: pytest.MonkeyPatch) -> str:
    """Run a command with a project that does nothing; return what the library is asked for."""
    project = MagicMock()
    for method in ("run", "apply", "check_gate"):
        getattr(project, method).side_effect = _AskedError
    load = MagicMock(return_value=project)
    patch.setattr(Project, "load", load)
    for module in (run, apply):
        patch.setattr(module, "watched_run", lambda *_: nullcontext(MagicMock()))
        patch.setattr(module, "replace", _replace)
    patch.setattr(apply, "_read_saved_plan", lambda _: MagicMock(vars="{}", profile="shop", target="trial"))
    patch.setattr(plan, "_print_plan", lambda *_, **_named: None)
    ended = CliRunner().invoke(app, shlex.split(line))
    asked = [
        call
        for call in project.mock_calls
        if str(call).startswith(("call.plan", "call.run", "call.apply", "call.check_gate"))
    ]
    assert isinstance(ended.exception, _AskedError), ended
    return re.sub(r"<MagicMock [^>]*>", "", f"{asked}")


@pytest.mark.parametrize("line", ASKED)
def test_an_option_changes_what_the_library_is_asked_for(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without = _ask(line, monkeypatch)
    assert _ask(line, monkeypatch) == without
    for option, value in ASKED[line].items():
        assert _ask(f"{line} {option} '{value}'" if value else f"{line} {option}", monkeypatch) != without, (
            option
        )


def test_an_option_changes_the_project_that_is_loaded(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command that has the option passes it on."""
    del cli
    arguments = {line.split(" --")[0]: line for line, _ in PRINTED} | {
        "state rename": "state rename old vip",
        "state forget": "state forget gone",
        "state move": "state move --from-profile old",
        "apply": "apply saved.json",
    }
    _invoke("plan --out saved.json")
    for name, command in _commands().items():
        line = next((whole for start, whole in arguments.items() if f"{start} ".startswith(f"{name} ")), name)
        for option in sorted({*LOADED} & {*_options(command)} if name != "init" else ()):
            loaded = []
            for added in ("", f" {option} '{LOADED[option]}'"):
                with monkeypatch.context() as patch:
                    load = MagicMock(side_effect=_AskedError)
                    patch.setattr(Project, "load", load)
                    output = _invoke(line + added)
                    loaded.append(f"{load.mock_calls} {output}")
            assert loaded[0] != loaded[1], (line, option)


def test_an_option_without_effect_is_refused(cli: CommandLine) -> None:
    del cli
    for line in REFUSED:
        assert _invoke(line).startswith("2 "), line
