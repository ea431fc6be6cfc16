"""How a list's rows are read for sending."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.plan_request import PlanRequest
from reverse_etl.planning.planner import build_plan
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from typing import Any

    from tests.core.world import World


@pytest.mark.parametrize(
    "widest",
    [1, *(pytest.param(widest, marks=pytest.mark.long) for widest in (4, 25, 1000, None))],
)
def test_every_row_is_sent_once_however_many_are_sorted_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch, widest: int | None
) -> None:
    """Upserts and removes of two lists, which lie one after the other; requests are as full as ever."""
    monkeypatch.setattr(DuckDB, "max_sort_rows", lambda _, rows: min(rows, widest or rows))
    people = [{"email": f"p{i:02d}@example.com", "club": club} for i in range(25) for club in ("Tea", "Cake")]
    world.model("clubs", "select email, club from people", list_column="club", max_removes=1.0)
    world.people(people)
    world.run()
    assert world.emails("Tea") == world.emails("Cake") == sorted({row["email"] for row in people})
    assert len([entry for entry in world.writes() if entry.path.endswith("import-jobs")]) == 2
    world.people(people[:4])
    world.run()
    assert world.emails("Tea") == world.emails("Cake") == ["p00@example.com", "p01@example.com"]


def test_deltas_are_numbered_by_list_upserts_first_and_by_identity(world: World) -> None:
    """However many threads work on it, and on more rows than one of them takes at once."""
    world.model("clubs", "select email, club from people", list_column="club")
    world.sql(
        "CREATE TABLE people AS SELECT md5(i::VARCHAR) || '@example.com' AS email, "
        "['Tea', 'Cake'][1 + i % 2] AS club FROM range(300_000) AS r(i)"
    )
    project = world.project()
    with project.connections.warehouse(read_only=True) as warehouse:
        warehouse.execute(Statement.session("SET threads = 4"))
        task = PlanRequest(project.target, project.models, project.models, PlanOptions())
        made = build_plan(warehouse, project.connections.state(warehouse, None), None, task, lambda _: None)
        order = "retl_list_id, CASE WHEN retl_op = 'remove' THEN 1 ELSE 0 END, retl_identity"
        table = warehouse.dialect.temp_table(made.models[0].tables.planned)
        places = f"SELECT retl_seq, ROW_NUMBER() OVER (ORDER BY {order}) AS place FROM {table}"
        counts = Statement.read(f"SELECT COUNT(*), COUNT(*) FILTER (retl_seq <> place) FROM ({places})")
        assert warehouse.fetch(counts) == [(300_000, 0)]


@pytest.mark.parametrize(
    "settings",
    [
        {
            "default_order": "DESC",
            "default_null_order": "nulls_first",
            "default_collation": "NOCASE",
            "integer_division": True,
        },
        {"lock_configuration": True, "enable_external_access": False},
        {"memory_limit": "-1"},
    ],
)
def test_settings_of_the_output_do_not_change_what_a_run_does(world: World, settings: dict[str, Any]) -> None:
    """Settings that change the meaning of SQL keep DuckDB's defaults."""
    world.profile()
    profile = yaml.safe_load((world.folder / "profiles.yml").read_text())
    profile["shop"]["outputs"]["trial"]["settings"] = settings
    (world.folder / "profiles.yml").write_text(yaml.safe_dump(profile))
    world.model("members", "select email, first_name from people", max_removes=1.0)
    world.people([{"email": f"p{i:02}@example.com", "first_name": "A"} for i in range(30)])
    assert world.run().lists[0].outcomes == {Outcome.APPLIED: 30}
    world.people([{"email": f"p{i:02}@example.com", "first_name": "a"} for i in range(12)])
    assert world.run().lists[0].outcomes == {Outcome.APPLIED: 12, Outcome.REMOVED: 18}
    assert world.emails() == [f"p{i:02}@example.com" for i in range(12)]
    assert world.run().lists[0].outcomes == {}
