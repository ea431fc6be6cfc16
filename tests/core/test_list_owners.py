"""Rule: lists. A list has one model; what was sent for it is remembered when it passes to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import SendProgress
from reverse_etl.errors import UsageError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.rows import (
    BY_EMAIL,
    SELECT,
    become,
    clubs_model,
    members_model,
    moves,
    people,
    person,
    send_two_loosely,
)
from tests.core.world import only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from tests.core.world import PrepareWorld, World


@pytest.fixture
def members(members: World) -> World:
    """Add two people to the world with the model of one list."""
    become(members, people("ann", "bob"))
    return members


@pytest.mark.parametrize("gone", [False, True])
def test_a_list_with_only_uncertain_rows_is_remembered_as_left(members: World, gone: bool) -> None:
    """All replies were lost, and then the model names another list, or is deleted: that is reported."""
    become(members, people("ann", "bob"))
    members.fault(Fault(FaultKind.CUT, "POST", IMPORTS, after=True, times=9))
    assert only_list(members.run()).outcomes == {Outcome.UNKNOWN: 2}
    members.calm()
    if gone:
        members.drop_model("members")
        members.model("others", "select email from people where false", list="Others", min_rows=0)
    else:
        members_model(members, list="Others")
    (told,) = members.run().plan.new_notes
    assert "has 2 rows on the list 'Members'" in told
    assert members.plan().notes == (told,)
    assert [listed.note for listed in members.project().status().lists if listed.uncertain] == [told]


SWAPS: list[dict[str, tuple[str, list[str]]]] = [
    {"a": ("X", ["pia", "zoe"]), "b": ("Y", ["yan"])},
    {"a": ("Y", ["zoe"]), "b": ("X", ["pia", "yan"])},
    {"a": ("X", ["zoe"]), "b": ("Y", ["yan"])},
    {"a": ("Y", ["zoe"]), "b": ("X", ["pia", "yan"])},
]


def swap_lists(world: World, turn: dict[str, tuple[str, list[str]]], limit: int | None = None) -> None:
    """Let models have these lists and rows, and run."""
    for model, (name, rows) in turn.items():
        select = f"select email, first_name from {model}"
        world.model(model, select, list=name, identifiers={"email": "email"}, max_removes=1.0)
        world.people(people(*rows), table=model)
    world.run(options=PlanOptions(limit=limit))
    world.wait(300.0)


def swap_three_times(world: World) -> None:
    """Let two models swap their lists, and swap them back."""
    for turn in SWAPS[:3]:
        swap_lists(world, turn)


@pytest.mark.parametrize("trouble", [None, "a refused key", "a limit"])
def test_models_that_swap_lists_and_swap_back_forget_nobody(
    prepare_world: PrepareWorld, trouble: str | None
) -> None:
    """The rows that a model remembers of a list say nothing about what another model did to it meanwhile.

    Model b sent Pia to X, a removed her, and b wants her there again; its first run may be incomplete.
    """
    world = prepare_world(swap_three_times)
    if trouble == "a refused key":
        world.fault(Fault(FaultKind.STATUS, "POST", IMPORTS, status=401))
    swap_lists(world, SWAPS[3], limit=1 if trouble == "a limit" else None)
    if trouble:
        world.run()
    assert {"pia@example.com", "yan@example.com"} <= {*world.emails("X")}
    before = len(world.writes())
    world.run()
    assert len(world.writes()) == before


def test_a_row_rejected_while_its_list_returns_does_not_count_as_sent(world: World) -> None:
    """Model b added Ann to X and removed her; a takes X back while her row is rejected as a duplicate."""
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


def test_the_rows_of_a_list_that_a_model_returns_to_are_uncertain(members: World) -> None:
    """The model sent other values to another list meanwhile: a profile has one name on all lists."""
    for name, first_name in (("First", "Ann"), ("Second", "Anna"), ("First", "Ann")):
        members_model(members, list=name)
        become(members, [person("ann", first_name=first_name), person("bob")])
        members.run()
    assert members.person("ann@example.com")["first_name"] == "Ann"
    assert only_list(members.run()).list_plan.unchanged == 2


@pytest.mark.parametrize("death", [False, True])
def test_a_renamed_model_removes_members_of_its_old_name(members: World, death: bool) -> None:
    """It remembers nothing of the list, but the same job added its members.

    Otherwise they would count as members from before its time, and stay for ever.
    """
    become(members, people("ann", "bob", "cat"))
    members.run()
    members.wait(3_600.0)
    members.drop_model("members")
    members.model("renamed", SELECT, list="Members", identifiers=BY_EMAIL)
    if death:
        assert members.dies(lambda event: isinstance(event, SendProgress))
    members.run()
    members.wait(3_600.0)
    become(members, people("ann", "bob"))
    assert only_list(members.run()).outcomes == {Outcome.REMOVED: 1}
    assert members.emails() == ["ann@example.com", "bob@example.com"]


@pytest.mark.parametrize("unsent", ["a limit", "a refused import"])
def test_a_renamed_model_removes_them_even_if_it_first_sent_them_later(
    prepare_world: PrepareWorld, unsent: str
) -> None:
    """Other runs in between do not change who added them."""
    members = prepare_world(send_two_loosely)
    members.drop_model("members")
    members.model("renamed", SELECT, list="Members", identifiers=BY_EMAIL, max_removes=1.0)
    if unsent == "a refused import":
        members.fault(Fault(FaultKind.STATUS, "POST", IMPORTS, status=400, times=9))
    members.run(options=PlanOptions(limit=1 if unsent == "a limit" else None))
    members.calm()
    members.wait(600.0)
    moves(members, people("ann", "bob"))
    assert only_list(moves(members, people("ann"))).outcomes == {Outcome.REMOVED: 1}
    assert members.emails() == ["ann@example.com"]


@pytest.mark.parametrize("how", ["another identifier first", "a new e-mail in the same build"])
def test_a_renamed_model_removes_them_even_under_other_identifiers(
    prepare_world: PrepareWorld, how: str
) -> None:
    """They are the same people: by their e-mail, or by an id."""
    world = prepare_world(send_two_loosely)
    world.drop_model("members")
    kinds = {"external_id": "customer_id", "email": "email"}
    ann = person("ann")
    if how == "a new e-mail in the same build":
        kinds, ann = BY_EMAIL, person("ann", email="ann2@example.com")
    world.model("again", SELECT, list="Members", identifiers=kinds, max_removes=1.0)
    moves(world, [ann, person("bob")])
    assert only_list(moves(world, people("bob"))).outcomes == {Outcome.REMOVED: 1}
    assert world.emails() == ["bob@example.com"]


def test_a_list_has_one_owner(members: World) -> None:
    """Two models of one list would each remove the other's people."""
    members.model("others", "select email from people", list="Members")
    with pytest.raises(UsageError, match="use the same list 'Members'"):
        members.run()
    members.drop_model("others")
    members.run()
    members.model("others", "select email from people", list="Members")
    before = len(members.writes())
    with pytest.raises(UsageError, match="use the same list 'Members'"):
        members.run(select=["others"])
    assert len(members.writes()) == before


def test_a_list_may_pass_from_a_model_that_gave_it_up(members: World) -> None:
    """The old model controls another list now, in the same run.

    Then the list is free, and its old members stay.
    """
    members.run()
    members_model(members, list="Elsewhere")
    members.model("others", "select email from people where email like 'ann%'", list="Members")
    members.run()
    assert members.emails("Members") == ["ann@example.com", "bob@example.com"]
    assert members.emails("Elsewhere") == ["ann@example.com", "bob@example.com"]


def test_the_rows_of_two_names_of_one_list_are_rejected(world: World) -> None:
    """By the profile's mapping both names mean the same list: its rows would be two states of one list.

    The rows of other lists are sent.
    """
    listed = world.new_list("Tea")
    world.profile(lists={"Green": listed, "Black": listed})
    clubs_model(world)
    become(world, [person("ann", club="Green"), person("bob", club="Black"), person("cat", club="Cake")])
    result = world.run()
    assert world.emails("Cake") == ["cat@example.com"]
    assert world.emails("Tea") == []
    rejected = [reason for list_result in result.lists for reason in list_result.list_plan.check_rejections]
    assert {(rejection.reason.code, rejection.rows) for rejection in rejected} == {("same_list", 2)}


def test_members_of_a_list_that_gets_two_names_stay(world: World) -> None:
    """Their rows are rejected, and a rejected row protects its person."""
    listed = world.new_list("Tea")
    world.profile(lists={"Green": listed})
    clubs_model(world, min_rows=0, max_removes=1.0)
    become(world, [person("ann", club="Green"), person("bob", club="Green")])
    world.run()
    world.calm()
    world.wait(600.0)
    world.profile(lists={"Green": listed, "Black": listed})
    become(world, [person("ann", club="Green"), person("bob", club="Black")])
    world.run()
    assert world.emails("Tea") == ["ann@example.com", "bob@example.com"]


def test_the_last_model_of_a_project_is_forgotten(members: World) -> None:
    """A project without models is an error for commands that send, but not for those of the state."""
    members.run()
    members.drop_model("members")
    (moved,) = members.project().state_changes.forget("members")
    assert (moved.list_name, moved.rows) == ("Members", 2)
    assert members.emails() == ["ann@example.com", "bob@example.com"]
