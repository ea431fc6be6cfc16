"""Rule: values. Which differences count as a change, and which value Klaviyo has afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.world import only_list
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from typing import Any

    from reverse_etl.delivery.results import ListResult
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
