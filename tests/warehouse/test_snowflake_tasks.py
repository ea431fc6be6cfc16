"""Tasks that run at the same time in one session, and the second session that keeps the lease meanwhile."""

from __future__ import annotations

import json
from collections.abc import Generator
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.errors import UsageError, WarehouseError
from reverse_etl.state import State, StateScope, lease, open_state
from reverse_etl.warehouse.statement import Statement
from tests.clocks import QuickClock
from tests.warehouse.insert_rows import create_scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.warehouse.interface import Row
    from reverse_etl.warehouse.snowflake import Snowflake
    from tests.warehouse.snowflake_accounts import Place, Server

CANCELS = r"SYSTEM\$CANCEL_ALL_QUERIES\(1\)"


@pytest.fixture
def place(server: Server) -> Iterator[Place]:
    """Make a place on the stand-in; what is pretended ends with the test."""
    made = server.place()
    yield made
    server.calm()
    made.close()


@pytest.fixture
def session(place: Place) -> Snowflake:
    """Open a session of an output with four threads."""
    return place.opened(threads=4)


def ask(session: Snowflake, name: str) -> list[Row]:
    """Ask for a name, under it as the model of the query tag."""
    session.set_query_tag(model=name)
    return session.fetch(Statement.read(f"SELECT '{name}'"))


def asked(server: Server) -> dict[str, str]:
    """Return the statements so far, each with the model of its tag."""
    entries = server.control("look")["journal"]
    return {entry["sql"]: json.loads(entry["tag"] or "{}").get("model", "") for entry in entries}


def test_tasks_run_at_the_same_time_in_one_session(session: Snowflake, server: Server) -> None:
    """Each of the first three is answered after the next one was asked for."""
    session.set_query_tag(model="none")
    server.calm()
    names = ["n1", "n2", "n3", "n4", "n5"]
    for name, later in pairwise(names[:4]):
        server.hold(name, until=later)
    assert [*session.run_each([partial(ask, session, name) for name in names])] == [
        [(name,)] for name in names
    ]
    session.fetch(Statement.read("SELECT 'after'"))
    assert asked(server) == {f"SELECT '{name}'": name for name in names} | {"SELECT 'after'": "none"}
    assert server.control("look")["logins"] == []


@pytest.mark.parametrize("threads", [None, 1])
def test_tasks_run_in_turn_without_threads(place: Place, threads: int | None) -> None:
    """As dbt, which has one thread unless the output has more."""
    session = place.opened(threads=threads)
    seen: list[str] = []
    results = session.run_each([partial(seen.append, name) for name in "ab"])
    assert (next(results), seen) == (None, ["a"])


def test_threads_are_a_number(place: Place) -> None:
    with pytest.raises(UsageError, match="its threads are 'many', not a whole number"):
        place.opened(threads="many")


def test_the_temporary_tables_of_tasks_are_the_sessions(session: Snowflake) -> None:
    """A later task reads what an earlier one has staged."""
    statements = [create_scratch(session, f"t{number}", f"SELECT {number} AS x") for number in range(4)]
    assert [*session.run_each([partial(session.execute, each) for each in statements])] == [None] * 4
    for number, statement in enumerate(statements):
        assert session.fetch(Statement.read(f"SELECT x FROM {statement.table}")) == [(number,)]


@pytest.mark.parametrize("reason", ["a task failed", "interrupted"])
def test_a_failed_run_cancels_its_statements(session: Snowflake, server: Server, reason: str) -> None:
    """The error of the first task that failed is raised, and tasks that wait for their turn do not begin."""
    server.hold("slow", until=CANCELS)
    names = ["first", "wrong" if reason == "a task failed" else "right", "slow", "slow too", "late", "later"]
    server.hold("slow too", until=CANCELS)
    server.hold("late", until=CANCELS)
    server.pretend("wrong", "002003", "Object 'X' does not exist.")
    results = session.run_each([partial(ask, session, name) for name in names])
    assert next(results) == [("first",)]
    if reason == "a task failed":
        with pytest.raises(WarehouseError, match="Object 'X' does not exist"):
            next(results)
    else:
        assert next(results) == [("right",)]
        assert isinstance(results, Generator)
        results.close()
    assert any(CANCELS.replace("\\", "") in text for text in asked(server))
    assert ask(session, "after") == [("after",)]


def test_tasks_whose_session_ended_go_on_in_one_new_session(
    session: Snowflake, place: Place, server: Server
) -> None:
    """Both notice it at the same time, and one of them signs in."""
    server.calm()
    server.end_session(place, session)
    results = session.run_each([partial(ask, session, name) for name in ("a", "b", "c")])
    assert [*results] == [[("a",)], [("b",)], [("c",)]]
    assert len(server.control("look")["logins"]) == 1


def test_other_threads_find_the_new_session_while_the_ended_one_logs_out(
    session: Snowflake, place: Place, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = session._session._connection
    connections: list[object] = []
    assert ended is not None
    close = ended.close

    def look_and_close() -> None:
        connections.append(session._session._connection)
        close()

    monkeypatch.setattr(ended, "close", look_and_close)
    server.end_session(place, session)
    assert ask(session, "after") == [("after",)]
    assert connections == [session._session._connection]
    assert connections != [ended]


def test_a_session_that_another_thread_opened_may_end_too(
    session: Snowflake, place: Place, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In between, before this thread asks it."""
    call_on = session._session._call_on
    first_calls = [True]

    def end_sessions_first(*arguments: Any) -> Any:
        if first_calls:
            first_calls.clear()
            server.end_session(place, session)
            assert ask(session, "other") == [("other",)]
            server.end_session(place, session)
        return call_on(*arguments)

    monkeypatch.setattr(session._session, "_call_on", end_sessions_first)
    assert ask(session, "after") == [("after",)]
    assert len(server.control("look")["logins"]) == 3


def test_the_lease_is_kept_while_a_statement_runs(
    session: Snowflake, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one statement of a second session, outside of any transaction."""
    monkeypatch.setattr(lease, "KEEP_INTERVAL_SECONDS", 0.01)
    clock = QuickClock()
    open_state(session, clock)
    state = State(session, StateScope("acc", "shop"), clock)
    with state.hold_lease():
        state.renew_lease_if_due()
        server.calm()
        clock.leap(500.0)
        server.hold("slow", until=r"^UPDATE .*LEASE")
        assert ask(session, "slow") == [("slow",)]
        clock.leap(500.0)
        state.require_lease()
    renewals = [text for text in asked(server) if '"LEASE"' in text and not text.startswith("DELETE")]
    assert (len(renewals), len(server.control("look")["logins"])) == (1, 1)
    assert not any("TRANSACTION" in text for text in asked(server))
