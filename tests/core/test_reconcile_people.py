"""Reconcile of suppressions and consents: what Klaviyo no longer shows, and what can be sent again."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import Warned
from reverse_etl.errors import KlaviyoError, UsageError
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.consent import ANN, BOB, CAT, LONG_AGO, at, consents, new_list, requests, status
from tests.core.consent import outcomes as consent_outcomes
from tests.core.suppressions import (
    SUPPRESS,
    UNSUPPRESS,
    block,
    by_hand,
    email,
    open_shop,
    outcomes,
    suppressed,
)
from tests.core.test_second_addresses import merge

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.reconcile.drift import ListDifference
    from tests.core.world import PrepareWorld, World


@pytest.fixture
def shop(prepare_world: PrepareWorld) -> World:
    """Let a model suppress some of the people that Klaviyo knows."""
    return prepare_world(open_shop)


def reconciled(world: World, **options: Any) -> ListDifference:
    """Reconcile, and return what was found of the only model."""
    (difference,) = world.project().reconcile(**options)
    return difference


def figures(difference: ListDifference) -> dict[str, int]:
    """Return the figures that are not 0, by name."""
    numbers = {field.name: getattr(difference, field.name) for field in dataclasses.fields(difference)}
    return {name: value for name, value in numbers.items() if isinstance(value, int) and value}


def profile_reads(world: World) -> int:
    """Return how many reads of profiles were sent so far."""
    return sum(entry.path == "/api/profiles" and entry.method == "GET" for entry in world.sandbox.log())


def test_suppressed_people_are_read_in_one_sweep(shop: World) -> None:
    """101 take two pages, whatever rows there are; people that other reasons keep from mails are not read."""
    shop.sandbox.suppress(email(110), "HARD_BOUNCE")
    block(shop, [email(number) for number in range(101)])
    shop.run()
    before = profile_reads(shop)
    assert figures(reconciled(shop)) == {"applied": 101, "members": 101}
    assert profile_reads(shop) == before + 2


def test_a_suppression_that_was_lifted_by_hand_is_missing_and_can_be_resent(shop: World) -> None:
    """A run alone never looks: nothing of the row changed. Reconcile alone changes nothing."""
    block(shop, [email(1), email(2)])
    shop.run()
    by_hand(shop, email(2), path=UNSUPPRESS)
    assert outcomes(shop) == {}
    difference = reconciled(shop)
    assert figures(difference) == {"applied": 2, "members": 1, "missing": 1}
    assert difference.missing_sample == (f"email:{email(2)}",)
    assert outcomes(shop) == {}
    writes = len(shop.writes())
    assert reconciled(shop, resend=True).missing == 1
    assert len(shop.writes()) == writes
    assert figures(reconciled(shop)) == {"applied": 2, "members": 1, "uncertain": 1}
    assert outcomes(shop) == {Outcome.APPLIED: 1}
    assert suppressed(shop) == [email(1), email(2)]
    assert figures(reconciled(shop)) == {"applied": 2, "members": 2}


def test_suppressed_people_without_a_row_are_only_a_count(shop: World) -> None:
    by_hand(shop, email(5), email(6))
    block(shop, [email(1), email(5)])
    shop.run()
    difference = reconciled(shop)
    assert figures(difference) == {"applied": 2, "members": 3, "unmanaged": 1}
    assert difference.unmanaged_sample == ()
    with pytest.raises(UsageError, match="owns no members"):
        shop.project().adopt(["blocked"])


def test_a_suppressed_person_of_another_address_is_not_missing(
    make_world: Callable[..., World],
) -> None:
    """Klaviyo finds the profile by the row's address too, since two profiles were merged."""
    shop = open_shop(make_world(merged_emails="keep"))
    block(shop, [email(1)])
    shop.run()
    shop.new_profile(email="new@example.com")
    merge(shop, "new", "p0001")
    by_hand(shop, "new@example.com")
    assert figures(reconciled(shop)) == {"applied": 1, "members": 1}


def test_a_suppression_whose_reply_was_lost_is_uncertain_and_not_missing(shop: World) -> None:
    """The next run reads it and sends it again."""
    shop.fault(Fault(FaultKind.CUT, "POST", SUPPRESS, times=None))
    block(shop, [email(1)])
    shop.run()
    shop.calm()
    assert figures(reconciled(shop, resend=True)) == {"uncertain": 1}
    assert outcomes(shop) == {Outcome.APPLIED: 1}
    assert figures(reconciled(shop)) == {"applied": 1, "members": 1}


def test_a_lost_reply_to_a_page_is_asked_for_again(shop: World) -> None:
    block(shop, [email(1), email(2)])
    shop.run()
    shop.fault(Fault(FaultKind.CUT, "GET", "/api/profiles", after=True))
    assert figures(reconciled(shop)) == {"applied": 2, "members": 2}


def test_a_sweep_that_fails_changes_nothing(shop: World) -> None:
    """A page is refused: nothing counts as missing, not even with resend."""
    block(shop, [email(1)])
    shop.run()
    shop.fault(Fault(FaultKind.STATUS, "GET", "/api/profiles", times=None, status=403))
    with pytest.raises(KlaviyoError):
        reconciled(shop, resend=True)
    shop.calm()
    assert figures(reconciled(shop)) == {"applied": 1, "members": 1}


def test_a_model_of_another_surface_is_compared_after_its_next_run(shop: World) -> None:
    """Its rows were no suppressions, so that none of them is missing."""
    shop.model("blocked", "select email from people", surface="profiles")
    shop.run()
    shop.model("blocked", "select email from people", surface="suppressions")
    events: list[Any] = []
    assert shop.project().reconcile(resend=True, on_progress=events.append) == ()
    (warning,) = [event for event in events if isinstance(event, Warned)]
    assert "blocked: it changed since it was sent" in warning.text


def test_subscribers_who_opted_out_are_not_missing_and_never_resent(world: World) -> None:
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO), (CAT, LONG_AGO))
    world.run()
    world.sandbox.opt_out(ANN)
    world.sandbox.suppress(BOB, "USER_SUPPRESSED")
    difference = reconciled(world, resend=True)
    assert figures(difference) == {"applied": 3, "members": 1, "opted_out": 2}
    sent = requests(world)
    assert consent_outcomes(world.run()) == {}
    assert (requests(world), status(world)) == (sent, "UNSUBSCRIBED")


def test_a_subscriber_who_is_off_the_list_is_missing_and_can_be_resent(world: World) -> None:
    """She did not opt out: somebody removed her from the list by hand."""
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO), list="Members")
    world.run()
    world.wait()
    world.take_off_list(BOB)
    difference = reconciled(world)
    assert (figures(difference), difference.label) == ({"applied": 2, "members": 1, "missing": 1}, "Members")
    assert difference.missing_sample == (f"email:{BOB}",)
    reconciled(world, resend=True)
    assert consent_outcomes(world.run()) == {"applied": 1}
    assert world.emails() == [ANN, BOB]
    assert figures(reconciled(world)) == {"applied": 2, "members": 2}


def test_a_subscriber_whose_address_no_profile_has_is_missing(world: World) -> None:
    """Somebody wrote another one into the profile."""
    consents(world, (ANN, LONG_AGO), (BOB, LONG_AGO))
    world.run()
    world.rename(BOB, email="robert@example.com")
    assert figures(reconciled(world)) == {"applied": 2, "members": 1, "missing": 1}


def test_a_person_who_never_confirmed_is_not_missing(world: World) -> None:
    """Sending the row again would mail her once more."""
    new_list(world, "double_opt_in")
    consents(world, (ANN, at(world, -60.0)), list="Members", consent="now")
    world.model(
        "newsletter",
        "select email from consents",
        surface="subscriptions",
        channel="email",
        consent="now",
        list="Members",
    )
    assert consent_outcomes(world.run()) == {"pending": 1}
    assert figures(reconciled(world, resend=True)) == {"applied": 1, "unconfirmed": 1}
    assert consent_outcomes(world.run()) == {}


def test_the_consent_of_many_rows_is_read_a_hundred_at_a_time(world: World) -> None:
    """Twice: the profiles, and the list's members of the same addresses."""
    rows = [(f"p{number:03}@example.com", LONG_AGO) for number in range(150)]
    consents(world, *rows, list="Members")
    world.run()
    before = len(world.sandbox.log())
    assert figures(reconciled(world)) == {"applied": 150, "members": 150}
    reads = [entry.path for entry in world.sandbox.log()][before:]
    assert sum(path == "/api/profiles" for path in reads) == 2


def test_a_model_of_another_channel_is_compared_after_its_next_run(world: World) -> None:
    """Its rows are e-mails, so that no consent to texts can be read for them."""
    consents(world, (ANN, LONG_AGO))
    world.run()
    select = "select '+14155550100' as phone_e164, consented_at from consents"
    world.model("newsletter", select, surface="subscriptions", channel="sms")
    events: list[Any] = []
    assert world.project().reconcile(resend=True, on_progress=events.append) == ()
    assert any(isinstance(event, Warned) and "it changed since" in event.text for event in events)


def test_consent_to_texts_is_read_by_phone(world: World) -> None:
    world.people(
        [{"phone": phone, "consented_at": LONG_AGO} for phone in ("+14155550100", "+14155550101")],
        "consents",
        "phone VARCHAR, consented_at TIMESTAMPTZ",
    )
    select = "select phone as phone_e164, consented_at from consents"
    world.model("texts", select, surface="subscriptions", channel="sms")
    assert consent_outcomes(world.run()) == {"applied": 2}
    assert figures(reconciled(world)) == {"applied": 2, "members": 2}
