"""Faults of Snowflake during a run: nothing is half-done, and the message has the next step."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from reverse_etl.clock import SystemClock
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import ModelError, WarehouseError
from reverse_etl.state import State, StateScope, open_state
from reverse_etl.warehouse.snowflake import Snowflake
from reverse_etl.warehouse.snowflake.location import to_sql_identifier
from reverse_etl.warehouse.statement import Statement
from tests.core.rows import become, members_model, people
from tests.core.world import only_list
from tests.surfaces import limit_rows_per_request
from tests.warehouse.insert_rows import insert
from tests.warehouse.snowflake_accounts import PASSWORD, new_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tests.core.world import World
    from tests.warehouse.snowflake_accounts import Server
    from tests.warehouse.snowflake_world import SnowflakeWorld


@pytest.fixture(autouse=True)
def calm(server: Server) -> Iterator[None]:
    """Let no fault of one test reach another."""
    server.control("forget")
    yield
    server.control("forget")


@pytest.fixture
def settings(server: Server) -> dict[str, Any]:
    """Return an output with a database of its own."""
    return server.settings(new_database())


@pytest.fixture
def session(settings: dict[str, Any]) -> Iterator[Snowflake]:
    """Open a session with the state's tables made."""
    opened = Snowflake(settings, read_only=False)
    open_state(opened, SystemClock())
    yield opened
    opened.close()


def models(warehouse: Snowflake) -> list[tuple[str]]:
    """Return the rows of a state table."""
    return warehouse.fetch(Statement.read(f"SELECT model FROM {warehouse.dialect.state_table('models')}"))


ROW = ("acc", "shop", "vip", "vip_1", "profiles", "[]", "c0ffee", None, None)
FAULTS = [
    ("390318", "OAuth access token expired", "expired", "token"),
    ("390114", "Authentication token has expired", "expired", "keep_alive"),
    ("000606", "No active warehouse selected", "no warehouse", "warehouse"),
    ("090073", "Warehouse cannot be resumed: quota exceeded", "suspended", "quota"),
    ("000630", "Statement reached its statement or warehouse timeout", "time-out", "STATEMENT_TIMEOUT"),
    ("000604", "SQL execution canceled", "cancelled", "again"),
    ("000625", "Statement has locked table", "lock", "again"),
    ("003001", "Insufficient privileges to operate on table", "privileges", "grant"),
]


def two_tables(session: Snowflake, between: Callable[..., Any] = lambda: None) -> None:
    """Write to two tables in one transaction."""
    with session.transaction():
        insert(session, "models", [ROW])
        between()
        insert(session, "targets", [("shop", "prod", "acc")])


@pytest.mark.parametrize("fault", FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_fault_ends_in_a_warehouse_error_and_nothing_half_done(
    session: Snowflake, server: Server, fault: tuple[str, str, str, str]
) -> None:
    """Exit 4, what happened, what to do; of a transaction nothing stays."""
    code, message, what, advice = fault
    server.control(
        "fault", {"pattern": "INSERT INTO .*TARGETS", "code": code, "message": f"{message} {PASSWORD}"}
    )
    with pytest.raises(WarehouseError, match=what) as caught:
        two_tables(session)
    assert caught.value.exit_code == 4
    assert advice in caught.value.problems[0].hint
    assert PASSWORD not in repr(caught.value.problems)
    assert models(session) == []


def test_a_lost_reply_to_a_commit_is_asked_for_again_and_counts_once(
    session: Snowflake, server: Server
) -> None:
    """Snowflake keeps the reply by the request's number."""
    server.control("fault", {"pattern": "^INSERT", "lost": True})
    server.control("fault", {"pattern": "^COMMIT", "lost": True})
    with session.transaction():
        insert(session, "models", [ROW])
    assert models(session) == [("vip",)]


@pytest.mark.parametrize("code", ["000604", "000625"])
def test_a_commit_that_fails_is_rolled_back(
    session: Snowflake, server: Server, settings: dict[str, Any], code: str
) -> None:
    """The session lives on outside of the transaction: its next statement is committed by itself."""
    server.control("fault", {"pattern": "^COMMIT", "code": code, "message": "as Snowflake would say"})
    with pytest.raises(WarehouseError, match=str(int(code))):
        two_tables(session)
    insert(session, "models", [("acc", "shop", "new", *ROW[3:])])
    with closing(Snowflake(settings, read_only=True)) as other:
        assert models(other) == [("new",)]
        assert other.fetch(Statement.read(f"SELECT * FROM {other.dialect.state_table('targets')}")) == []


def test_a_session_that_ended_is_a_warehouse_error(
    session: Snowflake, server: Server, settings: dict[str, Any]
) -> None:
    """Committed changes stay, others are gone, and the next session goes on."""
    insert(session, "models", [ROW])
    with pytest.raises(WarehouseError) as caught:
        two_tables(session, lambda: server.control("expire"))
    assert caught.value.exit_code == 4
    again = Snowflake(settings, read_only=False)
    assert models(again)[:1] == [("vip",)]
    again.close()


def test_a_run_that_loses_its_connection_is_settled_by_the_next(
    world: SnowflakeWorld, server: Server
) -> None:
    """The receipt of what Klaviyo took was not kept; the next run looks at Klaviyo's jobs and goes on."""
    members_model(world)
    become(world, people("ann", "bob"))
    server.control(
        "fault", {"pattern": "MERGE INTO .*RECEIPTS", "code": "000604", "message": "canceled", "times": 9}
    )
    with pytest.raises(WarehouseError, match="cancelled"):
        world.run()
    server.control("forget")
    world.calm()
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2}
    assert world.emails() == ["ann@example.com", "bob@example.com"]


def test_a_role_that_may_not_create_the_schema_sees_the_missing_grants(
    settings: dict[str, Any], server: Server
) -> None:
    """The message has the statements for somebody who may grant them."""
    server.control(
        "fault",
        {"pattern": "^CREATE TRANSIENT SCHEMA", "code": "003001", "message": "Insufficient privileges"},
    )
    with pytest.raises(WarehouseError, match="may not create the schema") as caught:
        Snowflake(settings, read_only=False)
    assert "GRANT CREATE SCHEMA ON DATABASE" in caught.value.problems[0].hint


def test_every_statement_has_a_query_tag(
    session: Snowflake, server: Server, settings: dict[str, Any]
) -> None:
    """In Snowflake's query history a run's statements are found by their tag."""
    session.set_query_tag(run="20260102-abc", model="vip")
    session.fetch(Statement.read(f'SELECT 1 AS "{settings["database"]}"'))
    (entry,) = [
        entry for entry in server.journal(settings["database"]) if entry["sql"].startswith("SELECT 1")
    ]
    assert json.loads(entry["tag"]) == {"app": "reverse_etl", "run": "20260102-abc", "model": "vip"}


def test_tables_are_created_outside_transactions(world: SnowflakeWorld, server: Server) -> None:
    members_model(world)
    become(world, people("ann", "bob"))
    server.control("forget")
    world.run()
    seen: Counter[str] = Counter()
    inside = False
    for entry in server.control("look")["journal"]:
        word = entry["sql"].split()[0]
        seen[word] += 1
        inside = word == "BEGIN" or (inside and word not in {"COMMIT", "ROLLBACK"})
        assert not (inside and word in {"CREATE", "ALTER", "DROP", "USE"}), entry["sql"]
    assert seen["BEGIN"] == seen["COMMIT"]
    assert {"BEGIN", "CREATE"} <= {*seen}


# The lease is kept by the clock, and receipts by the request: several in a transaction, as they come in.
OF_THE_SENDING = re.compile(r'"LEASE"|^MERGE INTO \S+"RECEIPTS"|^(BEGIN|COMMIT)')


def test_statements_do_not_grow_with_rows(
    make_world: Callable[..., World], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of many requests has as many as one of a few, apart from receipts and the lease."""
    limit_rows_per_request(monkeypatch, 20)
    counts, imports = [], []
    for rows in (60, 300):  # guards on adds ask for more with more than 50 of them
        world = make_world(f"project{rows}")
        members_model(world)
        become(world, people(*(f"p{number:03}" for number in range(rows))))
        server.control("forget")
        world.run()
        texts = [entry["sql"] for entry in server.control("look")["journal"]]
        counts.append(sum(not OF_THE_SENDING.search(text) for text in texts))
        imports.append(sum("import" in write.path for write in world.writes()))
    assert imports == [3, 15]
    assert counts[0] == counts[1] > 20


def state_of(warehouse: Snowflake) -> State:
    """Return the state as one process sees it."""
    return State(warehouse, StateScope("acc", "shop"), SystemClock())


def test_one_of_two_runs_gets_the_lease(session: Snowflake, settings: dict[str, Any]) -> None:
    other = Snowflake(settings, read_only=False)
    with state_of(session).hold_lease():
        with pytest.raises(WarehouseError, match="in progress"), state_of(other).hold_lease():
            pass
        assert (
            len(session.fetch(Statement.read(f"SELECT * FROM {session.dialect.state_table('lease')}"))) == 1
        )
    with state_of(other).hold_lease():
        pass
    other.close()


def test_two_runs_that_claim_the_lease_at_once_both_fail(
    session: Snowflake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As may be where neither saw the other's row: the second row is what the other wrote in that moment."""
    table = session.dialect.state_table("lease")
    late = ("acc", "shop", "another", "2999-01-01T00:00:00.000Z")
    state = state_of(session)
    execute = session.execute

    def claim_together(statement: Statement) -> None:
        execute(statement)
        if statement.text.startswith("MERGE"):
            insert(session, "lease", [late])

    monkeypatch.setattr(session, "execute", claim_together)
    with pytest.raises(WarehouseError, match="in progress"), state.hold_lease():
        pass
    assert session.fetch(Statement.read(f"SELECT owner FROM {table}")) == [("another",)]


def test_a_lease_that_was_taken_over_stops_the_run(session: Snowflake) -> None:
    state = state_of(session)
    with state.hold_lease():
        table = session.dialect.state_table("lease")
        session.execute(Statement.change(table, f"UPDATE {table} SET owner = 'another'"))
        with pytest.raises(WarehouseError, match="lost its lease"):
            state.renew_lease_if_due()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("analytics", '"ANALYTICS"'),
        ('"Mixed"', '"Mixed"'),
        ("with-dash", '"with-dash"'),
        ("SELECT", '"SELECT"'),
    ],
)
def test_a_name_in_the_profile_is_folded_as_snowflake_folds_it(name: str, written: str) -> None:
    assert to_sql_identifier(name) == written


def test_a_runs_statements_say_their_run_and_model(world: SnowflakeWorld, server: Server) -> None:
    """From the first to the last, so that a bill can be taken apart by model."""
    members_model(world)
    become(world, people("ann"))
    server.control("forget")
    result = world.run()
    tags = [
        json.loads(entry["tag"])
        for entry in server.journal(world.database)
        if "_MEMBERS_" in entry["sql"] and "CREATE" in entry["sql"]
    ]
    assert tags
    assert all(tag == {"app": "reverse_etl", "run": result.run_id, "model": "members"} for tag in tags)


def test_a_model_that_does_not_compile_is_reported_with_its_line(
    world: SnowflakeWorld, server: Server
) -> None:
    """Snowflake says the line of the query that it was given; the message says the file's."""
    message = "SQL compilation error: error line 3 at position 2\ninvalid identifier 'NO_SUCH_COLUMN'"
    server.control("fault", {"pattern": "no_such_column", "code": "000904", "message": message, "times": 9})
    world.model("members", "select email,\n  no_such_column\nfrom nothing", identifiers={"email": "email"})
    with pytest.raises(ModelError, match="invalid identifier") as caught:
        world.plan()
    assert caught.value.problems[0].where == "models/members.sql:3:3"
