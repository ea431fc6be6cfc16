"""The fields of a profile that a row's values are sent in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.engine import Engine
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo.serialize import MAX_BYTES, EncodingError, ProfileEncoder, column_problem
from tests.klaviyo.rows import EMAIL, column, properties_of, refused, rendered, selected

if TYPE_CHECKING:
    from typing import Any

    import duckdb


@pytest.mark.parametrize(
    ("kinds", "identifiers", "expected"),
    [
        ([IdentifierType.EMAIL], [EMAIL], {"attributes": {"email": EMAIL}}),
        ([IdentifierType.PHONE], ["+14155550100"], {"attributes": {"phone_number": "+14155550100"}}),
        ([IdentifierType.EXTERNAL_ID], ["c-1"], {"attributes": {"external_id": "c-1"}}),
        (
            [IdentifierType.PROFILE_ID],
            ["01GDDKASAP8TKDDA2GRZDSVP4H"],
            {"attributes": {}, "id": "01GDDKASAP8TKDDA2GRZDSVP4H"},
        ),
        (
            [
                IdentifierType.EXTERNAL_ID,
                IdentifierType.PROFILE_ID,
                IdentifierType.EMAIL,
                IdentifierType.PHONE,
            ],
            ["c-1", "P1", EMAIL, "+14155550100"],
            {
                "id": "P1",
                "attributes": {"external_id": "c-1", "email": EMAIL, "phone_number": "+14155550100"},
            },
        ),
        (
            [IdentifierType.EMAIL, IdentifierType.PHONE, IdentifierType.PROFILE_ID],
            [None, "+14155550100", None],
            {"attributes": {"phone_number": "+14155550100"}},
        ),
        ([IdentifierType.EMAIL, IdentifierType.EXTERNAL_ID], [EMAIL, ""], {"attributes": {"email": EMAIL}}),
    ],
)
def test_identifiers_are_in_the_fields_that_klaviyo_reads(
    kinds: list[IdentifierType], identifiers: list[str | None], expected: dict[str, Any]
) -> None:
    """Three attributes and the resource's own id; what a row does not have is left out."""
    assert rendered([], (), identifiers, kinds) == {"type": "profile", **expected}


def test_standard_attributes_are_separate_from_properties() -> None:
    """The six names of the reference, and nothing else, are attributes; case counts."""
    names = [
        "first_name",
        "last_name",
        "organization",
        "locale",
        "title",
        "image",
        "plan",
        "First_Name",
        "_kx",
        "location_planet",
    ]
    profile = rendered([column(name) for name in names], names)
    attributes = {name: name for name in names[:6]}
    assert profile["attributes"] == {
        "email": EMAIL,
        **attributes,
        "properties": {name: name for name in names[6:]},
    }


@pytest.mark.parametrize(
    ("sql", "kind", "expected"),
    [
        ("42", ColumnKind.INTEGER, "42"),
        ("9007199254740993", ColumnKind.INTEGER, "9007199254740993"),
        ("12.50::DECIMAL(9, 2)", ColumnKind.DECIMAL, "12.5"),
        ("3.0::DOUBLE", ColumnKind.FLOAT, "3"),
        ("true", ColumnKind.BOOLEAN, "true"),
        ("DATE '2024-02-29'", ColumnKind.DATE, "2024-02-29"),
        ("TIMESTAMPTZ '2024-07-02 03:04:05+02'", ColumnKind.TIMESTAMP_TZ, "2024-07-02T01:04:05+00:00"),
        ("'\"quoted\"'::JSON", ColumnKind.JSON, "quoted"),
        ("['a', NULL, 'b']", ColumnKind.NESTED, '["a","b"]'),
    ],
)
@pytest.mark.parametrize("name", ["title", "location_zip"])
def test_standard_text_attributes_are_text_whatever_the_column(
    warehouse: duckdb.DuckDBPyConnection, name: str, sql: str, kind: ColumnKind, expected: str
) -> None:
    """Klaviyo refuses a request whose title is a number."""
    attributes = rendered([column(name, kind)], selected(warehouse, f"{sql} AS v"))["attributes"]
    assert (attributes["location"]["zip"] if name == "location_zip" else attributes["title"]) == expected


def test_a_location_comes_from_a_struct_from_columns_or_from_both(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    """A column of its own beats the struct's part, NULLs are left out, a position may be a number or text."""
    row = selected(
        warehouse, "{'city': 'Oslo', 'zip': 150, 'latitude': 59.9::DOUBLE, 'region': NULL}, 'Bergen', '5.3'"
    )
    payload = [column("location", ColumnKind.NESTED), column("location_city"), column("location_longitude")]
    location = rendered(payload, row)["attributes"]["location"]
    assert location == {"city": "Bergen", "zip": "150", "latitude": 59.9, "longitude": "5.3"}


@pytest.mark.parametrize("value", [None, {}, {"city": None}])
def test_an_empty_location_is_left_out(value: dict[str, None] | None) -> None:
    assert "location" not in rendered([column("location", ColumnKind.NESTED)], (value,))["attributes"]


def test_an_unknown_location_field_is_refused_before_sending() -> None:
    """Klaviyo would refuse the whole request for it."""
    refusal = refused([column("location", ColumnKind.JSON)], ('{"city": "Oslo", "planet": "Earth"}',))
    assert refusal == EncodingError("location", "has fields that a location does not have (planet)")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ColumnKind.NESTED, {"plan": "gold", "n": None, "tags": ["a", None]}),
        (ColumnKind.JSON, '{"plan": "gold", "n": null, "tags": ["a", null]}'),
        (ColumnKind.TEXT, '{"plan": "gold", "n": null, "tags": ["a", null]}'),
    ],
)
def test_the_content_of_a_properties_column_goes_into_properties(
    kind: ColumnKind, value: dict[str, Any] | str
) -> None:
    """Be it a struct, a map or text of JSON; beside the properties of the other columns."""
    properties = properties_of([column("properties", kind), column("score", ColumnKind.INTEGER)], (value, 7))
    assert properties == {"plan": "gold", "tags": ["a"], "score": 7}


@pytest.mark.parametrize("explicit", ["silver", None])
def test_a_column_overrides_a_key_of_the_same_name_in_properties(explicit: str | None) -> None:
    """Also when it is NULL: the model said where `plan` comes from."""
    properties = properties_of(
        [column("plan"), column("properties", ColumnKind.JSON)], (explicit, '{"plan": "gold", "a": 1}')
    )
    assert properties == ({"plan": "silver", "a": 1} if explicit else {"a": 1})


@pytest.mark.parametrize("value", ["[1]", "1", '"text"'])
def test_properties_that_are_no_object_are_refused(value: str) -> None:
    refusal = refused([column("properties", ColumnKind.JSON)], (value,))
    assert refusal == EncodingError("properties", "is not an object with names and values")


@pytest.mark.parametrize("name", ["properties", "location"])
@pytest.mark.parametrize(
    ("kind", "type_", "fits"),
    [
        (ColumnKind.INTEGER, "BIGINT", False),
        (ColumnKind.NESTED, "INTEGER[]", False),
        (ColumnKind.NESTED, "STRUCT(a INTEGER)[3]", False),
        (ColumnKind.JSON, "ARRAY", False),
        (ColumnKind.NESTED, "STRUCT(a INTEGER[])", True),
        (ColumnKind.NESTED, "MAP(VARCHAR, INTEGER)", True),
        (ColumnKind.JSON, "VARIANT", True),
        (ColumnKind.TEXT, "VARCHAR", True),
    ],
)
def test_a_properties_or_location_column_must_be_able_to_hold_an_object(
    name: str, kind: ColumnKind, type_: str, fits: bool
) -> None:
    """Another type is an error of the model, before any row is read; another name makes it a property."""
    problem = column_problem(name, Column("V", kind, type_), Engine.DUCKDB)
    assert (problem is None) == fits
    assert problem is None or problem.summary == f"The column V has the type {type_}, but must be an object."
    assert column_problem("others", Column("V", kind, type_), Engine.DUCKDB) is None


@pytest.mark.parametrize("text", ["x", "é", '"', "東"])
def test_a_profile_of_100000_bytes_passes_and_one_byte_more_does_not(text: str) -> None:
    """Counted in bytes as sent, escapes and UTF-8 included."""
    renderer = ProfileEncoder([IdentifierType.EMAIL], [column("v"), column("pad")])

    def size(*row: str) -> int:
        encoded = renderer.encode([EMAIL, *row])
        assert isinstance(encoded, bytes)
        return len(encoded)

    empty = size("", "")
    width = len(json.dumps(text, ensure_ascii=False).encode()) - 2
    count, rest = divmod(MAX_BYTES - empty, width)
    assert size(text * count, "x" * rest) == MAX_BYTES == 100_000
    too_long = renderer.encode([EMAIL, text * count, "x" * (rest + 1)])
    assert too_long == EncodingError("", "is 100001 bytes, and Klaviyo accepts at most 100000")


def test_the_size_limit_also_applies_to_rows_encoded_by_value() -> None:
    """A big integer takes the slow way; the limit holds there as well."""
    refusal = refused([column("n", ColumnKind.INTEGER), column("v")], (2**60, "x" * MAX_BYTES))
    assert refusal.field == ""
    assert "Klaviyo accepts at most 100000" in refusal.reason


def test_the_same_row_gives_the_same_bytes() -> None:
    renderer = ProfileEncoder([IdentifierType.EMAIL], [column("a"), column("properties", ColumnKind.JSON)])
    row = ("x", '{"b": 1, "a": null, "c": [1, 2]}')
    assert renderer.encode([EMAIL, *row]) == renderer.encode([EMAIL, *row])


def test_encoding_does_not_change_the_row() -> None:
    row = [[1, None], "2024"]
    rendered([column("a", ColumnKind.NESTED), column("b")], row)
    assert row == [[1, None], "2024"]
