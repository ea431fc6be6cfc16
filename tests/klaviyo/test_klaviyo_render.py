"""What a row of the warehouse is when it reaches Klaviyo, with values as DuckDB's own client gives them."""

from __future__ import annotations

import json

import duckdb
import pytest

from reverse_etl.columns import Column, Kind
from reverse_etl.errors import ModelError
from reverse_etl.identifiers import IdentifierType
from reverse_etl.klaviyo.render import MOST_BYTES, Renderer, Unrenderable

EMAIL = "ann@example.com"


@pytest.fixture(scope="module")
def warehouse():
    """Open a DuckDB whose session is not in UTC, so that a forgotten conversion shows."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        yield connection


def column(name, kind=Kind.TEXT, type_=""):
    """Return a payload column under its own name."""
    return name, Column(name, kind, type_ or kind)


def rendered(payload, row, identifiers=(EMAIL,), kinds=(IdentifierType.EMAIL,)):
    """Return the profile that a row becomes, decoded, or why it can't be sent."""
    encoded = Renderer(kinds, payload).encode(identifiers, row)
    return encoded if isinstance(encoded, Unrenderable) else json.loads(encoded)


def properties_of(payload, row):
    """Return only the custom properties, or why the row can't be sent."""
    profile = rendered(payload, row)
    return profile if isinstance(profile, Unrenderable) else profile["attributes"].get("properties")


SCALARS = [
    ("'text'", Kind.TEXT, '"text"'),
    ("''", Kind.TEXT, '""'),
    ("'Zoë 東京 🛒 \"quoted\"'", Kind.TEXT, json.dumps('Zoë 東京 🛒 "quoted"', ensure_ascii=False)),
    ("'a'::ENUM('a', 'b')", Kind.TEXT, '"a"'),
    ("'550e8400-e29b-41d4-a716-446655440000'::UUID", Kind.TEXT, '"550e8400-e29b-41d4-a716-446655440000"'),
    ("'0101'::BIT", Kind.TEXT, '"0101"'),
    ("true", Kind.BOOLEAN, "true"),
    ("false", Kind.BOOLEAN, "false"),
    ("(-128)::TINYINT", Kind.INTEGER, "-128"),
    ("32767::SMALLINT", Kind.INTEGER, "32767"),
    ("0::INTEGER", Kind.INTEGER, "0"),
    ("9007199254740991::BIGINT", Kind.INTEGER, "9007199254740991"),
    ("9007199254740992::BIGINT", Kind.INTEGER, "9007199254740992"),
    ("9007199254740993::BIGINT", Kind.INTEGER, '"9007199254740993"'),
    ("(-9007199254740992)::BIGINT", Kind.INTEGER, "-9007199254740992"),
    ("(-9007199254740993)::BIGINT", Kind.INTEGER, '"-9007199254740993"'),
    ("18446744073709551615::UBIGINT", Kind.INTEGER, '"18446744073709551615"'),
    ("(5)::HUGEINT", Kind.INTEGER, "5"),
    (
        "170141183460469231731687303715884105727::HUGEINT",
        Kind.INTEGER,
        '"170141183460469231731687303715884105727"',
    ),
    ("1.50::DECIMAL(10, 2)", Kind.DECIMAL, "1.5"),
    ("12.00::DECIMAL(10, 2)", Kind.DECIMAL, "12"),
    ("0.00::DECIMAL(10, 2)", Kind.DECIMAL, "0"),
    ("-0.10::DECIMAL(10, 2)", Kind.DECIMAL, "-0.1"),
    ("1234567890123.45::DECIMAL(15, 2)", Kind.DECIMAL, "1234567890123.45"),
    ("1234567890123.4500::DECIMAL(17, 4)", Kind.DECIMAL, "1234567890123.45"),
    ("12345678901234.56::DECIMAL(16, 2)", Kind.DECIMAL, '"12345678901234.56"'),
    ("123456789012345::DECIMAL(18, 0)", Kind.DECIMAL, "123456789012345"),
    ("1234567890123456::DECIMAL(18, 0)", Kind.DECIMAL, '"1234567890123456"'),
    ("100000000000000000000::DECIMAL(38, 0)", Kind.DECIMAL, '"100000000000000000000"'),
    ("0.000001::DECIMAL(38, 10)", Kind.DECIMAL, "1e-6"),
    ("1.5::FLOAT", Kind.FLOAT, "1.5"),
    ("0.1::DOUBLE", Kind.FLOAT, "0.1"),
    ("1e300::DOUBLE", Kind.FLOAT, "1e+300"),
    ("DATE '2024-02-29'", Kind.DATE, '"2024-02-29"'),
    ("TIME '10:11:12.5'", Kind.TIME, '"10:11:12.500000"'),
    ("'10:11:12+02'::TIMETZ", Kind.TIME, '"08:11:12+00:00"'),
    ("TIMESTAMP '2024-01-02 03:04:05'", Kind.TIMESTAMP, '"2024-01-02T03:04:05"'),
    ("TIMESTAMP '2024-01-02 03:04:05.123456'", Kind.TIMESTAMP, '"2024-01-02T03:04:05.123456"'),
    ("'2024-01-02 03:04:05'::TIMESTAMP_S", Kind.TIMESTAMP, '"2024-01-02T03:04:05"'),
    ("'2024-01-02 03:04:05.678'::TIMESTAMP_MS", Kind.TIMESTAMP, '"2024-01-02T03:04:05.678000"'),
    ("'2024-01-02 03:04:05.123456789'::TIMESTAMP_NS", Kind.TIMESTAMP, '"2024-01-02T03:04:05.123456"'),
    ("TIMESTAMPTZ '2024-07-02 03:04:05+02'", Kind.TIMESTAMP_TZ, '"2024-07-02T01:04:05+00:00"'),
    ("'\\xAA\\x00'::BLOB", Kind.BINARY, '"qgA="'),
    ("INTERVAL '1 day 2 hours 3.5 seconds'", Kind.TEXT, '"P1DT2H3.5S"'),
    ("INTERVAL '-90 minutes'", Kind.TEXT, '"-PT1H30M"'),
    ("INTERVAL '0 seconds'", Kind.TEXT, '"PT0S"'),
]

NESTED = [
    ("{'a': 1, 'b': NULL, 'c': {'d': NULL, 'e': 'x'}}", Kind.NESTED, '{"a":1,"c":{"e":"x"}}'),
    ("[1, NULL, 3]", Kind.NESTED, "[1,3]"),
    ("[NULL]", Kind.NESTED, "[]"),
    ("[{'a': NULL}, NULL, {'a': [NULL, 2]}]", Kind.NESTED, '[{},{"a":[2]}]'),
    ("[1, 2]::INTEGER[2]", Kind.NESTED, "[1,2]"),
    ("MAP {'k': 1, 'n': NULL}", Kind.NESTED, '{"k":1}'),
    ("MAP {1: 'x', 9007199254740993: 'y'}", Kind.NESTED, '{"1":"x","9007199254740993":"y"}'),
    ("MAP {DATE '2024-01-02': true}", Kind.NESTED, '{"2024-01-02":true}'),
    (
        "{'d': 12345678901234.56::DECIMAL(16, 2), 'i': 9007199254740993}",
        Kind.NESTED,
        '{"d":"12345678901234.56","i":"9007199254740993"}',
    ),
    (
        "{'t': TIMESTAMPTZ '2024-07-02 03:04:05+02', 'b': 'a'::BLOB}",
        Kind.NESTED,
        '{"t":"2024-07-02T01:04:05+00:00","b":"YQ=="}',
    ),
    (
        "{'u': '550e8400-e29b-41d4-a716-446655440000'::UUID}",
        Kind.NESTED,
        '{"u":"550e8400-e29b-41d4-a716-446655440000"}',
    ),
    ("union_value(num := 2)", Kind.NESTED, "2"),
    ('\'{"a": null, "b": [null, {"c": null}], "d": 1.0}\'::JSON', Kind.JSON, '{"b":[{}],"d":1.0}'),
    ("'\"text\"'::JSON", Kind.JSON, '"text"'),
    (
        "'[9007199254740993, 1.5, 0.12345678901234567]'::JSON",
        Kind.JSON,
        '["9007199254740993",1.5,"0.12345678901234567"]',
    ),
    ("'{\"n\": 123456789012345678901234567890}'::JSON", Kind.JSON, '{"n":"123456789012345678901234567890"}'),
    ("'1e400'::JSON", Kind.JSON, '"1e400"'),
]


@pytest.mark.parametrize(("sql", "kind", "expected"), SCALARS + NESTED, ids=lambda value: str(value)[:60])
def test_every_sql_type_is_rendered_without_losing_a_digit(warehouse, sql, kind, expected):
    """The JSON on the right, to the character."""
    row = warehouse.execute(f"SELECT {sql} AS v").fetchone()
    encoded = Renderer([IdentifierType.EMAIL], [column("v", kind)]).encode([EMAIL], row)
    assert encoded.decode() == (
        '{"type":"profile","attributes":{"email":"ann@example.com","properties":{"v":' + expected + "}}}"
    )


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("NULL::VARCHAR", Kind.TEXT),
        ("NULL::BIGINT", Kind.INTEGER),
        ("NULL::DECIMAL(9, 2)", Kind.DECIMAL),
        ("NULL::DOUBLE", Kind.FLOAT),
        ("NULL::BOOLEAN", Kind.BOOLEAN),
        ("NULL::DATE", Kind.DATE),
        ("NULL::TIME", Kind.TIME),
        ("NULL::TIMESTAMP", Kind.TIMESTAMP),
        ("NULL::TIMESTAMPTZ", Kind.TIMESTAMP_TZ),
        ("NULL::BLOB", Kind.BINARY),
        ("NULL::INTEGER[]", Kind.NESTED),
        ("NULL::JSON", Kind.JSON),
        ("'null'::JSON", Kind.JSON),
    ],
)
@pytest.mark.parametrize("name", ["v", "first_name", "location_city", "location_latitude"])
def test_null_of_any_type_is_left_out(warehouse, name, sql, kind):
    """An import can't clear a field, so a NULL says nothing."""
    row = warehouse.execute(f"SELECT {sql} AS v").fetchone()
    assert rendered([column(name, kind)], row) == {"type": "profile", "attributes": {"email": EMAIL}}


@pytest.mark.parametrize(
    ("sql", "kind", "reason"),
    [
        ("'nan'::DOUBLE", Kind.FLOAT, "is not a finite number"),
        ("'-infinity'::DOUBLE", Kind.FLOAT, "is not a finite number"),
        ("'nan'::FLOAT", Kind.FLOAT, "is not a finite number"),
        ("[1.0, 'nan'::DOUBLE]", Kind.NESTED, "is not a finite number"),
        ("{'deep': {'er': 'infinity'::DOUBLE}}", Kind.NESTED, "is not a finite number"),
        ("'{\"a\": '", Kind.JSON, "is not valid JSON"),
        ("''", Kind.JSON, "is not valid JSON"),
        ("'{\"a\": NaN}'", Kind.JSON, "is not valid JSON"),
        ("'[12345678901234567890, NaN]'", Kind.JSON, "holds NaN, which JSON does not have"),
    ],
)
def test_what_json_cannot_hold_is_refused_by_name(warehouse, sql, kind, reason):
    """The row stays here, and the reason names the column."""
    row = warehouse.execute(f"SELECT 'fine' AS a, {sql} AS v").fetchone()
    assert rendered([column("a"), column("score", kind)], row) == Unrenderable("score", reason)


def test_text_that_is_not_unicode_is_refused_by_name():
    """A lone surrogate can't be written in UTF-8."""
    assert rendered([column("a"), column("b")], ("fine", "\ud800")).field == "b"


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
def test_identifiers_stand_where_klaviyo_looks_for_them(kinds, identifiers, expected):
    """Three attributes and the resource's own id; what a row does not have is left out."""
    assert rendered([], (), identifiers, kinds) == {"type": "profile", **expected}


def test_standard_attributes_are_told_from_properties():
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
        ("42", Kind.INTEGER, "42"),
        ("9007199254740993", Kind.INTEGER, "9007199254740993"),
        ("12.50::DECIMAL(9, 2)", Kind.DECIMAL, "12.5"),
        ("3.0::DOUBLE", Kind.FLOAT, "3"),
        ("true", Kind.BOOLEAN, "true"),
        ("DATE '2024-02-29'", Kind.DATE, "2024-02-29"),
        ("TIMESTAMPTZ '2024-07-02 03:04:05+02'", Kind.TIMESTAMP_TZ, "2024-07-02T01:04:05+00:00"),
        ("'\"quoted\"'::JSON", Kind.JSON, "quoted"),
        ("['a', NULL, 'b']", Kind.NESTED, '["a","b"]'),
    ],
)
@pytest.mark.parametrize("name", ["title", "location_zip"])
def test_standard_text_attributes_are_text_whatever_the_column(warehouse, name, sql, kind, expected):
    """Klaviyo refuses a request whose title is a number."""
    attributes = rendered([column(name, kind)], warehouse.execute(f"SELECT {sql} AS v").fetchone())[
        "attributes"
    ]
    assert (attributes["location"]["zip"] if name == "location_zip" else attributes["title"]) == expected


def test_a_location_comes_from_a_struct_from_columns_or_from_both(warehouse):
    """A column of its own beats the struct's part, NULLs are left out, a position may be a number or text."""
    row = warehouse.execute(
        "SELECT {'city': 'Oslo', 'zip': 150, 'latitude': 59.9::DOUBLE, 'region': NULL}, 'Bergen', '5.3'"
    ).fetchone()
    payload = [column("location", Kind.NESTED), column("location_city"), column("location_longitude")]
    location = rendered(payload, row)["attributes"]["location"]
    assert location == {"city": "Bergen", "zip": "150", "latitude": 59.9, "longitude": "5.3"}


@pytest.mark.parametrize("value", [None, {}, {"city": None}])
def test_a_location_of_nothing_is_left_out(value):
    """As any other NULL."""
    assert "location" not in rendered([column("location", Kind.NESTED)], (value,))["attributes"]


def test_a_part_that_no_location_has_is_refused_here():
    """Klaviyo would refuse the whole request for it."""
    found = rendered([column("location", Kind.JSON)], ('{"city": "Oslo", "planet": "Earth"}',))
    assert found == Unrenderable("location", "has parts that a location does not have (planet)")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.NESTED, {"plan": "gold", "n": None, "tags": ["a", None]}),
        (Kind.JSON, '{"plan": "gold", "n": null, "tags": ["a", null]}'),
        (Kind.TEXT, '{"plan": "gold", "n": null, "tags": ["a", null]}'),
    ],
)
def test_the_content_of_a_properties_column_goes_into_properties(kind, value):
    """Be it a struct, a map or text of JSON; beside the properties of the other columns."""
    found = properties_of([column("properties", kind), column("score", Kind.INTEGER)], (value, 7))
    assert found == {"plan": "gold", "tags": ["a"], "score": 7}


@pytest.mark.parametrize("explicit", ["silver", None])
def test_a_column_beats_a_key_of_the_same_name_inside_properties(explicit):
    """Also when it is NULL: the model said where `plan` comes from."""
    found = properties_of(
        [column("plan"), column("properties", Kind.JSON)], (explicit, '{"plan": "gold", "a": 1}')
    )
    assert found == ({"plan": "silver", "a": 1} if explicit else {"a": 1})


@pytest.mark.parametrize("value", ["[1]", "1", '"text"'])
def test_properties_that_are_no_object_are_refused(value):
    """There are no names to put them under."""
    found = rendered([column("properties", Kind.JSON)], (value,))
    assert found == Unrenderable("properties", "is not an object with names and values")


@pytest.mark.parametrize("name", ["properties", "location"])
def test_a_properties_or_location_column_of_numbers_is_the_models_fault(name):
    """Said before any row is read."""
    with pytest.raises(ModelError, match="The column V is of type BIGINT"):
        Renderer([IdentifierType.EMAIL], [(name, Column("V", Kind.INTEGER, "BIGINT"))])


@pytest.mark.parametrize("text", ["x", "é", '"', "東"])
def test_a_profile_of_100000_bytes_passes_and_one_byte_more_does_not(text):
    """Counted in bytes as sent, escapes and UTF-8 included."""
    renderer = Renderer([IdentifierType.EMAIL], [column("v"), column("pad")])
    empty = len(renderer.encode([EMAIL], ("", "")))
    width = len(json.dumps(text, ensure_ascii=False).encode()) - 2
    count, rest = divmod(MOST_BYTES - empty, width)
    assert len(renderer.encode([EMAIL], (text * count, "x" * rest))) == MOST_BYTES == 100_000
    found = renderer.encode([EMAIL], (text * count, "x" * (rest + 1)))
    assert found == Unrenderable("", "is 100001 bytes as sent, and Klaviyo takes at most 100000")


def test_a_profile_that_had_to_be_rendered_with_care_is_measured_too():
    """A big integer takes the slow way; the limit holds there as well."""
    found = rendered([column("n", Kind.INTEGER), column("v")], (2**60, "x" * MOST_BYTES))
    assert found.field == ""
    assert "Klaviyo takes at most 100000" in found.reason


def test_the_same_row_gives_the_same_bytes():
    """So that a batch can be taken apart and sent again."""
    renderer = Renderer([IdentifierType.EMAIL], [column("a"), column("properties", Kind.JSON)])
    row = ("x", '{"b": 1, "a": null, "c": [1, 2]}')
    assert renderer.encode([EMAIL], row) == renderer.encode([EMAIL], row)


def test_a_row_is_not_changed_by_rendering():
    """The caller may render it again."""
    row = [[1, None], "2024"]
    rendered([column("a", Kind.NESTED), column("b")], row)
    assert row == [[1, None], "2024"]
