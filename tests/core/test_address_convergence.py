"""People whose addresses change, in rows with an id, in rows without one, and in Klaviyo.

Klaviyo may get a second profile of a person: from a model of addresses alone that runs by itself, or because
the person signs up. Once faults stop, each desired person is a member once.
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
from tests.core.random_days import live_many_days
from tests.core.rows import become, members_model, person
from tests.core.test_convergence import REQUEST_FAULTS
from tests.core.world import World

NAMES = ("ann", "bob", "cat", "dan")
BOUND = 3  # runs without faults that suffice, since rows lose and get back addresses
BY_ID = {"external_id": "customer_id", "email": "email"}
BY_EMAIL = {"email": "email", "external_id": "customer_id"}
ALL = ("addresses", "members")


class ChangingAddresses(RuleBasedStateMachine):
    """A list of four people at most, and a model of their addresses alone."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self._world: World | None = None
        self.addresses = dict.fromkeys(NAMES, 0)
        self.present = set(NAMES[:3])
        self.wanted_before: set[str] = set()

    @property
    def world(self) -> World:
        """Return the world, once it is open."""
        assert self._world is not None
        return self._world

    @initialize(
        by_id=st.booleans(),
        has_other_list=st.booleans(),
        conflicts=st.sampled_from(["drop", "refuse", "refuse_request"]),
    )
    def open(self, *, by_id: bool, has_other_list: bool, **rules: Any) -> None:
        """Open the world."""
        self._world = World(self.folder / "shop", job_seconds=0.2, **rules)
        self.by_id = by_id
        members_model(self.world, identifiers=BY_ID if by_id else BY_EMAIL, max_removes=1.0, min_rows=0)
        other = {"list": "Other", "max_removes": 1.0, "min_rows": 0}
        config = other if has_other_list else {"surface": "profiles", "min_rows": 0}
        self.world.model("addresses", "select email from people", identifiers={"email": "email"}, **config)
        self._around(None, ())

    @rule(name=st.sampled_from(NAMES))
    def somebody_has_a_new_address(self, name: str) -> None:
        """Let somebody have an address that nobody had before."""
        self.addresses[name] += 1

    @rule(name=st.sampled_from(NAMES))
    def somebody_has_the_old_address_back(self, name: str) -> None:
        """Let somebody have the address before the last again."""
        self.addresses[name] = max(self.addresses[name] - 1, 0)

    @rule(name=st.sampled_from(NAMES))
    def somebody_signs_up_with_a_new_address(self, name: str) -> None:
        """Let somebody have an address that is a profile of its own already."""
        self.addresses[name] += 1
        email = self._email(name, self.addresses[name])
        if all(profile["email"] != email for profile in self.world.sandbox.profiles()):
            self.world.sandbox.clear_faults()  # they are for the job, not for this person
            self.world.new_profile(email=email)

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
        """Let the next run send omitted addresses again."""
        self.world.project().retry()

    @rule(select=st.sampled_from([(), ("addresses",), ("members",)]))
    def runs(self, select: tuple[str, ...]) -> None:
        """Run all models, or one of them, to the end, such as it is."""
        self._around(None, select)

    @rule(nth=st.integers(1, 14), select=st.sampled_from([(), ("addresses",)]))
    def dies(self, nth: int, select: tuple[str, ...]) -> None:
        """Run, and die at some event."""
        self._around(nth, select)

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
            self._around(None, ())
        writes = len(world.writes())
        result = world.run(allow_removes=ALL)
        assert len(world.writes()) == writes
        assert result.exit_code in {0, 1}
        if any(listed["name"] == "Members" for listed in world.sandbox.lists()):
            members = world.members()
            assert len(members) == len(self.present), members
            shown = {self._name(member) for member in members}
            assert shown == self.present, members
            found = world.project().reconcile(select=("members",))
            assert [(each.missing, each.unmanaged, each.several_members) for each in found] in (
                [],
                [(0, 0, 0)],
            )

    def _around(self, nth: int | None, select: tuple[str, ...]) -> None:
        """Write the rows, run, and check that nobody was removed who was desired before and now."""
        world = self.world
        rows = [person(name, email=self._email(name, self.addresses[name])) for name in sorted(self.present)]
        become(world, rows)
        stay = self._members() & self.present & self.wanted_before
        with suppress(KlaviyoError):
            world.dies(nth_event(nth or 0), allow_removes=ALL, select=select)
        if not select or "members" in select:
            self.wanted_before = set(self.present)
        world.wait(600.0)
        assert stay <= self._members(), f"removed, though desired all along: {stay - self._members()}"

    def _members(self) -> set[str]:
        if not any(listed["name"] == "Members" for listed in self.world.sandbox.lists()):
            return set()
        return {self._name(member) for member in self.world.sandbox.members("Members")}

    @staticmethod
    def _email(name: str, number: int) -> str:
        return f"{name}{number}@example.com"

    @staticmethod
    def _name(member: dict[str, Any]) -> str:
        """Return the name of the person whose profile it is, by the id or the address."""
        customer_id, email = member["external_id"], member["email"]
        return str(customer_id or f"c-{email}")[2:5]


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_each_person_is_a_member_once_though_addresses_change() -> None:
    """In histories that are others each time. `test_two_profiles.py` has the cases one by one."""
    live_many_days(ChangingAddresses, examples=15)
