"""The tables of six made-up models, in the types of an engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.engine import Engine
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.warehouse.model_tables import ModelTables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.warehouse.dialect import Dialect

KEY = ("acc", "shop")
RUN = "r1"
MODEL = "vip"
TYPES = {
    Engine.DUCKDB: {
        "number": "DECIMAL(10,2)",
        "json": "JSON",
        "double": "DOUBLE",
        "time": "TIMESTAMP",
        "time_tz": "TIMESTAMP WITH TIME ZONE",
    },
    Engine.SNOWFLAKE: {
        "number": "NUMBER(10,2)",
        "json": "OBJECT",
        "double": "FLOAT",
        "time": "TIMESTAMP_NTZ(9)",
        "time_tz": "TIMESTAMP_TZ(9)",
    },
}


def name_for(engine: Engine, name: str) -> str:
    return name.upper() if engine is Engine.SNOWFLAKE else name


def vip(dialect: Dialect) -> ModelTables:
    """Return a model of one list with an e-mail, a phone and four columns."""
    engine = dialect.engine
    types = TYPES[engine]
    payload = (
        Column(name_for(engine, "first_name"), ColumnKind.TEXT, "VARCHAR"),
        Column(name_for(engine, "spent"), ColumnKind.DECIMAL, types["number"]),
        Column(
            "Since",
            ColumnKind.TIMESTAMP,
            {Engine.DUCKDB: "TIMESTAMP", Engine.SNOWFLAKE: "TIMESTAMP_NTZ(9)"}[engine],
        ),
        Column(name_for(engine, "tags"), ColumnKind.JSON, types["json"]),
    )
    return ModelTables(
        dialect, "vip_0a1b2c3d", (IdentifierType.EMAIL, IdentifierType.PHONE), payload, many_lists=False
    )


def clubs(dialect: Dialect) -> ModelTables:
    """Return a model of many lists with an external id and no other column."""
    return ModelTables(
        dialect, "clubs_4e5f6a7b", (IdentifierType.EXTERNAL_ID, IdentifierType.EMAIL), (), many_lists=True
    )


def friends(dialect: Dialect) -> ModelTables:
    """Return a model with the columns of `vip`."""
    return replace(vip(dialect), table_key="friends_7d8e9f0a")


def codes(dialect: Dialect) -> ModelTables:
    """Return a model that only appends rows of no people, keyed by two columns."""
    engine = dialect.engine
    coupon = Column(name_for(engine, "coupon"), ColumnKind.TEXT, "VARCHAR")
    code = Column(name_for(engine, "code"), ColumnKind.DECIMAL, TYPES[engine]["number"])
    percent = Column(name_for(engine, "percent"), ColumnKind.INTEGER, "BIGINT")
    payload = (coupon, code, percent)
    return ModelTables(
        dialect, "codes_8c9d0e1f", (), payload, many_lists=False, key=(coupon, code), append_only=True
    )


def orders(dialect: Dialect) -> ModelTables:
    """Return a model of events: people's orders, each with its time and its metric."""
    engine = dialect.engine
    zoned = {Engine.DUCKDB: "TIMESTAMP WITH TIME ZONE", Engine.SNOWFLAKE: "TIMESTAMP_TZ(9)"}[engine]
    unique_id = Column(name_for(engine, "unique_id"), ColumnKind.TEXT, "VARCHAR")
    metric = Column(name_for(engine, "metric"), ColumnKind.TEXT, "VARCHAR")
    payload = (unique_id, Column(name_for(engine, "time"), ColumnKind.TIMESTAMP_TZ, zoned), metric)
    return ModelTables(
        dialect,
        "orders_2a3b4c5d",
        (IdentifierType.EMAIL,),
        payload,
        many_lists=False,
        key=(unique_id,),
        append_only=True,
    )


def kept_of(shape: ModelTables, engine: Engine) -> Mapping[str, Column]:
    """Return the snapshot's columns, one of them of an older type."""
    kept = {column.name: column for column in shape.payload}
    spent = name_for(engine, "spent")
    if spent in kept:
        kept[spent] = Column(spent, ColumnKind.FLOAT, TYPES[engine]["double"])
        del kept["Since"]
    return kept
