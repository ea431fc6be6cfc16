"""Consents to SMS and WhatsApp, by phone number."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from reverse_etl.errors import ModelError
from reverse_etl.planning.plan_options import PlanOptions
from tests.core.consent import (
    LONG_AGO,
    outcomes,
    requests,
)

if TYPE_CHECKING:
    from tests.core.world import World


def test_phones_are_subscribed_to_sms(world: World) -> None:
    """The channel decides the identifier; phones of a region without a sender are rejected alone."""
    world.sandbox.change_rules(refused_sms_prefixes=("+81",))
    phones = [f"+8190123456{number:02}" for number in range(30)] + ["+14155550100", "+14155550101"]
    world.people(
        [{"phone_e164": phone, "consented_at": LONG_AGO} for phone in phones],
        "phones",
        "phone_e164 VARCHAR, consented_at TIMESTAMPTZ",
    )
    select = "select phone_e164, consented_at from phones"
    world.model("texts", select, surface="subscriptions", channel="sms")
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"applied": 2, "rejected_by_klaviyo": 30}, 1)
    assert (outcomes(world.run()), requests(world)) == ({}, 2)


def test_phones_that_are_all_refused_are_each_rejected(world: World) -> None:
    """A small list of one country has no sender: the phones are at fault, however many."""
    world.sandbox.change_rules(refused_sms_prefixes=("+81",))
    phones = [{"phone_e164": f"+819012345{number}", "consented_at": LONG_AGO} for number in range(600, 603)]
    world.people(phones, "phones", "phone_e164 VARCHAR, consented_at TIMESTAMPTZ")
    select = "select phone_e164, consented_at from phones"
    world.model("texts", select, surface="subscriptions", channel="sms")
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"rejected_by_klaviyo": 3}, 1)


@pytest.mark.parametrize("number_of_rows", [3, 25])
def test_a_missing_date_of_birth_is_the_models_fault(world: World, number_of_rows: int) -> None:
    """All rows are refused for one reason: the list stops, and no row is rejected. With the date they go."""
    world.sandbox.change_rules(age_gated=True)
    rows = [
        {"phone_e164": f"+141555501{number:02}", "consented_at": LONG_AGO, "born": "1990-01-02"}
        for number in range(number_of_rows)
    ]
    world.people(rows, "phones", "phone_e164 VARCHAR, consented_at TIMESTAMPTZ, born DATE")
    select = "select phone_e164, consented_at from phones"
    world.model("texts", select, surface="subscriptions", channel="sms")
    result = world.run()
    assert (outcomes(result), result.exit_code) == ({"not_sent": number_of_rows}, 4)
    select = "select phone_e164, consented_at, born as age_gated_date_of_birth from phones"
    world.model("texts", select, surface="subscriptions", channel="sms")
    assert outcomes(world.run()) == {"applied": number_of_rows}


@pytest.mark.parametrize("channel", ["sms", "sms_transactional", "whatsapp", "whatsapp_transactional"])
def test_each_channel_of_a_phone_has_its_own_consent(world: World, channel: str) -> None:
    """One channel is subscribed, and no other; an opt-out of it holds."""
    phone = "+14155550100"
    world.people(
        [{"phone_e164": phone, "consented_at": LONG_AGO}],
        "phones",
        "phone_e164 VARCHAR, consented_at TIMESTAMPTZ",
    )
    select = "select phone_e164, consented_at from phones"
    world.model("texts", select, surface="subscriptions", channel=channel)
    assert outcomes(world.run()) == {"applied": 1}
    assert subscribed_channels(world, phone) == {channel}
    medium, _, kind = channel.partition("_")
    world.sandbox.opt_out(phone, f"{medium}.{kind or 'marketing'}")
    world.model("texts", select, surface="subscriptions", channel=channel, custom_source="shop")
    result = world.run(options=PlanOptions(full_refresh=True))
    assert outcomes(result) == {"opted_out": 1}
    assert subscribed_channels(world, phone) == set()


def subscribed_channels(world: World, phone: str) -> set[str]:
    """Return the channels of a phone that a profile is subscribed to, by their names in models."""
    query = (
        f'/api/profiles?filter=equals(phone_number,"{quote(phone)}")&additional-fields[profile]=subscriptions'
    )
    (profile,) = world.by_hand("GET", query)["data"]
    shown = profile["attributes"]["subscriptions"]
    return {
        medium if kind == "marketing" else f"{medium}_{kind}"
        for medium in ("sms", "whatsapp")
        for kind, leaf in (shown[medium] or {}).items()
        if leaf["consent"] == "SUBSCRIBED"
    }


def test_transactional_consent_has_no_list(world: World) -> None:
    """People subscribe to marketing alone by a list."""
    world.people([{"phone_e164": "+14155550100"}], "phones")
    config = {"surface": "subscriptions", "channel": "sms_transactional", "consent": "now"}
    world.model("texts", "select phone_e164 from phones", list="Members", **config)
    with pytest.raises(ModelError) as caught:
        world.plan()
    assert caught.value.problems[0].summary == "The surface subscriptions has no list, but list is given."
