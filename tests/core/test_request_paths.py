"""A request goes to the path that was checked: no template and no value of a row leads it to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import UsageError
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.core.world import World


def rows(world: World, *names: str, model: str = "rows", **request: Any) -> None:
    """Let a model send these names, each in the path of a request of its own."""
    world.people([{"name": name} for name in names], "rows")
    request = {"method": "POST", "path": "/api/tags/{{ name }}", "repeat": "safe", **request}
    world.model(model, "select name from rows", surface="request", unique_key=["name"], request=request)


def check_rejected(world: World, values: Sequence[str], reason: str, **request: Any) -> None:
    """Check that rows with these values are rejected for a reason, and that no request is sent for them."""
    rows(world, *values, **request)
    assert only_list(world.run()).outcomes == {Outcome.REJECTED: len(values)}
    assert world.writes() == []
    rejections = world.project().status().lists[0].rejections
    assert sum(rejection.rows for rejection in rejections) == len(values)
    assert all(reason in rejection.reason.detail for rejection in rejections)


REFUSED: list[tuple[dict[str, Any], str]] = [
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
]


def test_a_path_query_or_header_that_hides_something_is_refused(world: World) -> None:
    """Before anything is read or sent."""
    for number, (request, _) in enumerate(REFUSED):
        rows(world, "a", model=f"m{number:02}", **request)
    with pytest.raises(UsageError) as raised:
        world.plan()
    problems = raised.value.problems
    for number, (request, summary) in enumerate(REFUSED):
        summaries = [problem.summary for problem in problems if f"m{number:02}.sql" in problem.where]
        assert summary in " ".join(summaries), request


def test_a_value_with_a_segment_of_dots_leads_nowhere(world: World) -> None:
    """Servers decode %2F, and follow the dots."""
    values = ["..", ".", "a/..", "a/../../lists/x", "..\\x", "a//b", "/a"]
    check_rejected(world, values, "leads to another path")


def test_a_value_makes_no_risky_path_of_one_that_is_none(world: World) -> None:
    """The template of the path does not tell the endpoint."""
    values = ["data-privacy-deletion-jobs", "lists/abc", "profiles"]
    check_rejected(world, values, "makes the path of a request that", path="/api/{{ name }}")


def test_any_other_value_is_one_encoded_segment(world: World) -> None:
    """Nothing of it is decoded, rendered or cut off before it is sent."""
    values = ["a b", 'a"b', "{{ name }}", "%2e%2e", "a?b=c#d", "ä", "a/b", "a\r\nb"]
    rows(world, *values, path="/api/tags/{{ name }}/relationships/lists", body='{"data": []}')
    world.run()
    writes = world.writes()
    assert len(writes) == len(values)
    for write in writes:
        assert write.path.startswith("/api/tags/")
        assert write.path.endswith("/relationships/lists")


def test_neither_errors_nor_logs_show_the_values_in_a_path(world: World) -> None:
    """A path is named as the model has it."""
    rows(world, "ann@example.com")
    seen: list[Any] = []
    result = world.run(on_request=seen.append)
    assert {entry.path for entry in seen if entry.method == "POST"} == {"/api/tags/{{ name }}"}
    assert "ann" not in repr([result, seen])
