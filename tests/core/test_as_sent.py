"""A model that is as it was sent is not looked through for clashes; what clashes is told all the same."""

from __future__ import annotations

import pytest
from core_rows import become, members_model, moves, people, person
from core_world import one

from reverse_etl.delivery.tally import Outcome
from reverse_etl.identifiers import IdentifierType
from reverse_etl.warehouse.duckdb import DuckDB


def told(plan):
    """Return what a plan tells of its only model: rows that repeat, identifiers left out, rejections."""
    (model,) = plan.models
    return (
        model.repeated,
        dict(model.omitted),
        [(each.problem, each.rows) for each in model.lists[0].rejected],
    )


CLASHES = {
    "rows that repeat": ([*people("ann", "bo"), person("ann")], (1, {}, [])),
    "rows that contradict": (
        [*people("ann", "bo"), person("ann", first_name="Anne")],
        (0, {}, [("duplicate", 2)]),
    ),
    "a shared identifier": (
        [*people("ann", "bo"), person("cleo", customer_id="c-ann")],
        (0, {IdentifierType.EXTERNAL_ID: 2}, []),
    ),
    "an identity that is another row's identifier": (
        [*people("ann", "bo"), person("cleo", email=None, customer_id="c-ann")],
        (0, {}, [("identity_is_another_rows_identifier", 1)]),
    ),
}


@pytest.mark.parametrize(("rows", "expected"), CLASHES.values(), ids=CLASHES)
def test_what_clashes_is_told_on_every_day_on_which_nothing_changes(world, rows, expected):
    """Also where a row left on the day on which the clash began, so that there are as many rows as before."""
    members_model(world, min_rows=0)
    moves(world, people("ann", "bo", "dov"))
    moves(world, rows)
    for _ in range(2):
        assert told(world.plan()) == expected
        result = world.run()
        assert result.exit_code == 0
        assert not {Outcome.APPLIED, Outcome.REMOVED} & one(result).outcomes.keys()


def test_as_many_rows_as_before_may_be_others(world):
    """One who leaves on the day on which another joins is removed, and the other added."""
    members_model(world, min_rows=0)
    moves(world, people("ann", "bo"))
    result = moves(world, people("ann", "cleo"))
    assert one(result).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}


def test_a_change_is_seen_though_there_are_as_many_rows_as_before(world):
    """It is sent, and the next run finds all as it was sent."""
    members_model(world, min_rows=0)
    moves(world, people("ann", "bo"))
    become(world, [*people("ann"), person("bo", first_name="Bob")])
    assert one(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert one(world.run()).outcomes == {}


def test_a_run_with_nothing_to_send_makes_no_look_for_clashes(world, monkeypatch):
    """At millions of rows each such look takes about as long as a join."""
    asked, execute = [], DuckDB.execute

    def note(warehouse, statement):
        asked.append(statement.text)
        execute(warehouse, statement)

    monkeypatch.setattr(DuckDB, "execute", note)
    members_model(world, min_rows=0)
    moves(world, people("ann", "bo"))
    assert any("twins_" in text for text in asked)
    asked.clear()
    assert one(world.run()).outcomes == {}
    assert any("staged_" in text for text in asked)
    assert not [text for text in asked if "twins_" in text or "shared_" in text]
