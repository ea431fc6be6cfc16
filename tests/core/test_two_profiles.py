"""Rule: a person whose address changes stays one member, even if another profile has the new address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import FailureCause
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.killing import nth_event
from tests.core.rows import become, members_model, moves, people, person
from tests.core.world import Interrupted, only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World

BY_ID = {"external_id": "customer_id", "email": "email"}
BY_EMAIL = {"email": "email", "external_id": "customer_id"}
ALL = {"allow_removes": ["members"]}
ADDRESSES: dict[str, dict[str, Any]] = {
    "profiles": {"surface": "profiles"},
    "another list": {"list": "Other", "max_removes": 1.0},
    "consent on the list": {
        "surface": "subscriptions",
        "channel": "email",
        "consent": "now",
        "list": "Members",
    },
}
MOVED = person("ann", email="new@example.com")


def ids_of_members(world: World) -> list[tuple[Any, Any]]:
    """Return who is on the list, by customer id and e-mail."""
    return sorted((member["external_id"], member["email"]) for member in world.members())


@pytest.mark.parametrize(
    ("addresses", "identifiers"), [*((kind, BY_ID) for kind in ADDRESSES), ("another list", BY_EMAIL)]
)
def test_a_model_of_addresses_makes_no_second_member(
    world: World, addresses: str, identifiers: dict[str, str]
) -> None:
    """Its name comes first, but rows with an id go first: they give the new address to Ann's profile."""
    members_model(world, identifiers=identifiers, max_removes=1.0)
    config = {"identifiers": {"email": "email"}, **ADDRESSES[addresses]}
    world.model("addresses", "select email from people", **config)
    moves(world, people("ann", "bob"))
    moves(world, [MOVED, person("bob")])
    assert ids_of_members(world) == [("c-ann", "new@example.com"), ("c-bob", "bob@example.com")]
    assert len(world.sandbox.profiles()) == 2
    become(world, people("bob"))
    world.run(**ALL)
    assert world.emails() == ["bob@example.com"]


def sign_up(world: World, email: str = "new@example.com") -> str:
    """Let Klaviyo have a second profile of Ann, with her new address."""
    return world.new_profile(email=email)


@pytest.mark.parametrize("conflicts", ["drop", "refuse"])
def test_a_row_known_by_an_id_keeps_its_member_if_another_profile_has_the_new_address(
    make_world: Callable[..., World], conflicts: str
) -> None:
    """She signed up with it: her row is sent without it, which is reported, until somebody merges both."""
    world = make_world(conflicts=conflicts)
    members_model(world, identifiers=BY_ID, max_removes=1.0)
    moves(world, people("ann", "bob"))
    second = sign_up(world)
    result = moves(world, [{**MOVED, "first_name": "Anna"}, person("bob")])
    assert only_list(result).outcomes == {Outcome.APPLIED: 1}
    assert ids_of_members(world) == [("c-ann", "ann@example.com"), ("c-bob", "bob@example.com")]
    assert world.person("ann@example.com")["first_name"] == "Anna"
    (note,) = world.project().status().notes
    assert note.startswith("Members: 1 row is sent without email, which another profile in Klaviyo has")
    writes = len(world.writes())
    assert world.run().exit_code == 0
    assert len(world.writes()) == writes
    first = world.person("ann@example.com")["id"]
    merged = {"profiles": {"data": [{"type": "profile", "id": second}]}}
    document = {"data": {"type": "profile-merge", "id": first, "relationships": merged}}
    world.by_hand("POST", "/api/profile-merge", document)
    world.wait(600.0)
    world.project().retry()
    world.run()
    assert ids_of_members(world) == [("c-ann", "new@example.com"), ("c-bob", "bob@example.com")]
    assert not world.project().status().notes


def test_a_row_known_by_its_phone_keeps_its_member_too(world: World) -> None:
    identifiers = {"phone_e164": "phone", "email": "email"}
    world.model("members", "select customer_id as phone, email from people", identifiers=identifiers)
    moves(world, [person("ann", customer_id="+14155550100")])
    sign_up(world)
    moves(world, [person("ann", customer_id="+14155550100", email="new@example.com")])
    assert world.emails() == ["ann@example.com"]


def test_a_new_phone_of_another_profile_counts_only_if_the_email_finds_nobody(world: World) -> None:
    """Klaviyo finds Ann by her e-mail, and Bob, who has none, by the phone of somebody else."""
    identifiers = {"external_id": "customer_id", "email": "email", "phone_e164": "club"}
    world.model("members", "select customer_id, email, club from people", identifiers=identifiers)
    moves(world, [person("ann"), person("bob", email=None, club="+14155550100")])
    for phone in ("+14155550101", "+14155550102"):
        world.new_profile(phone_number=phone)
    moves(world, [person("ann", club="+14155550101"), person("bob", email=None, club="+14155550102")])
    assert world.state("SELECT row_key, identifier FROM omissions") == [("external_id:c-bob", "phone_e164")]
    assert [customer for customer, _ in ids_of_members(world)] == ["c-ann", "c-bob"]


def test_nothing_is_sent_if_the_owner_of_an_address_cannot_be_looked_up(world: World) -> None:
    members_model(world, identifiers=BY_ID)
    moves(world, people("ann", "bob"))
    sign_up(world)
    world.fault(Fault(FaultKind.STATUS, method="GET", path="/api/profiles", status=503, times=None))
    result = moves(world, [MOVED, person("bob")])
    failed = only_list(result)
    assert failed.outcomes == {Outcome.NOT_SENT: 1}
    assert failed.failure_cause is FailureCause.KLAVIYO_ERROR
    assert result.exit_code == 4
    assert world.emails() == ["ann@example.com", "bob@example.com"]
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert world.emails() == ["ann@example.com", "bob@example.com"]


def test_an_address_that_klaviyo_refuses_to_look_up_is_left_out(world: World) -> None:
    """Nothing shows that it belongs to nobody else."""
    members_model(world, identifiers=BY_ID)
    moves(world, people("ann", "bob"))
    world.fault(Fault(FaultKind.STATUS, method="GET", path="/api/profiles", status=400, times=1))
    moves(world, [MOVED, person("bob")])
    assert world.state("SELECT row_key, identifier FROM omissions") == [("external_id:c-ann", "email")]


@pytest.mark.parametrize("nth", [3, 5])
def test_a_run_that_dies_adds_no_second_member(world: World, nth: int) -> None:
    members_model(world, identifiers=BY_ID)
    moves(world, people("ann", "bob"))
    sign_up(world)
    become(world, [MOVED, person("bob")])
    world.dies(nth_event(nth))
    world.wait(600.0)
    world.run()
    assert world.emails() == ["ann@example.com", "bob@example.com"]


def test_a_row_that_a_dead_run_may_have_added_gets_no_second_member(
    world: World, die_after: Callable[[Endpoint], None]
) -> None:
    """Its import was carried out, and no reply says so. Then she signs up with her new address."""
    members_model(world, identifiers=BY_ID)
    moves(world, people("bob"))
    become(world, people("ann", "bob"))
    die_after(Endpoint.START_IMPORT)
    with pytest.raises(Interrupted):
        world.run()
    world.wait(600.0)
    sign_up(world)
    moves(world, [MOVED, person("bob")])
    assert ids_of_members(world) == [("c-ann", "ann@example.com"), ("c-bob", "bob@example.com")]
    assert world.state("SELECT row_key, identifier FROM omissions") == [("external_id:c-ann", "email")]


def test_both_profiles_of_a_person_who_leaves_are_removed_if_we_added_them(world: World) -> None:
    """Somebody has Ann's id off the list; her row's import adds the profile with her e-mail, who is ours."""
    members_model(world, identifiers=BY_ID, max_removes=1.0)
    world.new_profile(email="ann@example.com")
    world.new_profile(email="other@example.com", external_id="c-ann")
    moves(world, people("ann", "bob"))
    assert world.emails() == ["ann@example.com", "bob@example.com"]
    assert only_list(moves(world, people("bob"))).outcomes == {Outcome.REMOVED: 1}
    assert world.emails() == ["bob@example.com"]


def test_a_second_profile_that_joined_by_itself_stays(world: World) -> None:
    members_model(world, identifiers=BY_ID, max_removes=1.0)
    moves(world, people("ann", "bob"))
    world.rename("ann@example.com", email="other@example.com")
    world.put_on_list(world.list_id(), sign_up(world, "ann@example.com"))
    world.wait(3_600.0)
    (difference,) = world.project().reconcile()
    assert (difference.several_members, difference.missing, difference.unmanaged) == (1, 0, 0)
    ((identity, profiles),) = difference.several_members_sample.items()
    assert identity == "external_id:c-ann"
    assert sorted(profiles) == sorted(world.person(f"{name}@example.com")["id"] for name in ("ann", "other"))
    moves(world, people("bob"))
    assert world.emails() == ["ann@example.com", "bob@example.com"]


def test_a_member_of_another_row_is_nobodys_second_member(world: World) -> None:
    """Ann's customer id is on Bob's profile, and both are members once."""
    members_model(world)
    moves(world, people("ann", "bob"))
    world.rename("ann@example.com", external_id="c-else")
    world.rename("bob@example.com", external_id="c-ann")
    (difference,) = world.project().reconcile()
    assert (difference.several_members, difference.members) == (0, 2)


def test_rows_that_go_by_their_email_ask_for_no_owner(world: World) -> None:
    """Klaviyo finds their profile by the identity itself."""
    members_model(world)
    moves(world, people("ann", "bob"))
    before = len(world.sandbox.log())
    moves(world, [person("ann", customer_id="c-new"), person("bob")])
    requests = [(entry.method, entry.path) for entry in world.sandbox.log()[before:]]
    assert ("POST", IMPORTS) in requests
    assert ("GET", "/api/profiles") not in requests


@pytest.mark.parametrize("identifiers", [BY_ID, BY_EMAIL], ids=["by id", "by e-mail"])
def test_nobody_is_removed_if_klaviyo_finds_profiles_by_the_external_id_first(
    make_world: Callable[..., World], identifiers: dict[str, str]
) -> None:
    """Then the new row means Ann's profile too, which keeps its address. The other profile is no member."""
    world = make_world(found_by="external_id")
    members_model(world, identifiers=identifiers, max_removes=1.0)
    moves(world, people("ann", "bob"))
    sign_up(world)
    for _ in range(2):
        result = moves(world, [MOVED, person("bob")])
        assert ids_of_members(world) == [("c-ann", "ann@example.com"), ("c-bob", "bob@example.com")]
    assert only_list(result).outcomes == ({Outcome.HELD: 1} if identifiers is BY_EMAIL else {})
    moves(world, people("bob"))
    assert world.emails() == ["bob@example.com"]
