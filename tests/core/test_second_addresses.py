"""Profiles with several e-mail addresses: a look-up by one of them returns a profile that shows another."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.consents.consent_rules import ReadPerson
from reverse_etl.delivery.consents.unsubscribe_people import LeavingRow, _Attempt
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.klaviyo.consents import (
    Channel,
    Consent,
    ConsentingProfile,
    ConsentStatus,
    SubscribeOptions,
)
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.state.consents import OwnConsent
from tests.core.consent import ANN, BOB, CAT, LONG_AGO, status
from tests.core.rows import moves, people
from tests.core.unsubscriptions import requests as unsubscriptions
from tests.core.unsubscriptions import unsubscribing
from tests.core.world import only_list
from tests.paths import SUPPRESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World

EITHER = pytest.mark.parametrize("merged_emails", ["keep", "forget"])


def merge(world: World, target: str, source: str) -> None:
    """Merge two people at Klaviyo, as somebody there would."""
    resource = {
        "type": "profile-merge",
        "id": world.person(f"{target}@example.com")["id"],
        "relationships": {
            "profiles": {"data": [{"type": "profile", "id": world.person(f"{source}@example.com")["id"]}]}
        },
    }
    world.by_hand("POST", "/api/profile-merge", {"data": resource})


@pytest.fixture
def make_members(make_world: Callable[..., World]) -> Callable[..., World]:
    """Return what makes a world whose model has only e-mails, and has sent some people."""

    def make(*names: str, **rules: Any) -> World:
        world = make_world(**rules)
        world.model(
            "members", "select email, first_name from people", identifiers={"email": "email"}, max_removes=1.0
        )
        moves(world, people(*(names or ("ann", "bob", "cat"))))
        return world

    return make


def test_a_person_found_by_a_second_address_is_removed(make_members: Callable[..., World]) -> None:
    """Bob's row left, and Klaviyo shows his profile with the address of another one, which no row has."""
    world = make_members(merged_emails="keep")
    world.new_profile(email="robert@example.com")
    merge(world, "robert", "bob")
    assert world.emails() == ["ann@example.com", "cat@example.com", "robert@example.com"]
    assert only_list(moves(world, people("ann", "cat"))).outcomes == {Outcome.REMOVED: 1}
    assert world.emails() == ["ann@example.com", "cat@example.com"]


@EITHER
def test_a_person_desired_under_the_shown_address_stays(
    make_members: Callable[..., World], merged_emails: str
) -> None:
    world = make_members(merged_emails=merged_emails)
    merge(world, "ann", "bob")
    moves(world, people("ann", "cat"))
    assert world.emails() == ["ann@example.com", "cat@example.com"]


@EITHER
def test_a_person_we_never_added_stays(make_members: Callable[..., World], merged_emails: str) -> None:
    """Bob's profile was merged into one that marketing had on the list before any run."""
    world = make_members(merged_emails=merged_emails)
    early = world.new_profile(email="early@example.com")
    world.model(
        "late", "select email from late", identifiers={"email": "email"}, list="Late", max_removes=1.0
    )
    late = world.new_list("Late")
    world.put_on_list(late, early)
    world.wait(600.0)
    world.people([{"email": "dan@example.com"}, {"email": "eve@example.com"}], "late")
    world.run()
    world.calm()
    world.wait(600.0)
    merge(world, "early", "dan")
    world.people([{"email": "eve@example.com"}], "late")
    world.run()
    assert "early@example.com" in world.emails("Late")


def test_many_values_take_few_more_requests(make_members: Callable[..., World]) -> None:
    """The values are halved until it is clear by which one the profile was found."""
    names = [f"p{number:03}" for number in range(99)]
    world = make_members("ann", *names, merged_emails="keep")
    world.new_profile(email="other@example.com")
    merge(world, "other", "p042")
    before = len(world.sandbox.log())
    assert only_list(moves(world, people("ann"))).outcomes[Outcome.REMOVED] == 99
    assert world.emails() == ["ann@example.com"]
    lookups = [entry for entry in world.sandbox.log()[before:] if entry.path.endswith("/profiles")]
    assert len(lookups) < 80


def test_reconcile_finds_a_member_by_a_second_address(make_members: Callable[..., World]) -> None:
    """Bob's profile shows another address: his row is not missing, and its member is not unmanaged."""
    world = make_members(merged_emails="keep")
    world.new_profile(email="robert@example.com")
    merge(world, "robert", "bob")
    (difference,) = world.project().reconcile()
    assert (difference.applied, difference.members) == (3, 3)
    assert (difference.missing, difference.unmanaged) == (0, 0)


def test_adopting_a_list_removes_nobody_who_is_desired_under_a_second_address(
    make_members: Callable[..., World],
) -> None:
    world = make_members(merged_emails="keep")
    world.new_profile(email="robert@example.com")
    merge(world, "robert", "bob")
    world.project().adopt(select=("members",))
    assert only_list(world.run()).outcomes == {}
    assert "robert@example.com" in world.emails()


def test_reconcile_finds_a_member_whose_phone_shows_in_another_form(world: World) -> None:
    """Old profiles have phones that are not E.164."""
    world.model(
        "members", "select phone_e164 from people", identifiers={"phone_e164": "phone_e164"}, max_removes=1.0
    )
    world.people([{"phone_e164": "+14155550101"}, {"phone_e164": "+14155550102"}])
    world.run()
    phone = "/data/*/attributes/phone_number"
    world.fault(
        Fault(FaultKind.SET, "GET", "/api/lists/*/profiles", field=phone, value="(415) 555-0101", times=None)
    )
    world.sandbox.finish_jobs()
    (difference,) = world.project().reconcile()
    assert (difference.applied, difference.members, difference.missing, difference.unmanaged) == (2, 2, 0, 0)


def hide_emails(world: World) -> None:
    """Let Klaviyo find people by their e-mail and not show it."""
    for path in ("/api/profiles", "/api/lists/*/profiles"):
        world.fault(
            Fault(FaultKind.SET, "GET", path, field="/data/*/attributes/email", value=None, times=None)
        )


def merge_or_hide(world: World, how: str) -> None:
    """Let Klaviyo show no longer bob's address: his profile has another one, too, or none is shown."""
    if how == "hidden":
        hide_emails(world)
    else:
        world.new_profile(email="robert@example.com")
        merge(world, "robert", "bob")


HOW = pytest.mark.parametrize("how", ["second", "hidden"])


@HOW
def test_a_person_with_a_second_or_hidden_address_is_suppressed(
    make_members: Callable[..., World], how: str
) -> None:
    """The row is not without a profile: nobody would be suppressed."""
    world = make_members(merged_emails="keep")
    merge_or_hide(world, how)
    world.model("blocked", "select email from blocked", surface="suppressions")
    world.people([{"email": "bob@example.com"}], "blocked")
    result = world.run()
    assert only_list(result, "blocked").outcomes == {Outcome.APPLIED: 1}
    assert [entry.path for entry in world.writes()].count(SUPPRESS) == 1
    assert only_list(world.run(), "blocked").outcomes == {}


@HOW
def test_a_person_with_a_second_or_hidden_address_is_updated_and_cleared(
    make_members: Callable[..., World], how: str
) -> None:
    world = make_members(merged_emails="keep")
    merge_or_hide(world, how)
    world.people([{"email": "bob@example.com", "tier": "gold"}], "tiers")
    world.model("tiers", "select email, tier from tiers", surface="profiles", create="never", on_null="clear")
    assert only_list(world.run(), "tiers").outcomes == {Outcome.APPLIED: 1}
    shown = "robert@example.com" if how == "second" else "bob@example.com"
    assert world.person(shown)["properties"]["tier"] == "gold"
    world.people([{"email": "bob@example.com", "tier": None}], "tiers")
    assert only_list(world.run(), "tiers").outcomes == {Outcome.APPLIED: 1}
    assert "tier" not in world.person(shown)["properties"]


LISTS = pytest.mark.parametrize("config", [{}, {"list": "Members"}], ids=["no list", "a list"])


@LISTS
@pytest.mark.parametrize("rows_before", [(BOB,), (ANN, BOB)], ids=["moved", "both rows"])
def test_a_person_desired_under_the_shown_address_stays_subscribed(
    make_world: Callable[..., World], rows_before: tuple[str, ...], config: dict[str, Any]
) -> None:
    """Bob's row left, and a look-up by it finds ann, who still has a row."""
    world = make_world(merged_emails="keep")
    unsubscribing(world, *rows_before, CAT, **config)
    world.run()
    if ANN not in rows_before:
        world.new_profile(email=ANN)
    merge(world, "ann", "bob")
    unsubscribing(world, ANN, CAT, **config)
    assert only_list(world.run()).outcomes[Outcome.UNMANAGED] == 1
    assert unsubscriptions(world) == 0


def test_a_person_of_another_model_by_the_shown_address_stays_subscribed(
    make_world: Callable[..., World],
) -> None:
    world = make_world(merged_emails="keep")
    unsubscribing(world, BOB, CAT)
    world.run()
    world.new_profile(email=ANN)
    merge(world, "ann", "bob")
    columns = "email VARCHAR, consented_at TIMESTAMPTZ"
    world.people([{"email": ANN, "consented_at": LONG_AGO}], "club", columns)
    world.model("club", "select email, consented_at from club", surface="subscriptions", channel="email")
    unsubscribing(world, CAT)
    assert only_list(world.run(), "newsletter").outcomes == {Outcome.UNMANAGED: 1}
    assert unsubscriptions(world) == 0


def test_a_person_with_a_second_address_and_no_row_is_unsubscribed(
    make_world: Callable[..., World],
) -> None:
    world = make_world(merged_emails="keep")
    unsubscribing(world, BOB, CAT)
    world.run()
    world.new_profile(email=ANN)
    merge(world, "ann", "bob")
    unsubscribing(world, CAT)
    assert only_list(world.run()).outcomes == {Outcome.REMOVED: 1}
    assert (unsubscriptions(world), status(world, ANN)) == (1, "UNSUBSCRIBED")


def test_an_unsubscription_names_the_profile_that_is_subscribed_and_no_other() -> None:
    """Bob's address belongs to Cat's profile now, and somebody who never subscribed was found with it."""
    profiles = (
        ConsentingProfile("cat", CAT, Consent(ConsentStatus.SUBSCRIBED, source="model")),
        ConsentingProfile("bob", BOB, Consent(ConsentStatus.NEVER_SUBSCRIBED)),
    )
    reader: Any = SimpleNamespace(
        options=SubscribeOptions(Channel.EMAIL, "", "model"),
        read_for_attempt=lambda *_, **__: {BOB: ReadPerson(profiles, "", frozenset())},
    )
    request = _Attempt(reader, [LeavingRow(1, f"email:{BOB}", OwnConsent(None))]).prepare()
    assert request is not None
    assert request.body is not None
    assert (CAT.encode() in request.body, BOB.encode() in request.body) == (True, False)
