"""Rule: values are appended to arrays that others write, and removed from them, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import ModelError
from reverse_etl.klaviyo.api import Klaviyo
from reverse_etl.klaviyo.transport import Transport
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from tests.core.killing import run_until_killed
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.core.world import World

ANN = "ann@example.com"
BOB = "bob@example.com"
ARRAYS = {"tags": "append", "gone": "unappend"}
COLUMNS = "email VARCHAR, tags VARCHAR[], gone VARCHAR[], tier VARCHAR"
SELECT = "select email, tags, gone, tier from people"


def tag(
    world: World,
    tags: Sequence[str] | None,
    gone: Sequence[str] = (),
    tier: str | None = "gold",
    **config: Any,
) -> None:
    """Let a model append tags to a person's array, and remove values from another."""
    world.people([{"email": ANN, "tags": tags, "gone": gone, "tier": tier}], columns=COLUMNS)
    config = {"surface": "profiles", "create": "never", "arrays": ARRAYS} | config
    world.model("tagged", SELECT, **config)


def arrays(world: World) -> tuple[Any, Any]:
    """Return both arrays of the person."""
    properties = world.person(ANN)["properties"]
    return properties.get("tags"), properties.get("gone")


def test_values_of_others_stay_and_nothing_is_added_twice(world: World) -> None:
    world.new_profile(email=ANN, properties={"tags": ["other", "a"], "gone": ["x", "y"]})
    tag(world, ["a", "b"], ["x", "z"])
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert arrays(world) == (["other", "a", "b"], ["y"])
    assert world.person(ANN)["properties"]["tier"] == "gold"
    assert only_list(world.run()).outcomes == {}
    before = len(world.writes())
    world.run(options=PlanOptions(full_refresh=True))
    assert arrays(world) == (["other", "a", "b"], ["y"])
    assert len(world.writes()) == before + 1, "nothing is missing, so that the array is left alone"


def test_a_new_person_is_created_and_gets_the_whole_array(world: World) -> None:
    """Klaviyo shows who exists; both are then added to the list."""
    world.new_list()
    world.new_profile(email=ANN, properties={"tags": ["other"], "gone": ["x"]})
    people = [{"email": email, "tags": ["a", "b"], "gone": ["x"], "tier": "gold"} for email in (ANN, BOB)]
    world.people(people, columns=COLUMNS)
    world.model("tagged", SELECT, arrays=ARRAYS)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2}
    assert world.emails() == [ANN, BOB]
    assert arrays(world) == (["other", "a", "b"], [])
    assert world.person(BOB)["properties"] == {"tags": ["a", "b"], "tier": "gold"}
    assert only_list(world.run()).outcomes == {}


def test_values_stay_of_a_person_who_was_created_since_the_look_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.new_profile(email=ANN, properties={"tags": ["other"]})
    tag(world, ["a"], create="always")
    monkeypatch.setattr(Klaviyo, "find_profiles", lambda *_: ())
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert arrays(world)[0] == ["other", "a"]


def test_nobody_is_created_by_a_profile_id_alone(world: World) -> None:
    people = [
        {"klaviyo_profile_id": "01UNKNOWN", "tags": ["a"]},
        {"klaviyo_profile_id": "01OTHER", "email": BOB, "tags": ["a"]},
    ]
    world.people(people, columns="klaviyo_profile_id VARCHAR, email VARCHAR, tags VARCHAR[]")
    select = "select klaviyo_profile_id, email, tags from people"
    world.model("tagged", select, surface="profiles", arrays={"tags": "append"})
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1, Outcome.REJECTED: 1}
    assert world.person(BOB)["properties"] == {"tags": ["a"]}


@pytest.mark.parametrize(
    ("after", "is_new"),
    [
        (True, True),
        (True, False),
        *(pytest.param(False, is_new, marks=pytest.mark.long) for is_new in (False, True)),
    ],
)
def test_a_lost_reply_appends_nothing_twice(world: World, *, after: bool, is_new: bool) -> None:
    """Whether it is of the request that creates, of one that changes, or of that which adds to the list."""
    world.new_list()
    if not is_new:
        world.new_profile(email=ANN, properties={"tags": ["a"]})
    tag(world, ["b"], create="always", surface="list_memberships")
    lost = [
        ("POST", "/api/profile-import"),
        ("PATCH", "/api/profiles/*"),
        ("POST", "/api/lists/*/relationships/profiles"),
    ]
    for method, path in lost[not is_new :]:
        world.fault(Fault(FaultKind.CUT, path=path, method=method, times=None, after=after))
        assert only_list(world.run()).failed, path
        world.calm()
    world.run()
    assert arrays(world)[0] == (["b"] if is_new else ["a", "b"])
    assert world.emails() == [ANN]
    assert only_list(world.run()).outcomes == {}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.STATUS])
def test_an_append_is_not_repeated_before_the_array_was_read(
    world: World, kind: FaultKind, *, after: bool
) -> None:
    """The first reply is lost; the run sends the values again only if the profile lacks them."""
    tag(world, ["b"], create="always")
    world.fault(Fault(kind, path="/api/profiles/*", method="PATCH", after=after))
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert arrays(world)[0] == ["b"]


LONG = [pytest.mark.long, pytest.mark.timeout(3600)]


@pytest.mark.parametrize(
    ("create", "owner", "names", "step"),
    [
        ("always", Transport, ("send",), 3),
        ("never", DuckDB, ("execute", "fetch"), 17),
        pytest.param("always", Transport, ("send",), 1, marks=LONG),
        *(
            pytest.param(create, DuckDB, ("execute", "fetch"), 1, marks=LONG)
            for create in ("always", "never")
        ),
    ],
)
def test_a_run_may_be_killed_at_requests_and_statements(
    world: World, create: str, owner: type, names: tuple[str, ...], step: int
) -> None:
    """The requests look up, change, patch and unset. Each value is there once.

    The long ones die at each request and at each statement.
    """
    world.new_profile(email=ANN)
    tags: list[str] = []
    nth, killed = 1, True
    while killed:
        tags.append(f"t{len(tags)}")
        tier = "gold" if len(tags) % 2 else None
        world.rename(ANN, properties={"gone": ["x", "y"]})
        tag(world, tags[-1:], ["x"], tier, create=create, on_null={"tier": "unset"})
        killed = run_until_killed(world, nth, owner, *names)
        world.run()
        assert arrays(world) == (tags, ["y"]), nth
        assert world.person(ANN)["properties"].get("tier", "unset") == (tier or "unset"), nth
        assert only_list(world.run()).outcomes == {}, nth
        nth += step
    assert nth > 3 * step


def test_a_null_changes_nothing(world: World) -> None:
    world.new_profile(email=ANN, properties={"tags": ["a"]})
    tag(world, None)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert arrays(world)[0] == ["a"]


def test_a_custom_property_is_unset_with_its_name(world: World) -> None:
    """By the proof of the reply, as a clear; an attribute is cleared."""
    columns = "email VARCHAR, tier VARCHAR, title VARCHAR"
    world.people([{"email": ANN, "tier": "gold", "title": "Dr"}], columns=columns)
    world.model("people", "select email, tier, title from people", surface="profiles", on_null="unset")
    world.run()
    world.people([{"email": ANN}], columns=columns)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert "tier" not in world.person(ANN)["properties"]
    assert world.person(ANN).get("title") is None
    assert only_list(world.run()).outcomes == {}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"arrays": {"tags": "add"}}, "arrays of tags cannot be 'add'."),
        ({"arrays": ["tags"]}, "arrays is not a mapping of columns to words."),
        ({"arrays": {"taggs": "append"}}, "arrays names the column taggs, which is not selected."),
        ({"on_null": "clear"}, "arrays names tags, whose NULL clears the whole array"),
    ],
)
def test_a_mistake_is_refused_with_its_line(world: World, config: dict[str, Any], expected: str) -> None:
    tag(world, ["a"], **config)
    with pytest.raises(ModelError, match=expected) as raised:
        world.plan()
    assert "tagged.sql:1" in raised.value.problems[0].where
