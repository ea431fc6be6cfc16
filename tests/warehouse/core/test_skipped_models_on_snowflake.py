"""Models that are skipped, with the warehouse in Snowflake.

The stand-in does not say when tables change, so that a test has to say it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.warehouse.relation_facts import RelationFacts, RelationName
from reverse_etl.warehouse.snowflake import Snowflake
from tests.core.rows import become, members_model, people, person
from tests.core.test_skipped_models import reason, skipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from reverse_etl.warehouse.statement import TableName
    from tests.core.world import World

TABLE = RelationName("SHOP", "MARTS", "PEOPLE")


def test_models_are_read_where_snowflake_does_not_say_when_tables_changed(world: World) -> None:
    world.profile(skip_unchanged=True)
    members_model(world)
    become(world, people("ann"))
    world.run()
    world.run()
    assert "not known" in reason(world)
    assert skipped(world) == []


def test_models_are_skipped_while_tokens_stay(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = {"people": "1", "snapshot": "7"}

    def read_relation_facts(_: Snowflake, names: Sequence[RelationName]) -> dict[RelationName, RelationFacts]:
        return {name: RelationFacts(TABLE, tokens["people"]) for name in names}

    def read_state_versions(_: Snowflake, tables: Sequence[TableName]) -> list[str]:
        return [tokens["snapshot"] for _ in tables]

    monkeypatch.setattr(Snowflake, "read_relation_facts", read_relation_facts)
    monkeypatch.setattr(Snowflake, "read_state_versions", read_state_versions)
    world.profile(skip_unchanged=True)
    members_model(world)
    become(world, people("ann"))
    world.run()
    assert skipped(world) == []
    world.run()
    assert skipped(world) == ["members"]
    assert world.run().lists[0].list_plan.unchanged == 1
    tokens["snapshot"] = "8"  # as when a table of the state was restored by itself
    assert "snapshot" in reason(world)
    tokens["snapshot"] = "7"
    become(world, people("ann", "bo"))
    tokens["people"] = "2"
    assert "SHOP.MARTS.PEOPLE may have changed" in reason(world)
    assert world.run().lists[0].list_plan.adds == 1
    become(world, [person("ann"), person("bo")])
    assert skipped(world) == []
