"""Rule: values. Which differences count as a change, and which value Klaviyo has afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from tests.core.world import Interrupted, only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from reverse_etl.delivery.results import ListResult
    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import World


@dataclass(frozen=True)
class Ann:
    """Sends Ann's row, and says what Klaviyo has of her."""

    world: World

    def __call__(self, columns: str, *, settled: bool = True) -> ListResult:
        """Send her row of these columns, as SQL, and return what came of it; all is applied if `settled`."""
        self.world.model(
            "members",
            f"select 'ann@example.com' as email, {columns} from nothing",
            identifiers={"email": "email"},
        )
        result = only_list(self.world.run())
        if settled:
            assert result.outcomes in ({}, {Outcome.APPLIED: 1})
        return result

    def properties(self) -> dict[str, Any]:
        """Return the custom properties that Klaviyo has of her."""
        return dict(self.world.person("ann@example.com")["properties"])


@pytest.fixture
def ann(world: World) -> Ann:
    """Return what sends Ann's row."""
    world.sql("INSERT INTO nothing VALUES (1)")
    return Ann(world)


def sent(result: ListResult) -> bool:
    """Return whether a row was sent."""
    return result.list_plan.upserts > 0


@dataclass(frozen=True)
class People:
    """Sends rows of many people, each with a value in a column of its own; its other columns are NULL."""

    world: World

    def __call__(self, values: Sequence[str], names: Sequence[str] = ()) -> list[bool]:
        """Send a row for each value, as SQL, and say which rows were sent.

        The columns have these names, or are numbered. Every row ends as applied, or was not sent.
        """
        names = names or [f"x{number}" for number in range(len(values))]
        columns = "".join(
            f", case when nth = {number} then {value} end as {name}"
            for number, (value, name) in enumerate(zip(values, names, strict=True))
        )
        select = f"select 'p' || nth || '@example.com' as email{columns} from range({len(values)}) rows(nth)"
        self.world.model("people", select, surface="profiles", identifiers={"email": "email"})
        result = only_list(self.world.run(options=PlanOptions(sample_size=len(values))))
        upserted = {change.identity for change in result.list_plan.sample}
        assert result.outcomes in ({}, {Outcome.APPLIED: len(upserted)})
        return [f"email:p{number}@example.com" in upserted for number in range(len(values))]

    def properties(self, number: int) -> dict[str, Any]:
        """Return the custom properties that Klaviyo has of the person of that number."""
        return dict(self.world.person(f"p{number}@example.com")["properties"])


@pytest.fixture
def people(world: World) -> People:
    """Return what sends rows of many people."""
    world.sql("CREATE TYPE enum_ab AS ENUM ('a', 'b')")
    return People(world)


def picked(cases: Sequence[Any], chosen: Sequence[bool]) -> list[Any]:
    """Return the cases at which a list says True: none, where all is well."""
    return [case for case, each in zip(cases, chosen, strict=True) if each]


def test_a_null_is_no_change(ann: Ann) -> None:
    """A value that is not known today does not wipe yesterday's.

    Klaviyo keeps it, and so does the snapshot.
    """
    ann("'tea' as likes, 3 as cups")
    assert not sent(ann("cast(null as varchar) as likes, 3 as cups"))
    assert sent(ann("cast(null as varchar) as likes, 4 as cups"))
    assert ann.properties() == {"likes": "tea", "cups": 4}
    assert not sent(ann("'tea' as likes, 4 as cups"))


def test_an_empty_text_is_a_value(ann: Ann) -> None:
    ann("'tea' as likes")
    assert sent(ann("'' as likes"))
    assert ann.properties() == {"likes": ""}


def test_a_dropped_column_keeps_its_values(ann: Ann) -> None:
    """The column is gone from the model, and comes back as it was: nothing changed at Klaviyo in between."""
    ann("'tea' as likes, 3 as cups")
    assert not sent(ann("3 as cups"))
    assert sent(ann("4 as cups"))
    assert not sent(ann("'tea' as likes, 4 as cups"))
    assert ann.properties() == {"likes": "tea", "cups": 4}


def test_a_new_column_without_values_causes_no_update(ann: Ann) -> None:
    """A column that is all NULL says nothing; one with a value is sent."""
    ann("3 as cups")
    assert not sent(ann("3 as cups, cast(null as varchar) as likes"))
    assert sent(ann("3 as cups, 'tea' as likes"))


def test_after_a_lost_reply_a_null_does_not_trust_the_snapshot(ann: Ann) -> None:
    """Coffee was sent, and perhaps taken.

    Then NULL; then tea again: the snapshot's old tea must not count as Klaviyo's value.
    """
    ann("'tea' as likes, 1 as cups")
    ann.world.fault(Fault(FaultKind.CUT, "POST", IMPORTS, after=True, times=8))
    assert ann("'coffee' as likes, 1 as cups", settled=False).outcomes == {Outcome.UNKNOWN: 1}
    ann.world.calm()
    ann("cast(null as varchar) as likes, 1 as cups")
    assert sent(ann("'tea' as likes, 1 as cups"))
    assert ann.properties()["likes"] == "tea"


SAME = [
    ("3::int", "3::bigint"),
    ("3::int", "3::double"),
    ("3::int", "3::decimal(10,2)"),
    ("3.5::decimal(10,2)", "3.5::double"),
    ("3.50::decimal(10,2)", "3.5::decimal(10,1)"),
    ("3.5::float", "3.5::double"),
    ("'2026-01-02'::date", "'2026-01-02'"),
    ("'a'", "'a'::enum_ab"),
    ("'2026-01-02 03:04:05'::timestamp", "'2026-01-02T03:04:05'"),
    ("'b'::enum_ab", "'b'"),
    ("3::bignum", "3::hugeint"),
    ("3::bignum", "3::int"),
    ("3::int", "3::bignum"),
    ("uuid '00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000001'"),
]
OTHER = [
    ("3::int", "'3'"),
    ("'3'", "3::int"),
    ("3.5::double", "'3.5'"),
    ("3.5::double", "3::int"),
    ("true", "1::int"),
    ("true", "'true'"),
    ("1::int", "true"),
    ("'2026-01-02'::date", "'2026-01-02'::timestamp"),
    ("'2026-01-02'::date", "20260102::int"),
    ("20260102::int", "'2026-01-02'::date"),
    ("'tea'", "3::int"),
    ("'tea'", "'2026-01-02'::date"),
    ("'tea'", "['tea']"),
    ("['tea']", "'tea'"),
    ("3::int", "[3]"),
    ("[3]", "3::int"),
    ("[1]", "['1']"),
    ("{'a': 1}", "{'a': 1, 'b': 2}"),
    ("{'a': 1, 'b': 2}", "{'a': 1}"),
    ("{'a': 1}", "{'b': 1}"),
    ("{'a': 1}", "3::int"),
    ("{'a': 1}", "map {'a': 2}"),
    ("map {'a': 1}", "{'a': 2}"),
    ("'{\"a\": 1}'", "'{\"a\": 1}'::json"),
    ("'{\"a\": 1}'::json", "{'a': 2}"),
    ("'x'::blob", "'x'"),
    ("'2026-01-02 03:04:05+00'::timestamptz", "'2026-01-03'::date"),
    ("'03:04:05'::time", "3::int"),
    ("3::int", "union_value(n := 3)"),
    ("'tea'", "3::int::union(n int, d date)"),
    ("union_value(n := 3)", "union_value(d := '2026-01-02'::date)"),
    ("3::bignum", "4::hugeint"),
    ("'tea'", "3::bignum"),
]


def test_a_type_that_changed_without_changing_what_klaviyo_gets_is_no_change(
    people: People,
) -> None:
    """An upstream int became a bigint: a million rows must not be sent again for it."""
    people([before for before, _ in SAME])
    assert picked(SAME, people([after for _, after in SAME])) == []
    assert picked(SAME, people([before for before, _ in SAME])) == []


def test_a_type_that_changed_with_what_klaviyo_gets_is_a_change(people: People) -> None:
    """Text, number, date, list or struct: values that are encoded differently are sent again, once."""
    people([before for before, _ in OTHER])
    assert picked(OTHER, people([after for _, after in OTHER])) == OTHER
    assert picked(OTHER, people([after for _, after in OTHER])) == []


VALUES = [
    ("[1, 2]", "[2, 1]"),
    ("{'city': 'Oslo'}", "{'city': 'Bergen'}"),
    ("'{\"a\": 1}'::json", "'{\"a\": 2}'::json"),
    ("map {'a': 1}", "map {'a': 2}"),
    ("[{'a': 1}]", "[{'a': 2}]"),
    ("'a'::enum_ab", "'b'::enum_ab"),
    ("1.10::decimal(10,2)", "1.11::decimal(10,2)"),
    ("'tea'", "'Tea'"),
    ("'tea'", "'tea '"),
    ("0.1::double", "0.2::double"),
    ("'2026-01-02 03:04:05+00'::timestamptz", "'2026-01-02 03:04:05+01'::timestamptz"),
]


def test_every_type_is_compared_by_value(people: People) -> None:
    people([before for before, _ in VALUES])
    assert picked(VALUES, people([before for before, _ in VALUES])) == []
    assert picked(VALUES, people([after for _, after in VALUES])) == VALUES


NAMES = [
    '"select"',
    '"Mixed Case"',
    '"quo""te"',
    '"a.b"',
    '"x;y"',
    '"new\nline"',
    "UPPER",
    '"ümlaut"',
    "retl",
]


def test_a_column_may_have_any_name(people: People) -> None:
    """Reserved words, blanks and quotes reach Klaviyo as they are; an unquoted name in lower case."""
    people(["1"] * len(NAMES), NAMES)
    assert picked(NAMES, people(["1"] * len(NAMES), NAMES)) == []
    assert picked(NAMES, people(["2"] * len(NAMES), NAMES)) == NAMES
    for number, name in enumerate(NAMES):
        expected = name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
        assert people.properties(number) == {expected: 2}


SHORT = ["d", "f", "h", "k", "l", "n", "p", "r", "s", "t", "u", "x"]


def test_a_struct_may_have_a_name_that_is_short(people: People) -> None:
    """Where a statement called a table `x`, a struct of that name was taken for it."""
    people(["{'a': 1}"] * len(SHORT), SHORT)
    assert picked(SHORT, people(["{'a': 1}"] * len(SHORT), SHORT)) == []
    assert picked(SHORT, people(["{'a': 2}"] * len(SHORT), SHORT)) == SHORT
    for number, name in enumerate(SHORT):
        assert people.properties(number) == {name: {"a": 2}}


def test_the_case_of_a_column_name_is_no_change(ann: Ann) -> None:
    """DuckDB keeps the case of a column's name; that it is written otherwise now changes nothing."""
    ann("1 as cups")
    assert not sent(ann("1 as CUPS"))
    assert sent(ann("2 as CUPS"))


def test_a_secondary_identifier_that_is_null_today_is_kept(world: World) -> None:
    """Bob's phone is not known today. It stays his, and still finds him when he leaves."""
    world.model(
        "members",
        "select customer_id, phone from people",
        identifiers={"external_id": "customer_id", "phone_e164": "phone"},
    )
    row = {"customer_id": "1", "phone": "+14155550100"}
    other = {"customer_id": "2", "phone": "+14155550102"}
    world.people([row, other])
    world.run()
    world.people([{**row, "phone": None}, other])
    assert only_list(world.run()).list_plan.unchanged == 2
    world.people([other])
    assert only_list(world.run()).outcomes == {Outcome.REMOVED: 1}


def test_a_number_that_is_not_finite_identifies_nobody(world: World) -> None:
    """A pandas frame has NaN for an unknown id. The next row with NaN is another person."""
    identifiers = {"email": "email", "external_id": "cid"}
    world.model("members", "select email, cid from people", identifiers=identifiers)
    for name in ("bob", "cat"):
        world.people(
            [{"email": "ann@example.com", "cid": 1.0}, {"email": f"{name}@example.com", "cid": float("nan")}],
            columns="email VARCHAR, cid DOUBLE",
        )
        world.run(allow_removes=["members"])
    assert [(each["email"], each["external_id"]) for each in world.sandbox.profiles()] == [
        ("ann@example.com", "1"),
        ("bob@example.com", None),
        ("cat@example.com", None),
    ]


def test_a_column_with_a_half_finished_type_change_may_be_dropped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deltas had the new type, the snapshot had not; then the model lost the column."""
    world.people([{"email": "ann@example.com", "u": "x"}])
    world.model("members", "select email, u from people", identifiers={"email": "email"})
    world.run()
    world.people([{"email": "ann@example.com", "u": "5"}])
    world.model("members", "select email, u::int as u from people", identifiers={"email": "email"})
    execute = DuckDB.execute

    def die(warehouse: DuckDB, statement: Statement) -> None:
        if statement.text.startswith("ALTER") and '"snapshot_' in statement.text:
            raise Interrupted
        execute(warehouse, statement)

    with monkeypatch.context() as patched:
        patched.setattr(DuckDB, "execute", die)
        with pytest.raises(Interrupted):
            world.run()
    world.people([{"email": "ann@example.com", "u": "5"}, {"email": "bob@example.com", "u": "5"}])
    world.model("members", "select email from people", identifiers={"email": "email"})
    assert world.run().exit_code == 0
    assert world.emails() == ["ann@example.com", "bob@example.com"]
    before = len(world.writes())
    world.run()
    assert len(world.writes()) == before


@pytest.mark.parametrize(
    ("types", "new_city"), [(("VARCHAR", "INT"), "Rome"), (("INT", "VARCHAR"), "2")], ids=["text", "number"]
)
def test_a_column_with_a_half_finished_type_change_may_be_changed_back(
    world: World, monkeypatch: pytest.MonkeyPatch, types: tuple[str, str], new_city: str
) -> None:
    """The deltas had the new type, the snapshot had not; then the model had its old type again."""

    def select_as(kind: str, city: str) -> None:
        world.people([{"email": "ann@example.com", "city": city}])
        select = f"select email, city::{kind} as city from people"
        world.model("members", select, identifiers={"email": "email"})

    select_as(types[0], "1")
    world.run()
    select_as(types[1], "1")
    execute = DuckDB.execute

    def die(warehouse: DuckDB, statement: Statement) -> None:
        execute(warehouse, statement)
        if statement.text.startswith("ALTER") and '"deltas_' in statement.text:
            raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(DuckDB, "execute", die)
        with pytest.raises(Interrupted):
            world.run()
    select_as(types[0], new_city)
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert only_list(world.run()).list_plan.unchanged == 1


def test_a_collation_makes_no_values_equal(world: World) -> None:
    """A column may ignore case; still a change of case is a change, and ids that differ in it stay apart."""
    world.sql("CREATE TABLE names (id VARCHAR COLLATE NOCASE, name VARCHAR COLLATE NOCASE)")
    world.sql("INSERT INTO names VALUES ('a1', 'Ann'), ('A1', 'Bo')")
    world.model(
        "members", "select id, name as first_name from names", identifiers={"external_id": "id"}, min_rows=0
    )
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2}
    world.sql("UPDATE names SET name = 'ANN' WHERE name = 'Ann'")
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}


def test_a_json_null_is_a_null(ann: Ann) -> None:
    """It is no value: neither sent as one, nor a change of what Klaviyo has."""
    ann("""'{"a": 1}'::JSON as v, ' null'::JSON as w""")
    assert ann.properties() == {"v": {"a": 1}}
    assert not sent(ann("""'null'::JSON as v, (chr(10) || 'null ')::JSON as w"""))
    assert ann.properties() == {"v": {"a": 1}}


INFINITE = [
    "date 'DAY'",
    "timestamp 'DAY'",
    "timestamp_ns 'DAY'",
    "timestamptz 'DAY'",
    "{'until': date 'DAY'}",
    "[timestamp 'DAY']",
    "map {'a': [{'b': timestamptz 'DAY'}]}",
    "union_value(d := date 'DAY')",
    "[row(1, date 'DAY')]",
]


def test_an_infinite_time_rejects_its_row_and_names_the_column(world: World) -> None:
    """Also deep inside a value. DuckDB's client would give it as the last or first moment that it knows.

    The last day that a type has is a day like others.
    """

    def columns(day: str) -> str:
        values = [value.replace("DAY", day) for value in INFINITE]
        values[2] = values[2].replace("9999", "2261")  # the last whole year of nanoseconds
        return ", ".join(f"case when nth = {at} then {value} end as v{at}" for at, value in enumerate(values))

    world.model(
        "members",
        " union all ".join(
            f"select '{name}' || nth || '@example.com' as email, {columns(day)} from range(9) rows(nth)"
            for name, day in {"ok": "9999-12-31", "ann": "infinity", "bob": "-infinity"}.items()
        ),
        identifiers={"email": "email"},
        max_rejected=1.0,
    )
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 9}
    rejections = world.state("SELECT code, detail FROM rejections ORDER BY detail")
    assert rejections == [("infinite_time", f"v{number}") for number in range(9) for _ in "ab"]
