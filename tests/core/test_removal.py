"""Rule: removal. Who is taken off a list, and who never is."""

from __future__ import annotations

import pytest
from core_rows import BY_EMAIL, become, many, members_model, moves, people, person
from core_world import one

from reverse_etl.delivery.tally import Outcome
from reverse_etl.events import Sending, Settling
from reverse_etl.identifiers import IdentifierType
from reverse_etl.plan import Wish
from reverse_etl.sandbox import Fault

IMPORTS = "/api/profile-bulk-import-jobs"
MEMBERS = "/api/lists/*/relationships/profiles"
ALL = {"allow_removes": ["members"]}


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


@pytest.mark.parametrize("ahead", [-7_200.0, 7_200.0])
def test_whose_clock_is_wrong_does_not_matter(make_world, ahead):
    """Who joined when is compared in Klaviyo's time; this machine's may be hours off.

    Cat joined by hand ten minutes before the first run, and stays; Bob was put there by it, and goes.
    """
    world = make_world(klaviyo_ahead=ahead)
    members_model(world, max_removes=1)
    listed = world.new_list()
    world.put_on_list(listed, world.new_profile(email="cat@example.com"))
    world.wait(600.0)
    moves(world, people("ann", "bob", "cat"))
    result = moves(world, people("ann"))
    assert one(result).outcomes == {Outcome.REMOVED: 1, Outcome.KEPT: 1}
    assert world.emails() == ["ann@example.com", "cat@example.com"]


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


@pytest.mark.parametrize(("seconds", "outcome"), [(40.0, Outcome.REMOVED), (70.0, Outcome.KEPT)])
def test_the_times_that_klaviyo_notes_have_a_minutes_grace(make_world, seconds, outcome):
    """What it notes of a member may be some seconds behind the time that its replies tell.

    Whoever seems to have joined so shortly before the job first sent her was put there by the job.
    """
    world = make_world(speed=1.0)
    members_model(world)
    world.put_on_list(world.new_list(), world.new_profile(email="ann@example.com"))
    world.wait(seconds)
    become(world, people("ann", "bob"))
    world.run()
    become(world, people("bob"))
    assert one(world.run()).outcomes == {outcome: 1}


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


def test_so_it_is_where_she_comes_with_a_new_e_mail(world):
    """Klaviyo knows her by her id, and has a phone as hers that the model has not. Somebody new has it."""
    select = "select email, customer_id, first_name as phone from people"
    kinds = {"email": "email", "external_id": "customer_id", "phone_e164": "phone"}
    world.model("members", select, identifiers=kinds, max_removes=1.0)
    ann, bob, cat = (person(name, first_name=None) for name in ("ann", "bob", "cat"))
    phone = {"first_name": "+14155550001"}
    moves(world, [ann | phone, cat])
    profile = world.person("ann@example.com")["id"]
    result = moves(world, [ann | {"email": "ann2@example.com"}, bob | phone, cat])
    assert result.plan.models[0].omitted == {IdentifierType.PHONE: 1}
    assert world.emails() == ["ann2@example.com", "bob@example.com", "cat@example.com"]
    assert world.person("ann2@example.com")["id"] == profile


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


def test_nobody_is_removed_from_a_list_whose_import_failed_as_a_request(members):
    """It stops its list: no removal is made on half of a change."""
    become(members, people("ann", "bob"))
    members.run()
    members.fault(Fault("status", "POST", IMPORTS, status=401, times=None))
    become(members, people("ann", "cat"))
    result = members.run()
    assert (one(result).outcomes, result.exit_code) == ({Outcome.NOT_SENT: 2}, 4)
    assert members.emails() == ["ann@example.com", "bob@example.com"]
    members.calm()
    members.run()
    assert members.emails() == ["ann@example.com", "cat@example.com"]


def test_a_job_that_leaves_rows_unknown_is_in_nobodys_way(members):
    """Nor are its rows lost: they are sent again by the next run."""
    become(members, people("ann", "bob"))
    members.run()
    members.fault(Fault("miscount", rows=1))
    become(members, people("ann", "cat"))
    result = members.run()
    assert (one(result).outcomes, result.exit_code) == ({Outcome.UNKNOWN: 1, Outcome.REMOVED: 1}, 1)
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
