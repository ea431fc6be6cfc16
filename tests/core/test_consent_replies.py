"""Replies that are lost, late or unclear: what of a consent is sent again, and what becomes unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from reverse_etl.sandbox import Fault, FaultKind
from tests.core.consent import (
    ANN,
    BOB,
    CAT,
    LONG_AGO,
    SUBSCRIBE,
    consents,
    outcomes,
    requests,
    status,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World

    PlayReads: TypeAlias = Callable[[Callable[[Any], Any]], None]


def test_a_lost_reply_is_followed_by_another_read(world: World) -> None:
    """The second attempt finds who was subscribed by the first one, or who opted out since."""
    world.sandbox.change_rules(consent_seconds=0)
    world.fault(Fault(FaultKind.CUT, path=SUBSCRIBE, after=True))
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    assert outcomes(world.run()) == {"applied": 2}
    assert requests(world) == 1


def test_a_row_whose_request_fails_for_good_is_unknown(world: World) -> None:
    """The next run reads what came of it."""
    world.sandbox.change_rules(consent_seconds=0)
    world.fault(Fault(FaultKind.STATUS, path=SUBSCRIBE, times=None))
    consents(world, (ANN, LONG_AGO))
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"unknown": 1}, 4)
    world.calm()
    assert outcomes(world.run()) == {"applied": 1}


def test_reads_that_take_too_long_subscribe_nobody(world: World, play_reads: PlayReads) -> None:
    """The consent that they show may be outdated."""

    def dawdle(document: Any) -> Any:
        world.clock.leap(6.0)
        return document

    play_reads(dawdle)
    consents(world, (ANN, LONG_AGO))
    result = world.run()
    assert (outcomes(result), result.exit_code, requests(world)) == ({"not_sent": 1}, 4, 0)


def test_a_consent_that_cannot_be_read_holds_its_row_alone(world: World, play_reads: PlayReads) -> None:
    """Missing evidence is no permission; the others are subscribed."""
    world.new_profile(email=ANN)

    def hide(document: Any) -> Any:
        for resource in document["data"]:
            if resource["attributes"]["email"] == ANN:
                del resource["attributes"]["subscriptions"]
        return document

    play_reads(hide)
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"applied": 1, "not_sent": 1}, 4)
    assert status(world, ANN) == "NEVER_SUBSCRIBED"


def test_a_profile_found_by_another_address_is_its_rows_person(world: World, play_reads: PlayReads) -> None:
    """Klaviyo may find a profile by a secondary address and show the first one: she opted out."""
    world.new_profile(email=ANN)
    world.sandbox.opt_out(ANN)

    def rename(document: Any) -> Any:
        for resource in document["data"]:
            if resource["attributes"]["email"] == ANN:
                resource["attributes"]["email"] = "first@example.com"
        return document

    play_reads(rename)
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO), (CAT, LONG_AGO))
    result = world.run()
    assert outcomes(result) == {"applied": 2, "opted_out": 1}
    assert status(world, ANN) == "UNSUBSCRIBED"


def test_after_a_lost_reply_people_who_are_not_told_apart_are_unknown(
    world: World, play_reads: PlayReads
) -> None:
    """The first attempt may have subscribed each of them. The next run reads them one by one."""
    world.sandbox.change_rules(consent_seconds=0)

    def rename(document: Any) -> Any:
        for resource in document["data"]:
            if resource["attributes"]["email"] == ANN and requests(world):
                resource["attributes"]["email"] = "first@example.com"
        return document

    play_reads(rename)
    world.fault(Fault(FaultKind.CUT, path=SUBSCRIBE, after=True))
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"unknown": 2}, 4)
    assert outcomes(world.run()) == {"applied": 2}
    assert requests(world) == 1
