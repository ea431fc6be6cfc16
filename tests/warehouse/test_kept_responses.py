"""Responses that a model of requests keeps, and that other models read, on every warehouse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import SendProgress
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.violations import Allowances
from reverse_etl.sandbox.routes.records import TAG
from reverse_etl.state import model_changes
from reverse_etl.state.responses import KEPT_DAYS
from tests.core.consent import LONG_AGO, consents
from tests.core.world import only_list
from tests.warehouse.snowflake_accounts import WAREHOUSES, stand_in_is_long

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World

READ = (
    "select run_id, row_key, method, path, status, body, body_is_cut from responses order by row_key, run_id"
)
READER = (
    "select r.owner as email, r.name as tag, r.status, r.body from "
    "{{ source('reverse_etl', 'tags') }} as r where r.status = 201"
)


@pytest.fixture(params=WAREHOUSES)
def shop(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    """Make a world on each warehouse."""
    return make_world(warehouse=request.param)


def tags(shop: World, *rows: tuple[str, str], **settings: Any) -> None:
    """Let a model create tags, each of which belongs to a person."""
    shop.people(
        [{"name": name, "owner": owner} for name, owner in rows], "tags", "name VARCHAR, owner VARCHAR"
    )
    body = '{"data": {"type": "tag", "attributes": {"name": {{ name }}, "owner": {{ owner }}}}}'
    shop.model(
        "tags",
        "select name, owner from tags",
        surface="request",
        unique_key=["name", "owner"],
        request={"method": "POST", "path": "/api/tags", "body": body},
        **({"responses": True} | settings),
    )


def test_a_model_reads_the_responses_of_another_one(shop: World) -> None:
    """Key columns are text, so that they can be joined; without a run there are no responses."""
    tags(shop, ("a|b%", "ann@example.com"), ("x", "bo@example.com"), responses=["data.type", "data.none"])
    shop.model("people", READER, surface="profiles", min_rows=0)
    first = shop.run()
    assert (only_list(first, "tags").outcomes, only_list(first, "people").outcomes) == (
        {Outcome.APPLIED: 2},
        {},
    )
    assert only_list(shop.run(), "people").outcomes == {Outcome.APPLIED: 2}
    properties = shop.person("ann@example.com")["properties"]
    assert (properties["tag"], properties["status"]) == ("a|b%", 201)
    assert json.loads(properties["body"]) == {"data.type": "tag", "data.none": None}


@stand_in_is_long
def test_a_model_of_suppressions_that_is_not_selected_reads_responses(shop: World) -> None:
    """Models that subscribe people stage it: its people are not subscribed."""
    tags(shop, ("t", "ann@example.com"))
    shop.model("blocked", READER.replace(", r.name as tag, r.status, r.body", ""), surface="suppressions")
    shop.run()
    consents(shop, ("ann@example.com", LONG_AGO), ("bo@example.com", LONG_AGO))
    result = shop.run(select=["newsletter"])
    assert only_list(result).outcomes == {Outcome.APPLIED: 1, Outcome.OPTED_OUT: 1}


@stand_in_is_long
def test_a_whole_body_is_kept_with_masked_texts(shop: World) -> None:
    """The row key is needed to join it, and stays as it is."""
    tags(shop, ("t", "ann@example.com"))
    run_id = shop.run().run_id
    ((found_run, row_key, method, path, status, body, is_cut),) = shop.state(READ)
    assert (found_run, row_key, method, path) == (run_id, "key:t|ann@example.com", "POST", "/api/tags")
    assert (status, bool(is_cut)) == (201, False)
    attributes = json.loads(body)["data"]["attributes"]
    assert attributes["name"] == "t"
    assert attributes["owner"] == "a**@e******.com"


def test_a_refusal_is_kept_for_its_row_alone(shop: World) -> None:
    """Rows of one request share its response."""
    listed = shop.new_list()
    shop.sandbox.put_record(TAG, "t1", {"name": "t1"})
    shop.people(
        [{"tag": "t1", "listed": listed}, {"tag": "t1", "listed": "none"}],
        "links",
        "tag VARCHAR, listed VARCHAR",
    )
    request = {
        "method": "POST",
        "path": "/api/tags/{{ tag }}/relationships/lists",
        "mode": "grouped",
        "body": '{"data": {{ rows }}}',
        "row": '{"type": "list", "id": {{ listed }}}',
    }
    shop.model(
        "links",
        "select tag, listed from links",
        surface="request",
        unique_key=["tag", "listed"],
        request=request,
        responses=True,
    )
    assert only_list(shop.run()).outcomes == {Outcome.APPLIED: 1, Outcome.REJECTED: 1}
    statuses = {row_key: status for _, row_key, _, _, status, *_ in shop.state(READ)}
    assert statuses == {f"key:t1|{listed}": 204, "key:t1|none": 400}


@stand_in_is_long
def test_old_responses_are_deleted(shop: World) -> None:
    """After 90 days, by the next run that sends something."""
    tags(shop, ("t", "ann@example.com"))
    shop.run()
    shop.wait((KEPT_DAYS + 1) * 86_400.0)
    tags(shop, ("t", "ann@example.com"), ("u", "ann@example.com"))
    shop.run(options=PlanOptions(allow=Allowances(adds=["tags"])))
    assert [row_key for _, row_key, *_ in shop.state(READ)] == ["key:u|ann@example.com"]


@stand_in_is_long
def test_a_renamed_model_keeps_its_responses(shop: World) -> None:
    tags(shop, ("t", "ann@example.com"))
    shop.run()
    with shop.project().connections.locked_state(lambda _: None) as state:
        model_changes.rename_model(state, {"labels"}, "tags", "labels")
    assert shop.state("select model from responses") == [("labels",)]


@stand_in_is_long
def test_a_forgotten_model_keeps_none(shop: World) -> None:
    tags(shop, ("t", "ann@example.com"))
    shop.run()
    with shop.project().connections.locked_state(lambda _: None) as state:
        model_changes.forget_model(state, set(), "tags")
    assert shop.state("select model from responses") == []


def test_the_responses_of_a_deleted_person_are_erased(shop: World) -> None:
    """Whether the key or the response names the person."""
    shop.new_profile(email="ann@example.com")
    tags(shop, ("t", "Ann@Example.com"), ("u", "bo@example.com"), responses=["data.attributes.owner"])
    shop.people([{"email": "ann@example.com"}], "erase", "email VARCHAR")
    shop.run()
    assert len(shop.state(READ)) == 2
    shop.model("erase", "select email from erase", surface="profile_deletions")
    shop.run(options=PlanOptions(allow=Allowances(deletes={"erase": None})))
    assert [row_key for _, row_key, *_ in shop.state(READ)] == ["key:u|bo@example.com"]


def test_a_response_names_a_person_by_a_number(make_world: Callable[..., World]) -> None:
    """An external id that Klaviyo, or the model, wrote as a number."""
    shop = make_world(warehouse="duckdb")
    shop.people(
        [{"name": "t", "owner": 4711}, {"name": "u", "owner": 1}], "tags", "name VARCHAR, owner BIGINT"
    )
    shop.model(
        "tags",
        "select name, owner from tags",
        surface="request",
        unique_key=["name"],
        responses=["data.attributes.owner"],
        request={
            "method": "POST",
            "path": "/api/tags",
            "body": '{"data": {"type": "tag", "attributes": {"name": {{ name }}, "owner": {{ owner }}}}}',
        },
    )
    shop.run()
    with shop.project().connections.locked_state(lambda _: None) as state:
        state.responses.erase(lambda identity: identity == "external_id:4711")
    assert [row_key for _, row_key, *_ in shop.state(READ)] == ["key:u"]


@stand_in_is_long
def test_a_person_in_a_sentence_of_a_reply_is_erased(shop: World) -> None:
    """Klaviyo's errors name people in their sentences."""
    shop.new_profile(email="ann@example.com")
    tags(shop, ("the tag of Ann@Example.com.", "x1"), ("7 of them", "x2"), responses=["data.attributes.name"])
    shop.people([{"email": "ann@example.com"}], "erase", "email VARCHAR")
    shop.run()
    shop.model("erase", "select email from erase", surface="profile_deletions")
    shop.run(options=PlanOptions(allow=Allowances(deletes={"erase": None})))
    assert [row_key for _, row_key, *_ in shop.state(READ)] == ["key:7 of them|x2"]


@stand_in_is_long
def test_a_run_that_is_killed_keeps_what_it_stored(shop: World) -> None:
    """The next run sends the rest, and each row that was sent has its response."""
    tags(shop, *((f"t{number:03}", "ann@example.com") for number in range(120)), max_requests=500)
    allowed = PlanOptions(allow=Allowances(adds=["tags"]))
    assert shop.dies(lambda event: isinstance(event, SendProgress) and event.rows >= 100, options=allowed)
    stored = {row_key for _, row_key, *_ in shop.state(READ)}
    assert len(stored) >= 50
    shop.run(options=allowed)
    assert len({row_key for _, row_key, *_ in shop.state(READ)}) > len(stored)
