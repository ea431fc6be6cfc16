"""Runs that read little, with threads, `updated_at` and `skip_unchanged`, alone and together.

They are killed at statements, and random days pass.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from reverse_etl.errors import KlaviyoError
from reverse_etl.state import LEASE_SECONDS
from tests.core.killing import dies_at_statement
from tests.core.random_days import live_few_days, live_many_days
from tests.core.rounds import in_rounds
from tests.core.rows import person
from tests.core.test_convergence import WEEK, ShopMachine, ShopWithUpdatedAt
from tests.core.test_skipped_models import SkippingShop, skipped

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.core.world import World

COLUMNS = "email VARCHAR, customer_id VARCHAR, first_name VARCHAR, changed BIGINT"
MODELS = {"members": "Members", "guests": "Guests", "names": ""}


def at_once(seed: int) -> AbstractContextManager[Any]:
    """Run up to three models at the same time inside; the seed decides their order."""
    return in_rounds(3, seed)


@dataclass(frozen=True)
class Night:
    """The ways in which a run reads less."""

    threads: bool = False
    updated_at: bool = False
    skips: bool = False


EVERYTHING = Night(threads=True, updated_at=True, skips=True)
# Runs with threads alone die in test_concurrent_models.py, and those with `updated_at` alone in
# test_updated_at.py.
NIGHTS = {"skip_unchanged": Night(skips=True), "all": EVERYTHING}


class Shop:
    """Two lists and some profiles. Each day somebody joins, leaves, changes and is touched."""

    def __init__(self, world: World, night: Night) -> None:
        self.world, self.night, self.day, self.runs = world, night, 0, 0
        world.profile(skip_unchanged=night.skips)
        config: dict[str, Any] = {"min_rows": 0, "max_removes": 1.0}
        if night.updated_at:
            config["updated_at"] = "changed"
        select = f"select email, customer_id, first_name{', changed' if night.updated_at else ''} from"
        identifiers = {"email": "email", "external_id": "customer_id"}
        world.model("members", f"{select} people", identifiers=identifiers, **config)
        guests = f"{select} people where email <> 'same@example.com'"
        world.model("guests", guests, identifiers=identifiers, list="Guests", **config)
        world.model("names", f"{select} names", surface="profiles", identifiers=identifiers, **config)

    def next_day(self) -> None:
        """Change the tables; that of the profiles on every second day."""
        self.day += 1
        changed = {"changed": self.day}
        rows = [
            person("same", changed=1),
            person("touched", **changed),
            person("renamed", first_name=f"N{self.day}", **changed),
            person(f"p{self.day}", **changed),
        ]
        self.world.people(rows, columns=COLUMNS)
        if self.day % 2:
            named = person("named", first_name=f"N{self.day}", **changed)
            self.world.people([named], "names", columns=COLUMNS)

    def run(self) -> None:
        """Run to the end."""
        with self._models():
            self.world.run()

    def dies(self, nth: int) -> bool:
        """Run, die at the nth statement, and return whether it came to that."""
        with self._models():
            died = dies_at_statement(self.world, nth)
        self.world.calm()
        return died

    def check(self) -> None:
        """Run twice; check that the lists and values are those of the day, and that no more is sent."""
        self.run()
        members = sorted(f"{name}@example.com" for name in ("same", "touched", "renamed", f"p{self.day}"))
        assert self.world.emails() == members
        assert self.world.emails("Guests") == [email for email in members if email != "same@example.com"]
        assert self.world.person("renamed@example.com")["first_name"] == f"N{self.day}"
        assert self.world.person("named@example.com")["first_name"] == f"N{self.day - 1 + self.day % 2}"
        writes = len(self.world.writes())
        self.world.wait(WEEK if self.night.updated_at else 0.0)
        self.run()  # compares all rows: only then may the next one skip models with `updated_at`
        assert len(self.world.writes()) == writes

    def skipped(self) -> bool:
        """Return whether the next run reads no model."""
        return skipped(self.world) == sorted(MODELS)

    def _models(self) -> AbstractContextManager[Any]:
        self.runs += 1
        return at_once(self.runs) if self.night.threads else nullcontext()


def check_kill(shop: Shop, nth: int) -> bool:
    """Kill a run at its nth statement, check that the next ends its work, and return whether it died."""
    shop.next_day()
    killed = shop.dies(nth)
    shop.check()
    return killed


def check_kills(shop: Shop, first: int = 1, step: int = 1) -> None:
    """Kill runs at each `step`th statement, until one ends before that.

    Where models may be skipped, a run before the change dies, too: it must not count as one that saw
    the change.
    """
    shop.next_day()
    shop.check()
    nth, skips, killed = first, shop.night.skips, True
    while killed:
        skips = skips and shop.dies(nth)
        killed = check_kill(shop, nth)
        nth += step
    assert nth > 45
    assert shop.skipped() == shop.night.skips


def test_a_run_with_all_of_them_may_be_killed(world: World) -> None:
    """In its middle."""
    shop = Shop(world, EVERYTHING)
    shop.next_day()
    shop.run()
    assert check_kill(shop, 45)
    assert shop.skipped()


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("night", NIGHTS.values(), ids=NIGHTS)
def test_a_run_may_be_killed_between_any_two_statements(world: World, night: Night) -> None:
    check_kills(Shop(world, night))


class ShopAtOnce(ShopMachine):
    """The shop of the convergence property with models that run at the same time and die at statements."""

    seed = 0

    @rule(nth=st.integers(1, 300))
    def dies_at_a_statement(self, nth: int) -> None:
        """Run, and die at some statement."""

        def run() -> None:
            with suppress(KlaviyoError):  # a fault may end it first
                dies_at_statement(self.world, nth, allow_removes=self.all_models)

        self._around(run)
        self.world.wait(LEASE_SECONDS + 60.0)

    def _around(self, run: Callable[[], None]) -> None:
        self.seed += 1
        with at_once(self.seed):
            super()._around(run)


class ShopWithAll(ShopAtOnce, SkippingShop, ShopWithUpdatedAt):
    """The same with `updated_at`, and with models that are skipped."""


def test_lists_converge_with_all_of_them() -> None:
    live_few_days(ShopWithAll, examples=1, steps=5)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("shop", [ShopAtOnce, ShopWithAll])
def test_lists_converge_in_many_examples(shop: type[ShopMachine]) -> None:
    live_many_days(shop, examples=12)
