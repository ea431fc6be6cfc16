"""Rules: state, order, one run at a time."""

from __future__ import annotations

import time
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery import concurrency
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import UsageError, WarehouseError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.state.lease import LEASE_SECONDS, Lease
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from reverse_etl.warehouse.statement import Statement
from tests.core.rows import become, members_model, people, person, send_one, send_two
from tests.core.world import only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverse_etl.state.store import State
    from tests.core.world import PrepareWorld, World


def test_with_nothing_changed_a_run_sends_nothing(prepare_world: PrepareWorld) -> None:
    members = prepare_world(send_two)
    before = len(members.writes())
    result = members.run()
    assert len(members.writes()) == before
    assert (only_list(result).list_plan.unchanged, result.exit_code) == (2, 0)


def test_another_account_starts_empty(prepare_world: PrepareWorld, make_world: Callable[..., World]) -> None:
    members = prepare_world(send_two)
    other = make_world("other", account_seed="another")
    members.profile(origin=other.sandbox.origin)
    assert only_list(members.run()).outcomes == {Outcome.APPLIED: 2}
    assert other.emails() == ["ann@example.com", "bob@example.com"]
    members.profile(origin=members.sandbox.origin)
    assert only_list(members.run()).list_plan.unchanged == 2


def test_a_new_list_starts_empty_and_the_old_lists_rows_stay(prepare_world: PrepareWorld) -> None:
    """A model is pointed at another list.

    Its people are sent there. The old list is shown, and nobody is removed from it.
    """
    members = prepare_world(send_two)
    members_model(members, list="Others")
    become(members, people("ann"))
    result = members.run()
    assert only_list(result).outcomes == {Outcome.APPLIED: 1}
    assert members.emails("Others") == ["ann@example.com"]
    assert members.emails("Members") == ["ann@example.com", "bob@example.com"]
    assert result.plan.models[0].orphaned_rows == ((members.list_id("Members"), 2),)
    assert any("'Members'" in note and "2 rows" in note for note in result.plan.notes)


def test_a_deleted_model_leaves_its_list_alone_and_is_reported(prepare_world: PrepareWorld) -> None:
    """A deleted file is no order to empty a list."""
    members = prepare_world(send_one)
    members.drop_model("members")
    members.model("others", "select email from people", list="Others")
    result = members.run()
    assert members.emails() == ["ann@example.com"]
    assert any("members" in note for note in result.plan.notes)


@contextmanager
def two_states(world: World) -> Iterator[tuple[State, State]]:
    """Open the state twice, as on a warehouse that lets several runs in."""
    project = world.project()
    with project.connections.warehouse(read_only=False) as warehouse:
        warehouse.single_writer = False  # type: ignore[misc]  # DuckDB's is a constant that only a test changes
        first, second = (project.connections.state(warehouse, world.sandbox.account_id) for _ in range(2))
        yield first, second


def test_only_one_run_of_a_project_works_at_a_time(prepare_world: PrepareWorld) -> None:
    members = prepare_world(send_one)
    with two_states(members) as (first, second):
        with first.hold_lease(), pytest.raises(WarehouseError, match="in progress"), second.hold_lease():
            pass
        with second.hold_lease():
            pass


def test_a_run_can_wait_for_the_lease_of_a_killed_one(prepare_world: PrepareWorld) -> None:
    """A retry in another container comes seconds after the kill; the lease expires after ten minutes."""
    members = prepare_world(send_one)
    with two_states(members) as (killed, retry), killed.hold_lease():
        begun = members.clock.monotonic()
        with pytest.raises(WarehouseError, match="in progress"), retry.hold_lease(300.0):
            pass
        assert 300.0 <= members.clock.monotonic() - begun < 301.0
        with retry.hold_lease(900.0), pytest.raises(WarehouseError, match="lost its lease to another"):
            killed.renew_lease_or_raise()
        assert 600.0 <= members.clock.monotonic() - begun < 631.0


def test_a_lease_that_has_expired_is_taken_over(prepare_world: PrepareWorld) -> None:
    """A run that died holds its lease no longer than it was good for."""
    members = prepare_world(send_one)
    with two_states(members) as (first, second), first.hold_lease():
        members.wait(601.0)
        with second.hold_lease(), pytest.raises(WarehouseError, match="lost its lease to another"):
            first.renew_lease_or_raise()


def test_the_lease_is_renewed_while_requests_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Klaviyo asks for patience for longer than a lease is good for, and another run would be let in.

    The clock waits for the lease to be kept, for as long as a busy machine may take.
    """
    monkeypatch.setattr(concurrency, "LEASE_CHECK_SECONDS", 0.05)
    members_model(world)
    become(world, people("ann"))
    world.fault(Fault(FaultKind.STATUS, "POST", IMPORTS, status=429, retry_after=900))
    begun = world.clock.monotonic()
    kept, extend = [begun], Lease.renew_or_raise

    def noted(lease: Lease) -> None:
        kept.append(world.clock.monotonic())
        extend(lease)

    monkeypatch.setattr(Lease, "renew_or_raise", noted)
    patience = time.monotonic() + 60.0
    half = LEASE_SECONDS / 2
    world.clock.is_idle = lambda: world.clock.seconds < kept[-1] + half or time.monotonic() > patience
    world.run()
    kept.append(world.clock.monotonic())
    assert kept[-1] - begun > 900.0
    assert max(after - before for before, after in pairwise(kept)) < LEASE_SECONDS


def test_a_state_of_a_newer_version_is_not_changed(prepare_world: PrepareWorld) -> None:
    members = prepare_world(send_one)
    with members.project().connections.warehouse(read_only=False) as warehouse:
        table = warehouse.dialect.state_table("meta")
        warehouse.execute(Statement.change(table, f"UPDATE {table} SET version = 99"))
    with pytest.raises(UsageError, match="newer"):
        members.run()


def test_a_full_refresh_sends_every_row_again_and_still_removes(prepare_world: PrepareWorld) -> None:
    """The snapshot stays: without it, rows that left could not be found."""
    members = prepare_world(send_two)
    become(members, people("ann"))
    result = members.run(options=PlanOptions(full_refresh=True))
    assert only_list(result).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    assert members.emails() == ["ann@example.com"]


def test_a_limit_sends_that_many_rows_and_removes_nobody(members: World) -> None:
    """A first send of a few: the rest is not sent, and says so; the next run sends it."""
    become(members, people("ann", "bob", "cat", "dan"))
    result = members.run(options=PlanOptions(limit=3))
    assert only_list(result).outcomes == {Outcome.APPLIED: 3, Outcome.NOT_SENT: 1}
    become(members, people("bob", "cat", "dan"))
    result = members.run(options=PlanOptions(limit=3))
    assert only_list(result).outcomes == {Outcome.APPLIED: 1}
    assert len(members.emails()) == 4
    members.run()
    assert members.emails() == ["bob@example.com", "cat@example.com", "dan@example.com"]


def test_a_limit_of_0_sends_nothing_and_counts_every_row(members: World) -> None:
    """Rows beyond the limit are not sent, and are counted as deferred."""
    become(members, people("ann", "bob"))
    result = members.run(options=PlanOptions(limit=0))
    assert only_list(result).outcomes == {Outcome.NOT_SENT: 2}
    assert members.emails() == []


def test_changed_identifiers_are_refused_without_a_flag(prepare_world: PrepareWorld) -> None:
    """Keyed otherwise, every row is another.

    It would look as if everybody had left. Asked for, nobody moves.
    """
    members = prepare_world(send_two)
    before = len(members.writes())
    members_model(members, identifiers={"external_id": "customer_id", "email": "email"})
    with pytest.raises(UsageError, match="identifiers of this model changed"):
        members.run()
    assert len(members.writes()) == before
    result = members.run(options=PlanOptions(rekey=frozenset({"members"})))
    assert (only_list(result).list_plan.unchanged, only_list(result).list_plan.removes) == (2, 0)
    assert members.emails() == ["ann@example.com", "bob@example.com"]
    become(members, [person("ann", email="ann2@example.com")])
    members.run()
    assert members.emails() == ["ann2@example.com"]


def test_changed_identifiers_do_not_make_two_rows_with_one_key(
    make_world: Callable[..., World],
) -> None:
    """Ann's old row and her new one share her customer id.

    Keyed by it, one is hers, and the other leaves like any other row.
    """
    world = make_world(match_external_id=False)
    members_model(world)
    become(world, [person("ann"), person("bob")])
    world.run()
    become(world, [person("ann", customer_id=None), person("ann", email="ann2@example.com"), person("bob")])
    world.run()
    members_model(world, identifiers={"external_id": "customer_id", "email": "email"})
    become(world, [person("ann", email="ann2@example.com"), person("bob")])
    world.run(options=PlanOptions(rekey=frozenset({"members"})))
    world.run()
    ((key,),) = world.state("SELECT table_key FROM models WHERE model = 'members'")
    assert sorted(world.state(f"SELECT retl_identity FROM snapshot_{key}")) == [
        ("external_id:c-ann",),
        ("external_id:c-bob",),
    ]
    before = len(world.writes())
    world.run()
    assert len(world.writes()) == before


def test_the_error_is_reported_even_if_the_lease_cannot_be_released(
    members: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    become(members, people("ann"))
    execute = DuckDB.execute

    def fail(warehouse: DuckDB, statement: Statement) -> None:
        text = statement.text.lower()
        if "planned_" in text or ("lease" in text and text.startswith("delete")):
            raise WarehouseError.of(f"out of reach: {statement.text[:12]}")
        execute(warehouse, statement)

    members.run()
    monkeypatch.setattr(DuckDB, "execute", fail)
    monkeypatch.setattr(DuckDB, "single_writer", False)
    with pytest.raises(WarehouseError, match="out of reach: CREATE"):
        members.run()
