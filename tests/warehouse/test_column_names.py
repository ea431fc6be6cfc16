"""A payload column may be called as one likes: its name reaches Klaviyo as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.engine import Engine
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.warehouse.duckdb.adapter import DIALECT as DUCKDB
from reverse_etl.warehouse.model_tables import ModelTables
from reverse_etl.warehouse.snowflake.dialect import SnowflakeDialect
from tests.core.rows import BY_EMAIL, become, people
from tests.core.world import only_list
from tests.warehouse.snowflake_accounts import WAREHOUSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.warehouse.dialect import Dialect
    from tests.core.world import World


@pytest.fixture(params=WAREHOUSES)
def shop(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    """Make a world on every warehouse."""
    return make_world(warehouse=request.param)


@pytest.mark.parametrize("name", ["Is VIP?", 'a "?" -- b'])
def test_a_column_name_is_never_read_as_sql(shop: World, name: str) -> None:
    """Neither as a parameter's mark nor as a comment; with a row that the checks reject, and a change."""
    quoted = '"' + name.replace('"', '""') + '"'
    shop.model(
        "members", f"select email, customer_id, first_name as {quoted} from people", identifiers=BY_EMAIL
    )
    become(shop, [*people("ann", "bob"), *people("cat", email="no address")])
    first = only_list(shop.run())
    assert (first.outcomes, first.list_plan.rejected_by_check) == ({Outcome.APPLIED: 2}, 1)
    assert shop.person("ann@example.com")["properties"] == {name: "Ann"}
    become(shop, people("ann", "bob", first_name="Zoe"))
    assert only_list(shop.run()).outcomes == {Outcome.APPLIED: 2}
    assert shop.person("bob@example.com")["properties"] == {name: "Zoe"}
    assert only_list(shop.run()).outcomes == {}


@pytest.mark.parametrize("dialect", [DUCKDB, SnowflakeDialect('"S"', '"S"')])
def test_a_column_whose_name_changes_its_case_is_another_one_where_quoted_names_differ_by_it(
    dialect: Dialect,
) -> None:
    """Statements of a plan name the stored column before a run gives it the new name."""
    column = Column("First_Name", ColumnKind.TEXT, "VARCHAR")
    tables = ModelTables(dialect, "vip_0a1b2c3d", (IdentifierType.EMAIL,), (column,), many_lists=False)
    stored = {"FIRST_NAME": replace(column, name="FIRST_NAME")}
    assert tables.fit(stored) == (dialect.engine is Engine.DUCKDB)
    assert tables.fit({"First_Name": column})
    assert not tables.fit({})


def test_a_struct_may_be_called_as_statements_call_a_table(make_world: Callable[..., World]) -> None:
    """In a subquery DuckDB reads `k.x` as a field of a column k before it looks for a table k outside."""
    world = make_world(warehouse="duckdb")
    select = "select email, customer_id, {'a': first_name} as s, {'a': first_name} as k"
    config = {"identifiers": BY_EMAIL, "min_rows": 0, "max_removes": 1.0}
    world.model("members", f"{select} from people", **config)
    become(world, people("ann", "bob"))
    world.run()
    become(world, people("ann", first_name="Zoe"))
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    assert only_list(world.run(options=PlanOptions(full_refresh=True))).outcomes == {Outcome.APPLIED: 1}
    world.model("members", f"{select}, first_name as at from people", updated_at="at", **config)
    world.run()
    become(world, people("ann", first_name="Eve"))
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
