"""The warehouse while requests are sent: which one runs, and how often it is woken."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

from reverse_etl.config.target import WarehouseOptions
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.warehouse.snowflake import Snowflake
from reverse_etl.warehouse.statement import Statement
from tests.core.rows import become, members_model, people
from tests.core.world import only_list
from tests.warehouse.snowflake_world import SnowflakeWorld

if TYPE_CHECKING:
    from pathlib import Path

    from tests.warehouse.snowflake_accounts import Server

HOURS = 2.0
WAKES_AN_HOUR = 20  # one in three minutes, for each of the lease and the receipts


def test_the_small_warehouse_runs_what_belongs_to_sending(world: SnowflakeWorld, server: Server) -> None:
    """Receipts and the lease; neither the diff nor what is taken over into the snapshot."""
    world.profile(sending_warehouse="small_wh")
    members_model(world)
    become(world, people("ann", "bob"))
    server.control("forget")
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2}
    texts = [entry["sql"] for entry in server.control("look")["journal"]]
    first, last = (i for i, text in enumerate(texts) if text.startswith("USE WAREHOUSE"))
    assert texts[first] == 'USE WAREHOUSE "SMALL_WH"'
    assert texts[last] != texts[first]
    receipts = [i for i, text in enumerate(texts) if re.match(r'MERGE INTO .*"RECEIPTS"', text)]
    large = [i for i, text in enumerate(texts) if re.match(r"MERGE INTO .*SNAPSHOT|CREATE .*STAGED", text)]
    assert receipts
    assert all(first < i < last for i in receipts)
    assert large
    assert not [i for i in large if first < i < last]


def test_a_session_that_is_replaced_stays_in_the_small_warehouse(server: Server) -> None:
    """As long as requests are sent; then it goes back to the large one."""
    with closing(server.place()) as place:
        options = WarehouseOptions(sending_warehouse="small_wh")
        with closing(Snowflake(place.output, read_only=False, options=options)) as session:
            server.control("forget")
            with session.sending():
                server.end_session(place, session)
                assert session.fetch(Statement.read("SELECT 1")) == [(1,)]
            texts = [entry["sql"] for entry in server.control("look")["journal"]]
            (login,) = server.control("look")["logins"]
    assert login["query"]["warehouse"] == "small_wh"
    assert texts[-1].startswith("USE WAREHOUSE")
    assert "SMALL" not in texts[-1]


def test_the_warehouse_can_suspend_while_klaviyo_works(tmp_path: Path, server: Server) -> None:
    """An import of two hours wakes it at most every three minutes for the lease, and hardly for receipts."""
    with closing(SnowflakeWorld(tmp_path, server, job_seconds=HOURS * 3_600)) as world:
        members_model(world)
        become(world, people("ann", "bob"))
        server.control("forget")
        begun = world.clock.monotonic()
        assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2}
        assert world.clock.monotonic() - begun > HOURS * 3_600
        texts = [entry["sql"] for entry in server.control("look")["journal"]]
    renewals = [text for text in texts if text.startswith("UPDATE") and '"LEASE"' in text]
    receipts = [text for text in texts if re.match(r'MERGE INTO .*"RECEIPTS"', text)]
    assert 0.8 * HOURS * WAKES_AN_HOUR < len(renewals) <= HOURS * WAKES_AN_HOUR + 5
    assert len(receipts) <= 4
