"""People whose addresses change, in rows with an id, in rows without one, and in Klaviyo.

The model of addresses alone may know an address before the model with ids, or after it, and an address may
be another person's later. Klaviyo may get a second profile of a person: from a model of addresses alone that
runs by itself, or because the person signs up. Once faults stop, each desired person is a member once, and
the list of addresses has exactly the desired ones.
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
        self.addresses = {name: f"{name}0@example.com" for name in NAMES}
        self.given = dict.fromkeys(NAMES, 0)
        self.subscribed = {*(self.addresses[name] for name in NAMES[:3])}
        self.subscribed_before: set[str] = set()
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
        self.has_other_list = has_other_list
        self.world.model(
            "addresses", "select email from subscribers", identifiers={"email": "email"}, **config
        )
        self._around(None, ())

    @rule(name=st.sampled_from(NAMES))
    def somebody_has_a_new_address(self, name: str) -> None:
        """Let somebody have an address that nobody had before."""
        self._give_new_address(name)

    @rule(name=st.sampled_from(NAMES))
    def somebody_has_the_old_address_back(self, name: str) -> None:
        """Let somebody have the address before the last again."""
        self._give_address(name, f"{name}{max(self.given[name] - 1, 0)}@example.com")

    @rule(name=st.sampled_from(NAMES), other=st.sampled_from(NAMES))
    def somebody_has_the_old_address_of_another(self, name: str, other: str) -> None:
        """Let somebody have an address that another person had before."""
        if self.by_id:
            self._give_address(name, f"{other}{max(self.given[other] - 1, 0)}@example.com")

    @rule()
    def everybody_is_subscribed_by_the_present_address(self) -> None:
        """Let the model of addresses have the addresses of the model with ids."""
        self.subscribed = {self.addresses[name] for name in self.present}

    @rule(name=st.sampled_from(NAMES))
    def somebody_subscribes_or_leaves(self, name: str) -> None:
        """Let one address be gone from the model of addresses, or be in it again."""
        self.subscribed ^= {self.addresses[name]}

    @rule(name=st.sampled_from(NAMES))
    def somebody_signs_up_with_a_new_address(self, name: str) -> None:
        """Let somebody have an address that is a profile of its own already."""
        email = self._give_new_address(name)
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
        if self.has_other_list:
            assert sorted(self._subscribers().values()) == sorted(self.subscribed)
        else:
            assert self.subscribed <= {profile["email"] for profile in world.sandbox.profiles()}

    def _around(self, nth: int | None, select: tuple[str, ...]) -> None:
        """Write the rows, run, and check that nobody was removed who was desired before and now."""
        world = self.world
        become(world, [person(name, email=self.addresses[name]) for name in sorted(self.present)])
        world.people([{"email": email} for email in sorted(self.subscribed)], "subscribers", "email VARCHAR")
        stay = self._members() & self.present & self.wanted_before
        subscribers = {
            id_: email
            for id_, email in self._subscribers().items()
            if email in self.subscribed & self.subscribed_before
        }
        with suppress(KlaviyoError):
            world.dies(nth_event(nth or 0), allow_removes=ALL, select=select)
        if not select or "members" in select:
            self.wanted_before = set(self.present)
        if not select or "addresses" in select:
            self.subscribed_before = set(self.subscribed)
        world.wait(600.0)
        after = self._subscribers()
        emails = {profile["id"]: profile["email"] for profile in world.sandbox.profiles()}
        removed = {id_ for id_ in subscribers.keys() - after.keys() if emails[id_] in self.subscribed}
        assert not removed, f"removed, though desired all along: {removed}"
        assert stay <= self._members(), f"removed, though desired all along: {stay - self._members()}"

    def _members(self) -> set[str]:
        if not any(listed["name"] == "Members" for listed in self.world.sandbox.lists()):
            return set()
        return {self._name(member) for member in self.world.sandbox.members("Members")}

    def _subscribers(self) -> dict[str, str]:
        """Return the e-mails of the members of the list of addresses, by profile id."""
        if not any(listed["name"] == "Other" for listed in self.world.sandbox.lists()):
            return {}
        return {member["id"]: member["email"] for member in self.world.sandbox.members("Other")}

    def _give_new_address(self, name: str) -> str:
        self.given[name] += 1
        self._give_address(name, f"{name}{self.given[name]}@example.com")
        return self.addresses[name]

    def _give_address(self, name: str, email: str) -> None:
        """Let somebody have an address, unless another person has it now."""
        if email not in self.addresses.values():
            self.addresses[name] = email

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
