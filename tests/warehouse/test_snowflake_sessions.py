"""A session that ends under way: what was committed stays, another is opened, and what can go on goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl import connections
from reverse_etl.clock import SystemClock
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.pending_rows import PendingRows
from reverse_etl.domain.progress import JobProgress, RemoveProgress
from reverse_etl.errors import SessionLost, WarehouseError
from reverse_etl.state import State, StateScope, open_state
from reverse_etl.state.sql import schema
from reverse_etl.warehouse.factory import open_warehouse
from reverse_etl.warehouse.model_tables import ModelTables
from reverse_etl.warehouse.snowflake import Snowflake
from reverse_etl.warehouse.snowflake.errors import SESSION_GONE_CODES
from reverse_etl.warehouse.statement import Statement
from tests.core.rows import become, members_model, people
from tests.core.world import once_at, only_list
from tests.warehouse.insert_rows import create_scratch, insert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from reverse_etl.config.target import Output
    from reverse_etl.delivery.results import RunResult
    from tests.warehouse.snowflake_accounts import Account, Place, Server
    from tests.warehouse.snowflake_world import SnowflakeWorld

RUN = ("r1", "acc", "shop", "ended", "2026-01-01", "2026-01-01", None, 0)
# The fixtures let what is pretended stop and close the place, also where a test fails.
on_the_stand_in = pytest.mark.parametrize("account", ["stand_in"], indirect=True)


@pytest.fixture
def session(place: Place) -> Snowflake:
    """Open a session with the state's tables made."""
    opened = place.opened()
    open_state(opened, SystemClock())
    return opened


@pytest.fixture
def end(account: Account | Server, place: Place, session: Snowflake) -> Callable[..., Any]:
    """Return what ends the session, as an administrator or a time limit does."""
    return lambda: account.end_session(place, session)


def runs(session: Snowflake) -> list[str]:
    """Return the ids of the runs."""
    rows = session.fetch(
        Statement.read(f"SELECT run_id FROM {session.dialect.state_table('runs')} ORDER BY 1")
    )
    return [run_id for (run_id,) in rows]


def test_a_repeatable_statement_is_repeated_in_a_new_session(
    session: Snowflake, end: Callable[..., Any], place: Place
) -> None:
    """Reading, describing, updating and deleting; in the same schema."""
    insert(session, "runs", [RUN])
    end()
    assert runs(session) == ["r1"]
    end()
    assert "run_id" in {name.lower() for name in session.state_columns("runs")}
    end()
    table = session.dialect.state_table("runs")
    session.execute(Statement.change(table, f"UPDATE {table} SET run_id = 'r2'"))
    assert runs(session) == ["r2"]
    end()
    assert session.fetch(Statement.read("SELECT CURRENT_SCHEMA()")) == [(place.output["schema"],)]


@on_the_stand_in
@pytest.mark.parametrize("number", sorted(SESSION_GONE_CODES))
def test_every_error_number_of_a_lost_session_opens_another(
    account: Account | Server, place: Place, number: int
) -> None:
    """Whether the session, its token or what proved it is gone: the statement was not run."""
    session = place.opened()
    account.pretend("SELECT 7", f"{number:06}")
    assert session.fetch(Statement.read("SELECT 7")) == [(7,)]


def test_a_transaction_begun_after_the_loss_is_complete(session: Snowflake, end: Callable[..., Any]) -> None:
    end()
    with session.transaction():
        insert(session, "runs", [RUN])
        insert(session, "runs", [("r2", *RUN[1:])])
    assert runs(session) == ["r1", "r2"]


def write_and_lose(session: Snowflake, end: Callable[..., Any]) -> None:
    """Write, and lose the session."""
    insert(session, "runs", [RUN])
    end()


def lose_in_transaction(session: Snowflake, end: Callable[..., Any]) -> None:
    """Write, lose the session, and write on."""
    with session.transaction():
        write_and_lose(session, end)
        insert(session, "runs", [("r2", *RUN[1:])])


def test_an_interrupted_transaction_leaves_nothing(session: Snowflake, end: Callable[..., Any]) -> None:
    """It is not asked again statement by statement; exit 4, and the next one is whole."""
    with pytest.raises(SessionLost) as caught:
        lose_in_transaction(session, end)
    assert caught.value.exit_code == 4
    assert runs(session) == []
    with session.transaction():
        insert(session, "runs", [RUN])
    assert runs(session) == ["r1"]


def test_a_commit_in_a_lost_session_does_not_count(session: Snowflake, end: Callable[..., Any]) -> None:
    transaction = session.transaction()
    with pytest.raises(SessionLost), transaction:
        write_and_lose(session, end)
    assert runs(session) == []


def test_an_autocommitted_insert_is_not_repeated(session: Snowflake, end: Callable[..., Any]) -> None:
    """It would be the only statement that makes more of the same."""
    end()
    with pytest.raises(SessionLost):
        insert(session, "runs", [RUN])
    assert runs(session) == []
    insert(session, "runs", [RUN])
    assert runs(session) == ["r1"]


def test_a_leading_comment_does_not_change_repeatability(session: Snowflake, end: Callable[..., Any]) -> None:
    """Whether a statement is asked again depends on what it says of itself, not on how its text begins."""
    table = session.dialect.state_table("lease")
    columns = "account_id, project, owner, expires_at"
    row = f"({columns}) VALUES ('acc', 'shop', 'me', '2026')"
    end()
    with pytest.raises(SessionLost):
        session.execute(Statement.insert(table, f"-- for a test\nINSERT INTO {table} {row}"))
    assert session.fetch(Statement.read(f"-- for a test\nSELECT owner FROM {table}")) == []
    session.execute(Statement.insert(table, f"INSERT INTO {table} {row}"))
    end()
    session.execute(Statement.change(table, f"/* for a test */ UPDATE {table} SET owner = 'you'"))
    assert session.fetch(Statement.read(f"SELECT owner FROM {table}")) == [("you",)]


@on_the_stand_in
def test_a_statement_that_is_not_repeatable_is_not_repeated(
    session: Snowflake, end: Callable[..., Any]
) -> None:
    """A table that is rebuilt from itself would be rebuilt twice."""
    select = f"SELECT * FROM {session.dialect.state_table('lease')}"
    rebuild = session.dialect.replace_state_table("lease", select, repeatable=False)
    end()
    with pytest.raises(SessionLost):
        session.execute(rebuild)
    assert runs(session) == []
    session.execute(rebuild)


def test_lost_temporary_tables_are_reported_and_can_be_created_again(
    session: Snowflake, end: Callable[..., Any]
) -> None:
    table, other = (session.dialect.temp_table(name) for name in ("staged_x", "other_x"))
    create = create_scratch(session, "staged_x", "SELECT 1 AS one")
    session.execute(create)
    session.execute(create_scratch(session, "other_x", "SELECT 2 AS two"))
    end()
    assert runs(session) == []
    copy = create_scratch(session, "copy_x", f"SELECT one FROM {table}")
    for statement in (
        Statement.read(f"SELECT one FROM {table}"),
        Statement.change(table, f"UPDATE {table} SET one = 2"),
        Statement.insert(table, f"INSERT INTO {table} VALUES (2)"),
        copy,
    ):
        with pytest.raises(SessionLost, match="staged"):
            session.execute(statement)
    session.execute(Statement.drop(other, f"DROP TABLE IF EXISTS {other}"))
    session.execute(create)
    session.execute(copy)
    assert session.fetch(Statement.read(f"SELECT one FROM {table}")) == [(1,)]


def test_a_first_plan_fails_if_its_temporary_state_is_lost(place: Place, account: Account | Server) -> None:
    """All of it was of that session, and a new one would take it for empty."""
    reader = place.opened(read_only=True)
    open_state(reader, SystemClock())
    account.end_session(place, reader)
    with pytest.raises(SessionLost, match="staged"):
        runs(reader)


@on_the_stand_in
def test_a_sign_in_that_fails_during_a_run_is_a_warehouse_error(
    account: Account | Server, place: Place
) -> None:
    """Something may have been sent: exit 4, not 2; both problems are reported, and no secret."""
    session = place.opened()
    account.end_session(place, session)
    account.pretend_login("390100")
    for _ in range(2):  # giving the lease back, at the end, says no other thing
        with pytest.raises(
            SessionLost, match=r"has expired.*could not be opened.*password is wrong"
        ) as caught:
            session.fetch(Statement.read("SELECT 1"))
    assert caught.value.exit_code == 4
    assert place.output["password"] not in repr(caught.value.problems)
    assert caught.value.__cause__ is not None


def test_a_session_that_was_closed_stays_closed(session: Snowflake) -> None:
    session.close()
    with pytest.raises(WarehouseError, match="closed"):
        runs(session)


def test_a_lease_is_released_in_another_session(session: Snowflake, end: Callable[..., Any]) -> None:
    """A run that lost its session does not keep the next one waiting."""
    state = State(session, StateScope("acc", "shop"), SystemClock())

    def lose() -> None:
        with state.hold_lease():
            lose_in_transaction(session, end)

    with pytest.raises(SessionLost):
        lose()
    assert session.fetch(Statement.read(f"SELECT * FROM {session.dialect.state_table('lease')}")) == []


def deltas(session: Snowflake, rows: int) -> PendingRows:
    """Write deltas of the list L1, numbered from 1."""
    kept = session.dialect.state_table("deltas_x")
    columns = "retl_run_id, retl_seq, retl_op, retl_list_id, retl_email"
    tables = ModelTables(session.dialect, "x", (), (), many_lists=False)
    for statement in schema.create_model_tables(tables):
        session.execute(statement)
    values = ", ".join(f"('r1', {seq}, 'add', 'L1', 'p{seq}@example.com')" for seq in range(1, rows + 1))
    session.execute(Statement.insert(kept, f"INSERT INTO {kept} ({columns}) VALUES {values}"))
    return PendingRows(session, tables, "r1", "members")


@pytest.fixture
def cut_after(session: Snowflake, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what lets results be lost after some batches, as when addresses of their chunks have expired."""
    read = session.stream

    def cut(batches: int, times: int = 1) -> None:
        left = [times]

        def lost(statement: Statement, size: int) -> Iterator[list[tuple[Any, ...]]]:
            for number, rows in enumerate(read(statement, size)):
                if number == batches and left[0]:
                    left[0] -= 1
                    raise SessionLost.of("The result is gone.")
                yield rows

        monkeypatch.setattr(session, "stream", lost)

    return cut


@pytest.mark.parametrize("losses", [1, 3])
def test_a_lost_result_is_resumed_after_its_last_row(
    session: Snowflake, cut_after: Callable[..., None], losses: int
) -> None:
    """No row twice and none left out, however often."""
    read = deltas(session, 20)
    cut_after(2, losses)
    seqs = [row[0] for rows in read.read_upserts("L1", 2) for row in rows]
    assert seqs == [*range(1, 21)]


def test_a_result_lost_before_its_first_row_is_an_error(
    session: Snowflake, cut_after: Callable[..., None]
) -> None:
    """Asking for ever would help nobody."""
    read = deltas(session, 4)
    cut_after(0, 99)
    with pytest.raises(SessionLost):
        list(read.read_upserts("L1", 2))


@pytest.fixture
def shop(shop: SnowflakeWorld) -> SnowflakeWorld:
    """Make a world with a model."""
    members_model(shop)
    return shop


def run_and_end(shop: SnowflakeWorld, event: type, **options: Any) -> RunResult:
    """Run, and end the run's session at the first event of a kind."""
    project = shop.project()
    opened: list[Snowflake] = []

    def seen(output: Output, **how: Any) -> Snowflake:
        session = open_warehouse(output, **how)
        assert isinstance(session, Snowflake)
        opened.append(session)
        return session

    ended: list[Snowflake] = []

    def end() -> None:
        ended.append(opened[-1])
        shop.account.end_session(shop.place, opened[-1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "open_warehouse", seen)
        result = project.run(on_progress=once_at(event, end), **options)
    assert ended
    return result


def test_a_run_whose_session_ends_while_it_sends_goes_on(shop: SnowflakeWorld) -> None:
    """Reading rows, keeping receipts and taking over need only what is kept."""
    become(shop, people("ann", "bob"))
    result = run_and_end(shop, JobProgress)
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.APPLIED: 2}, 0)
    assert shop.emails() == ["ann@example.com", "bob@example.com"]
    assert only_list(shop.run()).outcomes == {}


def test_nobody_is_removed_if_the_desired_rows_are_lost(shop: SnowflakeWorld) -> None:
    """They were staged in the session that ended: upserts are applied, and the next run removes."""
    become(shop, people("ann", "bob", "cat"))
    shop.run()
    become(shop, people("ann", "dan"))
    first = run_and_end(shop, JobProgress, allow_removes=["members"])
    assert only_list(first).outcomes == {Outcome.APPLIED: 1, Outcome.NOT_SENT: 2}
    assert first.exit_code == 4
    assert "rows that protect desired people" in only_list(first).stop_reason
    assert shop.emails() == ["ann@example.com", "bob@example.com", "cat@example.com", "dan@example.com"]
    second = shop.run(allow_removes=["members"])
    assert (only_list(second).outcomes, second.exit_code) == ({Outcome.REMOVED: 2}, 0)
    assert shop.emails() == ["ann@example.com", "dan@example.com"]


def test_members_removed_before_the_loss_stay_removed(shop: SnowflakeWorld) -> None:
    """Its receipt is kept, and taken over, in the next session."""
    become(shop, people("ann", "bob"))
    shop.run()
    become(shop, people("ann"))
    result = run_and_end(shop, RemoveProgress, allow_removes=["members"])
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.REMOVED: 1}, 0)
    assert only_list(shop.run()).outcomes == {}
