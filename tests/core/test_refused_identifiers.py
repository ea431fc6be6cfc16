"""Rule: a row whose identifiers belong to two profiles is sent without the secondary one, and is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import Warned
from tests.core.rows import become, clubs_model, members_model, people, person
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World


def refusing(make_world: Callable[..., World], conflicts: str) -> World:
    """Make a world in which Klaviyo answers like this to a row of two profiles."""
    world = make_world(conflicts=conflicts)
    members_model(world, max_removes=1.0, min_rows=0)
    return world


def run(world: World, times: int = 1) -> int:
    """Run, let time pass, and return the last exit code."""
    for _ in range(times):
        code = world.run(allow_removes=("members",)).exit_code
        world.wait(600.0)
    return code


def omitted(world: World) -> list[tuple[str, int]]:
    """Return the identifier types that rows are sent without, with their numbers."""
    query = "SELECT identifier, count(*) FROM omissions GROUP BY identifier"
    return world.state(query)


@pytest.mark.parametrize("conflicts", ["refuse", "refuse_request"])
def test_a_row_of_two_profiles_is_sent_without_its_secondary_identifier(
    make_world: Callable[..., World], conflicts: str
) -> None:
    """Somebody else has Ann's customer id: she is a member nevertheless, and the other is left alone."""
    world = refusing(make_world, conflicts)
    world.new_profile(email="ann@example.com")
    other = world.new_profile(email="other@example.com", external_id="c-ann")
    become(world, people("ann", "bob"))
    result = world.run()
    assert only_list(result).outcomes == {Outcome.APPLIED: 2}
    assert result.exit_code == 0
    assert omitted(world) == [("external_id", 1)]
    assert world.emails() == ["ann@example.com", "bob@example.com"]
    assert world.person("ann@example.com")["external_id"] is None
    before = len(world.writes())
    assert world.run().exit_code == 0
    assert len(world.writes()) == before
    note = "Members: 1 row is sent without external_id, which another profile in Klaviyo has"
    assert any(one_note.startswith(note) for one_note in world.project().status().notes)
    warnings: list[str] = []

    def listen(event: Any) -> None:
        if isinstance(event, Warned):
            warnings.append(event.text)

    world.project().reconcile(on_progress=listen)
    assert any(text.startswith(note) for text in warnings)
    world.wait(600.0)
    world.put_on_list(world.list_id(), other)
    become(world, people("bob"))
    world.run(allow_removes=("members",))
    assert world.emails() == ["bob@example.com", "other@example.com"]


@pytest.mark.parametrize("conflicts", ["refuse", "refuse_request"])
def test_an_omission_ends_with_the_value_by_retry_or_with_the_row(
    make_world: Callable[..., World], conflicts: str
) -> None:
    """Ann gets another value, Cat's row leaves and returns, and Dan is retried: then all have their ids."""
    world = refusing(make_world, conflicts)
    others = []
    for name in ("ann", "cat", "dan"):
        world.new_profile(email=f"{name}@example.com")
        others.append(world.new_profile(email=f"other-{name}@example.com", external_id=f"c-{name}"))
    become(world, people("ann", "bob", "cat", "dan"))
    run(world, 2)
    assert omitted(world) == [("external_id", 3)]
    for other in others:
        document = {"data": {"type": "profile", "id": other, "attributes": {"external_id": f"c-{other}"}}}
        world.by_hand("PATCH", f"/api/profiles/{other}", document)
    ann = person("ann", customer_id="c-new")
    become(world, [ann, *people("bob", "dan")])
    run(world)
    assert omitted(world) == [("external_id", 1)]
    assert world.person("dan@example.com")["external_id"] is None
    world.project().retry()
    become(world, [ann, *people("bob", "cat", "dan")])
    assert run(world, 2) == 0
    assert omitted(world) == []
    ids = [world.person(f"{name}@example.com")["external_id"] for name in ("ann", "cat", "dan")]
    assert ids == ["c-new", "c-cat", "c-dan"]


@pytest.mark.parametrize(
    ("conflicts", "days"),
    [
        ("drop", 4),
        ("refuse", 4),
        *(
            pytest.param(answer, 20, marks=[pytest.mark.long, pytest.mark.timeout(3600)])
            for answer in ("drop", "refuse", "refuse_request")
        ),
    ],
)
def test_days_of_swapped_identifiers_leave_nobody_too_many(
    make_world: Callable[..., World], conflicts: str, days: int
) -> None:
    """Each day two people swap their customer ids, somebody leaves, and somebody comes back."""
    world = refusing(make_world, conflicts)
    ids = {name: f"c-{name}" for name in ("ann", "bob", "cat", "dan", "eve")}
    for day in range(days):
        names = sorted(ids)
        first, second = names[day % 5], names[(day + 1) % 5]
        ids[first], ids[second] = ids[second], ids[first]
        present = [name for at, name in enumerate(names) if at != day % 4]
        become(world, [person(name, customer_id=ids[name]) for name in present])
        run(world)
    present = sorted(ids)
    become(world, [person(name, customer_id=ids[name]) for name in present[:3]])
    run(world, 3)
    assert world.emails() == [f"{name}@example.com" for name in present[:3]]
    before = len(world.writes())
    assert run(world) == 0
    assert len(world.writes()) == before


@pytest.mark.parametrize("conflicts", ["refuse", "refuse_request"])
@pytest.mark.parametrize(
    "repeats", [False, pytest.param(True, marks=[pytest.mark.long, pytest.mark.timeout(3600)])]
)
def test_a_run_that_dies_before_the_second_import_goes_on(
    make_world: Callable[..., World], conflicts: str, *, repeats: bool
) -> None:
    """Whatever it recorded: the next run sends the row without the identifier, once.

    It dies at each event. Unless `repeats`, only at those that are no repetition of the event before, and
    at each fourth of these, those half way between them being those of the other answer.
    """
    first, step = (1, 1) if repeats else (2 if conflicts == "refuse" else 4, 4)
    for nth in range(first, 30, step):
        world = make_world(f"{conflicts}{nth}", conflicts=conflicts)
        members_model(world, max_removes=1.0, min_rows=0)
        world.new_profile(email="ann@example.com")
        world.new_profile(email="other@example.com", external_id="c-ann")
        become(world, people("ann", "bob", "cat"))
        kinds: list[type] = []

        def at(event: Any, nth: int = nth, kinds: list[type] = kinds) -> bool:
            if repeats or kinds[-1:] != [type(event)]:
                kinds.append(type(event))
            return len(kinds) == nth

        if not world.dies(at):
            assert nth > 5
            return
        world.calm()
        world.wait(600.0)
        run(world, 2)
        assert world.emails() == ["ann@example.com", "bob@example.com", "cat@example.com"]
        assert omitted(world) == [("external_id", 1)]
        assert run(world) == 0
    raise AssertionError("the run has more events than were tried")


def test_rows_of_many_lists_are_sent_once_more_to_their_list(make_world: Callable[..., World]) -> None:
    world = make_world(conflicts="refuse")
    clubs_model(world, min_rows=0)
    world.new_profile(email="ann@example.com")
    world.new_profile(email="other@example.com", external_id="c-ann")
    rows = [person("ann", club="Tea"), person("ann", club="Cake"), person("bob", club="Tea")]
    become(world, rows)
    world.run()
    assert world.emails("Tea") == ["ann@example.com", "bob@example.com"]
    assert world.emails("Cake") == ["ann@example.com"]
    before = len(world.writes())
    assert world.run().exit_code == 0
    assert len(world.writes()) == before
