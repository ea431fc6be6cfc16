"""`status --held`: each kind of row that a run keeps back, by real rows, with its reason and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.domain.receipts import HoldCode
from reverse_etl.klaviyo.messages import TransportError
from reverse_etl.report.held_rows import HeldRow, PlanHold
from tests.core import deletions, test_request_changes
from tests.core.consent import ANN, BOB, CAT
from tests.core.deletions import open_shop
from tests.core.rows import become, many, members_model, people, person, send_two
from tests.core.test_restored_state import imports_by_hand
from tests.core.unsubscriptions import members_and_consents, subscribe_two_members, unsubscribing

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import PrepareWorld, World

    Step = Callable[[World], object]


def held_rows(world: World) -> list[HeldRow]:
    """Return the held rows of all models."""
    with world.project().held_rows() as held:
        return [*held]


def _reject_a_row(world: World) -> None:
    """Ann's row has a mangled e-mail, and her id still."""
    become(world, [person("ann", email="ann at example"), person("bob")])


def _stop_a_list(world: World) -> None:
    """Let a person leave one list who is on another, which loses too many."""
    members_model(world)
    world.model("others", "select email from vips", list="Others")
    become(world, many(30))
    world.people(many(2), table="vips")
    world.run()
    become(world, many(5, start=20))
    world.people(many(1), table="vips")


def _restore_the_state(world: World) -> None:
    """Somebody else imports into the list, and Bob leaves."""
    imports_by_hand(world, "eve")
    become(world, people("ann"))


def _hold_at_lookup(world: World) -> None:
    """Ann leaves, whose profile has Bob's id by now, and nobody has the e-mail of Bob's row."""
    world.rename(BOB, email="bob.new@example.com", external_id="c-bobby")
    world.rename(ANN, external_id="c-bob")
    become(world, people("bob"))
    world.run()


def _hold_at_lookup_without_a_journal(world: World) -> None:
    world.profile(journal=None)
    _hold_at_lookup(world)


def _leave_the_list(world: World) -> None:
    """Ann leaves a model of consents, and is not on its list any more."""
    unsubscribing(world, ANN, BOB, CAT, list="Members")
    world.run()
    world.take_off_list(ANN)
    unsubscribing(world, CAT, list="Members")
    world.run()


def _run_a_model_alone(world: World) -> None:
    """Ann leaves two models, and the one that unsubscribes her is not run."""
    members_and_consents(world, [BOB], [BOB])
    world.run(select=["members"])


def _delete_one_of_two(world: World) -> None:
    """Two profiles have the identifiers of a row of a model of deletions."""
    world.new_profile(phone_number="+14155550100")
    _delete(world, deletions.email(1))


def _delete_another(world: World) -> None:
    """Let the profile with the row's phone show another e-mail."""
    world.new_profile(email=BOB, phone_number="+14155550100")
    _delete(world, ANN)


def _delete(world: World, email: str) -> None:
    world.people([{"email": email, "phone_e164": "+14155550100"}], table="erase")
    world.model("erase", "select email, phone_e164 from erase", surface="profile_deletions")
    deletions.run(world)


def _share_an_id(world: World) -> None:
    """Two rows have one customer id."""
    become(world, [*people("ann", "bob"), person("bobby", customer_id="c-bob")])


def _have_the_id_that_another_row_had(world: World) -> None:
    """Let a new row have Ann's id, which her row has no longer."""
    become(world, [person("ann", customer_id=None), person("new", customer_id="c-ann"), person("bob")])


def _have_the_id_of_another(world: World) -> None:
    members_model(world)
    world.new_profile(email=ANN)
    world.new_profile(email="other@example.com", external_id="c-ann")
    become(world, people("ann", "bob"))
    world.run()


@dataclass(frozen=True)
class Case:
    """A held row: the world that it begins with, what makes it, its code and its e-mail.

    `other` is the e-mail of the row that it may be, or the identifier that it is sent without.
    """

    begin: Step | None
    step: Step
    code: str
    email: str
    other: str = ""


CASES = {
    "a rejected row": Case(send_two, _reject_a_row, PlanHold.REJECTED_ROW, ANN, "ann at example"),
    "a stopped list": Case(None, _stop_a_list, PlanHold.STOPPED_LIST, deletions.email(1)),
    "an old state": Case(send_two, _restore_the_state, PlanHold.OLD_STATE, BOB),
    "a look-up": Case(send_two, _hold_at_lookup, HoldCode.SAME_PERSON, ANN),
    "no journal": Case(send_two, _hold_at_lookup_without_a_journal, PlanHold.AT_LOOKUP, ANN),
    "not a member": Case(None, _leave_the_list, HoldCode.NOT_A_MEMBER, ANN),
    "models apart": Case(subscribe_two_members, _run_a_model_alone, HoldCode.UNSUBSCRIBED_FIRST, ANN),
    "two profiles": Case(open_shop, _delete_one_of_two, HoldCode.SEVERAL_PROFILES, deletions.email(1)),
    "another's profile": Case(open_shop, _delete_another, HoldCode.OTHER_PERSON, ANN),
    "a shared id": Case(send_two, _share_an_id, PlanHold.SHARED_IDENTIFIER, BOB, "external_id"),
    "another row's id": Case(
        send_two, _have_the_id_that_another_row_had, PlanHold.OTHER_ROW, "new@example.com", "external_id"
    ),
    "another profile's id": Case(None, _have_the_id_of_another, PlanHold.OTHER_PROFILE, ANN, "external_id"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_held_row_has_its_reason(
    prepare_world: PrepareWorld, make_world: Callable[..., World], case: Case
) -> None:
    """The journal keeps hashes alone."""
    world = prepare_world(case.begin) if case.begin else make_world("own", conflicts="refuse")
    world.profile(journal="90d")
    case.step(world)
    held = held_rows(world)
    row = next(row for row in held if row.identity == f"email:{case.email}")
    assert row.code == case.code, held
    assert (row.omitted or (row.other.identifiers["email"] if row.other else "")) == case.other
    assert bool(row.since) is (case.code in {*HoldCode})
    assert row.reason
    assert row.advice


def test_a_removal_that_must_not_be_repeated_is_held(world: World, play_replies: Any) -> None:
    things = test_request_changes.Things(world, play_replies)
    once = {**test_request_changes.REMOVE, "repeat": "once"}
    things.become((1, None, None), (2, None, None), on_remove=once)
    things.run()
    things.become((2, None, None), on_remove=once)
    things.answers = [TransportError.CONNECTION_LOST]
    things.run()
    (row,) = held_rows(world)
    assert (row.code, row.identity) == (PlanHold.MAY_BE_REMOVED, "key:1")
    assert "retry --unknown" in row.advice


@pytest.mark.parametrize("code", [*PlanHold, *HoldCode, "klaviyos_code"])
def test_every_reason_has_a_text_and_an_advice(code: str) -> None:
    row = HeldRow("members", "L1", "Members", f"email:{ANN}", {}, code)
    assert row.reason
    assert row.advice


def test_every_kind_is_a_case() -> None:
    """Consent that can't be read comes of a reply that no sandbox gives."""
    assert {case.code for case in CASES.values()} | {
        PlanHold.MAY_BE_REMOVED,
        HoldCode.UNREADABLE_CONSENT,
    } == {*PlanHold, *HoldCode}
