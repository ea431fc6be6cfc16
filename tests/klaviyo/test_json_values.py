"""Encoding of all SQL types, with values from DuckDB's own client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo.serialize import EncodingError, ProfileEncoder
from tests.klaviyo.rows import EMAIL, column, refused, rendered, selected

if TYPE_CHECKING:
    import duckdb

SCALARS = [
    ("'text'", ColumnKind.TEXT, '"text"'),
    ("''", ColumnKind.TEXT, '""'),
    ("'Zoë 東京 🛒 \"quoted\"'", ColumnKind.TEXT, json.dumps('Zoë 東京 🛒 "quoted"', ensure_ascii=False)),
    ("'a'::ENUM('a', 'b')", ColumnKind.TEXT, '"a"'),
    (
        "'550e8400-e29b-41d4-a716-446655440000'::UUID",
        ColumnKind.TEXT,
        '"550e8400-e29b-41d4-a716-446655440000"',
    ),
    ("'0101'::BIT", ColumnKind.TEXT, '"0101"'),
    ("true", ColumnKind.BOOLEAN, "true"),
    ("false", ColumnKind.BOOLEAN, "false"),
    ("(-128)::TINYINT", ColumnKind.INTEGER, "-128"),
    ("32767::SMALLINT", ColumnKind.INTEGER, "32767"),
    ("0::INTEGER", ColumnKind.INTEGER, "0"),
    ("9007199254740991::BIGINT", ColumnKind.INTEGER, "9007199254740991"),
    ("9007199254740992::BIGINT", ColumnKind.INTEGER, "9007199254740992"),
    ("9007199254740993::BIGINT", ColumnKind.INTEGER, '"9007199254740993"'),
    ("(-9007199254740992)::BIGINT", ColumnKind.INTEGER, "-9007199254740992"),
    ("(-9007199254740993)::BIGINT", ColumnKind.INTEGER, '"-9007199254740993"'),
    ("18446744073709551615::UBIGINT", ColumnKind.INTEGER, '"18446744073709551615"'),
    ("(5)::HUGEINT", ColumnKind.INTEGER, "5"),
    (
        "170141183460469231731687303715884105727::HUGEINT",
        ColumnKind.INTEGER,
        '"170141183460469231731687303715884105727"',
    ),
    ("1.50::DECIMAL(10, 2)", ColumnKind.DECIMAL, "1.5"),
    ("12.00::DECIMAL(10, 2)", ColumnKind.DECIMAL, "12"),
    ("0.00::DECIMAL(10, 2)", ColumnKind.DECIMAL, "0"),
    ("-0.10::DECIMAL(10, 2)", ColumnKind.DECIMAL, "-0.1"),
    ("1234567890123.45::DECIMAL(15, 2)", ColumnKind.DECIMAL, "1234567890123.45"),
    ("1234567890123.4500::DECIMAL(17, 4)", ColumnKind.DECIMAL, "1234567890123.45"),
    ("12345678901234.56::DECIMAL(16, 2)", ColumnKind.DECIMAL, '"12345678901234.56"'),
    ("123456789012345::DECIMAL(18, 0)", ColumnKind.DECIMAL, "123456789012345"),
    ("1234567890123456::DECIMAL(18, 0)", ColumnKind.DECIMAL, '"1234567890123456"'),
    ("100000000000000000000::DECIMAL(38, 0)", ColumnKind.DECIMAL, '"100000000000000000000"'),
    ("0.000001::DECIMAL(38, 10)", ColumnKind.DECIMAL, "1e-6"),
    ("1.5::FLOAT", ColumnKind.REAL, "1.5"),
    ("1.1::FLOAT", ColumnKind.REAL, "1.1"),
    ("(-0.3)::FLOAT", ColumnKind.REAL, "-0.3"),
    ("16777216::FLOAT", ColumnKind.REAL, "16777216.0"),
    ("3.4028235e38::FLOAT", ColumnKind.REAL, "3.4028235e+38"),
    ("1.1754942e-38::FLOAT", ColumnKind.REAL, "1.1754942e-38"),
    ("0.33333334::FLOAT", ColumnKind.REAL, "0.33333334"),
    ("'24:00:00'::TIME", ColumnKind.TIME, '"24:00:00"'),
    ("DATE '9999-12-31'", ColumnKind.DATE, '"9999-12-31"'),
    ("0.1::DOUBLE", ColumnKind.FLOAT, "0.1"),
    ("1e300::DOUBLE", ColumnKind.FLOAT, "1e+300"),
    ("DATE '2024-02-29'", ColumnKind.DATE, '"2024-02-29"'),
    ("TIME '10:11:12.5'", ColumnKind.TIME, '"10:11:12.500000"'),
    ("'10:11:12+02'::TIMETZ", ColumnKind.TIME, '"08:11:12+00:00"'),
    ("TIMESTAMP '2024-01-02 03:04:05'", ColumnKind.TIMESTAMP, '"2024-01-02T03:04:05"'),
    ("TIMESTAMP '2024-01-02 03:04:05.123456'", ColumnKind.TIMESTAMP, '"2024-01-02T03:04:05.123456"'),
    ("'2024-01-02 03:04:05'::TIMESTAMP_S", ColumnKind.TIMESTAMP, '"2024-01-02T03:04:05"'),
    ("'2024-01-02 03:04:05.678'::TIMESTAMP_MS", ColumnKind.TIMESTAMP, '"2024-01-02T03:04:05.678000"'),
    ("'2024-01-02 03:04:05.123456789'::TIMESTAMP_NS", ColumnKind.TIMESTAMP, '"2024-01-02T03:04:05.123456"'),
    ("TIMESTAMPTZ '2024-07-02 03:04:05+02'", ColumnKind.TIMESTAMP_TZ, '"2024-07-02T01:04:05+00:00"'),
    ("'\\xAA\\x00'::BLOB", ColumnKind.BINARY, '"qgA="'),
    ("INTERVAL '1 day 2 hours 3.5 seconds'", ColumnKind.TEXT, '"P1DT2H3.5S"'),
    ("INTERVAL '-90 minutes'", ColumnKind.TEXT, '"-PT1H30M"'),
    ("INTERVAL '0 seconds'", ColumnKind.TEXT, '"PT0S"'),
]

NESTED = [
    ("{'a': 1, 'b': NULL, 'c': {'d': NULL, 'e': 'x'}}", ColumnKind.NESTED, '{"a":1,"c":{"e":"x"}}'),
    ("[1, NULL, 3]", ColumnKind.NESTED, "[1,3]"),
    ("[NULL]", ColumnKind.NESTED, "[]"),
    ("[{'a': NULL}, NULL, {'a': [NULL, 2]}]", ColumnKind.NESTED, '[{},{"a":[2]}]'),
    ("[1, 2]::INTEGER[2]", ColumnKind.NESTED, "[1,2]"),
    ("MAP {'k': 1, 'n': NULL}", ColumnKind.NESTED, '{"k":1}'),
    ("MAP {1: 'x', 9007199254740993: 'y'}", ColumnKind.NESTED, '{"1":"x","9007199254740993":"y"}'),
    ("MAP {DATE '2024-01-02': true}", ColumnKind.NESTED, '{"2024-01-02":true}'),
    (
        "{'d': 12345678901234.56::DECIMAL(16, 2), 'i': 9007199254740993}",
        ColumnKind.NESTED,
        '{"d":"12345678901234.56","i":"9007199254740993"}',
    ),
    (
        "{'t': TIMESTAMPTZ '2024-07-02 03:04:05+02', 'b': 'a'::BLOB}",
        ColumnKind.NESTED,
        '{"t":"2024-07-02T01:04:05+00:00","b":"YQ=="}',
    ),
    (
        "{'u': '550e8400-e29b-41d4-a716-446655440000'::UUID}",
        ColumnKind.NESTED,
        '{"u":"550e8400-e29b-41d4-a716-446655440000"}',
    ),
    ("union_value(num := 2)", ColumnKind.NESTED, "2"),
    ('\'{"a": null, "b": [null, {"c": null}], "d": 1.0}\'::JSON', ColumnKind.JSON, '{"b":[{}],"d":1.0}'),
    ("'\"text\"'::JSON", ColumnKind.JSON, '"text"'),
    (
        "'[9007199254740993, 1.5, 0.12345678901234567]'::JSON",
        ColumnKind.JSON,
        '["9007199254740993",1.5,"0.12345678901234567"]',
    ),
    (
        "'{\"n\": 123456789012345678901234567890}'::JSON",
        ColumnKind.JSON,
        '{"n":"123456789012345678901234567890"}',
    ),
    ("'1e400'::JSON", ColumnKind.JSON, '"1e400"'),
]


@pytest.mark.parametrize(("sql", "kind", "expected"), SCALARS + NESTED, ids=lambda value: str(value)[:60])
def test_every_sql_type_is_encoded_without_losing_a_digit(
    warehouse: duckdb.DuckDBPyConnection, sql: str, kind: ColumnKind, expected: str
) -> None:
    """The JSON on the right, to the character."""
    row = selected(warehouse, f"{sql} AS v")
    encoded = ProfileEncoder([IdentifierType.EMAIL], [column("v", kind)]).encode([EMAIL, *row])
    assert isinstance(encoded, bytes)
    assert encoded.decode() == (
        '{"type":"profile","attributes":{"email":"ann@example.com","properties":{"v":' + expected + "}}}"
    )


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("NULL::VARCHAR", ColumnKind.TEXT),
        ("NULL::BIGINT", ColumnKind.INTEGER),
        ("NULL::DECIMAL(9, 2)", ColumnKind.DECIMAL),
        ("NULL::DOUBLE", ColumnKind.FLOAT),
        ("NULL::BOOLEAN", ColumnKind.BOOLEAN),
        ("NULL::DATE", ColumnKind.DATE),
        ("NULL::TIME", ColumnKind.TIME),
        ("NULL::TIMESTAMP", ColumnKind.TIMESTAMP),
        ("NULL::TIMESTAMPTZ", ColumnKind.TIMESTAMP_TZ),
        ("NULL::BLOB", ColumnKind.BINARY),
        ("NULL::INTEGER[]", ColumnKind.NESTED),
        ("NULL::JSON", ColumnKind.JSON),
        ("'null'::JSON", ColumnKind.JSON),
    ],
)
@pytest.mark.parametrize("name", ["v", "first_name", "location_city", "location_latitude"])
def test_null_of_any_type_is_left_out(
    warehouse: duckdb.DuckDBPyConnection, name: str, sql: str, kind: ColumnKind
) -> None:
    """An import can't clear a field, so a NULL says nothing."""
    row = selected(warehouse, f"{sql} AS v")
    assert rendered([column(name, kind)], row) == {"type": "profile", "attributes": {"email": EMAIL}}


@pytest.mark.parametrize(
    ("sql", "kind", "reason"),
    [
        ("'nan'::DOUBLE", ColumnKind.FLOAT, "is not a finite number"),
        ("'-infinity'::DOUBLE", ColumnKind.FLOAT, "is not a finite number"),
        ("'nan'::FLOAT", ColumnKind.REAL, "is not a finite number"),
        ("'0044-03-15 (BC)'::DATE", ColumnKind.DATE, "is a date or time outside of the years 1 to 9999"),
        ("'12026-03-15'::DATE", ColumnKind.DATE, "is a date or time outside of the years 1 to 9999"),
        (
            "'0044-03-15 (BC)'::TIMESTAMP",
            ColumnKind.TIMESTAMP,
            "is a date or time outside of the years 1 to 9999",
        ),
        (
            "'12026-03-15'::TIMESTAMPTZ",
            ColumnKind.TIMESTAMP_TZ,
            "is a date or time outside of the years 1 to 9999",
        ),
        ("[1.0, 'nan'::DOUBLE]", ColumnKind.NESTED, "is not a finite number"),
        ("{'deep': {'er': 'infinity'::DOUBLE}}", ColumnKind.NESTED, "is not a finite number"),
        ("'{\"a\": '", ColumnKind.JSON, "is not valid JSON"),
        ("''", ColumnKind.JSON, "is not valid JSON"),
        ("'{\"a\": NaN}'", ColumnKind.JSON, "contains NaN, which is not valid JSON"),
        ("'[1, undefined]'", ColumnKind.JSON, "is not valid JSON"),
        ("'[12345678901234567890, NaN]'", ColumnKind.JSON, "contains NaN, which is not valid JSON"),
    ],
)
def test_values_that_json_cannot_hold_are_refused_by_name(
    warehouse: duckdb.DuckDBPyConnection, sql: str, kind: ColumnKind, reason: str
) -> None:
    row = selected(warehouse, f"'fine' AS a, {sql} AS v")
    assert refused([column("a"), column("score", kind)], row) == EncodingError("score", reason)


def test_text_that_is_not_unicode_is_refused_by_name() -> None:
    assert refused([column("a"), column("b")], ("fine", "\ud800")).field == "b"


@pytest.mark.parametrize(
    ("sql", "type_", "expected"),
    [
        ("[1.1::FLOAT, 0.3::FLOAT]", "FLOAT[]", "[1.1,0.3]"),
        (
            "{'a': 1.1::FLOAT, 'b': 0.1::DECIMAL(9, 3)}",
            "STRUCT(a FLOAT, b DECIMAL(9,3))",
            '{"a":1.1,"b":0.1}',
        ),
        ("[1.1::DOUBLE]", "DOUBLE[]", "[1.1]"),
        (
            "{'a': 1.1::FLOAT, 'b': 1.1000000238418579::DOUBLE}",
            "STRUCT(a FLOAT, b DOUBLE)",
            '{"a":1.1,"b":1.100000023841858}',
        ),
        (
            "{'x(y': MAP{'k': [1.1::FLOAT, NULL]}, 'd': 0.1::DOUBLE}",
            'STRUCT("x(y" MAP(VARCHAR, FLOAT[]), d DOUBLE)',
            '{"x(y":{"k":[1.1]},"d":0.1}',
        ),
        ("MAP{1.1::FLOAT: 0.1::DOUBLE}", "MAP(FLOAT, DOUBLE)", '{"1.1":0.1}'),
        ("MAP{[1]: 1.1::FLOAT}", "MAP(INTEGER[], FLOAT)", '{"key":[[1]],"value":[1.1]}'),
        ("[row(1.1::FLOAT, 0.1::DOUBLE)]", "TUPLE(FLOAT, DOUBLE)[]", "[[1.1,0.1]]"),
        ("union_value(n := 1.1::FLOAT)::UNION(n FLOAT, t VARCHAR)", "UNION(n FLOAT, t VARCHAR)", "1.1"),
        (
            "{'t': '12345-01-01', 'd': DATE '2026-01-01'}",
            "STRUCT(t VARCHAR, d DATE)",
            '{"t":"12345-01-01","d":"2026-01-01"}',
        ),
    ],
)
def test_a_nested_real_is_sent_as_it_prints(
    warehouse: duckdb.DuckDBPyConnection, sql: str, type_: str, expected: str
) -> None:
    row = selected(warehouse, f"{sql} AS v")
    nested = Column("v", ColumnKind.NESTED, type_)
    encoded = ProfileEncoder([IdentifierType.EMAIL], [("v", nested)]).encode([EMAIL, *row])
    assert isinstance(encoded, bytes)
    assert encoded.decode().endswith(f'"properties":{{"v":{expected}}}}}}}')


@pytest.mark.parametrize("type_", ["DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"])
def test_a_nested_date_before_christ_is_refused(warehouse: duckdb.DuckDBPyConnection, type_: str) -> None:
    """DuckDB's client gives it as a text that is not ISO 8601."""
    row = selected(warehouse, f"[CAST('0044-03-15 (BC)' AS {type_})] AS v")
    nested = Column("v", ColumnKind.NESTED, f"{type_}[]")
    assert refused([("v", nested)], row).reason == "is a date or time outside of the years 1 to 9999"
