"""Rule: removal. A desired person stays, with their own profile, even if another row of theirs leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import BY_EMAIL, become, members_model, moves, people, person, send_one, send_two
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import PrepareWorld, World


def test_two_rows_of_one_profile_and_only_one_of_them_leaves(make_world: Callable[..., World]) -> None:
    """Two rows became one profile at Klaviyo (merged there). Removing the one must not remove the other."""
    world = make_world()
    members_model(world)
    become(world, people("ann", "bob"))
    world.run()
    ann, bob = (world.person(f"{name}@example.com")["id"] for name in ("ann", "bob"))
    merge = {
        "type": "profile-merge",
        "id": ann,
        "relationships": {"profiles": {"data": [{"type": "profile", "id": bob}]}},
    }
    world.by_hand("POST", "/api/profile-merge", {"data": merge})
    world.by_hand(
        "PATCH",
        f"/api/profiles/{ann}",
        {"data": {"type": "profile", "id": ann, "attributes": {"external_id": "c-bob"}}},
    )
    become(world, people("ann"))
    result = world.run()
    assert only_list(result).outcomes == {Outcome.REPLACED: 1}
    assert world.emails() == ["ann@example.com"]


def test_a_desired_person_is_not_overwritten_by_another_row(prepare_world: PrepareWorld) -> None:
    """Ann's customer id is not known today, and a new row has it.

    Klaviyo would take that row for Ann, and she would be no more.

    The new row is sent without the id, which Klaviyo has as Ann's; that is counted, and changes nothing on
    later days. When she has left, it is sent.
    """
    members = prepare_world(send_two)
    ann = members.person("ann@example.com")["id"]
    become(members, [person("ann", customer_id=None), person("new", customer_id="c-ann"), person("bob")])
    result = members.run()
    assert result.plan.models[0].omitted_identifiers == {IdentifierType.EXTERNAL_ID: 1}
    assert members.emails() == ["ann@example.com", "bob@example.com", "new@example.com"]
    assert members.person("ann@example.com")["id"] == ann
    before = len(members.writes())
    members.run()
    assert len(members.writes()) == before
    become(members, [person("new", customer_id="c-ann"), person("bob")])
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    assert members.emails() == ["bob@example.com", "new@example.com"]


def test_a_desired_person_with_a_new_email_is_not_overwritten(world: World) -> None:
    """Klaviyo knows her by her id, and has a phone as hers that the model has not. Somebody new has it."""
    select = "select email, customer_id, first_name as phone from people"
    kinds = {"email": "email", "external_id": "customer_id", "phone_e164": "phone"}
    world.model("members", select, identifiers=kinds, max_removes=1.0)
    ann, bob, cat = (person(name, first_name=None) for name in ("ann", "bob", "cat"))
    phone = {"first_name": "+14155550001"}
    moves(world, [ann | phone, cat])
    profile = world.person("ann@example.com")["id"]
    result = moves(world, [ann | {"email": "ann2@example.com"}, bob | phone, cat])
    assert result.plan.models[0].omitted_identifiers == {IdentifierType.PHONE: 1}
    assert world.emails() == ["ann2@example.com", "bob@example.com", "cat@example.com"]
    assert world.person("ann2@example.com")["id"] == profile


def test_a_desired_person_is_not_overwritten_after_identifiers_change(world: World) -> None:
    """Another identifier comes with the same build in which Ann's id is NULL and a new row has it."""
    select = "select email, customer_id, first_name, club as phone from people"
    world.model("members", select, identifiers=BY_EMAIL)
    become(world, people("ann", "bob"))
    world.run()
    world.model("members", select, identifiers={**BY_EMAIL, "phone_e164": "phone"})
    become(world, [person("ann", customer_id=None), person("new", customer_id="c-ann"), person("bob")])
    world.run(options=PlanOptions(rekey=frozenset(["members"])))
    assert world.emails() == ["ann@example.com", "bob@example.com", "new@example.com"]


def test_rows_of_an_orphaned_list_claim_no_member(members: World) -> None:
    """Ann's id changed since, at Klaviyo too; the row that has the old id now is sent with it."""
    members_model(members, list="First")
    become(members, people("ann", "bob"))
    members.run()
    members_model(members, list="Second")
    members.run()
    become(members, [person("ann", customer_id="c-new"), person("bob")])
    members.run()
    become(members, [person("ann", customer_id="c-new"), person("zed", customer_id="c-ann"), person("bob")])
    members.run()
    assert members.person("zed@example.com")["external_id"] == "c-ann"


def test_a_row_rejected_without_a_shared_identifier_is_not_sent_again(prepare_world: PrepareWorld) -> None:
    """The new row has Ann's customer id, is sent without it, and is refused: it stays so until it changes."""
    members = prepare_world(send_one)
    rows = [person("ann", customer_id=None), person("new", customer_id="c-ann", email="new@example.c1")]
    become(members, rows)
    assert only_list(members.run()).outcomes == {Outcome.REJECTED: 1}
    before = len(members.writes())
    assert members.run().exit_code == 0
    assert len(members.writes()) == before
    become(members, [rows[0], rows[1] | {"email": "new@example.com"}])
    members.run()
    assert members.emails() == ["ann@example.com", "new@example.com"]


def test_nobody_is_removed_who_may_be_a_desired_row_without_a_profile(members: World) -> None:
    """Bob's e-mail was changed at Klaviyo, and someone who leaves is found by the same profile.

    His row says bob@ still, which nobody has: so he may be this one, and it is held, and told.
    """
    become(members, [person("ann"), person("bob"), person("cat", customer_id=None)])
    members.run()
    cat = members.person("cat@example.com")
    profile = {"type": "profile", "id": cat["id"], "attributes": {"external_id": "c-bob"}}
    bob = members.person("bob@example.com")
    changed = {"email": "bob.new@example.com", "external_id": "c-bobby"}
    for one_id, attributes in ((bob["id"], changed), (cat["id"], profile["attributes"])):
        document = {"data": {"type": "profile", "id": one_id, "attributes": attributes}}
        members.by_hand("PATCH", f"/api/profiles/{one_id}", document)
    become(members, people("ann", "bob"))
    result = members.run()
    assert only_list(result).outcomes == {Outcome.HELD: 1}
    assert result.exit_code == 1
    assert "cat@example.com" in members.emails()


@pytest.mark.parametrize(
    "fault", [Fault(FaultKind.CANCEL), Fault(FaultKind.MISCOUNT, rows=1)], ids=lambda fault: fault.kind
)
def test_nobody_is_removed_before_the_new_row_is_proved(prepare_world: PrepareWorld, fault: Fault) -> None:
    """Her e-mail changed, and the outcome is unknown: removed now, she would be added again."""
    members = prepare_world(send_two)
    joined = {member["id"]: member["joined_group_at"] for member in members.members()}
    members.wait(300.0)
    members.fault(fault)
    become(members, [person("ann", email="ann2@example.com"), person("bob")])
    assert only_list(members.run()).outcomes == {Outcome.UNKNOWN: 1, Outcome.HELD: 1}
    members.calm()
    members.run()
    assert members.emails() == ["ann2@example.com", "bob@example.com"]
    assert {member["id"]: member["joined_group_at"] for member in members.members()} == joined
    before = len(members.writes())
    members.run()
    assert len(members.writes()) == before
