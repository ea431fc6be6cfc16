"""Several requests are on their way at once while the next ones are rendered; as many as are allowed."""

from __future__ import annotations

from collections import Counter
from threading import Barrier
from typing import TYPE_CHECKING

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.rate_limit import estimate_duration
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.warehouse.duckdb.adapter import STATE_DATABASE, DuckDB
from tests.clocks import stop_while_in_flight
from tests.core.rows import members_model
from tests.core.world import only_list
from tests.paths import IMPORTS
from tests.surfaces import limit_rows_per_request

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import World

PEOPLE = """
CREATE OR REPLACE TABLE people AS
SELECT 'p' || i || '@example.com' AS email, 'c-' || i AS customer_id, 'P' AS first_name FROM range({}) AS t(i)
"""


def test_a_slow_reply_does_not_block_other_requests(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three imports are in flight at once: none is replied to before all three have arrived."""
    limit_rows_per_request(monkeypatch, 10)
    members_model(world)
    world.sql(PEOPLE.format(30))
    world.fault(Fault(FaultKind.SLOW, "POST", IMPORTS, times=None))
    all_three = Barrier(3, timeout=30.0)

    def wait_for_the_others(_: float) -> None:
        all_three.wait()

    world.klaviyo_clock.sleep = wait_for_the_others
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 30}
    assert not all_three.broken
    assert len([entry for entry in world.writes() if entry.path == IMPORTS]) == 3


def test_a_run_sends_as_fast_as_klaviyo_allows(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least 95 % of the allowed requests are used while there is work, and hardly a reply is a 429.

    Two minutes' worth of imports, of ten rows each, so that few people suffice. Only waiting takes time.
    """
    limit_rows_per_request(monkeypatch, 10)
    imports = 2 * Endpoint.START_IMPORT.rate_limit.steady + 1  # the last one opens another minute
    world = make_world(limits=True)
    world.clock.tick = 0.0  # only the rate limits take time
    stop_while_in_flight(world.clock, monkeypatch)
    members_model(world)
    world.sql(PEOPLE.format(10 * imports))
    assert only_list(world.project(threads=8).run()).outcomes == {Outcome.APPLIED: 10 * imports}
    log = world.sandbox.log()
    begun = [entry.received_at for entry in log if (entry.method, entry.path) == ("POST", IMPORTS)]
    taken = max(begun) - min(begun)
    assert estimate_duration({Endpoint.START_IMPORT: len(begun)}) / taken >= 0.95, taken
    statuses = Counter(entry.status for entry in log)
    assert statuses[429] < 0.01 * len(log), statuses


def test_receipts_are_stored_in_groups(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction for each reply would take the warehouse longer than Klaviyo takes to reply."""
    limit_rows_per_request(monkeypatch, 10)
    kept, execute = [], DuckDB.execute

    def note(warehouse: DuckDB, statement: Statement) -> None:
        if statement.text.startswith(f'MERGE INTO "{STATE_DATABASE}".main."receipts"'):
            kept.append(statement)
        execute(warehouse, statement)

    monkeypatch.setattr(DuckDB, "execute", note)
    world = make_world()
    members_model(world)
    world.sql(PEOPLE.format(1_200))
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1_200}
    assert len([entry for entry in world.writes() if entry.path == IMPORTS]) == 120
    assert len(kept) <= 20
