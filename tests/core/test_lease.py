"""The lease: a run that lost it to another writes no more, wherever it is."""

from __future__ import annotations

from functools import partial
from threading import Semaphore
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.consents.consent_reader import ConsentReader
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import ModelStaged
from reverse_etl.errors import WarehouseError
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.transport import Transport
from reverse_etl.state import State, lease
from reverse_etl.state.lease import LEASE_SECONDS, Lease
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from reverse_etl.warehouse.statement import Statement
from tests.core.consent import LONG_AGO, consents, status
from tests.core.rows import become, members_model, people
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.klaviyo.messages import Request, TransportResult
    from reverse_etl.state.tables import StateTables
    from tests.core.world import World


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], bool]], list[bool]]:
    """Return what lets another run take the lease before the first statement after a moment has come.

    The warehouse is as one that lets several runs in.
    """
    monkeypatch.setattr(DuckDB, "single_writer", False)
    execute = DuckDB.execute
    taken: list[bool] = []

    def at(has_come: Callable[[], bool]) -> list[bool]:
        def take(run: Callable[[DuckDB, Statement], Any]) -> Callable[[DuckDB, Statement], Any]:
            def take_and_run(warehouse: DuckDB, statement: Statement) -> Any:
                table = warehouse.dialect.state_table("lease")
                if not taken and has_come():
                    taken.append(True)
                    execute(warehouse, Statement.change(table, f"UPDATE {table} SET owner = 'another'"))
                return run(warehouse, statement)

            return take_and_run

        for name in ("execute", "fetch"):
            monkeypatch.setattr(DuckDB, name, take(getattr(DuckDB, name)))
        return taken

    return at


@pytest.mark.parametrize("known", [False, True], ids=["a list to be made", "a list that is there"])
def test_a_run_that_loses_its_lease_while_it_plans_writes_nothing(
    world: World, lost: Callable[[Callable[[], bool]], list[bool]], known: bool
) -> None:
    """Two runs would each make the list, and each send what the other is sending."""
    members_model(world)
    become(world, people("ann"))
    if known:
        world.run()
    become(world, people("ann", "bob"))
    number = len(world.writes())
    staged: list[ModelStaged] = []
    taken = lost(lambda: bool(staged))
    with pytest.raises(WarehouseError, match="lost its lease to another: another"):
        world.run(on_progress=lambda event: staged.append(event) if isinstance(event, ModelStaged) else None)
    assert taken
    assert len(world.writes()) == number


def test_a_run_that_loses_its_lease_during_lookups_removes_nobody(
    world: World, lost: Callable[[Callable[[], bool]], list[bool]]
) -> None:
    """By then another run may have put the same people back."""
    members_model(world)
    become(world, people("ann", "bob"))
    world.run()
    become(world, people("ann"))
    number = len(world.sandbox.log())
    taken = lost(lambda: any(entry.path == "/api/profiles" for entry in world.sandbox.log()[number:]))
    with pytest.raises(WarehouseError, match="lost its lease to another: another"):
        world.run()
    assert taken
    assert world.emails() == ["ann@example.com", "bob@example.com"]


@pytest.mark.parametrize("leaves", [True, False], ids=["unsubscribe", "subscribe"])
def test_a_run_that_loses_its_lease_changes_no_consent(
    world: World,
    lost: Callable[[Callable[[], bool]], list[bool]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    leaves: bool,
) -> None:
    """By then another run may have read newer rows."""
    mark_submitting, marked = State.mark_submitting, []

    def mark(state: State, *arguments: Any) -> None:
        mark_submitting(state, *arguments)
        marked.append(True)

    ann, bob = (("ann@example.com", LONG_AGO), ("bob@example.com", LONG_AGO))
    config = {"on_remove": "unsubscribe", "max_removes": 1.0}
    consents(world, ann, bob, **config)
    world.run()
    rows = (bob,) if leaves else (ann, bob, ("cat@example.com", LONG_AGO))
    consents(world, *rows, **config)
    number = len(world.writes())
    monkeypatch.setattr(State, "mark_submitting", mark)
    taken = lost(lambda: bool(marked))
    with pytest.raises(WarehouseError, match="lost its lease to another: another"):
        world.run()
    assert taken
    assert len(world.writes()) == number


def test_a_request_that_waited_longer_than_the_lease_is_not_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process was suspended between the read and the request: another run may be at work by now."""
    monkeypatch.setattr(DuckDB, "single_writer", False)
    consents(world, ("ann@example.com", LONG_AGO))
    send = Transport.send

    def suspend(transport: Transport, request: Request) -> TransportResult:
        reply = send(transport, request)
        if request.endpoint is Endpoint.PROFILES:
            world.wait(LEASE_SECONDS + 1)
        return reply

    monkeypatch.setattr(Transport, "send", suspend)
    patient_reader = partial(ConsentReader, max_age=10 * LEASE_SECONDS)
    monkeypatch.setattr("reverse_etl.delivery.consents.confirm_consents.ConsentReader", patient_reader)
    with pytest.raises(WarehouseError, match="lease was lost or has expired"):
        world.run()
    assert status(world) is None
    monkeypatch.setattr(Transport, "send", send)
    world.wait(LEASE_SECONDS + 1)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}


def test_a_run_whose_statement_outlasts_the_lease_keeps_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second session renews it meanwhile, so that no other run begins."""
    monkeypatch.setattr(DuckDB, "single_writer", False)
    monkeypatch.setattr(lease, "KEEP_INTERVAL_SECONDS", 0.01)
    members_model(world)
    become(world, people("ann"))
    renew, renewals = Lease._renew, Semaphore(0)
    execute = DuckDB.execute
    outlasted: list[bool] = []

    def renew_and_say(held: Lease, state_tables: StateTables) -> None:
        renew(held, state_tables)
        renewals.release()

    def outlast(session: DuckDB, statement: Statement) -> None:
        if "staged_members" in statement.text and not outlasted:
            while renewals.acquire(blocking=False):
                pass
            for _ in range(3):
                world.wait(0.8 * LEASE_SECONDS)
                outlasted.append(renewals.acquire(timeout=30.0))
        execute(session, statement)

    monkeypatch.setattr(Lease, "_renew", renew_and_say)
    monkeypatch.setattr(DuckDB, "execute", outlast)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert outlasted == [True] * 3
