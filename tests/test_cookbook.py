"""Each recipe of docs/cookbook.md does what it says, against the sandbox, and compiles for Snowflake."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.config.profiles import load_target
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.models.compile import compile_models
from reverse_etl.sandbox.routes.records import COUPON, COUPON_CODE
from tests.core.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = (Path(__file__).parents[1] / "docs" / "cookbook.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^`reverse_etl/(\w+)\.sql`\n\n```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
ANN, BOB, CLEO = "ann@example.com", "bob@example.com", "cleo@example.com"

_SNOWFLAKE = """
shop:
  target: prod
  outputs: {prod: {type: snowflake, account: ab12345, database: ANALYTICS, schema: MARTS}}
  destinations: {prod: {type: klaviyo}}
"""
_TABLES = """
create table customers as
    select * from (values (1, 'ann@example.com', 'Ann', 800), (2, 'bob@example.com', 'Bob', 20))
    as t(customer_id, email, first_name, lifetime_value);
create table orders as
    select order_id, email, now() - age as ordered_at, total, store_id from (values
        (1, 'ann@example.com', interval '2 days', 40, 1), (2, 'ann@example.com', interval '1 day', 50, 1),
        (3, 'bob@example.com', interval '80 days', 30, 2), (4, 'ann@example.com', interval '3 days', 10, 2))
    as t(order_id, email, age, total, store_id);
create table stores as select * from (values (1, 'Bonn'), (2, 'Rome')) as t(store_id, store_name);
create table loyalty as select 1 as customer_id, 'gold' as tier;
create table shop_consents as
    select 'ann@example.com' as email, t as consented_at
    from (values (timestamp '2026-01-02'), (timestamp '2026-02-03')) as v(t);
create table complaints as select 'ann@example.com' as email;
create table fraud_cases as select * from (values ('ann@example.com'), ('cleo@example.com')) as t(email);
create table personal_coupons as
    select 'SPRING' as coupon, unnest(['A1', 'B2']) as code, null::timestamp as expires_at;
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    shop = World(tmp_path)
    shop.sql(*filter(str.strip, _TABLES.split(";\n")))
    yield shop
    shop.close()


def run_recipe(world: World, **variables: Any) -> dict[Outcome, int]:
    """Run, and return the rows of all lists by outcome."""
    rows: dict[Outcome, int] = {}
    for result in world.project(vars=variables).run().lists:
        for outcome, count in result.outcomes.items():
            rows[outcome] = rows.get(outcome, 0) + count
    return rows


def check_vip_customers(world: World) -> None:
    assert run_recipe(world) == {Outcome.APPLIED: 1}
    assert world.emails("VIP customers") == [ANN]
    world.sql("update customers set email = 'ann.new@example.com' where customer_id = 1")
    assert run_recipe(world) == {Outcome.APPLIED: 1}
    assert world.emails("VIP customers") == ["ann.new@example.com"]


def check_store_lists(world: World) -> None:
    assert run_recipe(world) == {Outcome.APPLIED: 3}
    assert world.emails("Store Bonn") == [ANN]
    assert world.emails("Store Rome") == [ANN, BOB]


def check_win_back(world: World) -> None:
    (today,) = re.findall(r"\{today: ([\d-]+)\}", PAGE)
    long_ago = f"timestamp '{today}' - interval '91 days'"
    world.sql(f"update orders set ordered_at = {long_ago} where email = '{BOB}'")
    assert run_recipe(world, today=today) == {Outcome.APPLIED: 1}
    assert world.emails("Win back") == [BOB]


def check_loyalty_tiers(world: World) -> None:
    world.new_profile(email=ANN, external_id="1")
    assert run_recipe(world) == {Outcome.APPLIED: 1, Outcome.NO_PROFILE: 1}
    assert world.person(ANN)["properties"] == {"tier": "gold"}
    world.sql("delete from loyalty")
    assert run_recipe(world)[Outcome.APPLIED] == 1
    assert world.person(ANN)["properties"] == {}
    assert len(world.sandbox.profiles()) == 1


def check_newsletter(world: World) -> None:
    assert run_recipe(world) == {Outcome.APPLIED: 1}
    assert world.emails("Newsletter") == [ANN]


def check_placed_orders(world: World) -> None:
    assert run_recipe(world) == {Outcome.UNVERIFIED: 4}
    assert {event["unique_id"] for event in world.sandbox.events()} == {f"order-{n}" for n in range(1, 5)}


def check_blocked_addresses(world: World) -> None:
    world.new_profile(email=ANN)
    world.new_profile(email=CLEO)
    assert run_recipe(world) == {Outcome.APPLIED: 2}


def check_coupon_codes(world: World) -> None:
    world.sandbox.put_record(COUPON, "SPRING", {})
    assert run_recipe(world) == {Outcome.UNVERIFIED: 2}
    assert [*world.sandbox.records(COUPON_CODE)] == ["SPRING-A1", "SPRING-B2"]
    assert run_recipe(world) == {}


CHECKS: dict[str, Callable[[World], None]] = {
    name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")
}


def test_every_recipe_has_a_check() -> None:
    assert RECIPES.keys() == CHECKS.keys()
    assert len(RECIPES) == 8


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_does_what_it_says(world: World, name: str) -> None:
    (world.folder / "models" / f"{name}.sql").write_text(RECIPES[name], encoding="utf-8")
    CHECKS[name](world)


def test_every_recipe_compiles_for_snowflake(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "profiles.yml").write_text(_SNOWFLAKE, encoding="utf-8")
    for name, text in RECIPES.items():
        (tmp_path / "models" / f"{name}.sql").write_text(text, encoding="utf-8")
    variables = {"today": "2026-06-01"}
    target = load_target(tmp_path, environ={}, vars=variables)
    models = compile_models(tmp_path, target, vars=variables, environ={}, dbt_artifacts=())
    assert {model.name for model in models} == RECIPES.keys()
