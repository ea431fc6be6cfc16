"""A request goes to the path that was checked: no template and no value of a row leads it to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import UsageError
from tests.core.world import one

if TYPE_CHECKING:
    from reverse_etl.delivery.results import RunResult
    from tests.core.world import World


def rows(world: World, *names: str, **request: Any) -> None:
    """Let a model send these names, each in the path of a request of its own."""
    world.people([{"name": name} for name in names], "rows")
    request = {"method": "POST", "path": "/api/tags/{{ name }}", "repeat": "safe", **request}
    world.model("rows", "select name from rows", surface="request", unique_key=["name"], request=request)


def reasons(world: World, result: RunResult) -> set[str]:
    """Return why rows were rejected, and check that no request was sent for them."""
    assert one(result).outcomes == {Outcome.REJECTED: one(result).list_plan.upserts}
    assert world.writes() == []
    return {rejection.reason.detail for rejection in world.project().status().lists[0].rejections}


@pytest.mark.parametrize(
    ("request_settings", "summary"),
    [
        ({"path": "/api/%2e%2e/v2/lists"}, "has a %"),
        ({"path": "/api/tags%2f..%2fprofiles"}, "has a %"),
        ({"path": "/api/data-privacy-deletion-job%73"}, "has a %"),
        ({"path": "/api/profiles"}, "changes profiles"),
        ({"path": "/api/profiles/{{ name }}"}, "changes profiles"),
        ({"path": "/api/profile-import"}, "changes profiles"),
        ({"path": "/api/Data-Privacy-Deletion-Jobs"}, "deletes people for good"),
        ({"path": "/api/messages"}, "sends messages"),
        ({"path": "/api/tags/{{ name | upper }}"}, "write only the name of a column"),
        ({"path": "/api/tags/{% if name %}x{% endif %}"}, "write only the name of a column"),
        ({"query": {"filter": "{{ name | upper }}"}}, "The parameter filter has an expression."),
        ({"query": {"{{ name }}": "x"}}, "has an expression"),
        ({"headers": {"revision": "{{ name }}"}}, "has a placeholder"),
        ({"headers": {"x-note": "a\r\nAuthorization: x"}}, "unusual characters"),
        ({"headers": {"x-note": " a"}}, "unusual characters"),
        ({"headers": {"x-note: a\r\nx": "b"}}, "is not the name of a header"),
        ({"headers": {"X-HTTP-Method-Override": "DELETE"}}, "is set by reverse-etl"),
        ({"headers": {"Accept-Encoding": "br"}}, "is set by reverse-etl"),
    ],
)
def test_a_path_query_or_header_that_hides_something_is_refused(
    world: World, request_settings: dict[str, Any], summary: str
) -> None:
    """Before anything is read or sent."""
    rows(world, "a", **request_settings)
    with pytest.raises(UsageError) as raised:
        world.plan()
    assert summary in str(raised.value)


@pytest.mark.parametrize("value", ["..", ".", "a/..", "a/../../lists/x", "..\\x", "a//b", "/a"])
def test_a_value_with_a_segment_of_dots_leads_nowhere(world: World, value: str) -> None:
    """Servers decode %2F, and follow the dots."""
    rows(world, value)
    (reason,) = reasons(world, world.run())
    assert "leads to another path" in reason


@pytest.mark.parametrize("value", ["data-privacy-deletion-jobs", "lists/abc", "profiles"])
def test_a_value_makes_no_risky_path_of_one_that_is_none(world: World, value: str) -> None:
    """The template of the path does not tell the endpoint."""
    rows(world, value, path="/api/{{ name }}")
    (reason,) = reasons(world, world.run())
    assert "makes the path of a request that" in reason


@pytest.mark.parametrize("value", ["a b", 'a"b', "{{ name }}", "%2e%2e", "a?b=c#d", "ä", "a/b", "a\r\nb"])
def test_any_other_value_is_one_encoded_segment(world: World, value: str) -> None:
    """Nothing of it is decoded, rendered or cut off before it is sent."""
    rows(world, value, path="/api/tags/{{ name }}/relationships/lists", body='{"data": []}')
    world.run()
    (write,) = world.writes()
    assert write.path.startswith("/api/tags/")
    assert write.path.endswith("/relationships/lists")


def test_neither_errors_nor_logs_show_the_values_in_a_path(world: World) -> None:
    """A path is named as the model has it."""
    rows(world, "ann@example.com")
    seen: list[Any] = []
    result = world.run(on_request=seen.append)
    assert {entry.path for entry in seen if entry.method == "POST"} == {"/api/tags/{{ name }}"}
    assert "ann" not in repr([result, seen])
