"""Rule: removal. A row with another e-mail or phone may be the same person or another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import JobProgress, SendProgress
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import UNSENT, become, members_model, moves, people, person
from tests.core.world import once_at, only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from typing import Any

    from tests.core.world import PrepareWorld, World

ALL = {"allow_removes": ["members"]}
MEMBERS = "/api/lists/*/relationships/profiles"
BY_EMAIL_AND_PHONE = {"email": "email", "phone_e164": "phone"}

PHONE = "+14155550100"


def phone_model(world: World, **config: Any) -> None:
    """Make the model whose rows have e-mail and phone; the phone is in the column of customer ids."""
    select = "select email, customer_id as phone, first_name, club from people"
    world.model("members", select, identifiers=BY_EMAIL_AND_PHONE, max_removes=1.0, min_rows=0, **config)


def caller(name: str, phone: str | None = None, **changes: Any) -> dict[str, str | None]:
    """Return the row of a person with a phone, or with none."""
    return person(name, customer_id=phone, **changes)


def send_ann(world: World) -> None:
    world.model(
        "members", "select email, club as phone, first_name from people", identifiers=BY_EMAIL_AND_PHONE
    )
    world.new_profile(email="ann@example.com")
    zoe = world.new_profile(email="zoe@example.com", phone_number=PHONE)
    become(world, [person("ann", club=PHONE), person("bob")])
    world.run()
    world.wait(3_600.0)
    world.put_on_list(world.list_id(), zoe)
    world.wait(3_600.0)


@pytest.fixture
def household(prepare_world: PrepareWorld) -> World:
    """Let Klaviyo know Ann and Zoe, and have their phone on Zoe's profile. The job sends Ann alone."""
    return prepare_world(send_ann)


def test_a_person_with_a_new_email_and_the_same_phone_can_leave_later(world: World) -> None:
    """Klaviyo gives the new e-mail to the profile that has the phone: the old row is superseded, as by an id.

    Without that she counts as a member from before our time, and stays for ever.
    """
    phone_model(world)
    moves(world, [caller("ann", PHONE), caller("bob")])
    result = moves(world, [caller("ann2", PHONE), caller("bob")])
    assert only_list(result).outcomes == {Outcome.APPLIED: 1, Outcome.REPLACED: 1}
    assert world.emails() == ["ann2@example.com", "bob@example.com"]
    assert only_list(moves(world, [caller("bob")])).outcomes == {Outcome.REMOVED: 1}
    assert world.emails() == ["bob@example.com"]


@pytest.mark.parametrize("unsent", UNSENT)
def test_a_person_with_a_new_email_can_leave_before_the_old_row_is_looked_up(
    world: World, unsent: str
) -> None:
    """Her new row was sent after she joined; the old one leaves with it, and says since when she is ours."""
    phone_model(world)
    moves(world, [caller("ann", PHONE), caller("bob")])
    moves(world, [caller("ann2", PHONE), caller("bob")], unsent)
    assert world.emails() == ["ann2@example.com", "bob@example.com"]
    assert only_list(moves(world, [caller("bob")])).outcomes == {Outcome.REMOVED: 2}
    assert world.emails() == ["bob@example.com"]


def test_a_person_who_changes_list_and_email_leaves_the_first_list(world: World) -> None:
    """Ann's old row has her phone alone by now; she is who joined while the job first sent it."""
    phone_model(world, list_column="club")
    bob = caller("bob", club="Tea")
    moves(world, [caller("ann", PHONE, club="Tea"), bob])
    result = moves(world, [caller("ann2", PHONE, club="Coffee"), bob])
    (tea,) = (each for each in result.lists if each.list_plan.list_ref.name == "Tea")
    assert tea.outcomes == {Outcome.REMOVED: 1}
    assert (world.emails("Tea"), world.emails("Coffee")) == (["bob@example.com"], ["ann2@example.com"])


def test_she_leaves_the_first_list_even_if_her_row_was_uncertain(world: World) -> None:
    phone_model(world, list_column="club")
    bob = caller("bob", club="Tea")
    moves(world, [bob])
    become(world, [caller("ann", PHONE, club="Tea"), bob])
    world.fault(Fault(FaultKind.CUT, "POST", IMPORTS, times=None, after=True))
    assert only_list(world.run()).outcomes == {Outcome.UNKNOWN: 1}
    world.calm()
    world.wait(600.0)
    assert world.emails("Tea") == ["ann@example.com", "bob@example.com"]
    moves(world, [caller("ann2", PHONE, club="Coffee"), bob])
    assert (world.emails("Tea"), world.emails("Coffee")) == (["bob@example.com"], ["ann2@example.com"])


@pytest.mark.parametrize("first", ["dies", "is cancelled"])
def test_she_leaves_it_even_if_a_later_run_added_her(world: World, first: str) -> None:
    phone_model(world, list_column="club")
    bob = caller("bob", club="Tea")
    moves(world, [bob])
    rows = [caller("ann", PHONE, club="Tea"), bob]
    become(world, rows)
    if first == "dies":
        world.fault(Fault(FaultKind.CUT, "POST", IMPORTS, times=None))
        assert world.dies(lambda event: isinstance(event, SendProgress))
    else:
        world.fault(Fault(FaultKind.CANCEL, rows=0))
        world.run()
    world.calm()
    world.wait(600.0)
    moves(world, rows)
    assert world.emails("Tea") == ["ann@example.com", "bob@example.com"]
    moves(world, [caller("ann2", PHONE, club="Coffee"), bob])
    assert world.emails("Tea") == ["bob@example.com"]


@pytest.mark.parametrize("unsent", UNSENT)
def test_a_manual_member_stays_when_a_row_with_the_same_phone_leaves(household: World, unsent: str) -> None:
    """Zoe was sent later than she joined. Ann, who has her phone, is somebody else still."""
    moves(household, [person("bob"), person("zoe", club=PHONE)], unsent)
    assert only_list(moves(household, people("bob"))).outcomes == {Outcome.REMOVED: 1, Outcome.UNMANAGED: 1}
    assert household.emails() == ["bob@example.com", "zoe@example.com"]


def test_a_member_who_shares_a_phone_stays_if_the_leaving_identity_is_not_found(household: World) -> None:
    """Ann's e-mail was changed at Klaviyo. Zoe has her phone, but did not join when Ann was first sent."""
    household.rename("ann@example.com", email="other@example.com")
    assert only_list(moves(household, people("bob"))).outcomes == {Outcome.NOT_FOUND: 1}
    assert household.emails() == ["bob@example.com", "other@example.com", "zoe@example.com"]


def test_the_new_owner_of_a_leaving_rows_phone_stays(household: World) -> None:
    """Zoe joined by hand, and was never sent; only her phone is in the row of Ann, who leaves."""
    become(household, people("bob"))
    assert only_list(household.run()).outcomes == {Outcome.REMOVED: 1}
    assert household.emails() == ["bob@example.com", "zoe@example.com"]


def test_a_manual_member_inherits_nothing_from_a_row_with_the_same_phone(household: World) -> None:
    """Zoe is wanted later, and then no more: she was a member before this job sent her, and stays."""
    for rows in (
        [person("ann", club=PHONE), *people("zoe", "bob")],
        people("zoe", "bob"),
        people("bob"),
    ):
        become(household, rows)
        household.run(**ALL)
        household.wait(3_600.0)
    assert household.emails() == ["bob@example.com", "zoe@example.com"]


def test_the_owner_of_a_temporarily_used_email_stays(world: World) -> None:
    """Someone joined by hand; then a member's row had that e-mail, and then she left."""
    members_model(world, identifiers={"external_id": "customer_id", "email": "email"})
    become(world, people("ann", "bob"))
    world.run()
    world.wait(3_600.0)
    world.put_on_list(world.list_id(), world.new_profile(email="by.hand@example.com"))
    world.wait(3_600.0)
    become(world, [person("ann", email="by.hand@example.com"), person("bob")])
    world.run()
    become(world, people("bob"))
    world.run()
    assert "by.hand@example.com" in world.emails()


def zoe_joins(world: World, name: str = "Members") -> None:
    """Put Zoe on a list by hand."""
    world.put_on_list(world.list_id(name), world.person("zoe@example.com")["id"])


@pytest.fixture
def couple(world: World) -> World:
    """Let Klaviyo know Ann and Zoe, their phone on Zoe's profile. The model goes by e-mail and phone."""
    phone_model(world)
    world.new_profile(email="ann@example.com")
    world.new_profile(email="zoe@example.com", phone_number=PHONE)
    world.new_list()
    return world


@pytest.fixture
def neighbours(world: World) -> World:
    """Let Klaviyo know Ann and Zoe, their phone on Zoe's profile. The model has several lists."""
    phone_model(world, list_column="club")
    world.new_profile(email="ann@example.com")
    world.new_profile(email="zoe@example.com", phone_number=PHONE)
    world.new_list("Tea")
    return world


def test_an_identity_found_off_the_list_matches_nobody_else_on_it(neighbours: World) -> None:
    """Zoe joined manually during the run that first sent Ann, who was removed manually since."""
    become(neighbours, [caller("ann", PHONE, club="Tea"), caller("bob", club="Tea")])
    neighbours.run(on_progress=once_at(JobProgress, lambda: zoe_joins(neighbours, "Tea")))
    neighbours.wait(600.0)
    neighbours.take_off_list("ann@example.com", "Tea")
    moves(neighbours, [caller("bob", club="Tea"), caller("zoe", PHONE, club="Coffee")])
    assert neighbours.emails("Tea") == ["bob@example.com", "zoe@example.com"]


@pytest.mark.parametrize(
    "when", ["after a run", "before a dead run was settled", "while another list was sent to"]
)
def test_a_member_who_joined_outside_our_runs_is_not_a_renamed_row(neighbours: World, when: str) -> None:
    """Nobody has Ann's e-mail any more; the model has Zoe on another list, with Ann's phone. Zoe stays."""
    become(neighbours, [caller("ann", PHONE, club="Tea"), caller("bob", club="Tea")])
    if when == "before a dead run was settled":
        assert neighbours.dies(lambda event: isinstance(event, JobProgress))
        neighbours.sandbox.finish_jobs()
    else:
        neighbours.run()
    neighbours.wait(3_600.0)
    if when == "while another list was sent to":
        rows = [caller("ann", PHONE, club="Tea"), *(caller(name, club="Coffee") for name in ("cat", "dan"))]
        become(neighbours, [*rows, caller("bob", club="Tea")])
        neighbours.run(on_progress=once_at(JobProgress, lambda: zoe_joins(neighbours, "Tea")))
    else:
        zoe_joins(neighbours, "Tea")
        neighbours.wait(3_600.0)
        moves(neighbours, [caller("ann", PHONE, club="Tea"), caller("bob", club="Tea")])
    neighbours.wait(3_600.0)
    neighbours.rename("ann@example.com", email="other@example.com")
    moves(neighbours, [caller("bob", club="Tea"), caller("zoe", PHONE, club="Coffee")])
    assert neighbours.emails("Tea") == ["bob@example.com", "other@example.com", "zoe@example.com"]


@pytest.mark.parametrize("unsent", ["", *UNSENT])
def test_a_manual_member_inherits_nothing_if_the_leaving_identity_is_not_found(
    couple: World, unsent: str
) -> None:
    """Zoe joined after Ann was sent, is sent with her phone, and leaves; somebody changed Ann's e-mail."""
    moves(couple, [caller("ann", PHONE), caller("bob")])
    couple.wait(3_600.0)
    zoe_joins(couple)
    couple.wait(3_600.0)
    couple.rename("ann@example.com", email="other@example.com")
    moves(couple, [caller("zoe", PHONE), caller("bob")], unsent)
    assert only_list(moves(couple, [caller("bob")])).outcomes[Outcome.UNMANAGED] == 1
    assert couple.emails() == ["bob@example.com", "other@example.com", "zoe@example.com"]


def test_a_desired_member_with_an_email_changed_at_klaviyo_stays(couple: World) -> None:
    """Ann and Zoe came with one run. Zoe's e-mail was changed at Klaviyo, and Ann's too, who leaves."""
    moves(couple, [caller("ann", PHONE), caller("bob"), caller("zoe")])
    couple.rename("zoe@example.com", email="zz@example.com")
    couple.rename("ann@example.com", email="aa@example.com")
    assert only_list(moves(couple, [caller("bob"), caller("zoe")])).outcomes == {Outcome.NOT_FOUND: 1}
    assert couple.emails() == ["aa@example.com", "bob@example.com", "zz@example.com"]


def test_a_shared_phone_alone_replaces_nobody(couple: World) -> None:
    """Zoe is wanted as herself. Ann's e-mail was changed at Klaviyo: she is there still, and gone says so."""
    moves(couple, [caller("ann", PHONE), caller("bob"), caller("zoe")])
    couple.rename("ann@example.com", email="other@example.com")
    assert only_list(moves(couple, [caller("bob"), caller("zoe")])).outcomes == {Outcome.NOT_FOUND: 1}
    assert couple.state("SELECT identity FROM unmatched_removals") == [("email:ann@example.com",)]


def test_a_removal_is_reported_even_if_another_member_has_the_phone(couple: World) -> None:
    """The reply to Ann's removal was lost. Zoe, who is wanted, has her phone, and is not Ann."""
    moves(couple, [caller("ann", PHONE), caller("bob"), caller("zoe")])
    couple.fault(Fault(FaultKind.CUT, "DELETE", MEMBERS, times=8, after=True))
    moves(couple, [caller("bob"), caller("zoe")])
    assert only_list(moves(couple, [caller("bob"), caller("zoe")])).outcomes == {Outcome.REMOVED: 1}


@pytest.mark.parametrize("how", ["a lost reply", "by hand, and a limit"])
def test_nobody_inherits_from_a_removed_member(couple: World, how: str) -> None:
    """Zoe joined by hand before this job sent her, with the phone of Ann, who is off; then Zoe leaves too."""
    moves(couple, [caller("ann", PHONE), caller("bob")])
    zoe_joins(couple)
    couple.wait(600.0)
    if how == "a lost reply":
        couple.fault(Fault(FaultKind.CUT, "DELETE", MEMBERS, times=8, after=True))
        moves(couple, [caller("bob")])
        moves(couple, [caller("zoe", PHONE), caller("bob")])
    else:
        couple.take_off_list("ann@example.com")
        moves(couple, [caller("zoe", PHONE), caller("bob")], "a limit")
    assert only_list(moves(couple, [caller("bob")])).outcomes[Outcome.UNMANAGED] == 1
    assert couple.emails() == ["bob@example.com", "zoe@example.com"]


@pytest.mark.parametrize("lost", ["an e-mail that she had", "an e-mail that she had not"])
def test_a_member_removed_for_one_row_is_not_reported_as_kept_for_another(world: World, lost: str) -> None:
    """Ann went by her id, then by her e-mail, or the other way about, behind a limit. She leaves as both."""
    members_model(world, max_removes=1.0)
    rows = [person("ann"), person("ann", email=None)]
    first, second = rows if lost == "an e-mail that she had" else reversed(rows)
    moves(world, [first, person("bob")])
    moves(world, [second, person("bob")], "a limit")
    assert only_list(moves(world, people("bob"))).outcomes == {Outcome.REMOVED: 2}
    assert world.emails() == ["bob@example.com"]
