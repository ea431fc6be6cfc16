"""Snowflake's error numbers: an account gives them by itself, the stand-in if a test sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.clock import SystemClock
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import ModelError, UsageError, WarehouseError, WarehouseUnavailable
from reverse_etl.state import open_state
from reverse_etl.warehouse.statement import Statement
from tests.core.rows import become, members_model, people
from tests.core.world import only_list
from tests.warehouse.insert_rows import insert
from tests.warehouse.snowflake_accounts import LIVE, PREFIX

if TYPE_CHECKING:
    from tests.warehouse.snowflake_accounts import Account, Place, Server
    from tests.warehouse.snowflake_world import SnowflakeWorld

NOBODY = f"{PREFIX}NO_SUCH"
LONG = Statement.read("SELECT COUNT(*) FROM TABLE(GENERATOR(TIMELIMIT => 60))")


@pytest.mark.parametrize(
    ("number", "changes", "what"),
    [
        (
            "390100",
            {"user": NOBODY, "password": "wrong", "authenticator": "snowflake", "private_key_path": None},
            "user name or password",
        ),
        ("390189", {"role": NOBODY}, "role does not exist"),
    ],
)
def test_a_sign_in_that_cannot_work_is_a_configuration_error(
    place: Place, account: Account | Server, number: str, changes: dict[str, str | None], what: str
) -> None:
    account.pretend_login(number)
    with pytest.raises(UsageError, match=what) as caught:
        place.opened(read_only=False, **changes)
    assert number in str(caught.value)


def test_a_missing_database_is_reported(place: Place, account: Account | Server) -> None:
    """Or that the role may not see, which Snowflake says alike."""
    account.pretend("^SHOW SCHEMAS", "002043", "Object does not exist, or operation cannot be performed.")
    with pytest.raises(WarehouseError, match="does not exist") as caught:
        place.opened(database=NOBODY)
    assert "grant" in caught.value.problems[0].hint


def test_a_session_without_a_warehouse_is_reported(place: Place, account: Account | Server) -> None:
    place.sql("CREATE TABLE people (email VARCHAR)")
    account.pretend("FROM people", "000606", "No active warehouse selected in the current session.")
    session = place.opened(warehouse=NOBODY)
    with pytest.raises(WarehouseError, match="no warehouse"):
        session.fetch(Statement.read("SELECT COUNT(DISTINCT email) FROM people"))


def test_a_statement_that_takes_too_long_is_reported(place: Place, account: Account | Server) -> None:
    account.pretend("GENERATOR", "000630", "Statement reached its statement or warehouse timeout")
    session = place.opened(session_parameters={"STATEMENT_TIMEOUT_IN_SECONDS": 1})
    with pytest.raises(WarehouseError, match="time-out"):
        session.fetch(LONG)


@pytest.mark.parametrize(
    "number",
    ["000604", *(pytest.param(each, marks=pytest.mark.long) for each in ("000630", "000625", "090073"))],
)
def test_a_model_that_was_not_answered_in_time_is_no_mistake(shop: SnowflakeWorld, number: str) -> None:
    """Its SQL may be right, and it is safe to run again: exit code 4, as schedulers repeat."""
    shop.account.pretend("first_name.* from people", number, "Statement reached its timeout")
    with pytest.raises(WarehouseUnavailable):
        shop.run()
    shop.account.pretend("first_name.* from people", "000904", "invalid identifier 'FIRST_NAME'")
    with pytest.raises(ModelError):
        shop.run()


def test_a_cancelled_statement_is_reported(place: Place, account: Account | Server) -> None:
    session = place.opened()
    account.pretend("GENERATOR", "000604", "SQL execution canceled")
    account.cancel_soon(place, session)
    with pytest.raises(WarehouseError, match="cancelled"):
        session.fetch(LONG)


@pytest.mark.parametrize("account", [LIVE], indirect=True)
def test_an_unreleased_lock_is_reported(place: Place) -> None:
    first, second = place.opened(), place.opened()
    open_state(first, SystemClock())
    table = first.dialect.state_table("lease")
    insert(first, "lease", [("acc", "shop", "me", "2026")])
    second.execute(Statement.session("ALTER SESSION SET LOCK_TIMEOUT = 1"))
    with first.transaction():
        first.execute(Statement.change(table, f"UPDATE {table} SET owner = 'first'"))
        with pytest.raises(WarehouseError, match="lock"):
            second.execute(Statement.change(table, f"UPDATE {table} SET owner = 'second'"))
    assert second.fetch(Statement.read(f"SELECT owner FROM {table}")) == [("first",)]


@pytest.fixture
def shop(shop: SnowflakeWorld) -> SnowflakeWorld:
    """Make a world with two people."""
    members_model(shop)
    become(shop, people("ann", "bob"))
    return shop


def readable(shop: SnowflakeWorld) -> None:
    """Let the restricted role read what models read."""
    home = shop.place.output["schema"]
    shop.account.grant(shop.place, f"USAGE ON SCHEMA {home}", f"SELECT ON ALL TABLES IN SCHEMA {home}")


def restrict(shop: SnowflakeWorld) -> None:
    """Let the profile name the restricted role."""
    shop.place.output = {**shop.place.output, "role": shop.account.restricted_role}
    shop.profile()


def test_a_role_that_may_only_read_can_plan_and_not_run(shop: SnowflakeWorld) -> None:
    """Temporary tables need no CREATE TABLE; what lasts is refused."""
    shop.run()
    become(shop, people("ann", "cat"))
    readable(shop)
    state = shop.place.state_schema
    shop.account.grant(shop.place, f"USAGE ON SCHEMA {state}", f"SELECT ON ALL TABLES IN SCHEMA {state}")
    restrict(shop)
    (plan,) = shop.plan().models
    assert (plan.lists[0].adds, plan.lists[0].removes) == (1, 1)
    shop.account.pretend("^MERGE INTO .*LEASE", "003001", "Insufficient privileges to operate on table")
    with pytest.raises(WarehouseError, match="Insufficient privileges") as caught:
        shop.run()
    assert "grant" in caught.value.problems[0].hint


def test_a_rebuilt_table_keeps_no_grants(shop: SnowflakeWorld) -> None:
    """Its owner grants it again, or grants on future tables."""
    state, role = shop.place.state_schema, shop.account.restricted_role
    shop.sql("CREATE OR REPLACE TABLE people (email VARCHAR, n NUMBER(5,0))")
    shop.model("members", "select email, n from people", identifiers={"email": "email"})
    shop.sql("INSERT INTO people VALUES ('ann@example.com', 7)")
    shop.run()
    shop.account.grant(shop.place, f"USAGE ON SCHEMA {state}", f"SELECT ON ALL TABLES IN SCHEMA {state}")
    reader = shop.place.opened(read_only=True, role=role)
    ((name,),) = reader.fetch(Statement.read(f"SELECT table_key FROM {reader.dialect.state_table('models')}"))
    rows = Statement.read(f"SELECT retl_identity FROM {reader.dialect.state_table(f'snapshot_{name}')}")
    assert reader.fetch(rows) == [("email:ann@example.com",)]
    shop.sql(
        "CREATE OR REPLACE TABLE people (email VARCHAR, n VARCHAR)",
        "INSERT INTO people VALUES ('ann@example.com', 'seven')",
    )
    shop.run()
    shop.account.pretend("^SELECT retl_identity", "002003", "Object does not exist or not authorized.")
    with pytest.raises(WarehouseError, match="not authorized"):
        reader.fetch(rows)


def test_a_role_that_may_not_create_the_schema_can_use_an_existing_one(
    shop: SnowflakeWorld,
) -> None:
    """USAGE and CREATE TABLE on it are enough for all of a run."""
    readable(shop)
    owned = shop.place.output
    restrict(shop)
    shop.account.pretend("^CREATE TRANSIENT SCHEMA", "003001", "Insufficient privileges")
    with pytest.raises(WarehouseError, match="may not create the schema"):
        shop.run()
    state = shop.place.state_schema
    shop.place.sql(f"CREATE TRANSIENT SCHEMA {state}", f"USE SCHEMA {owned['schema']}")
    shop.account.grant(shop.place, f"USAGE, CREATE TABLE ON SCHEMA {state}")
    assert only_list(shop.run()).outcomes == {Outcome.APPLIED: 2}
    assert only_list(shop.run()).outcomes == {}
