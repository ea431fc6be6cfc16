"""A list's model of consents beside its model of members."""

from __future__ import annotations

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import ModelError, UsageError
from tests.core.consent import (
    ANN,
    BOB,
    CAT,
    LONG_AGO,
    consents,
    status,
)
from tests.core.world import World, only_list


def test_a_list_has_a_model_of_members_and_one_of_each_channel(world: World) -> None:
    """The list is made once. A member who leaves the first model is removed and stays subscribed."""
    world.sandbox.change_rules(list_seconds=30.0)
    world.people([{"email": ANN}, {"email": BOB}, {"email": CAT}])
    world.model("members", "select email from people", max_removes=1.0)
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO), list="Members")
    world.run()
    assert [listed["name"] for listed in world.sandbox.lists()] == ["Members"]
    assert world.emails() == [ANN, BOB, CAT]
    before = len(world.writes())
    assert {listed.model: listed.outcomes for listed in world.run().lists} == {
        "members": {},
        "newsletter": {},
    }
    assert len(world.writes()) == before
    world.people([{"email": BOB}, {"email": CAT}])
    world.run()
    assert (world.emails(), status(world, ANN)) == ([BOB, CAT], "SUBSCRIBED")


def test_a_member_by_subscription_alone_is_not_ours_to_remove(world: World) -> None:
    """The evidence of who was put on a list is of the model of its members alone."""
    consents(world, (ANN, LONG_AGO), list="Members")
    world.run()
    world.wait(3600.0)
    world.people([{"email": ANN}, {"email": BOB}])
    world.model("members", "select email from people", max_removes=1.0, min_rows=0)
    world.run()
    world.people([{"email": BOB}])
    result = world.run()
    assert only_list(result, "members").outcomes == {Outcome.UNMANAGED: 1}
    assert world.emails() == [ANN, BOB]


def test_two_models_of_one_channel_cannot_share_a_list(world: World) -> None:
    """Each of the two would say who consented."""
    consents(world, (ANN, LONG_AGO), list="Members")
    world.model(
        "other",
        "select email, consented_at from consents",
        surface="subscriptions",
        channel="email",
        list="Members",
    )
    with pytest.raises(ModelError) as caught:
        world.plan()
    assert caught.value.problems[0].summary == (
        "The models newsletter and other use the same list 'Members' for its e-mail consent."
    )


def test_members_of_a_list_of_consent_cannot_be_adopted_or_compared(world: World) -> None:
    """Its model does not say who is on it."""
    consents(world, (ANN, LONG_AGO), list="Members")
    world.run()
    with pytest.raises(UsageError, match="owns no members"):
        world.project().adopt(["newsletter"])
