"""Each ready model does what it says, against the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from reverse_etl.cli import app
from reverse_etl.config.model_templates import model_template_names, read_model_template
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import GuardRefused, ModelError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.violations import Allowances
from reverse_etl.sandbox.routes.records import CATALOG_ITEM, COUPON, COUPON_CODE, OBJECT_RECORD, TAG, TAG_LINK
from tests.core.world import only_list

LEGACY = "legacy_list_members"

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World


def write_ready_model(world: World, name: str) -> None:
    """Write the ready model as `init --template` does."""
    (world.folder / "models" / f"{name}.sql").write_text(read_model_template(name))


def send_coupon_codes(world: World) -> None:
    """Send a code of a coupon."""
    world.sandbox.put_record(COUPON, "SPRING", {})
    world.people(
        [{"coupon": "SPRING", "code": "A1", "expires_at": None}],
        "coupon_codes",
        "coupon VARCHAR, code VARCHAR, expires_at TIMESTAMP",
    )
    assert only_list(world.run()).outcomes == {Outcome.UNVERIFIED: 1}
    assert [*world.sandbox.records(COUPON_CODE)] == ["SPRING-A1"]


def send_tags_on_lists(world: World) -> None:
    """Link two lists to a tag, and take one link back."""
    world.sandbox.put_record(TAG, "t1", {"name": "t1"})
    lists = [world.new_list(name) for name in ("A", "B")]
    world.people([{"tag_id": "t1", "list_id": list_id} for list_id in lists], "list_tags")
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2}
    world.people([{"tag_id": "t1", "list_id": lists[0]}], "list_tags")
    assert only_list(world.run()).outcomes == {Outcome.REMOVED: 1}
    assert [*world.sandbox.records(TAG_LINK)] == [f"t1|{lists[0]}"]


def send_custom_object_records(world: World) -> None:
    """Send a record, and send it again when it changes."""
    columns = "data_source_id VARCHAR, id INTEGER, customer_email VARCHAR, total DECIMAL(10, 2)"
    order = {"data_source_id": "d1", "id": 17, "customer_email": "ann@example.com", "total": "12.50"}
    world.people([order], "orders", columns)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    record = {"id": 17, "customer_email": "ann@example.com", "total": 12.5}
    assert world.sandbox.records(OBJECT_RECORD) == {"17": record}
    world.people([order | {"total": "13.00"}], "orders", columns)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert world.sandbox.records(OBJECT_RECORD)["17"]["total"] == 13


def send_profile_merge(world: World) -> None:
    """Merge one profile into another."""
    kept, merged = (world.new_profile(email=f"{name}@example.com") for name in ("ann", "bob"))
    world.people([{"source_id": merged, "destination_id": kept}], "duplicate_profiles")
    assert sum(only_list(world.run()).outcomes.values()) == 1
    assert [profile["id"] for profile in world.sandbox.profiles()] == [kept]


def send_catalog_items(world: World) -> None:
    """Create items, change one, and unpublish one that leaves the model."""
    item = {"sku": "S1", "title": "Mug", "description": "A mug", "url": "https://example.com/mug", "price": 8}
    columns = "sku VARCHAR, title VARCHAR, description VARCHAR, url VARCHAR, price INTEGER"
    world.people([item], "products", columns)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    (record,) = world.sandbox.records(CATALOG_ITEM).values()
    assert (record["external_id"], record["price"]) == ("S1", 8)
    world.people([item | {"price": 9}, item | {"sku": "S2"}], "products", columns)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2}
    assert [record["price"] for record in world.sandbox.records(CATALOG_ITEM).values()] == [9, 8]
    world.people([item | {"price": 9}], "products", columns)
    assert only_list(world.run()).outcomes == {Outcome.REMOVED: 1}
    assert world.sandbox.records(CATALOG_ITEM)["$custom:::$default:::S2"]["published"] is False


def send_suppressions(world: World) -> None:
    """Suppress somebody that Klaviyo knows."""
    world.new_profile(email="ann@example.com")
    world.people([{"email": "ann@example.com"}], "blocked_addresses")
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}


def send_one_event(world: World) -> None:
    """Send an event; a repeat of it would be dropped."""
    columns = "unique_id VARCHAR, email VARCHAR, returned_at TIMESTAMP, reason VARCHAR"
    event = {"unique_id": "r1", "email": "ann@example.com", "returned_at": "2026-01-01", "reason": "size"}
    world.people([event], "returns", columns)
    assert only_list(world.run()).outcomes == {Outcome.UNVERIFIED: 1}
    (stored,) = world.sandbox.events()
    assert (stored["metric"], stored["email"]) == ("Returned order", "ann@example.com")


def send_profiles_on_lists(world: World) -> None:
    """Add somebody to a list, which each run has to be allowed."""
    list_id = world.new_list()
    world.people([{"list_id": list_id, "profile_id": world.new_profile(email="a@x.com")}], "list_profiles")
    with pytest.raises(GuardRefused):
        world.run()
    allowed = PlanOptions(allow=Allowances(request=["profiles_on_lists"]))
    assert only_list(world.run(options=allowed)).outcomes == {Outcome.APPLIED: 1}
    assert world.emails() == ["a@x.com"]


def send_events(world: World) -> None:
    """Send an order of before the first run, which starts no flows."""
    row = {
        "order_id": "o1",
        "email": "ann@example.com",
        "total": "12.50",
        "currency": "EUR",
        "channel": "web",
    }
    ordered_at = datetime.fromtimestamp(world.clock.now() - 3_600, UTC)
    columns = (
        "order_id VARCHAR, email VARCHAR, ordered_at TIMESTAMPTZ, total DECIMAL(10, 2), currency VARCHAR, "
        "channel VARCHAR"
    )
    world.people([row | {"ordered_at": ordered_at}], "orders", columns)
    assert only_list(world.run()).outcomes == {Outcome.UNVERIFIED: 1}
    assert [event["backfill"] for event in world.sandbox.events()] == [True]


def send_subscriptions(world: World) -> None:
    """Subscribe somebody to a list by the time of her consent."""
    columns = "email VARCHAR, consented_at TIMESTAMPTZ"
    consent = {"email": "ann@example.com", "consented_at": "2020-05-01 12:00:00+00:00"}
    world.people([consent], "newsletter_consents", columns)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert world.emails("Newsletter") == ["ann@example.com"]


def send_profile_deletions(world: World) -> None:
    """Delete somebody, by the flag."""
    world.new_profile(email="ann@example.com")
    world.people([{"email": "ann@example.com"}], "erasure_requests")
    options = PlanOptions(allow=Allowances(deletes={"profile_deletions": None}))
    assert only_list(world.run(options=options)).outcomes == {Outcome.APPLIED: 1}
    assert world.sandbox.profiles() == []


def send_customers(world: World) -> None:
    """Send a customer: to a list, to the list that a column names, or to no list."""
    customer = {"customer_id": "c-1", "email": "ann@example.com", "first_name": "Ann"}
    world.people([customer], "customers")
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert world.person("ann@example.com")["external_id"] == "c-1"


def send_request(world: World) -> None:
    """Create coupons, of which Klaviyo has one already."""
    world.sandbox.put_record(COUPON, "OLD", {})
    rows = [{"coupon_id": coupon, "description": "10 % off"} for coupon in ("OLD", "NEW")]
    world.people(rows, "coupons")
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2}
    assert {*world.sandbox.records(COUPON)} == {"OLD", "NEW"}


SENDERS: dict[str, Callable[[World], None]] = {
    "catalog_items": send_catalog_items,
    "coupon_codes": send_coupon_codes,
    "events": send_events,
    "custom_object_records": send_custom_object_records,
    "one_event": send_one_event,
    "profile_deletions": send_profile_deletions,
    "profile_merge": send_profile_merge,
    "profiles_on_lists": send_profiles_on_lists,
    "suppressions": send_suppressions,
    "join": send_customers,
    "list_column": send_customers,
    "profiles": send_customers,
    "request": send_request,
    "subscriptions": send_subscriptions,
    "tags_on_lists": send_tags_on_lists,
}


@pytest.mark.parametrize("name", sorted({*model_template_names()} - {LEGACY}))
def test_a_ready_model_sends_its_rows_and_then_nothing(world: World, name: str) -> None:
    """As it is written, with tables of the names that it reads."""
    write_ready_model(world, name)
    SENDERS[name](world)
    writes = len(world.writes())
    assert only_list(world.run()).outcomes == {}
    assert len(world.writes()) == writes


def test_the_request_of_the_retired_api_is_shown_and_never_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a placeholder for the key, and the three current ways."""
    write_ready_model(world, LEGACY)
    row = {"list_id": "L1", "email": "ann@example.com", "first_name": "Ann"}
    world.people([row], "list_members")
    world.project()
    monkeypatch.chdir(world.folder)
    result = CliRunner().invoke(app, ["debug", "--request", LEGACY, "--show-values"])
    assert "POST /api/v2/list/L1/members" in result.stdout
    assert '"api_key": "<private API key>"' in result.stdout
    sent = CliRunner().invoke(app, ["debug", "--request", LEGACY, "--send"], standalone_mode=False)
    refusals = [sent.exception]
    for command in (world.plan, world.run):
        with pytest.raises(ModelError) as raised:
            command()
        refusals.append(raised.value)
    for refusal in refusals:
        assert isinstance(refusal, ModelError)
        (problem,) = refusal.problems
        assert "retired on 2024-06-30. It is never sent." in problem.summary
        ways = ("'list_memberships'", "'list_memberships_by_profile_id'", "/relationships/profiles")
        assert all(way in problem.hint for way in ways)
    assert not world.writes()
