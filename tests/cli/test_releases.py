"""A warehouse behind a folder link that moves at each release: all releases have one state."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.command_line import CommandLine


def release(cli: CommandLine, name: str, customers: int) -> None:
    """Build the warehouse of a release, and let the link lead to it."""
    (cli.folder / "releases" / name).mkdir(parents=True)
    columns = "'p' || i || '@example.com' AS email, 'First ' || i AS first_name"
    rows = f"SELECT {columns} FROM range({customers}) AS t(i)"
    cli.sql(f"CREATE TABLE customers AS {rows}", file=f"releases/{name}/shop.duckdb")
    link = cli.folder / "current"
    link.unlink(missing_ok=True)
    link.symlink_to(f"releases/{name}")


def test_a_person_who_left_between_two_releases_is_removed(cli: CommandLine) -> None:
    """With a state in each release's folder nobody ever left."""
    cli.klaviyo()
    text = (cli.folder / "profiles.yml").read_text("utf-8")
    cli.write("profiles.yml", text.replace("shop.duckdb", "current/shop.duckdb"))
    release(cli, "r1", 20)
    assert cli.run("run").code == 0
    release(cli, "r2", 18)
    ended = cli.run("run", "--json")
    assert ended.code == 0, ended.err
    assert '"removed": 2' in ended.out


def test_a_moved_state_is_reported_once(cli: CommandLine) -> None:
    """Earlier versions kept it beside the file that the link leads to."""
    release(cli, "r1", 20)
    text = (cli.folder / "profiles.yml").read_text("utf-8")
    cli.write("profiles.yml", text.replace("shop.duckdb", "releases/r1/shop.duckdb"))
    assert cli.run("run").code == 0
    cli.write("profiles.yml", text.replace("shop.duckdb", "current/shop.duckdb"))
    ended = cli.run("run")
    assert ended.code == 0, ended.err
    assert "warning The state was moved from <folder>/releases/r1/shop.reverse_etl.duckdb" in ended.err
    assert ended.out.splitlines()[-1].split() == ["VIP", "vip", "20", "0", "0", "0", "0"]
    assert "moved" not in cli.run("run").err


def test_two_states_are_a_mistake_of_the_setup(cli: CommandLine) -> None:
    """Exit code 2, and both are named."""
    cli.run("run")
    (cli.folder / "kept").mkdir()
    (cli.folder / "shop.reverse_etl.duckdb").rename(cli.folder / "kept/state.duckdb")
    assert cli.run("run").code == 0
    cli.profiles({"type": "klaviyo", "sandbox": True, "state_path": "kept/state.duckdb"})
    ended = cli.run("status")
    assert ended.code == 2
    assert "kept/state.duckdb and <folder>/shop.reverse_etl.duckdb" in ended.err
