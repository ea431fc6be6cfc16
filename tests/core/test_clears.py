"""Rule: a value that became NULL is cleared where the model says so, and only that value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from reverse_etl.cli import app
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import Warned
from reverse_etl.errors import GuardRefused
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.violations import Allowances
from tests.core.world import only_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.delivery.results import ListResult
    from tests.core.world import World

ANN, BOB = "ann@example.com", "bob@example.com"
SINGLE = ("/api/profile-import", "/api/profiles/")
SELECT = "select email, title, location_city, tier, cups, notes from people"
COLUMNS = "email VARCHAR, title VARCHAR, location_city VARCHAR, tier VARCHAR, cups INTEGER, notes VARCHAR"


def become(world: World, rows: Sequence[Mapping[str, Any]], **config: Any) -> None:
    """Write people's rows, and a model of them whose NULLs clear values."""
    world.people(rows, columns=COLUMNS)
    config = {"identifiers": {"email": "email"}, "on_null": "clear", "min_rows": 0} | config
    world.model("members", SELECT, **config)


def send(world: World, rows: Sequence[Mapping[str, Any]], **config: Any) -> ListResult:
    """Send people's rows by a model whose NULLs clear values, and return what came of it."""
    become(world, rows, **config)
    return only_list(world.run(), "members")


def properties(world: World, email: str = ANN) -> dict[str, Any]:
    """Return the custom properties of a person."""
    return dict(world.person(email)["properties"])


def single_requests(world: World) -> list[str]:
    """Return the requests so far that change one profile."""
    return [f"{entry.method} {entry.path}" for entry in world.writes() if entry.path.startswith(SINGLE)]


def test_values_that_became_null_are_cleared(world: World) -> None:
    """Custom properties, attributes, and parts of the location; another value of the row is sent with it."""
    ann = {"email": ANN, "title": "Dr", "location_city": "Ulm", "tier": "gold", "cups": 1}
    assert send(world, [ann]).outcomes == {Outcome.APPLIED: 1}
    result = send(world, [{"email": ANN, "cups": 2}])
    assert result.outcomes == {Outcome.APPLIED: 1}
    assert (result.list_plan.updates, result.list_plan.clears) == (1, 1)
    person = world.person(ANN)
    assert person.get("title") is None
    assert "city" not in (person.get("location") or {})
    assert properties(world) == {"cups": 2}
    assert len(single_requests(world)) == 1
    assert send(world, [{"email": ANN, "cups": 2}]).list_plan.unchanged == 1


def test_a_value_that_was_never_sent_is_not_cleared(world: World) -> None:
    """Somebody else wrote it, and the model says nothing of it."""
    send(world, [{"email": ANN, "cups": 1}])
    world.rename(ANN, properties={"tier": "gold"})
    assert send(world, [{"email": ANN, "cups": 2}]).list_plan.clears == 0
    assert properties(world) == {"tier": "gold", "cups": 2}


def test_a_cleared_value_comes_back(world: World) -> None:
    send(world, [{"email": ANN, "tier": "gold"}])
    send(world, [{"email": ANN}])
    assert properties(world) == {}
    assert send(world, [{"email": ANN, "tier": "gold"}]).outcomes == {Outcome.APPLIED: 1}
    assert properties(world) == {"tier": "gold"}


def test_the_snapshot_tells_cleared_from_never_sent(world: World) -> None:
    send(world, [{"email": ANN, "tier": "gold"}])
    send(world, [{"email": ANN}])
    (table,) = [
        name for (name,) in world.state("SELECT table_name FROM duckdb_tables()") if "snapshot" in name
    ]
    assert world.state(f"SELECT tier, title, retl_cleared FROM {table}") == [(None, None, ",tier,")]


def test_a_full_refresh_clears_again_what_was_cleared_and_nothing_else(world: World) -> None:
    send(world, [{"email": ANN, "tier": "gold"}])
    send(world, [{"email": ANN}])
    world.rename(ANN, title="Dr", properties={"tier": "silver"})
    assert only_list(world.run(options=PlanOptions(full_refresh=True))).list_plan.clears == 1
    assert properties(world) == {}
    assert world.person(ANN)["title"] == "Dr"


def test_the_rule_may_be_one_of_a_column(world: World) -> None:
    """A column's own rule wins over that of all others."""
    rules = {"tier": "clear", "*": "omit"}
    send(world, [{"email": ANN, "tier": "gold", "cups": 1}], on_null=rules)
    send(world, [{"email": ANN}], on_null=rules)
    assert properties(world) == {"cups": 1}


def test_the_two_endpoints_take_turns(world: World) -> None:
    """Each has a rate limit of its own."""
    people = [f"p{number}@example.com" for number in range(6)]
    send(world, [{"email": email, "tier": "gold"} for email in people])
    result = send(world, [{"email": email} for email in people])
    assert result.outcomes == {Outcome.APPLIED: 6}
    requests = single_requests(world)
    assert len([request for request in requests if request == "POST /api/profile-import"]) == 3
    assert len([request for request in requests if request.startswith("PATCH /api/profiles/")]) == 3
    assert all(properties(world, email) == {} for email in people)


@pytest.mark.parametrize("rules", ["reject", {"tier": "reject"}])
def test_a_null_rejects_its_row(world: World, rules: Any) -> None:
    """The rejection names the column."""
    world.people([{"email": ANN, "tier": "gold"}, {"email": BOB, "tier": None}])
    world.model(
        "members", "select email, tier from people", identifiers={"email": "email"}, on_null=rules, min_rows=0
    )
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert world.emails() == [ANN]
    (rejection,) = world.state("SELECT code, LOWER(detail) FROM rejections")
    assert tuple(rejection) == ("null_value", "tier")


def test_a_json_null_rejects_its_row(world: World) -> None:
    world.sql("INSERT INTO nothing VALUES (1)")
    select = f"select '{ANN}' as email, 'null'::JSON as likes from nothing"
    world.model("members", select, identifiers={"email": "email"}, on_null="reject", min_rows=0)
    assert only_list(world.run()).list_plan.rejected_by_check == 1


def test_a_value_that_another_model_has_is_not_cleared(world: World) -> None:
    """It is reported, and nothing is sent for it."""
    told: list[str] = []
    world.people([{"email": ANN, "tier": "gold"}], table="vips")
    vips = "select email, tier from vips"
    world.model("vips", vips, surface="profiles", identifiers={"email": "email"})
    send(world, [{"email": ANN, "tier": "gold", "cups": 1}])
    for selected in ([], ["members"]):  # also by what the other model sent before
        world.people([{"email": ANN, "cups": 1}], columns=COLUMNS)
        before = len(world.writes())
        result = world.run(
            select=selected,
            on_progress=lambda event: told.append(event.text) if isinstance(event, Warned) else None,
        )
        assert only_list(result, "members").list_plan.unchanged == 1
        assert len(world.writes()) == before
        assert properties(world) == {"tier": "gold", "cups": 1}
    assert [
        text for text in told if "tier is not cleared for 1 row: the model vips has a value" in text.lower()
    ] == told
    assert len(told) == 2
    world.people([], table="vips", columns="email VARCHAR, tier VARCHAR")
    world.model(
        "vips", "select email, tier from vips", surface="profiles", identifiers={"email": "email"}, min_rows=0
    )
    world.run()
    assert properties(world) == {"cups": 1}


def test_a_value_that_the_person_has_on_another_list_is_not_cleared(world: World) -> None:
    select = "select club, email, tier from clubs"
    columns = "club VARCHAR, email VARCHAR, tier VARCHAR"
    world.people([{"club": club, "email": ANN, "tier": "gold"} for club in ("A", "B")], "clubs", columns)
    world.model(
        "clubs", select, list_column="club", identifiers={"email": "email"}, on_null="clear", min_rows=0
    )
    world.run()
    world.people([{"club": "A", "email": ANN}, {"club": "B", "email": ANN, "tier": "gold"}], "clubs", columns)
    assert all(result.outcomes == {} for result in world.run().lists)
    assert properties(world) == {"tier": "gold"}
    world.people([{"club": club, "email": ANN} for club in ("A", "B")], "clubs", columns)
    world.run()
    assert properties(world) == {}


def test_a_plan_names_what_is_cleared_and_what_it_takes(world: World) -> None:
    send(world, [{"email": ANN, "tier": "gold", "cups": 1}, {"email": BOB, "tier": "gold"}])
    become(world, [{"email": ANN, "cups": 2}, {"email": BOB}])
    plan = world.plan(options=PlanOptions(sample_size=2))
    (list_plan,) = plan.models[0].lists
    assert [(change.before, change.after) for change in list_plan.sample] == [
        ({"tier": "gold", "cups": 1}, {"tier": None, "cups": 2}),
        ({"tier": "gold"}, {"tier": None}),
    ]
    requests = plan.estimate_requests()
    assert requests[Endpoint.UPDATE_PROFILE] == requests[Endpoint.IMPORT_PROFILE] == 1
    assert requests[Endpoint.PROFILES] == 1


def test_a_guard_stops_a_list_of_which_many_values_became_null(world: World) -> None:
    """Though the model's own text changed: a join that finds nothing gives NULLs."""
    people = [f"p{number}@example.com" for number in range(101)]
    send(world, [{"email": email, "tier": "gold"} for email in people])
    become(world, [{"email": email} for email in people])
    with pytest.raises(GuardRefused) as raised:
        world.run()
    (problem,) = raised.value.problems
    assert problem.summary.startswith("Values of 101 of 101 rows became NULL and would be cleared (100 %)")
    assert problem.hint.endswith("allow it in this run: --allow-clears members")
    allowed = PlanOptions(allow=Allowances(clears=["members"]))
    assert only_list(world.run(options=allowed)).outcomes == {Outcome.APPLIED: 101}


def test_a_changed_limit_of_clears_holds(world: World) -> None:
    send(world, [{"email": ANN, "tier": "gold"}])
    become(world, [{"email": ANN}], max_clears={"share": 0, "floor": 0})
    with pytest.raises(GuardRefused):
        world.run()


def test_the_plan_says_in_words_what_is_cleared(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number, the requests, each value, and that it is gone then."""
    send(world, [{"email": ANN, "tier": "gold"}, {"email": BOB, "tier": "gold"}])
    become(world, [{"email": ANN}, {"email": BOB, "tier": "gold"}])
    monkeypatch.chdir(world.folder)
    result = CliRunner().invoke(app, ["plan", "--show-values"])
    heading, _, row = (line.split() for line in result.stdout.splitlines()[:3])
    assert dict(zip(heading[-6:], row[-6:], strict=True))["clears"] == "1"
    assert "1 change of a profile by identifier" in result.stdout
    assert (
        "  a cleared value is gone from Klaviyo; it comes back only if the model has it again"
        in result.stdout
    )
    assert f"  ~ {ANN}   tier: 'gold' -> NULL" in result.stdout
