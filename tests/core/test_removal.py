"""Rule: removal. Who is taken off a list, and who never is."""

from __future__ import annotations

import pytest
from core_rows import BY_EMAIL, become, clubs_model, many, members_model, people, person
from core_world import one

from reverse_etl.delivery.tally import Outcome
from reverse_etl.events import Sending, Settling
from reverse_etl.identifiers import IdentifierType
from reverse_etl.plan import Wish
from reverse_etl.sandbox import Fault

IMPORTS = "/api/profile-bulk-import-jobs"
MEMBERS = "/api/lists/*/relationships/profiles"
ALL = {"allow_removes": ["members"]}
BY_EMAIL_AND_PHONE = {"email": "email", "phone_e164": "phone"}


@pytest.fixture
def members(world):
    """Make a world with the model of one list."""
    members_model(world)
    return world


def test_a_person_who_left_the_model_is_taken_off_the_list(members):
    """Ann and Bob are sent; Bob leaves the model, and so the list. His profile stays."""
    become(members, people("ann", "bob"))
    members.run()
    assert members.emails() == ["ann@example.com", "bob@example.com"]
    become(members, people("ann"))
    result = members.run()
    assert one(result).outcomes == {Outcome.REMOVED: 1}
    assert members.emails() == ["ann@example.com"]
    assert members.sandbox.profile_count() == 2


def test_a_person_with_a_new_e_mail_stays_and_can_leave_later(members):
    """Ann's e-mail changes, and Klaviyo gives it to the same profile: nobody is removed.

    Her row is new, but she has been a member since the old row was sent. When she leaves at last, she is
    taken off. Without that she counts as a member from before our time, and stays for ever.
    """
    become(members, people("ann", "bob"))
    members.run()
    members.wait()
    become(members, [person("ann", email="ann2@example.com"), person("bob")])
    result = members.run()
    assert one(result).outcomes == {Outcome.APPLIED: 1, Outcome.SUPERSEDED: 1}
    assert members.emails() == ["ann2@example.com", "bob@example.com"]
    members.wait()
    become(members, people("bob"))
    result = members.run()
    assert one(result).outcomes == {Outcome.REMOVED: 1}
    assert members.emails() == ["bob@example.com"]


def test_a_person_with_a_new_e_mail_and_a_new_profile_leaves_the_old_one_behind(make_world):
    """Where Klaviyo does not match external ids, the new e-mail is a new profile.

    The old one is taken off.
    """
    world = make_world(match_external_id=False)
    members_model(world)
    become(world, people("ann", "bob"))
    world.run()
    become(world, [person("ann", email="ann2@example.com"), person("bob")])
    result = world.run()
    assert one(result).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    assert world.emails() == ["ann2@example.com", "bob@example.com"]


def test_someone_who_joined_before_us_is_never_taken_off(members):
    """Ann put herself on the list; then the model has her, and then it has not.

    Her place is hers, and the run says so.
    """
    ann = members.new_profile(email="ann@example.com")
    members.put_on_list(members.new_list(), ann)
    members.wait()
    become(members, people("ann", "bob"))
    members.run()
    become(members, people("bob"))
    result = members.run()
    assert one(result).outcomes == {Outcome.KEPT: 1}
    assert members.emails() == ["ann@example.com", "bob@example.com"]
    become(members, people("cat"))
    members.run(**ALL)
    assert members.emails() == ["ann@example.com", "cat@example.com"]


def test_someone_whom_we_never_sent_is_never_taken_off(members):
    """A list may have members of others: whoever was never in the model is none of our business."""
    members.put_on_list(members.new_list(), members.new_profile(email="zoe@example.com"))
    become(members, people("ann", "bob"))
    members.run()
    become(members, people("bob"))
    members.run()
    assert members.emails() == ["bob@example.com", "zoe@example.com"]


def test_two_rows_of_one_profile_and_only_one_of_them_leaves(make_world):
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
    assert one(result).outcomes == {Outcome.SUPERSEDED: 1}
    assert world.emails() == ["ann@example.com"]


def test_someone_who_is_wanted_is_not_overwritten_by_another_row(members):
    """Ann's customer id is not known today, and a new row has it.

    Klaviyo would take that row for Ann, and she would be no more.

    The new row is sent without the id, which Klaviyo has as Ann's; that is counted, and changes nothing on
    later days. When she has left, it is sent.
    """
    become(members, people("ann", "bob"))
    members.run()
    ann = members.person("ann@example.com")["id"]
    become(members, [person("ann", customer_id=None), person("new", customer_id="c-ann"), person("bob")])
    result = members.run()
    assert result.plan.models[0].omitted == {IdentifierType.EXTERNAL_ID: 1}
    assert members.emails() == ["ann@example.com", "bob@example.com", "new@example.com"]
    assert members.person("ann@example.com")["id"] == ann
    before = len(members.writes())
    members.run()
    assert len(members.writes()) == before
    become(members, [person("new", customer_id="c-ann"), person("bob")])
    assert one(members.run()).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    assert members.emails() == ["bob@example.com", "new@example.com"]


def test_so_it_is_where_the_model_is_keyed_anew(world):
    """Another identifier comes with the same build in which Ann's id is NULL and a new row has it."""
    select = "select email, customer_id, first_name, club as phone from people"
    world.model("members", select, identifiers=BY_EMAIL)
    become(world, people("ann", "bob"))
    world.run()
    world.model("members", select, identifiers={**BY_EMAIL, "phone_e164": "phone"})
    become(world, [person("ann", customer_id=None), person("new", customer_id="c-ann"), person("bob")])
    world.run(wish=Wish(rekey=frozenset(["members"])))
    assert world.emails() == ["ann@example.com", "bob@example.com", "new@example.com"]


def test_what_a_list_remembers_that_is_driven_no_more_claims_nothing(members):
    """Ann's id changed since, at Klaviyo too; whoever has the old one now is sent with it."""
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


def test_a_row_that_is_refused_without_what_another_has_is_not_sent_again(members):
    """The new row has Ann's customer id, is sent without it, and is refused: it stays so until it changes."""
    become(members, people("ann"))
    members.run()
    rows = [person("ann", customer_id=None), person("new", customer_id="c-ann", email="new@example.c1")]
    become(members, rows)
    assert one(members.run()).outcomes == {Outcome.REJECTED: 1}
    before = len(members.writes())
    assert members.run().exit_code == 0
    assert len(members.writes()) == before
    become(members, [rows[0], rows[1] | {"email": "new@example.com"}])
    members.run()
    assert members.emails() == ["ann@example.com", "new@example.com"]


UNSENT = ["a limit", "a list that can't be read"]


def moves(world, rows, unsent=""):
    """Let the rows be these, and run; `unsent` is why nobody is removed. Return what came of it."""
    become(world, rows)
    if unsent == "a list that can't be read":
        world.fault(Fault("status", method="GET", path="/api/lists/*/profiles", status=503, times=None))
    result = world.run(wish=Wish(limit=100 if unsent == "a limit" else None))
    world.calm()
    world.wait(600.0)
    return result


@pytest.mark.parametrize("unsent", UNSENT)
def test_whoever_gets_back_the_e_mail_of_before_is_sent_again(world, unsent):
    """Ann's e-mail changes, her old row's removal is not made, and then the old e-mail is right after all.

    Her old row is remembered as it was, but the profile goes by the new e-mail: it is not to be believed.
    """
    members_model(world, max_removes=1.0)
    moves(world, people("ann", "bob"))
    moves(world, [person("ann", email="ann2@example.com"), person("bob")], unsent)
    for _ in range(2):
        result = moves(world, people("ann", "bob"))
        assert world.emails() == ["ann@example.com", "bob@example.com"]
    assert one(result).outcomes == {}


def test_so_is_whoever_went_to_another_list_and_back_under_a_limit(world):
    """What is sent to Coffee makes another person of the profile that waits to be taken off Tea."""
    clubs_model(world, max_removes=1.0, min_rows=0)
    rest = [person("bob", club="Tea"), person("cat", club="Coffee")]
    moves(world, [person("ann", club="Tea"), *rest])
    moves(world, [person("ann", email="ann2@example.com", club="Coffee"), *rest], "a limit")
    for _ in range(3):
        moves(world, [person("ann", club="Tea"), *rest])
    assert world.emails("Tea") == ["ann@example.com", "bob@example.com"]
    assert world.emails("Coffee") == ["cat@example.com"]


def test_a_row_in_doubt_for_whom_nobody_is_found_is_gone_and_noted(members):
    """Only an earlier removal could have taken Ann off, and there was none: somebody changed her e-mail."""
    become(members, [person("ann", customer_id=None), person("bob")])
    members.run()
    members.fault(Fault("cancel", rows=0))
    become(members, [person("ann", customer_id=None, first_name="Anne"), person("bob")])
    members.run()
    members.calm()
    ann = members.person("ann@example.com")["id"]
    renamed = {"type": "profile", "id": ann, "attributes": {"email": "other@example.com"}}
    members.by_hand("PATCH", f"/api/profiles/{ann}", {"data": renamed})
    become(members, people("bob"))
    assert one(members.run()).outcomes == {Outcome.GONE: 1}
    assert members.state("SELECT identity FROM gone") == [("email:ann@example.com",)]


def test_so_is_one_whose_removal_waited_and_then_could_not_be_made(members):
    """Two runs did not take Ann off, and somebody changed her e-mail. `removed` would be a lie."""
    ann, bob = people("ann", "bob", customer_id=None)
    moves(members, [ann, bob])
    moves(members, [bob | {"first_name": "Rob"}], "a limit")
    moves(members, [bob], "a list that can't be read")
    profile = members.person("ann@example.com")["id"]
    renamed = {"type": "profile", "id": profile, "attributes": {"email": "other@example.com"}}
    members.by_hand("PATCH", f"/api/profiles/{profile}", {"data": renamed})
    assert one(moves(members, [bob])).outcomes == {Outcome.GONE: 1}


@pytest.mark.parametrize("other", ["earlier", "later"])
def test_what_another_model_of_the_run_sends_makes_a_waiting_row_uncertain_too(world, other):
    """Ann's new e-mail goes to another list, and she can't be taken off the first; then all is as before."""
    names = {"earlier": ("b_members", "a_others"), "later": ("a_members", "b_others")}[other]
    for name, club in zip(names, ("Tea", "Coffee"), strict=True):
        select = f"select email, customer_id, first_name from people where club = '{club}'"
        kinds = {"email": "email", "external_id": "customer_id"}
        world.model(name, select, identifiers=kinds, list=club, max_removes=1.0, min_rows=0)
    rest = [person("bob", club="Tea"), person("cat", club="Coffee")]
    moves(world, [person("ann", club="Tea"), *rest])
    moves(world, [person("ann", email="ann2@example.com", club="Coffee"), *rest], "a list that can't be read")
    for _ in range(2):
        moves(world, [person("ann", club="Tea"), *rest])
    assert (world.emails("Tea"), world.emails("Coffee")) == (
        ["ann@example.com", "bob@example.com"],
        ["cat@example.com"],
    )


@pytest.mark.parametrize("refused", ["by a check", "by Klaviyo"])
def test_so_is_whoever_was_held_meanwhile(world, refused):
    """Ann's e-mail changes, and a rejected row with her phone holds her old row; then it is right again."""
    select = "select email, customer_id, first_name as phone from people"
    kinds = {"email": "email", "external_id": "customer_id", "phone_e164": "phone"}
    world.model("members", select, identifiers=kinds, max_removes=1.0)
    ann, bob = person("ann", first_name="+14155550001"), person("bob", first_name=None)
    bad = person(
        "bad", email="bad@@x" if refused == "by a check" else "bad@example.com", first_name=ann["first_name"]
    )
    moves(world, [ann, bob])
    world.fault(Fault("refuse_rows", pattern="^bad", times=None))
    become(world, [ann | {"email": "ann2@example.com", "first_name": None}, bob, bad])
    held = one(world.run())
    assert held.plan.held + held.outcomes.get(Outcome.HELD, 0) == 1
    world.calm()
    for _ in range(3):
        result = moves(world, [ann, bob])
    assert (world.emails(), one(result).outcomes) == (["ann@example.com", "bob@example.com"], {})


def test_somebody_who_is_wanted_all_along_stays_whatever_waits_behind_a_limit(world):
    """Ann's e-mail changes twice under a limit, and then back to the second: she was wanted every day."""
    members_model(world, max_removes=1.0)
    for email, unsent in (("ann", ""), ("ann2", "a limit"), ("ann3", "a limit"), ("ann2", ""), ("ann2", "")):
        result = moves(world, [person("ann", email=f"{email}@example.com"), person("bob")], unsent)
        assert f"{email}@example.com" in world.emails()
    assert (world.emails(), one(result).outcomes) == (["ann2@example.com", "bob@example.com"], {})


@pytest.mark.parametrize("unsent", UNSENT)
def test_whose_phone_went_to_somebody_else_meanwhile_is_sent_again(world, unsent):
    """Ann leaves. Ben gets her phone, and with it her profile, before she is taken off; then she is back."""
    select = "select email, customer_id, first_name as phone from people"
    kinds = {"email": "email", "external_id": "customer_id", "phone_e164": "phone"}
    world.model("members", select, identifiers=kinds, max_removes=1.0)
    phone = "+14155550001"
    ann, ben, cy = (person(name, first_name=None) for name in ("ann", "ben", "cy"))
    moves(world, [ann | {"first_name": phone}, cy])
    moves(world, [ben | {"first_name": phone}, cy], unsent)
    for _ in range(2):
        result = moves(world, [ann, ben, cy])
        assert world.emails() == ["ann@example.com", "ben@example.com", "cy@example.com"]
    assert one(result).outcomes == {}


def test_nobody_is_removed_who_may_be_a_wanted_row_that_is_nowhere_found(members):
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
    assert one(result).outcomes == {Outcome.HELD: 1}
    assert result.exit_code == 1
    assert "cat@example.com" in members.emails()


def test_whoever_had_two_profiles_leaves_with_both(make_world):
    """Her e-mail changed, and an import that does not match by external id made another profile of her."""
    world = make_world(match_external_id=False)
    members_model(world, identifiers={"external_id": "customer_id", "email": "email"})
    become(world, [person("ann"), person("bob")])
    world.run()
    become(world, [person("ann", email="anna@example.com"), person("bob")])
    world.run()
    assert world.emails() == ["ann@example.com", "anna@example.com", "bob@example.com"]
    become(world, [person("bob")])
    world.run()
    assert world.emails() == ["bob@example.com"]


@pytest.mark.parametrize("fault", [Fault("cancel"), Fault("miscount", rows=1)], ids=lambda fault: fault.kind)
def test_nobody_is_removed_whose_new_row_is_not_proved(members, fault):
    """Her e-mail changed, and nobody knows what came of it: taken off, she would join anew the next time."""
    become(members, people("ann", "bob"))
    members.run()
    joined = {member["id"]: member["joined_group_at"] for member in members.members()}
    members.wait(300.0)
    members.fault(fault)
    become(members, [person("ann", email="ann2@example.com"), person("bob")])
    assert one(members.run()).outcomes == {Outcome.UNKNOWN: 1, Outcome.HELD: 1}
    members.calm()
    members.run()
    assert members.emails() == ["ann2@example.com", "bob@example.com"]
    assert {member["id"]: member["joined_group_at"] for member in members.members()} == joined
    before = len(members.writes())
    members.run()
    assert len(members.writes()) == before


PHONE = "+14155550100"


def phone_model(world, **config):
    """Make the model whose rows go by e-mail and phone, which stands where the customer id does elsewhere."""
    select = "select email, customer_id as phone, first_name, club from people"
    world.model("members", select, identifiers=BY_EMAIL_AND_PHONE, max_removes=1.0, min_rows=0, **config)


def caller(name, phone=None, **changes):
    """Return the row of a person with a phone, or with none."""
    return person(name, customer_id=phone, **changes)


@pytest.fixture
def household(world):
    """Let Klaviyo know Ann and Zoe, and have their phone on Zoe's profile. The job sends Ann alone."""
    world.model(
        "members", "select email, club as phone, first_name from people", identifiers=BY_EMAIL_AND_PHONE
    )
    world.new_profile(email="ann@example.com")
    world.zoe = world.new_profile(email="zoe@example.com", phone_number=PHONE)
    become(world, [person("ann", club=PHONE), person("bob")])
    world.run()
    world.wait(3_600.0)
    world.put_on_list(world.list_id(), world.zoe)
    world.wait(3_600.0)
    return world


def test_whoever_had_a_new_e_mail_and_the_same_phone_can_leave_later(world):
    """Klaviyo gives the new e-mail to the profile that has the phone: the old row is superseded, as by an id.

    Without that she counts as a member from before our time, and stays for ever.
    """
    phone_model(world)
    moves(world, [caller("ann", PHONE), caller("bob")])
    result = moves(world, [caller("ann2", PHONE), caller("bob")])
    assert one(result).outcomes == {Outcome.APPLIED: 1, Outcome.SUPERSEDED: 1}
    assert world.emails() == ["ann2@example.com", "bob@example.com"]
    assert one(moves(world, [caller("bob")])).outcomes == {Outcome.REMOVED: 1}
    assert world.emails() == ["bob@example.com"]


@pytest.mark.parametrize("unsent", UNSENT)
def test_so_can_whoever_leaves_before_the_old_row_was_looked_up(world, unsent):
    """Her new row was sent after she joined; the old one leaves with it, and says since when she is ours."""
    phone_model(world)
    moves(world, [caller("ann", PHONE), caller("bob")])
    moves(world, [caller("ann2", PHONE), caller("bob")], unsent)
    assert world.emails() == ["ann2@example.com", "bob@example.com"]
    assert one(moves(world, [caller("bob")])).outcomes == {Outcome.REMOVED: 2}
    assert world.emails() == ["bob@example.com"]


def test_so_does_whoever_went_to_another_list_with_the_new_e_mail(world):
    """Ann's old row has her phone alone by now; she is who joined while the job first sent it."""
    phone_model(world, list_column="club")
    bob = caller("bob", club="Tea")
    moves(world, [caller("ann", PHONE, club="Tea"), bob])
    result = moves(world, [caller("ann2", PHONE, club="Coffee"), bob])
    (tea,) = (each for each in result.lists if each.plan.list.name == "Tea")
    assert tea.outcomes == {Outcome.REMOVED: 1}
    assert (world.emails("Tea"), world.emails("Coffee")) == (["bob@example.com"], ["ann2@example.com"])


def test_so_does_she_where_nobody_knew_what_had_come_of_the_old_row(world):
    """The replies to her import were lost. She joined, and is not told as taken off while she is there."""
    phone_model(world, list_column="club")
    bob = caller("bob", club="Tea")
    moves(world, [bob])
    become(world, [caller("ann", PHONE, club="Tea"), bob])
    world.fault(Fault("cut", "POST", "/api/profile-bulk-import-jobs", times=None, after=True))
    assert one(world.run()).outcomes == {Outcome.UNKNOWN: 1}
    world.calm()
    world.wait(600.0)
    assert world.emails("Tea") == ["ann@example.com", "bob@example.com"]
    moves(world, [caller("ann2", PHONE, club="Coffee"), bob])
    assert (world.emails("Tea"), world.emails("Coffee")) == (["bob@example.com"], ["ann2@example.com"])


@pytest.mark.parametrize("unsent", UNSENT)
def test_whoever_joined_by_hand_stays_though_one_with_the_same_phone_leaves_too(household, unsent):
    """Zoe was sent later than she joined. Ann, who has her phone, is somebody else still."""
    moves(household, people("bob", "zoe"), unsent)
    assert one(moves(household, people("bob"))).outcomes == {Outcome.REMOVED: 1, Outcome.KEPT: 1}
    assert household.emails() == ["bob@example.com", "zoe@example.com"]


def test_so_does_she_where_nobody_goes_by_the_name_of_who_leaves(household):
    """Ann's e-mail was changed at Klaviyo. Zoe has her phone, but did not join when Ann was first sent."""
    ann = household.person("ann@example.com")["id"]
    changed = {"type": "profile", "id": ann, "attributes": {"email": "other@example.com"}}
    household.by_hand("PATCH", f"/api/profiles/{ann}", {"data": changed})
    assert one(moves(household, people("bob"))).outcomes == {Outcome.GONE: 1}
    assert household.emails() == ["bob@example.com", "other@example.com", "zoe@example.com"]


def test_whoever_has_the_phone_of_someone_who_leaves_stays(household):
    """Zoe joined by hand, and was never sent; only her phone stands in the row of Ann, who leaves."""
    become(household, people("bob"))
    assert one(household.run()).outcomes == {Outcome.REMOVED: 1}
    assert household.emails() == ["bob@example.com", "zoe@example.com"]


def test_whoever_joined_by_hand_inherits_nothing_from_the_owner_of_the_same_phone(household):
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


def test_whoever_has_the_e_mail_that_someone_took_for_a_while_stays(world):
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


def test_someone_found_by_nobody_is_gone_and_noted(members):
    """Bob was taken off by hand.

    There is nobody to remove. He is forgotten, and noted in the table `gone`.
    """
    become(members, people("ann", "bob"))
    members.run()
    listed, bob = members.list_id(), members.person("bob@example.com")["id"]
    members.by_hand(
        "DELETE", f"/api/lists/{listed}/relationships/profiles", {"data": [{"type": "profile", "id": bob}]}
    )
    become(members, people("ann"))
    result = members.run()
    assert one(result).outcomes == {Outcome.GONE: 1}
    assert members.state("SELECT list_id, identity FROM gone") == [(listed, "email:bob@example.com")]
    assert one(members.run()).plan.removes == 0


def test_someone_with_an_external_id_alone_is_found_by_it(world):
    """Klaviyo can't filter a list by external id.

    The profile is looked up, and the list is read from when we began.
    """
    world.model("members", "select customer_id from people", identifiers={"external_id": "customer_id"})
    become(world, people("ann", "bob", "cat"))
    world.run()
    become(world, people("ann"))
    result = world.run()
    assert one(result).outcomes == {Outcome.REMOVED: 2}
    assert [member["external_id"] for member in world.members()] == ["c-ann"]


def test_someone_whose_e_mail_was_changed_at_klaviyo_is_found_by_another_identifier(members):
    """Every identifier that was delivered counts.

    Bob changed his e-mail at Klaviyo, and is found by his customer id.
    """
    become(members, people("ann", "bob"))
    members.run()
    bob = members.person("bob@example.com")["id"]
    attributes = {"email": "robert@example.com"}
    members.by_hand(
        "PATCH", f"/api/profiles/{bob}", {"data": {"type": "profile", "id": bob, "attributes": attributes}}
    )
    become(members, people("ann"))
    assert one(members.run()).outcomes == {Outcome.REMOVED: 1}
    assert members.emails() == ["ann@example.com"]


@pytest.mark.parametrize(("leaving", "requests"), [(99, 1), (101, 1), (1_005, 2)])
def test_every_page_of_those_who_leave_is_read_and_every_one_removed(members, leaving, requests):
    """One tool removed the first 20 of 1,000 and called the others removed too."""
    become(members, many(leaving + 5))
    members.run()
    before = len(members.writes())
    become(members, many(5))
    result = members.run(**ALL)
    assert one(result).outcomes == {Outcome.REMOVED: leaving}
    assert len(members.members()) == 5
    sent = members.writes()[before:]
    assert [entry.method for entry in sent] == ["DELETE"] * requests
    assert sum(entry.rows for entry in sent) == leaving


def test_upserts_come_first_and_removes_last(members):
    """Who moves from one identity to another must have the new place before the old one is looked at."""
    become(members, people("ann", "bob"))
    members.run()
    before = len(members.writes())
    become(members, people("bob", "cat"))
    members.run()
    assert [entry.method for entry in members.writes()[before:]] == ["POST", "DELETE"]


@pytest.mark.parametrize(
    "fault", [Fault("status", "POST", IMPORTS, status=401, times=None), Fault("miscount", rows=1)]
)
def test_nobody_is_removed_while_upserts_are_not_proved_to_be_refused_or_done(members, fault):
    """An import that fails as a request stops its list: no removal is made on half of a change.

    A job that leaves rows unknown does not: they are neither lost nor in anybody's way.
    """
    become(members, people("ann", "bob"))
    members.run()
    members.fault(fault)
    become(members, people("ann", "cat"))
    result = members.run()
    if fault.kind == "status":
        assert one(result).outcomes == {Outcome.NOT_SENT: 2}
        assert members.emails() == ["ann@example.com", "bob@example.com"]
        assert result.exit_code == 4
    members.calm()
    members.run()
    assert members.emails() == ["ann@example.com", "cat@example.com"]


def by_another_app(world):
    """Begin an import that the job knows nothing of."""
    row = {"type": "profile", "attributes": {"email": "someone@example.com"}}
    job = {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": [row]}}}
    world.by_hand("POST", IMPORTS, {"data": job})


def later_by_another_app(world, seconds):
    """Return what lets another app begin an import so long after ours was sent."""

    def tell(event):
        if isinstance(event, Sending):
            world.wait(seconds)
            by_another_app(world)

    return tell


def test_after_a_lost_import_reply_open_jobs_end_before_anyone_is_removed(make_world):
    """A cut reply hides a job that nobody here knows by name.

    It could put somebody back who was just removed. So every job begun since is waited for.
    """
    world = make_world(job_seconds=3_000.0)
    members_model(world)
    become(world, people("ann", "bob"))
    world.run()
    number = max(entry.number for entry in world.sandbox.log())
    world.fault(Fault("cut", "POST", IMPORTS, after=True))
    become(world, people("ann", "cat"))

    result = world.run(tell=later_by_another_app(world, 1_500.0))
    assert one(result).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    *posts, removal = [entry for entry in world.sandbox.log(number) if entry.method != "GET"]
    assert [entry.method for entry in posts] == ["POST", "POST", "POST"]
    assert removal.method == "DELETE"
    assert removal.at >= max(entry.at for entry in posts) + 3_000.0
    assert world.emails() == ["ann@example.com", "cat@example.com"]


def test_an_app_that_imports_all_the_time_keeps_nobody_waiting(make_world):
    """What it begins later can't be the import whose reply was lost; there is never a moment without one."""
    world = make_world(job_seconds=600.0)
    members_model(world)
    become(world, people("ann", "bob"))
    world.run()
    world.fault(Fault("cut", "POST", IMPORTS, after=True))
    become(world, people("ann", "cat"))
    result = world.run(tell=lambda event: isinstance(event, Settling) and by_another_app(world))
    assert one(result).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}


def test_a_run_that_leaves_somebody_on_a_list_does_not_end_as_if_all_were_well(make_world):
    """Nothing failed, but an import that may be ours goes on for longer than is waited for."""
    world = make_world(speed=200.0, job_seconds=450.0)
    world.profile(job_timeout_minutes=4)
    members_model(world)
    become(world, people("ann", "bob"))
    world.run()
    world.fault(Fault("cut", "POST", IMPORTS, after=True))
    become(world, people("ann", "cat"))

    result = world.run(tell=later_by_another_app(world, 360.0))
    assert one(result).outcomes == {Outcome.APPLIED: 1, Outcome.NOT_SENT: 1}
    assert "may still be under way" in one(result).reason
    assert result.exit_code == 1
    world.sandbox.finish_jobs()
    assert one(world.run()).outcomes == {Outcome.REMOVED: 1}


@pytest.mark.parametrize("after", [False, True])
def test_a_removal_whose_reply_was_lost_is_unknown_and_made_again(members, after):
    """Whether it was carried out or not: the rows stay uncertain, and the next run resolves them anew."""
    become(members, people("ann", "bob", "cat"))
    members.run()
    members.fault(Fault("cut", "DELETE", MEMBERS, times=8, after=after))
    become(members, people("ann"))
    result = members.run()
    assert one(result).outcomes == {Outcome.UNKNOWN: 2}
    assert result.exit_code == 4
    members.calm()
    result = members.run()
    assert one(result).outcomes == {Outcome.REMOVED: 2}
    assert members.emails() == ["ann@example.com"]
    assert members.state("SELECT * FROM gone") == []


def test_someone_who_comes_back_after_an_uncertain_removal_is_sent_again(members):
    """The snapshot still has Bob, but he may have been removed: being wanted and uncertain, he is sent."""
    become(members, people("ann", "bob"))
    members.run()
    members.fault(Fault("cut", "DELETE", MEMBERS, times=8, after=True))
    become(members, people("ann"))
    members.run()
    assert members.emails() == ["ann@example.com"]
    members.calm()
    become(members, people("ann", "bob"))
    result = members.run()
    assert one(result).outcomes == {Outcome.APPLIED: 1}
    assert members.emails() == ["ann@example.com", "bob@example.com"]


def test_a_rejected_row_holds_the_removal_of_whoever_it_may_be(members):
    """Ann's row has a mangled e-mail today and her customer id still.

    Her old row must not be taken for somebody who left.
    """
    become(members, people("ann", "bob"))
    members.run()
    become(members, [person("ann", email="ann at example"), person("bob")])
    result = members.run()
    assert one(result).plan.held == 1
    assert one(result).plan.removes == 0
    assert result.exit_code == 1
    assert members.emails() == ["ann@example.com", "bob@example.com"]


def test_a_row_that_klaviyo_refuses_today_holds_too(members):
    """The refusal comes after the plan was made, and counts all the same when it is looked at who leaves."""
    become(members, people("ann", "bob"))
    members.run()
    members.fault(Fault("refuse_rows", pattern="ann2"))
    become(members, [person("ann", email="ann2@example.com"), person("bob")])
    result = members.run()
    assert one(result).outcomes == {Outcome.REJECTED: 1, Outcome.HELD: 1}
    assert members.emails() == ["ann@example.com", "bob@example.com"]
    assert members.state("SELECT * FROM refusals") == []  # nothing of it is left to be taken over
    result = members.run()
    assert one(result).plan.held == 1


def test_a_rejected_row_holds_by_an_identifier_that_others_carry_too(members):
    """Ann's new row is refused; her customer id stands on a second row too, so that neither is sent with it.

    It is hers all the same: her old row is not removed, neither in the run that is refused nor in the next.
    """
    become(members, people("ann", "bob"))
    members.run()
    members.fault(Fault("refuse_rows", pattern="ann2"))
    ann2, double = person("ann", email="ann2@example.com"), person("ann", email="double@example.com")
    become(members, [ann2, double, person("bob")])
    result = members.run()
    assert one(result).outcomes == {Outcome.APPLIED: 1, Outcome.REJECTED: 1, Outcome.HELD: 1}
    assert members.person("double@example.com")["external_id"] is None
    before = len(members.writes())
    again = members.run()
    assert (one(again).plan.held, one(again).outcomes, len(members.writes())) == (1, {}, before)
    assert members.emails() == ["ann@example.com", "bob@example.com", "double@example.com"]


def test_a_rejected_row_holds_on_every_list_of_its_model(world):
    """Ann moves from Tea to Coffee with a mangled e-mail.

    She can't be put on Coffee, and is not taken off Tea.
    """
    clubs_model(world, min_rows=0)
    become(world, [person("ann", club="Tea"), person("bob", club="Tea"), person("cat", club="Coffee")])
    world.run()
    become(
        world,
        [
            person("ann", club="Coffee", email="ann@@example.com"),
            person("bob", club="Tea"),
            person("cat", club="Coffee"),
        ],
    )
    world.run()
    assert world.emails("Tea") == ["ann@example.com", "bob@example.com"]
    assert world.emails("Coffee") == ["cat@example.com"]


def test_from_the_profiles_surface_nobody_is_removed_and_none_held(world):
    """A row that leaves is forgotten, be it like a rejected one or not; consent and profile stay."""
    world.model(
        "everyone",
        "select email, customer_id from people",
        surface="profiles",
        identifiers={"email": "email", "external_id": "customer_id"},
    )
    become(world, people("ann", "bob", "cat"))
    world.run()
    before = len(world.writes())
    become(world, [person("ann"), person("bob", email="bob at example")])
    result = world.run()
    assert one(result).plan.held == 0
    assert one(result).outcomes == {Outcome.FORGOTTEN: 2}
    assert len(world.writes()) == before
    assert world.sandbox.profile_count() == 3


def test_a_changed_klaviyo_id_does_not_leave_the_old_member_behind(world):
    """A model by profile id names another id today: the one is added, the other removed."""
    ann, bob, cat = (world.new_profile(email=f"{name}@example.com") for name in ("ann", "bob", "cat"))
    world.model("picked", "select klaviyo_profile_id from people", surface="list_memberships_by_profile_id")
    world.people([{"klaviyo_profile_id": ann}, {"klaviyo_profile_id": bob}])
    world.run()
    assert world.emails() == ["ann@example.com", "bob@example.com"]
    world.people([{"klaviyo_profile_id": ann}, {"klaviyo_profile_id": cat}])
    result = world.run()
    assert one(result).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    assert world.emails() == ["ann@example.com", "cat@example.com"]


def test_an_id_that_nobody_has_is_rejected_and_the_others_are_added(world):
    """A 204 says nothing of single ids: each is checked to exist before its first use."""
    ann = world.new_profile(email="ann@example.com")
    world.model("picked", "select klaviyo_profile_id from people", surface="list_memberships_by_profile_id")
    world.people([{"klaviyo_profile_id": ann}, {"klaviyo_profile_id": "01NOBODY"}])
    result = world.run()
    assert one(result).outcomes == {Outcome.APPLIED: 1, Outcome.REJECTED: 1}
    assert world.emails() == ["ann@example.com"]


def test_removing_leaves_consent_alone(members):
    """Taking someone off a list is a DELETE of the membership; nothing else is deleted."""
    become(members, people("ann", "bob"))
    members.run()
    become(members, people("ann"))
    members.run()
    paths = {entry.path.split("/")[2] for entry in members.writes()}
    assert paths == {"lists", "profile-bulk-import-jobs"}
