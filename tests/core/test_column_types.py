"""Rule: columns. Any type and any name; a change of type is a change only if Klaviyo gets other values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.warehouse.duckdb.adapter import DuckDB
from tests.core.world import Interrupted, only_list

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from reverse_etl.warehouse.statement import Statement
    from tests.core.world import World


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
