"""Rules: which list is meant, by its name or by each row's. State is kept by id, never by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import SendProgress, Warned
from reverse_etl.errors import KlaviyoError, UsageError
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import become, clubs_model, members_model, names, people, person
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tests.core.world import World

ALL = {"allow_removes": ["clubs"]}


def warnings_into(warnings: list[str]) -> Callable[[Any], None]:
    """Return a listener that collects the texts of warnings."""

    def tell(event: Any) -> None:
        if isinstance(event, Warned):
            warnings.append(event.text)

    return tell


@pytest.fixture
def members(members: World) -> World:
    """Add two people to the world with the model of one list."""
    become(members, people("ann", "bob"))
    return members


def test_a_list_is_found_by_its_exact_name_on_every_page(members: World) -> None:
    """One tool looked at a hundred pages, then made a second list of the same name.

    Here it is the 25th of 30.
    """
    for number in range(30):
        members.new_list("Members" if number == 24 else f"members {number}")
    members.run()
    assert len(names(members)) == 30
    assert len(members.emails()) == 2


def test_two_lists_of_one_name_are_not_guessed_between(members: World) -> None:
    """Klaviyo does not promise that names are unique: the ids are shown, and nothing is sent."""
    first, second = members.new_list(), members.new_list()
    before = len(members.writes())
    with pytest.raises(UsageError, match="2 lists") as error:
        members.run()
    assert all(list_id in str(error.value) for list_id in (first, second))
    assert len(members.writes()) == before


def test_a_name_mapped_in_the_profile_means_the_mapped_list(members: World) -> None:
    """The mapping in profiles.yml comes first: what Klaviyo calls the list does not matter."""
    listed = members.new_list("VIP 2026")
    members.new_list("Members")
    members.profile(lists={"Members": listed})
    members.run()
    assert len(members.emails("VIP 2026")) == 2
    assert members.emails("Members") == []


def test_a_list_that_was_renamed_in_klaviyo_is_still_the_same(members: World) -> None:
    """The registry knows its id. A new list of the old name is somebody else's."""
    members.run()
    listed = members.list_id()
    document = {"data": {"type": "list", "id": listed, "attributes": {"name": "Renamed"}}}
    members.by_hand("PATCH", f"/api/lists/{listed}", document)
    members.new_list("Members")
    become(members, people("ann"))
    assert only_list(members.run()).outcomes == {Outcome.REMOVED: 1}
    assert members.emails(listed) == ["ann@example.com"]


def test_a_list_by_id_must_exist(members: World) -> None:
    members_model(members, list_id="NoSuch", list="")
    with pytest.raises(UsageError, match="NoSuch"):
        members.run()
    assert members.writes() == []


def test_a_model_with_a_list_column_fills_each_list(world: World) -> None:
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


def test_a_person_who_moves_between_lists_is_added_and_removed(world: World) -> None:
    clubs_model(world)
    become(world, [person("ann", club="Tea"), person("bob", club="Tea"), person("cat", club="Coffee")])
    world.run()
    become(world, [person("ann", club="Coffee"), person("bob", club="Tea"), person("cat", club="Coffee")])
    world.run()
    assert world.emails("Tea") == ["bob@example.com"]
    assert world.emails("Coffee") == ["ann@example.com", "cat@example.com"]


def test_the_lists_of_a_person_are_sent_one_after_another(make_world: Callable[..., World]) -> None:
    """Two open jobs of one person may be carried out in any order.

    The second begins when the first has ended.
    """
    world = make_world(job_seconds=300.0)
    clubs_model(world)
    become(world, [person("ann", club="Tea"), person("ann", club="Coffee")])
    world.run()
    first, second = [entry.received_at for entry in world.writes() if "import" in entry.path]
    assert second >= first + 300.0


def test_an_unfinished_job_delays_the_other_lists_of_the_person(make_world: Callable[..., World]) -> None:
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
    assert [listed.list_plan.adds for listed in result.lists] == [0, 1]


def test_a_list_without_rows_is_guarded_then_emptied_then_forgotten(world: World) -> None:
    """All rows of Tea left the model. If allowed, they are removed; the next run asks nothing."""
    clubs_model(world)
    become(world, [person("ann", club="Tea"), person("bob", club="Coffee")])
    world.run()
    become(world, [person("bob", club="Coffee")])
    refused = world.run()
    assert refused.exit_code == 3
    assert "returned 0 rows for this list" in refused.plan.problems[0].summary
    world.run(**ALL)
    assert world.emails("Tea") == []
    result = world.run()
    assert [listed.list_plan.list_ref.name for listed in result.lists] == ["Coffee"]


def test_no_removals_are_sent_for_a_list_deleted_in_klaviyo(world: World) -> None:
    """Tea was deleted by hand, and no row names it: its rows are shown as left behind, and Coffee goes on."""
    clubs_model(world)
    become(world, [person("ann", club="Tea"), person("bob", club="Coffee")])
    world.run()
    tea = world.list_id("Tea")
    world.by_hand("DELETE", f"/api/lists/{tea}")
    become(world, [person("bob", club="Coffee"), person("cat", club="Coffee")])
    result = world.run()
    assert result.exit_code == 0
    assert result.plan.models[0].orphaned_rows == ((tea, 1),)
    assert world.emails("Coffee") == ["bob@example.com", "cat@example.com"]


def test_a_list_deleted_in_klaviyo_is_created_again_and_filled(world: World) -> None:
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


def test_a_list_that_is_deleted_before_it_is_filled_stops_alone(world: World) -> None:
    """Tea was there when the run planned, and is not when its turn comes.

    The request points at the list, not at a row: no row is rejected, and the next run creates the list again.
    """
    clubs_model(world)
    clubs = {"ann": "Cake", "bob": "Tea", "cat": "Yoga"}
    become(world, [person(name, club=club) for name, club in clubs.items()])
    world.run()
    become(world, [person(name, first_name=name[0], club=club) for name, club in clubs.items()])
    tea = world.list_id("Tea")

    def tell(event: Any) -> None:
        if isinstance(event, SendProgress) and event.list == "Cake":
            world.by_hand("DELETE", f"/api/lists/{tea}")

    result = world.run(on_progress=tell)
    assert result.exit_code == 4
    assert [(listed.list_plan.list_ref.name, listed.failed) for listed in result.lists] == [
        ("Cake", False),
        ("Tea", True),
        ("Yoga", False),
    ]
    applied, not_sent = {Outcome.APPLIED: 1}, {Outcome.NOT_SENT: 1}
    assert [listed.outcomes for listed in result.lists] == [applied, not_sent, applied]
    assert f"A list with id {tea} does not exist." in result.lists[1].stop_reason
    world.run()
    assert {club: world.emails(club) for club in clubs.values()} == {
        club: [f"{name}@example.com"] for name, club in clubs.items()
    }
    assert world.state("SELECT * FROM rejections") == []


def test_without_an_answer_about_lists_nothing_is_sent(members: World) -> None:
    """Klaviyo can't be asked which lists there are: the run ends before its first write."""
    members.fault(Fault(FaultKind.STATUS, "GET", "/api/lists*", status=401, times=None))
    with pytest.raises(KlaviyoError):
        members.run()
    assert members.writes() == []


@pytest.mark.parametrize("name", ["Te\x00a", "Te\na", "Te\u202ea", "Te\u200ba", "Te\x9ba"])
def test_a_list_name_with_a_control_character_rejects_its_rows(world: World, name: str) -> None:
    """It breaks a line or writes backwards; the other rows go on."""
    name = name.replace("\x00", "\x01")  # DuckDB's text may not hold a NUL
    clubs_model(world)
    become(world, [person("ann", club="Tea"), person("bob", club=name), person("cat", club="\tTea\u2029")])
    result = world.run()
    assert result.exit_code == 1
    assert world.emails("Tea") == ["ann@example.com", "cat@example.com"]
    assert world.state("SELECT code FROM rejections") == [("list_invisible",)]


def test_emoji_are_list_names(world: World) -> None:
    """They are made of joiners and variation selectors."""
    clubs_model(world)
    become(world, [person("ann", club="\U0001f468\u200d\U0001f469 \u2764\ufe0f")])
    assert world.run().exit_code == 0
    assert names(world) == ["\U0001f468\u200d\U0001f469 \u2764\ufe0f"]


def test_a_name_of_no_list_rejects_its_rows_and_stops_nothing_else(make_world: Callable[..., World]) -> None:
    """A typo in a row must not stop every model. The warning says what may be meant."""
    world = make_world(create_lists=False)
    for name in ("Tea", "Members"):
        world.new_list(name)
    clubs_model(world)
    members_model(world)
    become(world, [person("ann", club="Tea"), person("bob", club="Teas")])
    warnings: list[str] = []
    result = world.run(on_progress=warnings_into(warnings))
    assert result.exit_code == 1
    assert world.emails("Tea") == ["ann@example.com"]
    assert len(world.members()) == 2
    (warning,) = warnings
    assert warning == (
        "models/clubs.sql (model clubs): the rows of the list 'Teas' are rejected: there is no list of this "
        "name, and create_lists is false. Did you mean 'Tea'?"
    )
    (rejected,) = [rejection for each in world.project().status().lists for rejection in each.rejections]
    assert rejected.reason.describe() == "there is no list of this name, and create_lists is false: 'Teas'"


def test_a_name_of_several_lists_in_a_row_rejects_it(world: World) -> None:
    """Which of the two is meant is not guessed; the other rows go on."""
    world.new_list("Tea")
    world.new_list("Tea")
    clubs_model(world)
    become(world, [person("ann", club="Tea"), person("bob", club="Coffee")])
    assert world.run().exit_code == 1
    assert world.emails("Coffee") == ["bob@example.com"]
    assert world.state("SELECT code, detail FROM rejections") == [("ambiguous_list", "Tea")]


def test_a_row_that_names_the_list_of_another_model_is_rejected(world: World) -> None:
    """The model whose config names the list owns it, and is delivered."""
    clubs_model(world)
    members_model(world)
    become(world, [person("ann", club="Tea"), person("bob", club="Members")])
    assert world.run().exit_code == 1
    assert world.emails("Tea") == ["ann@example.com"]
    assert len(world.members()) == 2
    assert world.state("SELECT model, code, detail FROM rejections") == [
        ("clubs", "other_models_list", "Members")
    ]


def test_different_values_of_a_property_on_several_lists_are_a_warning(world: World) -> None:
    """A profile has each property once: the last list would overwrite the others without a word."""
    select = "select email, customer_id, first_name, club from people"
    world.model("clubs", select, list_column="club")
    rows = [
        person("ann", club="Tea", first_name="Ann"),
        person("ann", club="Coffee", first_name="Anna"),
        person("bob", club="Tea"),
        person("bob", club="Coffee"),
    ]
    become(world, rows)
    warnings: list[str] = []
    world.project().plan(on_progress=warnings_into(warnings))
    (warning,) = (text.replace("FIRST_NAME", "first_name") for text in warnings)  # as each warehouse names it
    assert warning.startswith(
        "models/clubs.sql (model clubs): 1 person has rows with different values of first_name on different "
        "lists, for example a**@e******.com. A property belongs to the profile"
    )
