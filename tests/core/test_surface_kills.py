"""Runs of subscriptions, members by id and requests may be killed at each request and at statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.klaviyo.transport import Transport
from reverse_etl.sandbox.routes.records import TAG, TAG_LINK
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from tests.core.consent import LONG_AGO, consents, new_list, status
from tests.core.killing import run_until_killed
from tests.core.test_request_surface import LINKS, links
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.core.world import World

MOST_UNPROVED = 5  # of a subscription there are few statements until it is recorded
LIMITS = {"min_rows": 0, "max_removes": 1.0}


class Subscribers:
    """People of a list, who are unsubscribed from it when their row leaves.

    `unproved` are those that a dead run subscribed and did not record: nothing proves that they are the
    model's own, and they stay subscribed.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.unproved: set[int] = set()
        new_list(world, "single_opt_in")
        world.sandbox.change_rules(consent_seconds=0.0)

    def become(self, numbers: Sequence[int]) -> None:
        """Let the model have the rows of these numbers."""
        rows = [(f"p{number}@example.com", LONG_AGO) for number in numbers]
        consents(self.world, *rows, list="Members", on_remove="unsubscribe", **LIMITS)

    def note_death(self, number: int) -> None:
        """Note whether the person of a row was subscribed and not recorded."""
        recorded = self.world.state(f"SELECT 1 FROM consents WHERE identity = 'email:p{number}@example.com'")
        if self.shown(number) and not recorded:
            self.unproved.add(number)

    def shown(self, number: int) -> bool:
        """Return whether Klaviyo has what a row asks for."""
        email = f"p{number}@example.com"
        return status(self.world, email) == "SUBSCRIBED" and email in self.world.emails("Members")


class MembersById:
    """Profiles that are on a list by their ids."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.new_list()
        self.ids: list[str] = []

    def become(self, numbers: Sequence[int]) -> None:
        """Let the model have the rows of these numbers."""
        while len(self.ids) <= max(numbers):
            self.ids.append(self.world.new_profile(email=f"p{len(self.ids)}@example.com"))
        rows = [{"klaviyo_profile_id": self.ids[number]} for number in numbers]
        self.world.people(rows, "picked", "klaviyo_profile_id VARCHAR")
        select = "select klaviyo_profile_id from picked"
        self.world.model("picked", select, surface="list_memberships_by_profile_id", **LIMITS)

    def shown(self, number: int) -> bool:
        """Return whether Klaviyo has what a row asks for."""
        return f"p{number}@example.com" in self.world.emails()


class TaggedLists:
    """Lists that have a tag, by requests that the model describes."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.sandbox.put_record(TAG, "t1", {"name": "t1"})
        self.ids: list[str] = []

    def become(self, numbers: Sequence[int]) -> None:
        """Let the model have the rows of these numbers."""
        while len(self.ids) <= max(numbers):
            self.ids.append(self.world.new_list(f"list {len(self.ids)}"))
        rows = [("t1", self.ids[number]) for number in numbers]
        links(self.world, *rows, on_remove={**LINKS, "method": "DELETE"}, **LIMITS)

    def shown(self, number: int) -> bool:
        """Return whether Klaviyo has what a row asks for."""
        return f"t1|{self.ids[number]}" in self.world.sandbox.records(TAG_LINK)


SURFACES = (Subscribers, MembersById, TaggedLists)
KILLS = [
    (Subscribers, Transport, ("send",), 2),
    (MembersById, Transport, ("send",), 2),
    (TaggedLists, Transport, ("send",), 1),
]
MORE_KILLS = [
    *((surface, Transport, ("send",), 1) for surface in (Subscribers, MembersById)),
    *((surface, DuckDB, ("execute", "fetch"), 1) for surface in SURFACES),
]
LONG = [pytest.mark.long, pytest.mark.timeout(3600)]


@pytest.mark.parametrize(
    ("things", "owner", "names", "step"),
    [*KILLS, *(pytest.param(*kills, marks=LONG) for kills in MORE_KILLS)],
)
def test_a_run_may_be_killed_at_requests_and_statements(
    world: World,
    things: Callable[[World], Subscribers | MembersById | TaggedLists],
    owner: type,
    names: tuple[str, ...],
    step: int,
) -> None:
    """One row leaves and one is new: after one more run Klaviyo has what the model asks for.

    The long ones die at each request and at each statement.
    """
    klaviyo = things(world)
    klaviyo.become([0])
    world.run()
    nth, killed, number, unproved = 1, True, 0, set[int]()
    while killed:
        number += 1
        klaviyo.become([number])
        killed = run_until_killed(world, nth, owner, *names)
        if isinstance(klaviyo, Subscribers):
            klaviyo.note_death(number)
            unproved = klaviyo.unproved
        world.wait(3_600.0)
        world.run()
        assert (klaviyo.shown(number), klaviyo.shown(number - 1)) == (True, number - 1 in unproved), nth
        assert only_list(world.run()).outcomes == {}, nth
        nth += step
    assert number > 3
    assert len(unproved) <= MOST_UNPROVED
