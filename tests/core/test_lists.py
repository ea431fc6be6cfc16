"""Rules: which list is meant, who owns it, and when one is created. State is kept by id, never by name."""

from __future__ import annotations

import pytest
from core_rows import BY_EMAIL, SELECT, become, clubs_model, members_model, moves, people, person
from core_world import Interrupted, one

from reverse_etl.delivery.tally import Outcome
from reverse_etl.errors import GuardRefused, KlaviyoError, ReplyLost, UsageError
from reverse_etl.events import ListDone, Sending
from reverse_etl.plan import Wish
from reverse_etl.sandbox import Fault
from reverse_etl.state.lists import Lists

ALL = {"allow_removes": ["clubs"]}
IMPORTS = "/api/profile-bulk-import-jobs"
SHOWN_LATE = {"speed": 15.0, "list_seconds": 40.0}  # slow enough that a run begins before the list is shown


@pytest.fixture
def members(world):
    """Make a world with the model of one list, and two people."""
    members_model(world)
    become(world, people("ann", "bob"))
    return world


def names(world):
    """Return the names of the account's lists."""
    return [listed["name"] for listed in world.sandbox.lists()]


def test_a_list_is_found_by_its_exact_name_on_every_page(members):
    """One tool looked at a hundred pages, then made a second list of the same name.

    Here it is the 25th of 30.
    """
    for number in range(30):
        members.new_list("Members" if number == 24 else f"members {number}")
    members.run()
    assert len(names(members)) == 30
    assert len(members.emails()) == 2


def test_two_lists_of_one_name_are_not_guessed_between(members):
    """Klaviyo does not promise that names are unique: the ids are shown, and nothing is sent."""
    first, second = members.new_list(), members.new_list()
    before = len(members.writes())
    with pytest.raises(UsageError, match="2 lists") as error:
        members.run()
    assert all(one in str(error.value) for one in (first, second))
    assert len(members.writes()) == before


def test_a_name_of_the_profile_means_the_list_it_maps_to(members):
    """The mapping in profiles.yml comes first: what Klaviyo calls the list does not matter."""
    listed = members.new_list("VIP 2026")
    members.new_list("Members")
    members.profile(lists={"Members": listed})
    members.run()
    assert len(members.emails("VIP 2026")) == 2
    assert members.emails("Members") == []


def test_a_list_that_was_renamed_in_klaviyo_is_still_the_same(members):
    """The registry knows its id. A new list of the old name is somebody else's."""
    members.run()
    listed = members.list_id()
    document = {"data": {"type": "list", "id": listed, "attributes": {"name": "Renamed"}}}
    members.by_hand("PATCH", f"/api/lists/{listed}", document)
    members.new_list("Members")
    become(members, people("ann"))
    assert one(members.run()).outcomes == {Outcome.REMOVED: 1}
    assert members.emails(listed) == ["ann@example.com"]


def test_a_list_by_id_must_exist(members):
    """A wrong id is told before anything is sent."""
    members_model(members, list_id="NoSuch", list="")
    with pytest.raises(UsageError, match="NoSuch"):
        members.run()
    assert members.writes() == []


def test_where_lists_may_not_be_created_the_nearest_names_are_offered(make_world):
    """A typing mistake must not become a list."""
    world = make_world(create_lists=False)
    members_model(world)
    become(world, people("ann"))
    world.new_list("Member")
    before = len(world.writes())
    with pytest.raises(UsageError, match="no list named 'Members'") as error:
        world.run()
    assert "'Member'" in error.value.problems[0].advice
    assert len(world.writes()) == before


def test_at_most_five_lists_are_created_in_a_run(world):
    """A wrong column as the list column would make a list of each of its values."""
    clubs_model(world)
    become(world, [person(f"p{n}", club=f"Club {n}") for n in range(6)])
    with pytest.raises(UsageError, match="6 lists"):
        world.run()
    assert world.writes() == []
    become(world, [person(f"p{n}", club=f"Club {n}") for n in range(5)])
    world.run()
    assert len(names(world)) == 5


@pytest.mark.parametrize("status", [500, 503, 408])
def test_after_a_lost_reply_to_a_creation_the_list_is_looked_up(members, status):
    """Creating is not repeated: the list is there, though its reply was lost, and it is ours."""
    members.fault(Fault("status", "POST", "/api/lists", status=status, after=True))
    members.run()
    assert names(members) == ["Members"]
    assert [entry.path for entry in members.writes()].count("/api/lists") == 1


def test_a_creation_that_was_not_carried_out_is_made_by_the_next_run(members):
    """The reply was lost, and no such list is to be seen: the run stops, and says so."""
    members.fault(Fault("cut", "POST", "/api/lists"))
    with pytest.raises(ReplyLost):
        members.run()
    assert members.state("SELECT name, state FROM lists") == [("Members", "intended")]
    assert len(members.writes()) == 1
    members.run()
    assert names(members) == ["Members"]
    assert members.state("SELECT name, state FROM lists") == [("Members", "owned")]


def dies_after_creation(world, monkeypatch):
    """Run, and die when Klaviyo has made the list and before that is noted."""
    with monkeypatch.context() as patched:
        patched.setattr(Lists, "own", lambda *_: (_ for _ in ()).throw(Interrupted))
        with pytest.raises(Interrupted):
            world.run()
    assert world.state("SELECT name, state FROM lists") == [("Members", "intended")]


def creations(world):
    """Return how many requests asked for a new list."""
    return [entry.path for entry in world.writes()].count("/api/lists")


def looked_in_vain(world):
    """Return how many requests asked for lists after one was made and well before it was shown."""
    (made,) = [entry.at for entry in world.writes() if entry.path == "/api/lists"]
    asked = [entry.at for entry in world.sandbox.log() if (entry.method, entry.path) == ("GET", "/api/lists")]
    return sum(made < at < made + SHOWN_LATE["list_seconds"] - 1.0 for at in asked)


def test_a_run_that_died_after_a_creation_leaves_its_list_to_the_next(members, monkeypatch):
    """The list is there, and only the intent is noted: it is found by its name, and owned."""
    dies_after_creation(members, monkeypatch)
    members.run()
    assert (names(members), creations(members)) == (["Members"], 1)
    assert members.state("SELECT name, state FROM lists") == [("Members", "owned")]
    assert len(members.emails()) == 2


def test_a_list_that_a_dead_run_created_is_waited_for(make_world, monkeypatch):
    """The next run begins at once, and Klaviyo does not show the list yet: no second one is made."""
    world = make_world(**SHOWN_LATE)
    members_model(world)
    become(world, people("ann", "bob"))
    dies_after_creation(world, monkeypatch)
    world.run()
    assert looked_in_vain(world) > 0
    assert (names(world), creations(world)) == (["Members"], 1)
    assert len(world.emails()) == 2


def test_after_a_lost_reply_a_list_that_is_shown_late_is_waited_for(make_world):
    """The connection was cut when the list had been made, which takes a while to be shown."""
    world = make_world(**SHOWN_LATE)
    members_model(world)
    become(world, people("ann", "bob"))
    world.fault(Fault("cut", "POST", "/api/lists", after=True))
    world.run()
    assert looked_in_vain(world) > 0
    assert (names(world), creations(world)) == (["Members"], 1)


def test_of_two_lists_of_one_name_the_one_that_was_made_since_the_intent_is_ours(make_world, monkeypatch):
    """Somebody's list of that name was not shown yet when ours was made. Both are when the next run looks."""
    world = make_world(speed=400.0, list_seconds=1_000.0)
    members_model(world)
    become(world, people("ann", "bob"))
    theirs = world.new_list()
    world.wait(100.0)
    dies_after_creation(world, monkeypatch)
    world.wait(1_200.0)
    world.run()
    assert creations(world) == 2
    assert world.emails(theirs) == []
    (ours,) = {listed["id"] for listed in world.sandbox.lists()} - {theirs}
    assert world.emails(ours) == ["ann@example.com", "bob@example.com"]


def test_of_two_lists_that_were_made_since_the_intent_none_is_guessed(members, monkeypatch):
    """Somebody made a list of that name by hand after the run had died."""
    dies_after_creation(members, monkeypatch)
    members.new_list()
    with pytest.raises(UsageError, match="2 lists"):
        members.run()
    assert len(names(members)) == 2


@pytest.mark.parametrize("gone", [False, True])
def test_a_list_is_left_behind_too_where_nobody_knows_what_came_of_its_rows(members, gone):
    """All replies were lost, and then the model names another list, or is gone: that is told."""
    become(members, people("ann", "bob"))
    members.fault(Fault("cut", "POST", IMPORTS, after=True, times=9))
    assert one(members.run()).outcomes == {Outcome.UNKNOWN: 2}
    members.calm()
    if gone:
        members.drop_model("members")
        members.model("others", "select email from people where false", list="Others", min_rows=0)
    else:
        members_model(members, list="Others")
    (told,) = members.run().plan.news
    assert "drove the list 'Members'" in told
    assert "(2 rows)" in told
    assert members.plan().notes == (told,)
    assert [one.note for one in members.project().status().lists if one.unsettled] == [told]


@pytest.mark.parametrize("trouble", [None, "a refused key", "a limit"])
def test_models_that_swap_their_lists_and_swap_them_back_forget_nobody(world, trouble):
    """What a model remembers of a list says nothing of what another did to it in between.

    Model b sent Pia to X, a took her off, and b wants her there again; its first run may come to little.
    """
    turns = [
        {"a": ("X", ["pia", "zoe"]), "b": ("Y", ["yan"])},
        {"a": ("Y", ["zoe"]), "b": ("X", ["pia", "yan"])},
        {"a": ("X", ["zoe"]), "b": ("Y", ["yan"])},
        {"a": ("Y", ["zoe"]), "b": ("X", ["pia", "yan"])},
    ]
    for turn in turns:
        for model, (name, rows) in turn.items():
            select = f"select email, first_name from {model}"
            world.model(model, select, list=name, identifiers={"email": "email"}, max_removes=1.0)
            world.people(people(*rows), table=model)
        if turn is turns[-1] and trouble == "a refused key":
            world.fault(Fault("status", "POST", IMPORTS, status=401))
        world.run(wish=Wish(limit=1 if turn is turns[-1] and trouble == "a limit" else None))
        world.wait(300.0)
    if trouble:
        world.run()
    assert {"pia@example.com", "yan@example.com"} <= {*world.emails("X")}
    before = len(world.writes())
    world.run()
    assert len(world.writes()) == before


def test_a_row_that_is_rejected_while_its_list_is_taken_back_is_not_taken_for_sent(world):
    """Model b put Ann on X and took her off again; a takes X back while her row stands twice, and differs."""
    turns = [
        {"b": ("X", people("ann", "bob")), "a": ("Y", people("zoe"))},
        {"a": ("X", people("ann", "bob")), "b": ("Y", people("zoe"))},
        {"b": ("X", people("bob", "zoe")), "a": ("Y", people("zoe"))},
        {
            "a": ("X", [*people("ann", "bob", "zoe"), person("ann", first_name="Other")]),
            "b": ("Y", people("zoe")),
        },
        {"a": ("X", people("ann", "bob", "zoe")), "b": ("Y", people("zoe"))},
    ]
    for turn in turns:
        for model, (name, rows) in turn.items():
            select = f"select email, customer_id, first_name from t_{model}"
            world.model(model, select, list=name, identifiers=BY_EMAIL, max_removes=1.0)
            world.people(rows, table=f"t_{model}")
        world.run()
        world.wait(300.0)
    assert world.emails("X") == ["ann@example.com", "bob@example.com", "zoe@example.com"]


def test_a_list_that_a_model_comes_back_to_is_in_doubt(members):
    """What it sent to another list meanwhile is what Klaviyo has now: a profile has one name on all lists."""
    for name, first_name in (("First", "Ann"), ("Second", "Anna"), ("First", "Ann")):
        members_model(members, list=name)
        become(members, [person("ann", first_name=first_name), person("bob")])
        members.run()
    assert members.person("ann@example.com")["first_name"] == "Ann"
    assert one(members.run()).plan.unchanged == 2


@pytest.mark.parametrize("death", [False, True])
def test_a_model_under_a_new_name_takes_off_whom_the_old_one_sent(members, death):
    """It remembers nothing of the list, but it is the same job that put them there.

    Else everybody counts as a member from before its time, and stays for ever.
    """
    become(members, people("ann", "bob", "cat"))
    members.run()
    members.wait(3_600.0)
    members.drop_model("members")
    members.model("renamed", SELECT, list="Members", identifiers=BY_EMAIL)
    if death:
        assert members.dies(lambda event: isinstance(event, Sending))
    members.run()
    members.wait(3_600.0)
    become(members, people("ann", "bob"))
    assert one(members.run()).outcomes == {Outcome.REMOVED: 1}
    assert members.emails() == ["ann@example.com", "bob@example.com"]


@pytest.mark.parametrize("unsent", ["a limit", "a refused import"])
def test_it_takes_them_off_also_if_it_first_sent_them_in_a_later_run(members, unsent):
    """What came in between changes nothing of who put them there."""
    moves(members, people("ann", "bob"))
    members.drop_model("members")
    members.model("renamed", SELECT, list="Members", identifiers=BY_EMAIL, max_removes=1.0)
    if unsent == "a refused import":
        members.fault(Fault("status", "POST", IMPORTS, status=400, times=9))
    members.run(wish=Wish(limit=1 if unsent == "a limit" else None))
    members.calm()
    members.wait(600.0)
    moves(members, people("ann", "bob"))
    assert one(moves(members, people("ann"))).outcomes == {Outcome.REMOVED: 1}
    assert members.emails() == ["ann@example.com"]


@pytest.mark.parametrize("how", ["another identifier first", "a new e-mail in the same build"])
def test_it_takes_them_off_also_if_the_old_one_knew_them_otherwise(world, how):
    """They are the same people: by their e-mail, or by an id."""
    members_model(world, max_removes=1.0)
    moves(world, people("ann", "bob"))
    world.drop_model("members")
    kinds = {"external_id": "customer_id", "email": "email"}
    ann = person("ann")
    if how == "a new e-mail in the same build":
        kinds, ann = BY_EMAIL, person("ann", email="ann2@example.com")
    world.model("again", SELECT, list="Members", identifiers=kinds, max_removes=1.0)
    moves(world, [ann, person("bob")])
    assert one(moves(world, people("bob"))).outcomes == {Outcome.REMOVED: 1}
    assert world.emails() == ["bob@example.com"]


def test_a_list_has_one_model(members):
    """Two models of one list would each remove the other's people."""
    members.model("others", "select email from people", list="Members")
    with pytest.raises(UsageError, match="'Members' is driven by"):
        members.run()
    members.drop_model("others")
    members.run()
    members.model("others", "select email from people", list="Members")
    before = len(members.writes())
    with pytest.raises(UsageError, match="'Members' is driven by"):
        members.run(select=["others"])
    assert len(members.writes()) == before


def test_a_list_may_pass_from_a_model_that_lets_it_go(members):
    """The old model drives another list now, in the same run.

    Then the list is free, and its old members stay.
    """
    members.run()
    members_model(members, list="Elsewhere")
    members.model("others", "select email from people where email like 'ann%'", list="Members")
    members.run()
    assert members.emails("Members") == ["ann@example.com", "bob@example.com"]
    assert members.emails("Elsewhere") == ["ann@example.com", "bob@example.com"]


def test_two_names_of_one_list_are_refused(world):
    """By the profile's mapping both names mean the same list: its rows would be two states of one list."""
    listed = world.new_list("Tea")
    world.profile(lists={"Green": listed, "Black": listed})
    clubs_model(world)
    become(world, [person("ann", club="Green"), person("bob", club="Black")])
    with pytest.raises(UsageError, match="same list"):
        world.run()


def test_a_model_with_a_list_column_drives_each_list(world):
    """Each row names its list.

    One person on two lists is two rows; one whose list is blank is rejected, and nobody else.
    """
    clubs_model(world)
    rows = [
        person("ann", club="Tea"),
        person("ann", club="Coffee"),
        person("bob", club=" Tea "),
        person("cat", club=" "),
    ]
    become(world, rows)
    result = world.run()
    assert world.emails("Tea") == ["ann@example.com", "bob@example.com"]
    assert world.emails("Coffee") == ["ann@example.com"]
    assert world.state("SELECT code FROM rejections") == [("no_list",)]
    assert result.exit_code == 1


def test_who_moves_between_the_lists_of_a_model_is_added_and_removed(world):
    """Ann leaves Tea for Coffee."""
    clubs_model(world)
    become(world, [person("ann", club="Tea"), person("bob", club="Tea"), person("cat", club="Coffee")])
    world.run()
    become(world, [person("ann", club="Coffee"), person("bob", club="Tea"), person("cat", club="Coffee")])
    world.run()
    assert world.emails("Tea") == ["bob@example.com"]
    assert world.emails("Coffee") == ["ann@example.com", "cat@example.com"]


def test_the_lists_of_a_person_are_sent_one_after_another(make_world):
    """Two open jobs of one person may be carried out in any order.

    The second begins when the first has ended.
    """
    world = make_world(job_seconds=3_000.0)
    clubs_model(world)
    become(world, [person("ann", club="Tea"), person("ann", club="Coffee")])
    world.run()
    first, second = [entry.at for entry in world.writes() if "import" in entry.path]
    assert second >= first + 3_000.0


def test_while_a_job_does_not_end_no_other_list_is_sent(make_world):
    """Klaviyo is slow, and the run has waited long enough.

    Someone of Tea may be in Coffee's open job: Tea is not sent today, and the next run goes on from there.
    """
    world = make_world(job_seconds=20_000.0)
    world.profile(job_timeout_minutes=1)
    clubs_model(world)
    become(world, [person("ann", club="Coffee"), person("ann", club="Tea")])
    result = world.run()
    assert [listed.outcomes for listed in result.lists] == [{Outcome.ACCEPTED: 1}, {Outcome.NOT_SENT: 1}]
    world.sandbox.finish_jobs()
    result = world.run()
    assert [listed.plan.adds for listed in result.lists] == [0, 1]


def test_a_list_that_no_row_names_any_more_is_guarded_then_emptied_and_then_forgotten(world):
    """All of Tea's people are gone from the model.

    Asked for, they are taken off; after that, nobody need be asked again.
    """
    clubs_model(world)
    become(world, [person("ann", club="Tea"), person("bob", club="Coffee")])
    world.run()
    become(world, [person("bob", club="Coffee")])
    with pytest.raises(GuardRefused, match="0 rows"):
        world.run()
    world.run(**ALL)
    assert world.emails("Tea") == []
    result = world.run()
    assert [listed.plan.list.name for listed in result.lists] == ["Coffee"]


def test_a_list_that_was_deleted_in_klaviyo_is_not_emptied_in_vain(world):
    """Tea was deleted by hand, and no row names it: its rows are shown as left behind, and Coffee goes on."""
    clubs_model(world)
    become(world, [person("ann", club="Tea"), person("bob", club="Coffee")])
    world.run()
    tea = world.list_id("Tea")
    world.by_hand("DELETE", f"/api/lists/{tea}")
    become(world, [person("bob", club="Coffee"), person("cat", club="Coffee")])
    result = world.run()
    assert result.exit_code == 0
    assert result.plan.models[0].orphans == ((tea, 1),)
    assert world.emails("Coffee") == ["bob@example.com", "cat@example.com"]


def test_a_list_that_was_deleted_in_klaviyo_is_made_anew_and_filled(world):
    """Tea was deleted by hand, and rows name it still.

    The new list has a new id, begins with nothing, and gets everybody.
    """
    clubs_model(world)
    become(world, [person("ann", club="Tea"), person("bob", club="Coffee")])
    world.run()
    old = world.list_id("Tea")
    world.by_hand("DELETE", f"/api/lists/{old}")
    world.run()
    assert world.emails("Tea") == ["ann@example.com"]
    assert world.list_id("Tea") != old
    before = len(world.writes())
    world.run()
    assert len(world.writes()) == before


def test_a_list_that_is_deleted_before_it_is_filled_stops_alone(world):
    """Tea was there when the run planned, and is not when its turn comes.

    The request points at the list, not at a row: no row is rejected, and the next run makes the list anew.
    """
    clubs_model(world)
    clubs = {"ann": "Cake", "bob": "Tea", "cat": "Yoga"}
    become(world, [person(name, club=club) for name, club in clubs.items()])
    world.run()
    become(world, [person(name, first_name=name[0], club=club) for name, club in clubs.items()])
    tea = world.list_id("Tea")

    def tell(event):
        if isinstance(event, ListDone) and event.list == "Cake":
            world.by_hand("DELETE", f"/api/lists/{tea}")

    result = world.run(tell=tell)
    assert result.exit_code == 4
    assert [(listed.plan.list.name, listed.failed) for listed in result.lists] == [
        ("Cake", False),
        ("Tea", True),
        ("Yoga", False),
    ]
    applied, not_sent = {Outcome.APPLIED: 1}, {Outcome.NOT_SENT: 1}
    assert [listed.outcomes for listed in result.lists] == [applied, not_sent, applied]
    assert f"A list with id {tea} does not exist." in result.lists[1].reason
    world.run()
    assert {club: world.emails(club) for club in clubs.values()} == {
        club: [f"{name}@example.com"] for name, club in clubs.items()
    }
    assert world.state("SELECT * FROM rejections") == []


def test_without_an_answer_about_lists_nothing_is_sent(members):
    """Klaviyo can't be asked which lists there are: the run ends before its first write."""
    members.fault(Fault("status", "GET", "/api/lists*", status=401, times=None))
    with pytest.raises(KlaviyoError):
        members.run()
    assert members.writes() == []
