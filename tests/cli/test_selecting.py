"""Only what is selected must compile; several selectors may follow one flag; hidden files are no models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.cli.group import repeat_selectors
from tests.cli.command_line import SELECT

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine


@pytest.fixture(scope="module")
def sent(shared_cli: CommandLine) -> CommandLine:
    """Return a project that was sent once."""
    assert shared_cli.run("run").code == 0
    return shared_cli


@pytest.fixture
def half_broken(cli: CommandLine, sent: CommandLine) -> CommandLine:
    """Return a copy of the sent project, in which one of two models does not compile any more."""
    cli.copy(sent)
    cli.model("broken", "select emial, from", list="Others", tags=["weekly"])
    return cli


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "--select", "vip"),
        ("plan", "--exclude", "broken"),
        ("plan", "--exclude", "tag:weekly"),
        ("plan", "--select", "tag:daily", "vip", "--exclude", "list:Others"),
        ("run", "--select", "vip"),
        ("ls", "--select", "vip"),
        ("retry", "--select", "vip"),
        ("status",),
        ("status", "--select", "vip"),
        ("report", "--json"),
    ],
)
def test_a_command_needs_only_the_models_that_it_works_on(
    half_broken: CommandLine, arguments: tuple[str, ...]
) -> None:
    """A mistake in another model stops nothing."""
    half_broken.model("vip", SELECT, list="VIP", tags=["daily"])
    ended = half_broken.run(*arguments)
    assert (ended.code, ended.err.count("error")) == (0, 0), ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan",),
        ("run", "--select", "broken"),
        ("plan", "--select", "vip", "tag:weekly"),
        ("plan", "--exclude", "vip"),
        ("debug",),
    ],
)
def test_a_selected_model_that_does_not_compile_stops_the_command(
    half_broken: CommandLine, arguments: tuple[str, ...]
) -> None:
    ended = half_broken.run(*arguments)
    assert ended.code == 2
    assert "models/broken.sql:2" in ended.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("plan", "--select", "tag:other"), 2),
        (("plan", "--exclude", "tag:other"), 2),
        (("plan", "--select", "vip"), 0),
    ],
)
def test_a_model_without_readable_config_is_selected_unless_it_is_certain_that_it_is_not(
    half_broken: CommandLine, arguments: tuple[str, ...], code: int
) -> None:
    """Nothing says which tags it has; only its name and its path are certain."""
    half_broken.write("models/broken.sql", "{{ config(surface='list_memberships' }}\nselect 1 as email\n")
    ended = half_broken.run(*arguments)
    assert ended.code == code
    assert ("models/broken.sql" in ended.err) == (code == 2)


def test_a_list_of_two_models_stops_only_the_commands_that_work_on_one_of_them(
    half_broken: CommandLine,
) -> None:
    """The other model of the list need not be selected, and need not compile."""
    half_broken.model("broken", "select emial, from", list="VIP")
    half_broken.model("third", SELECT, list="Third")
    assert half_broken.run("plan", "--select", "third").code == 0
    ended = half_broken.run("plan", "--select", "vip")
    assert ended.code == 2
    assert "The models broken and vip use the same list 'VIP'." in ended.err


def test_status_does_not_call_a_model_deleted_that_does_not_compile(half_broken: CommandLine) -> None:
    """Its file is there."""
    half_broken.model("vip", "select emial, from", list="VIP")
    ended = half_broken.run("status")
    assert ended.code == 0
    assert "Note" not in ended.out


def test_status_needs_no_manifest(half_broken: CommandLine) -> None:
    """In a dbt project whose target folder was removed, the state can still be read."""
    half_broken.write("dbt_project.yml", "name: shop\nprofile: shop\n")
    half_broken.write("reverse_etl/vip.sql", (half_broken.folder / "models/vip.sql").read_text("utf-8"))
    assert half_broken.run("plan").code == 2
    for arguments in (("status",), ("status", "--select", "vip")):
        ended = half_broken.run(*arguments)
        assert ended.code == 0, ended.err
        assert "VIP" in ended.out
        assert "Note" not in ended.out


def test_hidden_files_are_no_models_and_a_suffix_may_be_in_upper_case(cli: CommandLine) -> None:
    """Editors, archives and notebooks leave such files."""
    text = (cli.folder / "models/vip.sql").read_text("utf-8")
    for path in ("._vip.sql", ".ipynb_checkpoints/vip-checkpoint.sql", "deep/.vip.sql.swp", "deep/.x.sql"):
        cli.write(f"models/{path}", "\x00\x05")
    cli.write("models/deep/LOUD.SQL", text.replace("VIP", "Loud"))
    ended = cli.run("ls")
    assert ended.code == 0, ended.err
    assert [line.split()[0] for line in ended.out.splitlines()[2:]] == ["LOUD", "vip"]


@pytest.mark.parametrize(
    ("arguments", "repeated"),
    [
        ("plan --select a b --exclude c d", "plan --select a --select b --exclude c --exclude d"),
        ("plan -s a b --json", "plan -s a -s b --json"),
        ("plan --select=a b", "plan --select=a --select b"),
        ("apply plan.json", "apply plan.json"),
        ("run --target x --select", "run --target x --select"),
        ("run --select a -- b", "run --select a -- b"),
    ],
)
def test_several_selectors_may_follow_a_flag_as_in_dbt(arguments: str, repeated: str) -> None:
    """The option is repeated for each; other options and arguments stay as they are."""
    assert " ".join(repeat_selectors(arguments.split())) == repeated


def test_several_selectors_select_several_models(cli: CommandLine) -> None:
    for name in ("one", "two", "three"):
        cli.model(name, SELECT, list=name)
    chosen = cli.run("ls", "--select", "one", "two", "vip", "--exclude", "two", "three", "-q")
    assert [line.split()[0] for line in chosen.out.splitlines()[2:]] == ["one", "vip"], chosen.err
