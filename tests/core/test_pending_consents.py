"""Consents that people have yet to confirm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.transport import Transport
from tests.core.consent import (
    ANN,
    BOB,
    LONG_AGO,
    consents,
    new_list,
    outcomes,
    requests,
)
from tests.core.world import Interrupted, World

if TYPE_CHECKING:
    from reverse_etl.klaviyo.messages import Request, TransportResult


def test_a_list_with_double_opt_in_leaves_people_pending(world: World) -> None:
    """They are asked once; each run looks, and a confirmation settles the row without a request."""
    new_list(world, "double_opt_in")
    consents(world, (ANN, None), consent="now", list="Members")
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"pending": 1}, 0)
    again = world.run()
    assert (outcomes(again), again.exit_code, requests(world)) == ({}, 0, 1)
    world.sandbox.confirm_opt_in(ANN)
    world.run()
    assert world.state("SELECT state FROM consents") == [("confirmed",)]
    assert requests(world) == 1


def test_consent_that_is_never_confirmed_expires(world: World) -> None:
    """A new address without a list and a past consent becomes no profile; after two weeks no run looks."""
    consents(world, (ANN, None), consent="now")
    assert outcomes(world.run()) == {"pending": 1}
    world.wait(15 * 24 * 3600.0)
    world.run()
    assert world.state("SELECT state FROM consents") == [("expired",)]
    before = len(world.sandbox.log())
    world.run()
    assert not [entry for entry in world.sandbox.log()[before:] if entry.path == "/api/profiles"]


def test_somebody_who_opts_out_before_the_confirmation_is_not_asked_again(world: World) -> None:
    """She was pending, and says no."""
    world.new_profile(email=ANN)
    new_list(world, "double_opt_in")
    consents(world, (ANN, None), consent="now", list="Members")
    world.run()
    world.sandbox.opt_out(ANN)
    world.run()
    assert world.state("SELECT state FROM consents") == [("opted_out",)]
    assert requests(world) == 1


def test_a_killed_run_shows_its_pending_consents_as_accepted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its receipts say that Klaviyo took them, which proves nothing."""
    new_list(world, "double_opt_in")
    consents(world, (ANN, None), (BOB, LONG_AGO), list="Members", consent="now")
    send = Transport.send

    def die_at_read_back(transport: Transport, request: Request) -> TransportResult:
        if request.endpoint is Endpoint.PROFILES and requests(world) == 2:
            raise Interrupted
        return send(transport, request)

    monkeypatch.setattr(Transport, "send", die_at_read_back)
    with pytest.raises(Interrupted):
        world.run()
    interruption = world.project().status().interruption
    assert interruption is not None
    assert interruption.answered == {"accepted": 2}
