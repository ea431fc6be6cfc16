"""Models with `on_remove='unsubscribe'`, which several tests run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.core.consent import ANN, BOB, LONG_AGO, consents
from tests.paths import UNSUBSCRIBE

if TYPE_CHECKING:
    from tests.core.world import World


def unsubscribing(world: World, *emails: str, **config: Any) -> None:
    """Let a model subscribe these people, and unsubscribe those who leave it."""
    config = {"on_remove": "unsubscribe", "max_removes": 1.0, "min_rows": 0, **config}
    consents(world, *((email, LONG_AGO) for email in emails), **config)


def requests(world: World) -> int:
    """Return how many requests unsubscribed people so far."""
    return sum(entry.path == UNSUBSCRIBE for entry in world.sandbox.log())


def subscribe_two(world: World) -> None:
    """Subscribe Ann and Bob."""
    unsubscribing(world, ANN, BOB)
    world.run()


def subscribe_two_of_a_list(world: World) -> None:
    """Subscribe Ann and Bob to a list."""
    unsubscribing(world, ANN, BOB, list="Members")
    world.run()


def subscribe_two_members(world: World) -> None:
    """Put Ann and Bob on a list by one model, and subscribe them to it by another."""
    members_and_consents(world, [ANN, BOB], [ANN, BOB])
    world.run()


def members_and_consents(world: World, members: list[str], subscribers: list[str], **config: Any) -> None:
    """Let one model say who is on a list, and another who is subscribed to it."""
    world.people([{"email": email} for email in members], columns="email VARCHAR")
    world.model("members", "select email from people", max_removes=1.0, min_rows=0)
    unsubscribing(world, *subscribers, list="Members", **config)
