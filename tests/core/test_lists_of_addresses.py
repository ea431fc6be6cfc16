"""Rule: a list of addresses alone knows its members still when a model with ids changes their addresses."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import Warned
from tests.core.killing import dies_at_statement, nth_event
from tests.core.rows import COLUMNS, members_model, person
from tests.core.world import Interrupted, World

if TYPE_CHECKING:
    from pathlib import Path

BY_ID = {"external_id": "customer_id", "email": "email"}
BY_EMAIL = {"email": "email", "external_id": "customer_id"}
ALL = ("addresses", "members")
NEW_ANN = person("ann", email="new@example.com")


@pytest.fixture(params=[BY_ID, pytest.param(BY_EMAIL, marks=pytest.mark.long)], ids=["by id", "by e-mail"])
def lists(world: World, request: pytest.FixtureRequest) -> World:
    """Return a world with a list of customers and a list of addresses, each with Ann and Cat."""
    members_model(world, identifiers=request.param, max_removes=1.0)
    config: dict[str, Any] = {"list": "Other", "max_removes": 1.0, "identifiers": {"email": "email"}}
    world.model("addresses", "select email from subscribers", **config)
    sends(world, [person("ann"), person("cat")], "ann", "cat")
    return world


def write(world: World, customers: list[dict[str, Any]], *subscribers: str) -> None:
    """Let the tables have these rows."""
    world.people(customers, columns=COLUMNS)
    rows = [{"email": f"{name}@example.com"} for name in subscribers]
    world.people(rows, "subscribers", "email VARCHAR")


def sends(world: World, customers: list[dict[str, Any]], *subscribers: str, **options: Any) -> dict[str, Any]:
    """Let the tables have these rows, run, and return the outcomes by model."""
    write(world, customers, *subscribers)
    result = world.run(allow_removes=ALL, **options)
    world.wait(600.0)
    return {listed.model: listed.outcomes for listed in result.lists}


def ids_of_subscribers(world: World) -> list[tuple[Any, Any]]:
    """Return who is on the list of addresses, by customer id and e-mail."""
    return sorted((str(member["external_id"]), member["email"]) for member in world.members("Other"))


def test_a_member_with_a_new_address_stays_managed(lists: World) -> None:
    outcomes = sends(lists, [NEW_ANN, person("cat")], "new", "cat")
    assert outcomes["addresses"] == {Outcome.APPLIED: 1, Outcome.REPLACED: 1}
    assert lists.emails("Other") == ["cat@example.com", "new@example.com"]
    outcomes = sends(lists, [NEW_ANN, person("cat")], "cat")
    assert outcomes["addresses"] == {Outcome.REMOVED: 1}
    assert lists.emails("Other") == ["cat@example.com"]


def test_a_member_who_leaves_with_a_new_address_is_removed(lists: World) -> None:
    """No row has the new address, and Klaviyo no longer finds the old one."""
    outcomes = sends(lists, [NEW_ANN, person("cat")], "cat")
    assert outcomes["addresses"] == {Outcome.REMOVED: 1}
    assert lists.emails("Other") == ["cat@example.com"]


def test_an_address_that_becomes_another_persons_is_sent_again(lists: World) -> None:
    """The row of the old address does not change in the warehouse: it is Bob's address from now on."""
    customers = [NEW_ANN, person("bob", email="ann@example.com"), person("cat")]
    for _ in range(2):
        sends(lists, customers, "ann", "new", "cat")
    by_id = [("c-ann", "new@example.com"), ("c-bob", "ann@example.com"), ("c-cat", "cat@example.com")]
    assert ids_of_subscribers(lists) == by_id
    writes = len(lists.writes())
    assert not any(sends(lists, customers, "ann", "new", "cat").values())
    assert len(lists.writes()) == writes
    outcomes = sends(lists, customers, "ann", "cat")
    assert outcomes["addresses"] == {Outcome.REMOVED: 1}
    assert ids_of_subscribers(lists) == by_id[1:]


def test_a_list_that_has_the_old_address_still_has_it_as_a_profile_of_its_own(lists: World) -> None:
    """The list states an address, which is nobody's in Klaviyo any more, and does not state the new one."""
    events: list[Any] = []
    sends(lists, [NEW_ANN, person("cat")], "ann", "cat", on_progress=events.append)
    (warning,) = [event.text for event in events if isinstance(event, Warned)]
    assert warning.startswith("addresses: 1 row has an address that its profile loses")
    sends(lists, [NEW_ANN, person("cat")], "ann", "cat")
    assert ids_of_subscribers(lists) == [("None", "ann@example.com"), ("c-cat", "cat@example.com")]
    sends(lists, [NEW_ANN, person("cat")], "new", "cat")
    assert ids_of_subscribers(lists) == [("c-ann", "new@example.com"), ("c-cat", "cat@example.com")]


@pytest.mark.parametrize(
    "subscribers",
    [("cat",), *(pytest.param(names, marks=pytest.mark.long) for names in (("new", "cat"), ("ann", "cat")))],
)
def test_a_list_that_is_not_selected_keeps_its_members_too(
    lists: World, subscribers: tuple[str, ...]
) -> None:
    sends(lists, [NEW_ANN, person("cat")], *subscribers, select=("members",))
    for _ in range(2):
        sends(lists, [NEW_ANN, person("cat")], *subscribers)
    assert lists.emails("Other") == sorted(f"{name}@example.com" for name in subscribers)
    sends(lists, [NEW_ANN, person("cat")], "cat")
    assert lists.emails("Other") == ["cat@example.com"]


def test_a_customer_who_is_back_with_a_new_address_is_the_same_subscriber(lists: World) -> None:
    """Nothing in the state has her old address, other than the list of addresses."""
    sends(lists, [person("cat")], "ann", "cat")
    sends(lists, [NEW_ANN, person("cat")], "new", "cat")
    assert ids_of_subscribers(lists) == [("c-ann", "new@example.com"), ("c-cat", "cat@example.com")]
    sends(lists, [NEW_ANN, person("cat")], "cat")
    assert lists.emails("Other") == ["cat@example.com"]


def test_a_member_who_joined_by_herself_stays(world: World) -> None:
    """A new address does not make her a member that the list added."""
    members_model(world, identifiers=BY_ID, max_removes=1.0)
    world.model("addresses", "select email from subscribers", list="Other", identifiers={"email": "email"})
    world.put_on_list(world.new_list("Other"), world.new_profile(email="ann@example.com"))
    world.wait(3_600.0)
    sends(world, [person("ann"), person("cat")], "ann", "cat")
    outcomes = sends(world, [NEW_ANN, person("cat")], "cat")
    assert outcomes["addresses"] == {Outcome.UNMANAGED: 1}
    assert world.emails("Other") == ["cat@example.com", "new@example.com"]


def test_somebody_else_with_the_new_address_stays(lists: World) -> None:
    """She joined by herself with it: Ann's profile keeps the old address, and is removed."""
    lists.put_on_list(lists.list_id("Other"), lists.new_profile(email="new@example.com"))
    sends(lists, [NEW_ANN, person("cat")], "cat")
    assert lists.emails("Other") == ["cat@example.com", "new@example.com"]


def test_profiles_without_a_list_get_their_values_again(world: World) -> None:
    """The profile of the old address is another one."""
    members_model(world, identifiers=BY_ID, max_removes=1.0)
    world.model(
        "addresses",
        "select email, 'yes' as newsletter from subscribers",
        surface="profiles",
        identifiers={"email": "email"},
    )
    sends(world, [person("ann")], "ann")
    customers = [NEW_ANN, person("bob", email="ann@example.com")]
    for _ in range(2):
        sends(world, customers, "ann")
    assert world.person("ann@example.com")["external_id"] == "c-bob"
    assert world.person("ann@example.com")["properties"] == {"newsletter": "yes"}


def test_a_list_with_skipped_reads_is_read_after_a_change_of_its_members(world: World) -> None:
    world.destination["skip_unchanged"] = True
    members_model(world, identifiers=BY_ID, max_removes=1.0)
    world.model("addresses", "select email from subscribers", list="Other", identifiers={"email": "email"})
    world.people([{"email": "ann@example.com"}], "subscribers", "email VARCHAR")
    for rows in ([person("ann")], [person("ann")], [NEW_ANN, person("bob", email="ann@example.com")]):
        world.people(rows, columns=COLUMNS)
        world.run(allow_removes=ALL)
        world.wait(600.0)
    world.run(allow_removes=ALL)
    assert ids_of_subscribers(world) == [("c-bob", "ann@example.com")]


KILLS = [(nth, names) for nth in range(1, 16) for names in (("new", "cat"), ("cat",), ("ann", "new", "cat"))]
FEW_KILLS = [(5, ("new", "cat")), (8, ("cat",)), (10, ("ann", "new", "cat"))]


@pytest.mark.parametrize(
    ("nth", "subscribers"),
    [kill if kill in FEW_KILLS else pytest.param(*kill, marks=pytest.mark.long) for kill in KILLS],
)
def test_a_run_that_dies_loses_no_member_and_no_removal(
    world: World, nth: int, subscribers: tuple[str, ...]
) -> None:
    members_model(world, identifiers=BY_ID, max_removes=1.0)
    world.model("addresses", "select email from subscribers", list="Other", identifiers={"email": "email"})
    sends(world, [person("ann"), person("cat")], "ann", "cat")
    customers = [NEW_ANN, person("cat")]
    if "ann" in subscribers:
        customers.append(person("bob", email="ann@example.com"))
    with suppress(Interrupted):
        sends(world, customers, *subscribers, on_progress=die_at_nth(nth))
    world.wait(600.0)
    for _ in range(2):
        sends(world, customers, *subscribers)
    assert world.emails("Other") == sorted(f"{name}@example.com" for name in subscribers)
    sends(world, customers, "cat")
    assert world.emails("Other") == ["cat@example.com"]


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("subscribers", [("new", "cat"), ("cat",), ("ann", "new", "cat")])
def test_a_run_that_dies_at_any_statement_loses_nobody(
    lists: World, tmp_path: Path, subscribers: tuple[str, ...]
) -> None:
    saved = lists.save(tmp_path / "saved")
    customers = [NEW_ANN, person("cat")]
    if "ann" in subscribers:
        customers.append(person("bob", email="ann@example.com"))
    nth, died = 20, True  # the statements before look for earlier runs
    while died:
        with closing(World.load(saved, tmp_path / str(nth))) as world:
            write(world, customers, *subscribers)
            died = dies_at_statement(world, nth, allow_removes=ALL)
            world.wait(600.0)
            for _ in range(2):
                sends(world, customers, *subscribers)
            assert world.emails("Other") == sorted(f"{name}@example.com" for name in subscribers), nth
            sends(world, customers, "cat")
            assert world.emails("Other") == ["cat@example.com"], nth
        nth += 3


def die_at_nth(nth: int) -> Any:
    """Return a progress handler that ends the run at the nth event."""
    happens = nth_event(nth)

    def handle(event: Any) -> None:
        if happens(event):
            raise Interrupted

    return handle
