"""The surface list_memberships_by_profile_id: people are put on a list by Klaviyo's ids, 1,000 a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, many
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.core.world import World

ADDS = "/api/lists/*/relationships/profiles"


@pytest.fixture
def ids(world: World) -> list[str]:
    """Let Klaviyo know 1,001 people, and the model name some of them; return their ids."""
    world.new_list()
    become(world, many(1_001))
    world.model("everyone", "select email from people", surface="profiles", identifiers={"email": "email"})
    world.run()
    world.drop_model("everyone")
    world.model("picked", "select klaviyo_profile_id from picked", surface="list_memberships_by_profile_id")
    return [profile["id"] for profile in world.sandbox.profiles()]


def pick(world: World, ids: Sequence[str]) -> None:
    """Let the model name these ids."""
    world.people([{"klaviyo_profile_id": each} for each in ids], table="picked")


def adds(world: World) -> list[int]:
    """Return how many ids each request put on a list, in order."""
    return [entry.rows for entry in world.writes() if entry.path.endswith("/relationships/profiles")]


@pytest.mark.parametrize(
    ("people", "requests"),
    [pytest.param(999, [999], marks=pytest.mark.long), (1_000, [1_000]), (1_001, [1, 1_000])],
)
def test_one_request_adds_a_thousand_members(
    world: World, ids: list[str], people: int, requests: list[int]
) -> None:
    pick(world, ids[:people])
    assert only_list(world.run(), "picked").outcomes == {Outcome.APPLIED: people}
    assert sorted(adds(world)) == requests
    assert len(world.members()) == people


def test_rows_with_a_lost_reply_are_unknown_until_they_are_added_again(world: World, ids: list[str]) -> None:
    """They may be on the list: the next run adds them once more, which changes nothing where they are."""
    pick(world, ids[:3])
    world.fault(Fault(FaultKind.CUT, "POST", ADDS, after=True, times=None))
    assert only_list(world.run(), "picked").outcomes == {Outcome.UNKNOWN: 3}
    world.calm()
    assert only_list(world.run(), "picked").outcomes == {Outcome.APPLIED: 3}
    assert only_list(world.run(), "picked").outcomes == {}
    assert len(world.members()) == 3


def test_a_possibly_added_member_is_removed_once_her_row_is_gone(world: World, ids: list[str]) -> None:
    """Her reply was lost: to forget her would leave her on the list for good."""
    pick(world, ids[:3])
    world.fault(Fault(FaultKind.CUT, "POST", ADDS, after=True, times=None))
    world.run()
    world.calm()
    pick(world, ids[:2])
    result = world.run(allow_removes=["picked"])
    assert only_list(result, "picked").outcomes == {Outcome.APPLIED: 2, Outcome.REMOVED: 1}
    assert sorted(member["id"] for member in world.members()) == sorted(ids[:2])
