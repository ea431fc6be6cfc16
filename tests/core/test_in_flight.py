"""Several requests are on their way at once while the next ones are rendered; as many as are allowed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.rate_limit import estimate_duration
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.warehouse.duckdb.adapter import STATE_DATABASE, DuckDB
from tests.core.rows import become, many, members_model
from tests.core.world import one
from tests.surfaces import limit_rows_per_request

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import World

IMPORTS = "/api/profile-bulk-import-jobs"
PEOPLE = """
CREATE OR REPLACE TABLE people AS
SELECT 'p' || i || '@example.com' AS email, 'c-' || i AS customer_id, 'P' AS first_name FROM range({}) AS t(i)
"""
SLOW = 30.0  # seconds that each reply takes


def test_a_slow_reply_keeps_no_other_request_waiting(make_world: Callable[..., World]) -> None:
    """Three imports of which each takes half a minute are begun within half a minute."""
    world = make_world(speed=10.0)  # 3 s of this machine's, which may be a busy one
    members_model(world)
    become(world, many(1))
    world.run()
    world.sql(PEOPLE.format(30_000))
    world.fault(Fault(FaultKind.SLOW, "POST", IMPORTS, seconds=SLOW, times=None))
    number = len(world.writes())
    assert one(world.run()).outcomes[Outcome.APPLIED] >= 29_999
    begun = [entry.at for entry in world.writes()[number:] if entry.path == IMPORTS]
    assert len(begun) == 3
    assert max(begun) - min(begun) < SLOW


def test_a_run_sends_as_fast_as_klaviyo_allows(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the allowed requests at least 95 % are used while there is work, and hardly a reply is a 429.

    Two minutes' worth of imports, of ten rows each, so that few people suffice.
    """
    limit_rows_per_request(monkeypatch, 10)
    imports = 2 * Endpoint.START_IMPORT.rate_limit.steady + 1  # the last one opens another minute
    world = make_world(speed=20.0, limits=True)
    members_model(world)
    world.sql(PEOPLE.format(10 * imports))
    assert one(world.project(threads=8).run()).outcomes == {Outcome.APPLIED: 10 * imports}
    log = world.sandbox.log()
    begun = [entry.at for entry in log if (entry.method, entry.path) == ("POST", IMPORTS)]
    taken = max(begun) - min(begun)
    assert estimate_duration({Endpoint.START_IMPORT: len(begun)}) / taken >= 0.95, taken
    statuses = Counter(entry.status for entry in log)
    assert statuses[429] < 0.01 * len(log), statuses


def test_receipts_are_kept_in_groups(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction for each reply would take the warehouse longer than Klaviyo takes to reply."""
    limit_rows_per_request(monkeypatch, 10)
    kept, execute = [], DuckDB.execute

    def note(warehouse: DuckDB, statement: Statement) -> None:
        if statement.text.startswith(f'INSERT INTO "{STATE_DATABASE}".main."receipts"'):
            kept.append(statement)
        execute(warehouse, statement)

    monkeypatch.setattr(DuckDB, "execute", note)
    world = make_world(speed=20.0)
    members_model(world)
    world.sql(PEOPLE.format(1_200))
    assert one(world.run()).outcomes == {Outcome.APPLIED: 1_200}
    assert len([entry for entry in world.writes() if entry.path == IMPORTS]) == 120
    assert len(kept) <= 20
