"""Rule: values are appended to arrays that others write, and removed from them, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import ModelError
from reverse_etl.klaviyo.api import Klaviyo
from reverse_etl.planning.plan import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.world import Interrupted, one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.klaviyo.messages import Request
    from tests.core.world import World

ANN = "ann@example.com"
ARRAYS = {"tags": "append", "gone": "unappend"}


def tag(world: World, tags: Sequence[str] | None, gone: Sequence[str] = (), **config: Any) -> None:
    """Let a model append tags to a person's array, and remove values from another."""
    world.people(
        [{"email": ANN, "tags": tags, "gone": gone, "tier": "gold"}],
        columns="email VARCHAR, tags VARCHAR[], gone VARCHAR[], tier VARCHAR",
    )
    config = {"surface": "profiles", "create": "never", "arrays": ARRAYS} | config
    world.model("tagged", "select email, tags, gone, tier from people", **config)


def arrays(world: World) -> tuple[Any, Any]:
    """Return both arrays of the person."""
    properties = world.person(ANN)["properties"]
    return properties.get("tags"), properties.get("gone")


def test_values_of_others_stay_and_nothing_is_added_twice(world: World) -> None:
    world.new_profile(email=ANN, properties={"tags": ["other", "a"], "gone": ["x", "y"]})
    tag(world, ["a", "b"], ["x", "z"])
    assert one(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert arrays(world) == (["other", "a", "b"], ["y"])
    assert world.person(ANN)["properties"]["tier"] == "gold"
    assert one(world.run()).outcomes == {}
    before = len(world.writes())
    world.run(options=PlanOptions(full_refresh=True))
    assert arrays(world) == (["other", "a", "b"], ["y"])
    assert len(world.writes()) == before + 1, "nothing is missing, so that the array is left alone"


@pytest.mark.parametrize("after", [False, True])
def test_a_lost_reply_appends_nothing_twice(world: World, *, after: bool) -> None:
    world.new_profile(email=ANN, properties={"tags": ["a"], "gone": []})
    tag(world, ["b"])
    world.fault(Fault(FaultKind.CUT, path="/api/profiles/*", method="PATCH", times=None, after=after))
    assert one(world.run()).failed
    world.calm()
    world.run()
    assert arrays(world)[0] == ["a", "b"]
    assert one(world.run()).outcomes == {}


def test_a_killed_run_is_completed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it dies before a patch, after it, or before it is recorded."""
    world.new_profile(email=ANN, properties={"tags": [], "gone": ["x"]})
    change = Klaviyo.change_profile
    for nth in range(4):
        expected = [f"t{number}" for number in range(nth + 1)]
        tag(world, [expected[-1]], ["x"])
        calls: list[Any] = []

        def die(klaviyo: Klaviyo, request: Request, nth: int = nth, calls: list[Any] = calls) -> Any:
            calls.append(request)
            if len(calls) == nth // 2 + 1 and nth % 2 == 0:
                raise Interrupted
            reply = change(klaviyo, request)
            if len(calls) == nth // 2 + 1:
                raise Interrupted
            return reply

        with monkeypatch.context() as patched:
            patched.setattr(Klaviyo, "change_profile", die)
            with pytest.raises(Interrupted):
                world.run()
        world.run()
        assert arrays(world) == (expected, [])
        assert one(world.run()).outcomes == {}


def test_a_null_changes_nothing(world: World) -> None:
    world.new_profile(email=ANN, properties={"tags": ["a"]})
    tag(world, None)
    assert one(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert arrays(world)[0] == ["a"]


def test_a_custom_property_is_unset_with_its_name(world: World) -> None:
    """By the proof of the reply, as a clear; an attribute is cleared."""
    columns = "email VARCHAR, tier VARCHAR, title VARCHAR"
    world.people([{"email": ANN, "tier": "gold", "title": "Dr"}], columns=columns)
    world.model("people", "select email, tier, title from people", surface="profiles", on_null="unset")
    world.run()
    world.people([{"email": ANN}], columns=columns)
    assert one(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert "tier" not in world.person(ANN)["properties"]
    assert world.person(ANN).get("title") is None
    assert one(world.run()).outcomes == {}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"create": "always"}, "arrays needs create='never'"),
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
