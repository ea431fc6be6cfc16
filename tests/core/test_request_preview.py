"""`debug --request MODEL`: the first request of a model is shown, and sent only with --send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from reverse_etl.cli import app
from reverse_etl.sandbox.routes.records import TAG

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World

REQUEST: dict[str, Any] = {
    "method": "POST",
    "path": "/api/tags",
    "body": '{"data": {"type": "tag", "attributes": {"name": {{ name }}}}}',
}


@pytest.fixture
def tags(make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world with a model of tags, one of whose names holds an e-mail."""
    world = make_world(job_seconds=0.0)
    world.people([{"name": "of ann@example.com"}, {"name": "summer"}], "tags")
    world.model(
        "tags", "select name from tags order by name", surface="request", unique_key=["name"], request=REQUEST
    )
    world.model("members", "select name as email from tags", list="Members")
    world.project()
    monkeypatch.chdir(world.folder)
    return world


def debug(*arguments: str) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr."""
    result = CliRunner().invoke(app, ["debug", *arguments], prog_name="reverse-etl", standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.return_value or 0, result.stdout, result.stderr


def test_the_first_request_is_shown_masked_and_nothing_is_sent(tags: World) -> None:
    """With --show-values as it would be sent."""
    exit_code, shown, _ = debug("--request", "tags")
    assert exit_code == 0
    assert shown.startswith('POST /api/tags\n1 row\n{\n  "data": {')
    assert '"name": "of a**@e******.com"' in shown
    assert "Not sent." in shown
    assert '"name": "of ann@example.com"' in debug("--request", "tags", "--show-values")[1]
    assert tags.writes() == []


def test_with_send_exactly_that_request_is_sent_and_the_reply_shown(tags: World) -> None:
    """The state does not change."""
    exit_code, shown, _ = debug("--request", "tags", "--send", "--show-values")
    assert exit_code == 0
    assert "\n201\n" in shown
    assert "The state did not change" in shown
    assert [tag["name"] for tag in tags.sandbox.records(TAG).values()] == ["of ann@example.com"]
    assert len(tags.writes()) == 1
    exit_code, shown, _ = debug("--request", "tags", "--send")
    assert exit_code == 1
    assert "\n409\n" in shown


def test_a_model_of_another_surface_has_no_request_to_show(tags: World) -> None:
    """And says so."""
    with pytest.raises(Exception, match="describes no request"):
        debug("--request", "members")
    assert tags.writes() == []


def test_people_in_the_path_and_query_are_masked_too(tags: World) -> None:
    """Though they are percent-encoded there."""
    request = {
        "method": "POST",
        "path": "/api/tags/{{ name }}",
        "query": {"of": "{{ name }}"},
        "body": "{ {{ name ~ '' }}: 1}",
    }
    query = "select 'ann@example.com' as name"
    tags.model("tags", query, surface="request", unique_key=["name"], request=request)
    _, shown, _ = debug("--request", "tags")
    assert shown.startswith("POST /api/tags/a**@e******.com?of=a**@e******.com\n")
    assert "ann" not in shown
    assert "/ann%40example.com?of=ann%40example.com" in debug("--request", "tags", "--show-values")[1]


def test_a_row_without_a_key_is_not_sent(tags: World) -> None:
    """A run would reject it too."""
    query = "select name from (values (NULL), (''), ('summer')) as t (name)"
    tags.model("tags", query, surface="request", unique_key=["name"], request=REQUEST)
    _, shown, logged = debug("--request", "tags")
    assert '"name": "summer"' in shown
    assert logged.count("name is empty, but a part of unique_key.") == 2
