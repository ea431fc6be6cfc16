"""Identifiers that wander: customer ids are swapped, handed on in chains and reused.

Klaviyo may refuse a row whose identifiers belong to two profiles. Once faults stop, the list is what the
model says, whatever Klaviyo answers.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from reverse_etl.errors import KlaviyoError
from tests.core.killing import nth_event
from tests.core.random_days import live_few_days, live_many_days
from tests.core.rows import become, members_model, person
from tests.core.test_convergence import REQUEST_FAULTS
from tests.core.world import World

NAMES = ("ann", "bob", "cat", "dan", "eve")
BOUND = 3  # runs without faults that suffice: one more than elsewhere, since rows lose and get back ids
SOME = st.lists(st.sampled_from(NAMES), min_size=2, max_size=4, unique=True)


class WanderingIds(RuleBasedStateMachine):
    """A list of five people at most, whose customer ids move from one to the other."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self._world: World | None = None
        self.ids = {name: f"c-{name}" for name in NAMES}
        self.present = set(NAMES[:3])
        self.wanted_before: set[str] = set()

    @property
    def world(self) -> World:
        """Return the world, once it is open."""
        assert self._world is not None
        return self._world

    @initialize(
        conflicts=st.sampled_from(["drop", "refuse", "refuse_request"]),
        errors_per_reply=st.sampled_from([None, 1]),
        strangers=st.booleans(),
    )
    def open(self, *, strangers: bool, **rules: Any) -> None:
        """Open the world; strangers may have the ids of people before the first run."""
        self._world = World(self.folder / "shop", job_seconds=0.2, **rules)
        members_model(self.world, max_removes=1.0, min_rows=0)
        if strangers:
            self.world.new_profile(email="other@example.com", external_id="c-ann")
            self.world.new_profile(email="bob@example.com", external_id="c-else")

    @rule(names=SOME)
    def ids_are_handed_on(self, names: list[str]) -> None:
        """Let each get the id of the next one: two swap theirs, more are a chain."""
        given = [self.ids[name] for name in names]
        for name, customer_id in zip(names, [*given[1:], given[0]], strict=True):
            self.ids[name] = customer_id

    @rule(name=st.sampled_from(NAMES), other=st.sampled_from(NAMES))
    def an_id_is_reused(self, name: str, other: str) -> None:
        """Let somebody who comes have the id of somebody who left."""
        if name not in self.present and other in self.present:
            self.present.discard(other)
            self.present.add(name)
            self.ids[name], self.ids[other] = self.ids[other], self.ids[name]

    @rule(name=st.sampled_from(NAMES))
    def somebody_comes_or_leaves(self, name: str) -> None:
        """Let somebody be gone, or be back."""
        self.present ^= {name}

    @rule(fault=REQUEST_FAULTS)
    def goes_wrong(self, fault: Any) -> None:
        """Let something be about to go wrong."""
        self.world.fault(fault)

    @rule()
    def is_retried(self) -> None:
        """Let the next run send refused identifiers again."""
        self.world.project().retry()

    @rule()
    def runs(self) -> None:
        """Run to the end, such as it is."""
        self._around(None)

    @rule(nth=st.integers(1, 14))
    def dies(self, nth: int) -> None:
        """Run, and die at some event."""
        self._around(nth)

    def teardown(self) -> None:
        """Let faults stop, and see that few runs suffice."""
        if self._world is None:
            return
        try:
            self._converges()
        finally:
            self.world.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _converges(self) -> None:
        world = self.world
        world.calm()
        for _ in range(BOUND):
            self._around(None)
        writes = len(world.writes())
        result = world.run(allow_removes=("members",))
        assert len(world.writes()) == writes
        assert result.exit_code == 0
        if any(listed["name"] == "Members" for listed in world.sandbox.lists()):
            assert world.emails() == sorted(self._wanted())

    def _around(self, nth: int | None) -> None:
        """Write the rows, run, and check that nobody was removed who was desired before and now."""
        world, wanted = self.world, self._wanted()
        become(world, [person(name, customer_id=self.ids[name]) for name in sorted(self.present)])
        stay = self._members() & wanted & self.wanted_before
        with suppress(KlaviyoError):
            world.dies(nth_event(nth or 0), allow_removes=("members",))
        self.wanted_before = wanted
        world.wait(600.0)
        assert stay <= self._members(), f"removed, though desired all along: {stay - self._members()}"

    def _wanted(self) -> set[str]:
        return {f"{name}@example.com" for name in self.present}

    def _members(self) -> set[str]:
        if not any(listed["name"] == "Members" for listed in self.world.sandbox.lists()):
            return set()
        return {str(member["email"]) for member in self.world.sandbox.members("Members")}


def test_lists_converge_though_identifiers_wander() -> None:
    """Nobody is on the list too many or too few, and nobody is removed who was desired all along."""
    live_few_days(WanderingIds, examples=2, steps=10)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_lists_converge_though_identifiers_wander_in_many_examples() -> None:
    """The same, with many more and longer histories, others each time."""
    live_many_days(WanderingIds, examples=15)
