"""Snowflake's types as the connector describes them."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import duckdb
import pytest

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.klaviyo.json_values import convert_decimal
from reverse_etl.planning.sql.identifiers import as_text_sql, row_key_sql
from reverse_etl.warehouse.duckdb.adapter import DIALECT as DUCKDB
from reverse_etl.warehouse.snowflake.dialect import SnowflakeDialect
from reverse_etl.warehouse.snowflake.types import FIXED, to_column

SNOWFLAKE = SnowflakeDialect('"S"', '"S"')


class Described(NamedTuple):
    """A column of a result."""

    name: str
    type_code: int
    precision: int | None
    scale: int | None


@pytest.mark.parametrize(
    ("precision", "scale", "kind", "type_"),
    [
        (38, 0, ColumnKind.INTEGER, "NUMBER(38,0)"),
        (10, 2, ColumnKind.DECIMAL, "NUMBER(10,2)"),
        (38, None, ColumnKind.DECIMAL, "DECFLOAT"),
        (None, None, ColumnKind.DECIMAL, "DECFLOAT"),
    ],
)
def test_a_number_has_the_type_in_which_it_is_stored(
    precision: int | None, scale: int | None, kind: ColumnKind, type_: str
) -> None:
    """Both connectors give a DECFLOAT the code of a NUMBER; stored as one it would lose its fraction."""
    assert to_column(Described("N", FIXED, precision, scale)) == Column("N", kind, type_)


def test_a_decfloat_is_cast_by_its_own_function() -> None:
    """TRY_CAST is documented for other types only."""
    column = Column("N", ColumnKind.DECIMAL, "DECFLOAT")
    assert SNOWFLAKE.try_cast_sql("x", column, column) == "TRY_TO_DECFLOAT(CAST(x AS VARCHAR))"


@pytest.mark.parametrize(
    ("value", "encoded"),
    [("1.5", 1.5), ("1E+2", 100), ("1E+40", "1" + 40 * "0"), ("1E-40", 1e-40), ("1E+16384", "1E+16384")],
)
def test_a_decfloat_is_sent_as_a_number_or_as_text(value: str, encoded: object) -> None:
    """By the rules of other decimals, whatever its exponent."""
    assert convert_decimal(Decimal(value)) == encoded


@pytest.mark.parametrize(
    ("value", "text"),
    [("7.00::DECIMAL(10, 2)", "7"), ("7.50::DECIMAL(10, 2)", "7.50"), ("7e0", "7"), ("'nan'::DOUBLE", None)],
)
def test_a_number_as_an_identifier_has_no_needless_fraction(value: str, text: str | None) -> None:
    """One that is larger than any DECIMAL is no error: it keeps its own text."""
    kind = ColumnKind.DECIMAL if "DECIMAL" in value else ColumnKind.FLOAT
    expression = as_text_sql(DUCKDB, Column("n", kind, ""))
    assert duckdb.execute(f"SELECT {expression} FROM (SELECT {value} AS n)").fetchall() == [(text,)]
    huge = duckdb.execute(f"SELECT {expression} FROM (SELECT 1e300 AS n)").fetchall()
    assert huge == [("1e+300",)]


def test_numbers_that_differ_make_different_row_keys() -> None:
    """Also large ones, whose zeros are no fraction."""
    key = row_key_sql(DUCKDB, [Column("n", ColumnKind.DECIMAL, "")])
    values = ("1e38", "1e39", "7.5", "7.50", "7")
    keys = [duckdb.execute(f"SELECT {key} FROM (SELECT {value} AS n)").fetchall()[0][0] for value in values]
    assert len({*keys}) == 4
