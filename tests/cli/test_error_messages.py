"""Every wrong thing that a user can write or meet, as the real process says it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import KlaviyoError
from reverse_etl.project import Project
from tests.cli.message_cases import CASES, PROFILE, SANDBOX, ErrorCase
from tests.clocks import QuickClock

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine
    from tests.cli.process import Ended
    from tests.gold import Gold

MESSAGES = Path(__file__).parent / "gold" / "messages"
NOBODY = "http://127.0.0.1:9"  # the port of a protocol that nobody speaks


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mistake_is_reported_with_its_location_and_the_next_step(
    case: ErrorCase, cli: CommandLine, gold: Gold
) -> None:
    """The whole text is kept in gold/messages, to be read as a user would."""
    case.make(cli)
    with case.during(cli) as holder:
        ended = cli.run(*case.command.split())
    told = _told(case.command, ended).replace(f"{Path(sys.executable).resolve()} (PID {holder})", "<holder>")
    gold.check(MESSAGES / f"{_file(case.name)}.txt", told)
    assert ended.code != 0 or case.name == "a list that was deleted"
    assert "Traceback" not in ended.err


def test_every_gold_message_belongs_to_a_case() -> None:
    kept = {path.stem for path in MESSAGES.iterdir()}
    assert kept == {_file(case.name) for case in CASES}


@pytest.mark.parametrize("path", sorted(MESSAGES.glob("*.txt")), ids=lambda path: path.stem)
def test_every_error_is_a_sentence(path: Path) -> None:
    """It begins with a capital, a number, or the name of a key or flag, and ends with a period."""
    told = re.findall(r"^(?:error|warning|Note:) (.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for what in told:
        assert re.match(r"[A-Z0-9]|--[a-z]|[a-z_.\d]+ ", what), what
        assert what.endswith((".", "!", "?")), what
    assert told


def test_unreachable_klaviyo_is_reported_after_the_retries(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock on which waiting takes no time; the process itself is tried among the long tests.

    Behind a proxy that is not there, so that nothing leaves this machine.
    """
    monkeypatch.chdir(cli.folder)
    monkeypatch.setenv("HTTPS_PROXY", NOBODY)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    cli.environ["DESTINATIONS__KLAVIYO__PRIVATE_API_KEY"] = "pk_x"
    cli.profiles({"type": "klaviyo"})
    tries: list[object] = []
    project = Project.load(cli.folder, environ=cli.environ, clock=QuickClock())
    with pytest.raises(KlaviyoError, match=r"Could not connect to Klaviyo after 8 attempts\.$") as caught:
        project.plan(on_request=tries.append)
    assert caught.value.exit_code == 4
    assert len(tries) == 8


@pytest.mark.long
def test_unreachable_klaviyo_is_reported_during_the_retries(cli: CommandLine) -> None:
    """Half a minute of silence would look like a process that hangs."""
    cli.environ |= {"DESTINATIONS__KLAVIYO__PRIVATE_API_KEY": "pk_x", "HTTPS_PROXY": NOBODY}
    cli.profiles({"type": "klaviyo"})
    ended = cli.run("run")
    assert ended.code == 4
    assert ended.err.splitlines() == [
        "Klaviyo did not answer GET /api/accounts (could not connect to Klaviyo). Retrying.",
        "error Could not connect to Klaviyo after 8 attempts.",
        "   at GET /api/accounts",
        " next It is safe to run again. If the error persists, check the network and status.klaviyo.com.",
    ]


@pytest.mark.parametrize("command", ["plan", "run", "debug"])
def test_a_refused_loopback_connection_suggests_the_sandbox(cli: CommandLine, command: str) -> None:
    """After three attempts instead of eight, with the address and the command that starts a sandbox there."""
    cli.environ["DESTINATIONS__KLAVIYO__PRIVATE_API_KEY"] = "pk_x"
    cli.profiles({"type": "klaviyo", "origin": NOBODY})
    ended = cli.run(command)
    assert ended.code == 4
    start = "Start the sandbox: reverse-etl sandbox --port 9."
    assert ended.err.splitlines() == [
        "Klaviyo did not answer GET /api/accounts (connection refused). Retrying.",
        f"error Could not connect to {NOBODY}: connection refused after 3 attempts.",
        "   at GET /api/accounts",
        f" next {start} Or correct origin of the destination.",
    ]


def _file(name: str) -> str:
    return name.lower().replace(" ", "_").replace(".", "_")


def _told(command: str, ended: Ended) -> str:
    parts = [f"$ reverse-etl {command}", f"exit code {ended.code}"]
    parts += [f"\nstdout:\n{ended.out}"] if ended.out else []
    return "\n".join([*parts, f"\nstderr:\n{ended.err}"]) + "\n"


def test_too_little_memory_says_which_setting_to_raise(cli: CommandLine) -> None:
    """How much was used when it failed is another figure each time."""
    cli.write("profiles.yml", PROFILE % ("shop.duckdb, settings: {memory_limit: 100KB}", SANDBOX))
    ended = cli.run("run")
    assert ended.code == 4
    assert "Out of Memory Error" in ended.err
    assert "settings: {memory_limit: 2GB} of the output" in ended.err
