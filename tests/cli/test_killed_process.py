"""A process that is killed at any moment and started again makes every list what its model says."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from reverse_etl.sandbox import Sandbox
    from tests.cli.command_line import CommandLine

PEOPLE = [f"p{number}@example.com" for number in range(40)]
CLUBS = ("Coffee", "Tea")
FREELY = {"min_rows": 0, "max_removes": 1.0}
WRITES = {"POST", "DELETE", "PATCH", "PUT"}


@dataclass
class KilledShop:
    """A shop whose people come, go and change, and who of them was wanted on a list all along."""

    cli: CommandLine
    sandbox: Sandbox
    random: random.Random
    wanted: dict[str, dict[str, str]] = field(default_factory=dict)
    always: dict[str, set[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=lambda: dict.fromkeys(PEOPLE, "New"))
    _seen: int = 0

    def open(self) -> None:
        """Write the models: one with a list of its own, one with a list column."""
        self.cli.model("vip", "select email, first_name from {{ ref('vips') }}", list="VIP", **FREELY)
        select = "select club, email, first_name from {{ ref('clubs') }}"
        self.cli.model("clubs", select, list_column="club", **FREELY)

    def turn(self) -> None:
        """Let people come, go and change."""
        for email in PEOPLE:  # one name on every list, since it is one person
            if self.random.random() < 0.3:
                self.names[email] = f"Name {self.random.randint(0, 999)}"
        for name in ("VIP", *CLUBS):
            kept = {email for email in self.wanted.get(name, {}) if self.random.random() < 0.7}
            people = sorted(kept.union(self.random.sample(PEOPLE, 10)))
            self.wanted[name] = {email: self.names[email] for email in people}
            self.always[name] = self.always.get(name, {*people}).intersection(people)
        self._table("vips", [("", email, name) for email, name in self.wanted["VIP"].items()])
        self._table("clubs", [(c, email, name) for c in CLUBS for email, name in self.wanted[c].items()])

    def _table(self, table: str, rows: list[tuple[str, str, str]]) -> None:
        values = ", ".join(f"('{club}', '{email}', '{name}')" for club, email, name in rows)
        self.cli.sql(
            f"CREATE OR REPLACE TABLE {table} AS FROM (VALUES {values}) AS t(club, email, first_name)"
        )

    def joined(self) -> dict[tuple[str, str], Any]:
        """Return since when each person is on a list who was wanted there all along."""
        lists = {entry["name"] for entry in self.sandbox.lists()}
        return {
            (name, member["email"]): member["joined_group_at"]
            for name, people in self.always.items()
            if name in lists
            for member in self.sandbox.members(name)
            if member["email"] in people
        }

    def kill(self) -> bool:
        """Begin a run and kill it after some requests and a moment. Returns whether it was still running."""
        before = self._requests()
        requests, moment = self.random.randint(0, 9), self.random.uniform(0, 0.1)

        def kill_later(process: BaseProcess) -> None:
            while process.is_alive() and self._requests() - before < requests:
                time.sleep(0.01)
            time.sleep(moment)
            process.kill()

        return self.cli.run("run", started=kill_later).code == -signal.SIGKILL

    def _requests(self) -> int:
        for entry in self.sandbox.log(self._seen):
            self._seen = entry.number
        return self._seen

    def assert_converges(self) -> None:
        """Run once more; then every list is what its model says, and the next run sends no write."""
        ended = self.cli.run("run")
        assert ended.code == 0, ended
        for name, people in self.wanted.items():
            members = {member["email"]: member["first_name"] for member in self.sandbox.members(name)}
            assert members == people, name
        before = self._requests()
        again = self.cli.run("run")
        assert again.code == 0, again
        assert [entry for entry in self.sandbox.log(before) if entry.method in WRITES] == []


def _kill_and_converge(cli: CommandLine, seed: int, rounds: int, kills: int) -> None:
    shop = KilledShop(cli, cli.klaviyo(job_seconds=0.3), random.Random(seed))  # noqa: S311 - the same moments every time
    shop.open()
    for _ in range(rounds):
        before, died = shop.joined(), 0
        shop.turn()
        while died < kills:
            if shop.kill():
                died += 1
            else:  # it had ended; there shall be something to send again
                shop.turn()
        shop.assert_converges()
        after = shop.joined()
        stayed = {key: at for key, at in before.items() if key[1] in shop.always[key[0]]}
        assert {key: after.get(key) for key in stayed} == stayed


def test_a_run_that_is_killed_again_and_again_converges(cli: CommandLine) -> None:
    """Fifteen kills: before the first request, between requests, while an import runs."""
    _kill_and_converge(cli, seed=1, rounds=3, kills=5)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [2, 3])
def test_a_run_that_is_killed_many_times_converges(cli: CommandLine, seed: int) -> None:
    _kill_and_converge(cli, seed, rounds=6, kills=10)
