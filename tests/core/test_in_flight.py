"""Several requests are on their way at once, while the next ones are read and rendered."""

from __future__ import annotations

from core_rows import become, many, members_model
from core_world import one

from reverse_etl.delivery.tally import Outcome
from reverse_etl.sandbox import Fault

IMPORTS = "/api/profile-bulk-import-jobs"
SLOW = 30.0  # seconds that each reply takes


def test_a_slow_reply_keeps_no_other_request_waiting(make_world):
    """Three imports of which each takes half a minute are begun within half a minute."""
    world = make_world(speed=50.0)
    members_model(world)
    become(world, many(1))
    world.run()
    world.sql(
        "CREATE OR REPLACE TABLE people AS SELECT 'p' || i || '@example.com' AS email, "
        "'c-' || i AS customer_id, 'P' AS first_name FROM range(30_000) AS t(i)"
    )
    world.fault(Fault("slow", "POST", IMPORTS, seconds=SLOW, times=None))
    number = len(world.writes())
    assert one(world.run()).outcomes[Outcome.APPLIED] >= 29_999
    begun = [entry.at for entry in world.writes()[number:] if entry.path == IMPORTS]
    assert len(begun) == 3
    assert max(begun) - min(begun) < SLOW
