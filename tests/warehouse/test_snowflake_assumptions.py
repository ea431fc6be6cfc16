"""The job's assumptions about Snowflake's SQL, checked against an account if there is one.

The stand-in is asked too if it can answer, so that the queries themselves are known to work; the others have
the mark `live` alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import duckdb
import pytest

from reverse_etl.clock import SystemClock
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.errors import WarehouseError
from reverse_etl.planning.sql import identifiers
from reverse_etl.state import open_state
from reverse_etl.warehouse.duckdb.adapter import DIALECT
from reverse_etl.warehouse.statement import Statement
from tests.core.world import only_list
from tests.warehouse.insert_rows import create_scratch, insert
from tests.warehouse.snowflake_accounts import ACCOUNTS, LIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.snowflake import Snowflake
    from tests.warehouse.snowflake_accounts import Account, Place, Server
    from tests.warehouse.snowflake_world import SnowflakeWorld

only_an_account = pytest.mark.parametrize("account", [LIVE], indirect=True)


@pytest.fixture
def session(place: Place) -> Snowflake:
    """Open a session with the state's tables made."""
    opened = place.opened()
    open_state(opened, SystemClock())
    return opened


EMAILS = [
    *("ann@example.com", "  Ann@EXAMPLE.com\t", "ÉVA.Öz@example.com", "ΣΟΦΙΑ@example.com", "ЯНА@example.com"),
    *("a b@example.com", "a@b", "a@@example.com", "@example.com", "a@", "a@.example.com", "a@example..com"),
    *(".a@example.com", "a.@example.com", "a..b@example.com", "o'neil@example.com", 'a"b@example.com'),
    *(
        "a\\b@example.com",
        "a+b_c-d@example.com",
        "a@example.com\n",
        "漢字@example.com",
        "",
        " ",
        "a@ex_mple.com",
    ),
    *(
        "a(b)@example.com",
        "\u00ada\u200e@example.com\0\ufffd\U000e0041",
        "a\u200eb@example.com",
        "a\0b@example.com",
        "a\u00adb@example.com",
        "a\U000e0041b@example.com",
        "a\ufffdb@example.com",
        "a\x7fb@example.com",
        "a,b@example.com",
        "a;b@example.com",
        "<a@example.com>",
        f"{'x' * 101}@example.com",
    ),
]
PHONES = [
    "+12025550123",
    "+1 (202) 555-0123",
    "+1.202.555.0123",
    "2025550123",
    "\u202a+1 202\u202f555 0123\u202c",
    "+1\u200b2025550123",
    "+1\x002025550123",
    "+44 (0)20 7946 0958",
    "+49 (030) 901820",
    "+39 (0)6 6982 0000",
    "+44 020 7946 0958",
    "+353012345678",
    "+390669820000",
    "+0123456789",
    "+1",
    "+12x",
    "",
]
VALUES = {IdentifierType.EMAIL: EMAILS, IdentifierType.PHONE: PHONES}


def check_values(dialect: Dialect, kind: IdentifierType, values: Sequence[str]) -> Statement:
    """Return what staging makes of each value: its canonical form, and each reason why it has none."""
    column = Column("v", ColumnKind.TEXT, "VARCHAR")
    canonical = identifiers.canonical_sql(dialect, kind, column)
    tests = {
        IdentifierType.EMAIL: (
            identifiers.email_malformed_sql(dialect, canonical),
            identifiers.email_invisible_sql(dialect, canonical),
        ),
        IdentifierType.PHONE: (
            identifiers.phone_malformed_sql(dialect, canonical),
            identifiers.phone_invisible_sql(dialect, column),
            identifiers.phone_has_trunk_zero_sql(dialect, column),
        ),
    }[kind]
    numbered = " UNION ALL ".join(f'SELECT {n} AS n, CAST(? AS VARCHAR) AS "v"' for n in range(len(values)))
    return Statement.read(
        f"SELECT {canonical}, {identifiers.is_canonical_sql(dialect, kind, column)}, "
        f"{', '.join(tests)} FROM ({numbered}) AS t ORDER BY n",
        tuple(values),
    )


def test_values_are_canonical_and_refused_as_on_duckdb(session: Snowflake) -> None:
    """LOWER, TRIM, TRANSLATE, REGEXP_LIKE and REGEXP_INSTR, and CHAR for what can't be printed."""
    with duckdb.connect(":memory:") as ours:
        for kind, values in VALUES.items():
            statement = check_values(DIALECT, kind, values)
            expected = ours.execute(statement.text, statement.parameters).fetchall()
            rows = session.fetch(check_values(session.dialect, kind, values))
            assert [
                (value, text or "", *rest) for value, (text, *rest) in zip(values, rows, strict=True)
            ] == [
                (value, (text or "").replace("\0", "\ufffd"), *rest)
                for value, (text, *rest) in zip(values, expected, strict=True)
            ]


def test_texts_are_ordered_by_code_point(session: Snowflake) -> None:
    texts = ["a", "B", "ä", "Z", "é", "z", "_", "0", "漢", "🙂"]
    union = " UNION ALL ".join("SELECT CAST(? AS VARCHAR) AS t" for _ in texts)
    rows = session.fetch(Statement.read(f"SELECT t FROM ({union}) AS u ORDER BY t", tuple(texts)))
    assert [text for (text,) in rows] == sorted(texts)


def test_a_new_schema_does_not_become_the_current_schema(session: Snowflake, place: Place) -> None:
    """Models find their tables in dbt's schema also in the run that made the state's."""
    assert session.fetch(Statement.read("SELECT CURRENT_SCHEMA()")) == [(place.output["schema"],)]


def test_a_cast_text_makes_a_column_of_unlimited_length(session: Snowflake) -> None:
    """Also beside literals, in a table made from a query."""
    table = session.dialect.temp_table("width")
    text = "CASE WHEN 1 = 1 THEN 'ab' ELSE 'abc' END"
    session.execute(create_scratch(session, "width", f"SELECT CAST({text} AS VARCHAR) AS word"))
    session.execute(Statement.insert(table, f"INSERT INTO {table} VALUES (?)", ("x" * 5000,)))
    assert session.fetch(Statement.read(f"SELECT MAX(LENGTH(word)) FROM {table}")) == [(5000,)]


def test_a_merge_of_two_rows_into_one_is_refused(session: Snowflake, account: Account | Server) -> None:
    leases = session.dialect.state_table("lease")
    insert(session, "lease", [("acc", "shop", "me", "2026")])
    account.pretend("^MERGE", "100090", "Duplicate row detected during DML action")
    two = "SELECT 'acc' AS a, 'x' AS o UNION ALL SELECT 'acc', 'y'"
    merge = f"MERGE INTO {leases} AS l USING ({two}) AS t ON l.account_id = t.a"
    with pytest.raises(WarehouseError, match="Duplicate row"):
        session.execute(Statement.change(leases, f"{merge} WHEN MATCHED THEN UPDATE SET owner = t.o"))
    assert session.fetch(Statement.read(f"SELECT owner FROM {leases}")) == [("me",)]


# A column's type and value, then another type and value; the text of it is the same, or it is another one.
SAME = [
    ("float", "1.5", "number(10,2)", "1.5"),
    ("number(5,0)", "7", "number(10,2)", "7"),
    ("date", "'2026-01-02'", "varchar", "'2026-01-02'"),
]
OTHER = [
    ("number(5,0)", "7", "varchar", "'seven'"),
    ("varchar", "'7'", "number(5,0)", "8"),
    ("varchar", "'2026-01-02'", "date", "'2026-01-03'"),
    ("date", "'2026-01-02'", "timestamp_ntz", "'2026-01-02 03:04:05'"),
    ("boolean", "true", "varchar", "'yes'"),
    ("varchar", "'x'", "variant", "parse_json('[1]')"),
    ("variant", "parse_json('[1]')", "varchar", "'x'"),
    ("varchar", "'x'", "binary", "to_binary('AB', 'HEX')"),
    ("binary", "to_binary('AB', 'HEX')", "varchar", "'x'"),
]


def of_types(shop: SnowflakeWorld, columns: Sequence[tuple[str, str]]) -> None:
    """Let Ann have a value of each type."""
    types = ", ".join(f"c{number} {type_}" for number, (type_, _) in enumerate(columns))
    shop.sql(
        f"CREATE OR REPLACE TABLE people (email VARCHAR, {types})",
        f"INSERT INTO people SELECT 'ann@example.com', {', '.join(value for _, value in columns)}",
    )


@pytest.mark.parametrize("shop", ACCOUNTS, indirect=True)
@pytest.mark.parametrize(
    ("changes", "sent"), [(SAME, {}), (OTHER, {Outcome.APPLIED: 1})], ids=["same", "other"]
)
def test_a_column_may_change_its_type(
    shop: SnowflakeWorld, changes: list[tuple[str, str, str, str]], sent: dict[Outcome, int]
) -> None:
    """The state's tables follow; what Klaviyo would see changed is sent, once."""
    columns = ", ".join(f"c{number}" for number in range(len(changes)))
    shop.model("members", f"select email, {columns} from people", identifiers={"email": "email"})
    of_types(shop, [(type_, value) for type_, value, _, _ in changes])
    shop.run()
    of_types(shop, [(type_, value) for _, _, type_, value in changes])
    assert only_list(shop.run()).outcomes == sent
    assert only_list(shop.run()).outcomes == {}


@only_an_account
def test_a_literal_alone_makes_a_narrow_column(session: Snowflake) -> None:
    table = session.dialect.temp_table("narrow")
    session.execute(create_scratch(session, "narrow", "SELECT 'ab' AS word"))
    with pytest.raises(WarehouseError):
        session.execute(Statement.insert(table, f"INSERT INTO {table} VALUES ('abc')"))


@only_an_account
def test_equal_objects_are_equal_texts(session: Snowflake) -> None:
    """TO_JSON gives keys in one order, in whichever they were written; so is an ARRAY of them."""
    written = ("""[{"b": 1, "a": {"d": 2, "c": [3]}}]""", """[{"a": {"c": [3], "d": 2}, "b": 1}]""")
    rows = session.fetch(Statement.read("SELECT TO_JSON(PARSE_JSON(?)), TO_JSON(PARSE_JSON(?))", written))
    assert rows[0][0] == rows[0][1]


def test_a_json_null_is_staged_as_a_null(session: Snowflake) -> None:
    """A VARIANT may hold one, which is not SQL's NULL."""
    staged = session.dialect.stored_column_sql(Column("V", ColumnKind.JSON, "VARIANT"))
    values = ("null", " null", '{"a": null}')
    for value, is_null in zip(values, (True, True, False), strict=True):
        query = f'SELECT "V" IS NULL FROM (SELECT {staged} FROM (SELECT PARSE_JSON(?) AS "V") AS t) AS u'
        assert session.fetch(Statement.read(query, (value,))) == [(is_null,)]


def test_a_year_that_no_client_returns_rejects_its_row(session: Snowflake) -> None:
    """Snowflake knows years beyond 9999; Python's dates do not."""
    check = session.dialect.is_infinite_time_sql(Column("D", ColumnKind.DATE, "DATE"))
    assert check == 'YEAR("D") NOT BETWEEN 1 AND 9999'
    days = ("2026-01-01", "9999-12-31", None)
    query = f'SELECT {check} FROM (SELECT CAST(? AS DATE) AS "D") AS t'
    assert [session.fetch(Statement.read(query, (day,)))[0][0] for day in days] == [False, False, None]


@pytest.mark.parametrize("shop", [LIVE], indirect=True)
def test_a_column_with_a_collation_is_compared_letter_by_letter(shop: SnowflakeWorld) -> None:
    """Whatever the column says of itself: Klaviyo is to get the new text."""
    shop.model("members", "select email, first_name from people", identifiers={"email": "email"})
    for name in ("Ann", "ANN"):
        shop.sql(
            "CREATE OR REPLACE TABLE people (email VARCHAR, first_name VARCHAR COLLATE 'en-ci')",
            f"INSERT INTO people SELECT 'ann@example.com', '{name}'",
        )
        assert only_list(shop.run()).outcomes == {Outcome.APPLIED: 1}


@only_an_account
def test_the_states_tables_have_a_day_of_history(session: Snowflake, place: Place) -> None:
    """A dropped table can be restored for a day; Fail-safe is not paid for."""
    rows = place.ask(f"SHOW TABLES IN SCHEMA {session.dialect.state_schema}")
    assert rows
    assert {(row[4], str(row[10])) for row in rows} == {("TRANSIENT", "1")}  # kind and retention_time


@only_an_account
def test_a_statements_tag_is_in_the_history(session: Snowflake, place: Place) -> None:
    """From which docs/snowflake.md takes the bill apart."""
    session.set_query_tag(run="r1", model="vip")
    session.fetch(Statement.read("SELECT 'tagged'"))
    history = "SELECT query_tag FROM TABLE(INFORMATION_SCHEMA.QUERY_HISTORY_BY_USER(RESULT_LIMIT => 100))"
    tags = place.ask(f"{history} WHERE query_text = 'SELECT ''tagged'''")
    assert [json.loads(tag) for (tag,) in tags][:1] == [{"app": "reverse_etl", "run": "r1", "model": "vip"}]


@only_an_account
def test_a_large_result_comes_whole_while_other_statements_run(session: Snowflake) -> None:
    """In chunks, each fetched from an address of its own."""
    many = f"SELECT SEQ8() AS n, RANDSTR(100, n) FROM TABLE(GENERATOR(ROWCOUNT => {300_000}))"
    read = 0
    for rows in session.stream(Statement.read(many), 10_000):
        assert session.fetch(Statement.read("SELECT 1")) == [(1,)]
        read += len(rows)
    assert read == 300_000


def test_a_document_gives_its_texts_and_nulls(session: Snowflake) -> None:
    """The members that `reconcile` reads are stored this way."""
    rows = [("Ann", None, "5"), ('b"\\\näß', "漢字", None), ("null", "", "01")]
    query = Statement.read(session.dialect.document_rows_sql(3), (json.dumps(rows),))
    assert session.fetch(query) == rows
    query = Statement.read(DIALECT.document_rows_sql(3), (json.dumps(rows),))
    assert duckdb.execute(query.text, query.parameters).fetchall() == rows
