"""Every statement of the diff and the state is run: one that a Snowflake can't read is found here."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from reverse_etl.errors import ReverseEtlError
from reverse_etl.planning.sql import staging
from reverse_etl.state.sql import migrations, schema, snapshot
from reverse_etl.state.sql.deltas import RunDeltas
from reverse_etl.warehouse.statement import Statement
from tests.contract.state_dump import split_statements
from tests.warehouse.model_tables import MODEL, RUN, clubs, codes, friends, orders, vip
from tests.warehouse.statement_cases import cases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.warehouse.dialect import Dialect
    from tests.warehouse.snowflake_accounts import Place

STATE = Path(__file__).parents[1] / "contract" / "states" / "version_1" / "snowflake.sql"
PEOPLE = (
    "CREATE TABLE people (mail VARCHAR, phone BIGINT, id NUMBER(10,2), club VARCHAR, first_name VARCHAR, "
    '"SPENT" NUMBER(10,2), "Since" TIMESTAMP_NTZ(9), tags OBJECT)'
)


ORDERS = "CREATE TABLE orders (unique_id VARCHAR, email VARCHAR, time TIMESTAMP_TZ, metric VARCHAR)"
CODES = "CREATE TABLE codes (coupon VARCHAR, code NUMBER(10,2), percent BIGINT)"


def group_of(case: tuple[str, Statement]) -> str:
    """Return which statements belong together: those of one name."""
    return case[0].split("/")[0]


def prepared(dialect: Dialect, group: str) -> Iterator[Statement]:
    """Yield what lets a model's tables be those that the group begins with."""
    tables = [shape(dialect) for shape in (vip, clubs)]
    if group == "schema new_columns":  # where no column of the model is there yet
        select = "SELECT CAST('' AS VARCHAR) AS retl_checksum"
        yield dialect.replace_state_table(tables[0].rejected, select, repeatable=True)
    if group == "staging":
        for shape in tables:
            for table in (shape.snapshot, shape.deltas, shape.rejected):
                yield Statement.drop(
                    dialect.state_table(table), f"DROP TABLE IF EXISTS {dialect.state_table(table)}"
                )
            yield from schema.create_model_tables(shape)
            yield staging.replace_list_ids(shape, [("", "L1")])
    if group == "compared":
        staged = dialect.temp_table(tables[0].staged_table)
        yield Statement.drop(staged, f"DROP TABLE {staged}")
    if made := {"append_only": codes, "events": orders}.get(group):
        yield from schema.create_model_tables(made(dialect))
        yield staging.replace_list_ids(made(dialect), [("", "")])
    if group == "migrations":
        yield from _tables_of_version_1(dialect)
        yield from _renamed_tables(dialect)
    if group == "model_changes":
        yield from schema.create_model_tables(friends(dialect))
    if group == "rejections":
        yield snapshot.collect_applied(RunDeltas(tables[0], RUN, MODEL))


def _tables_of_version_1(dialect: Dialect) -> Iterator[Statement]:
    """Yield what makes the shared tables as they were in version 1 of the state, empty."""
    for text in map(str.strip, split_statements(STATE.read_text(encoding="utf-8"))):
        name = text.split('"')[1]
        if text.startswith("CREATE") and name.lower() in migrations.TABLES_BY_VERSION[1]:
            table = dialect.state_table(name)
            made = text.replace(f'TRANSIENT TABLE "{name}"', f"OR REPLACE TRANSIENT TABLE {table}", 1)
            yield Statement.create(table, made)


def _renamed_tables(dialect: Dialect) -> Iterator[Statement]:
    """Yield what makes the models' own tables that a later version gives another name."""
    for old_names in migrations.RENAMED_MODEL_TABLES_BY_VERSION.values():
        for old_name in old_names:
            yield dialect.replace_state_table(f"{old_name}_vip", "SELECT 1 AS a", repeatable=True)


def test_every_statement_runs(place: Place) -> None:
    place.sql(PEOPLE, CODES, ORDERS)
    session = place.opened()
    failed = {}
    for group, named in groupby(cases(session.dialect), key=group_of):
        for statement in prepared(session.dialect, group):
            session.execute(statement)
        for name, statement in named:
            try:
                session.fetch(statement)
            except ReverseEtlError as error:
                failed[name] = str(error)
    assert not failed, "\n".join(f"{name}: {what}" for name, what in failed.items())
