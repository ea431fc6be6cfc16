"""The main job on every warehouse: the same models on the same rows send the same requests, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson
import pytest
from requests.adapters import HTTPAdapter

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.engine import Engine
from reverse_etl.errors import GuardRefused
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.saved_plan import SavedPlan
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.warehouse.duckdb.state_file import find_state_file
from tests.core.rows import become, clubs_model, members_model, people, person
from tests.core.world import only_list
from tests.paths import IMPORTS
from tests.warehouse.snowflake_accounts import ACCOUNTS, WAREHOUSES, stand_in_is_long
from tests.warehouse.snowflake_world import SnowflakeWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    import requests
    from requests.models import PreparedRequest

    from reverse_etl.delivery.results import ListResult
    from tests.core.world import World


@pytest.fixture(params=WAREHOUSES)
def shop(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    """Make a world on each warehouse."""
    return make_world(warehouse=request.param)


@pytest.fixture(params=ACCOUNTS)
def both(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> dict[Engine, World]:
    """Make a world on DuckDB and one on Snowflake."""
    names = {Engine.DUCKDB: "duckdb", Engine.SNOWFLAKE: request.param}
    return {engine: make_world(engine.value, warehouse=name) for engine, name in names.items()}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the writes of all runs since: method, path and body as they went over the wire to Klaviyo."""
    entries: list[tuple[str | None, str, Any]] = []
    send = HTTPAdapter.send

    def recorded(
        adapter: HTTPAdapter, request: PreparedRequest, *args: Any, **options: Any
    ) -> requests.Response:
        path = urlsplit(request.url or "").path
        if request.method != "GET" and "/api/" in path:
            entries.append((request.method, path, request.body))
        return send(adapter, request, *args, **options)

    monkeypatch.setattr(HTTPAdapter, "send", recorded)
    return entries


def run(world: World, **options: Any) -> ListResult:
    """Run with one thread, which sends in one order."""
    return only_list(world.project(threads=1).run(**options))


@stand_in_is_long
def test_the_first_run_sends_all_the_second_nothing_and_then_what_changed(shop: World) -> None:
    members_model(shop)
    become(shop, people("ann", "bob", "cat"))
    assert only_list(shop.run()).outcomes == {Outcome.APPLIED: 3}
    sent = len(shop.writes())
    assert only_list(shop.run()).outcomes == {}
    assert len(shop.writes()) == sent
    become(shop, [person("ann", first_name="Anna"), *people("cat", "dan")])
    assert only_list(shop.run()).outcomes == {Outcome.APPLIED: 2, Outcome.REMOVED: 1}
    assert shop.emails() == ["ann@example.com", "cat@example.com", "dan@example.com"]
    assert shop.person("ann@example.com")["first_name"] == "Anna"


def has_state(shop: World) -> bool:
    """Return whether there is a state: its file beside DuckDB's, or its schema in Snowflake."""
    if not isinstance(shop, SnowflakeWorld):
        return find_state_file({"path": str(shop.path)}).existing is not None
    schemas = shop.ask("SELECT schema_name FROM information_schema.schemata")
    return shop.place.state_schema in {name for (name,) in schemas}


def test_a_plan_before_the_first_run_shows_everything_and_creates_nothing(shop: World) -> None:
    members_model(shop)
    become(shop, people("ann", "bob"))
    (plan,) = shop.plan().models
    assert plan.lists[0].adds == 2
    assert shop.writes() == []
    assert not has_state(shop)
    (again,) = shop.plan().models
    assert again.lists[0].adds == 2
    assert not has_state(shop)
    shop.run()
    assert has_state(shop)


def test_a_killed_run_is_settled_by_the_next(shop: World) -> None:
    members_model(shop)
    become(shop, people("ann", "bob"))
    shop.fault(Fault(FaultKind.CUT, "POST", IMPORTS, after=True, times=8))
    assert Outcome.UNKNOWN in only_list(shop.run()).outcomes
    shop.calm()
    assert only_list(shop.run()).outcomes == {Outcome.APPLIED: 2}
    assert shop.emails() == ["ann@example.com", "bob@example.com"]


@stand_in_is_long
def test_each_list_gets_its_rows(shop: World) -> None:
    clubs_model(shop)
    become(shop, [*people("ann", "bob", club="Tea"), *people("cat", club="Coffee")])
    shop.run()
    assert shop.emails("Tea") == ["ann@example.com", "bob@example.com"]
    assert shop.emails("Coffee") == ["cat@example.com"]
    become(shop, [*people("ann", club="Coffee"), *people("cat", club="Coffee")])
    shop.run(allow_removes=["clubs"])
    assert shop.emails("Tea") == []
    assert shop.emails("Coffee") == ["ann@example.com", "cat@example.com"]


ROWS = [
    *people("ann", "Bob", "éva", "zoë", "_under", "0digit"),
    person("dup"),
    person("dup"),
    person("two"),
    person("two", first_name="Other"),
    person("bad", email="not an address"),
    person("long", email=f"{'x' * 100}@example.com"),
    person("blank", email=" \t", customer_id="c-blank"),
    person("upper", email="  UPPER@Example.COM "),
    person("shared1", customer_id="c-shared"),
    person("shared2", customer_id="c-shared"),
    person("script", first_name='漢字 "quoted" back\\slash 🙂'),
    person("nothing", first_name=None),
    person("none", email=None, customer_id=None),
]
CHANGED = [
    *(row for row in ROWS if row["first_name"] not in {"Ann", "Other"}),
    person("ann", first_name="Anna"),
    person("new"),
]


def test_the_same_rows_send_the_same_requests(both: dict[Engine, World], sent: list[Any]) -> None:
    """In both warehouses: what is rejected, what is omitted, which batches, in which order, byte for byte."""
    told = []
    for world in both.values():
        members_model(world)
        become(world, ROWS)
        first = run(world)
        become(world, CHANGED)
        second = run(world, allow_removes=["members"])
        counts = [(dict(result.outcomes), result.list_plan.check_rejections) for result in (first, second)]
        told.append(([*sent], counts))
        sent.clear()
    assert told[0] == told[1]
    assert len(told[0][0]) > 2


VALUES = {
    "whole": ("number(38,0)", "decimal(38,0)", "9007199254740993"),
    "small": ("number(5,0)", "smallint", "7"),
    "money": ("number(10,2)", "decimal(10,2)", "12.50"),
    "exact": ("number(38,10)", "decimal(38,10)", "1234567890123.1234567891"),
    "ratio": ("float", "double", "0.1"),
    "flag": ("boolean", "boolean", "true"),
    "born": ("date", "date", "'1999-12-31'"),
    "wakes": ("time", "time", "'06:30:00'"),
    "seen": ("timestamp_ntz", "timestamp", "'2026-01-02 03:04:05.678901'"),
    "paid": ("timestamp_tz", "timestamptz", "'2026-01-02 03:04:05+00'"),
    "local": ("timestamp_ltz", "timestamptz", "'2026-01-02 03:04:05+00'"),
    "likes": ("variant", "json", None),
    "traits": ("object", "json", None),
    "tags": ("array", "json", None),
    "token": ("binary", "blob", None),
    "note": ("varchar", "varchar", "'漢字 🙂 ''quoted'''"),
    "none_at_all": ("timestamp_ntz", "timestamp", "null"),
}
WRITTEN = {
    Engine.DUCKDB: {
        "likes": """'{"tea": [1, 2.5, null, "x"], "none": null}'::json""",
        "traits": """'{"kind": true}'::json""",
        "tags": """'["a", "b"]'::json""",
        "token": "'\\xDE\\xAD\\xBE\\xEF'::blob",
    },
    Engine.SNOWFLAKE: {
        "likes": """parse_json('{"tea": [1, 2.5, null, "x"], "none": null}')""",
        "traits": "object_construct('kind', true)",
        "tags": """parse_json('["a", "b"]')::array""",
        "token": "to_binary('DEADBEEF', 'HEX')",
    },
}


def typed(world: World, engine: Engine, changes: Mapping[str, str]) -> None:
    """Let the table of people be Ann with a value of every type."""
    which = 0 if engine is Engine.SNOWFLAKE else 1
    columns = ", ".join(f"{name} {types[which]}" for name, types in VALUES.items())
    values = ", ".join(
        str(changes.get(name) or WRITTEN[engine].get(name) or types[2]) for name, types in VALUES.items()
    )
    world.sql(
        f"create or replace table people (email varchar, {columns})",
        f"insert into people select 'ann@example.com', {values}",
    )


def test_values_of_every_type_reach_klaviyo_alike(both: dict[Engine, World], sent: list[Any]) -> None:
    """As the same JSON; what did not change is not sent again, and what changed in one column is."""
    told = []
    for engine, world in both.items():
        world.model(
            "members", f"select email, {', '.join(VALUES)} from people", identifiers={"email": "email"}
        )
        typed(world, engine, {})
        run(world)
        assert run(world).list_plan.upserts == 0
        typed(world, engine, {"money": "12.51"})
        assert run(world).list_plan.upserts == 1
        told.append([body for _, path, body in sent if "import" in path])
        sent.clear()
    assert told[0] == told[1]
    (first, second) = (orjson.loads(body) for body in told[0])
    assert properties_of(second) == properties_of(first) | {"money": 12.51}
    assert properties_of(first) == {
        "whole": "9007199254740993",
        "small": 7,
        "money": 12.5,
        "exact": "1234567890123.1234567891",
        "ratio": 0.1,
        "flag": True,
        "born": "1999-12-31",
        "wakes": "06:30:00",
        "seen": "2026-01-02T03:04:05.678901",
        "paid": "2026-01-02T03:04:05+00:00",
        "local": "2026-01-02T03:04:05+00:00",
        "likes": {"tea": [1, 2.5, "x"]},
        "traits": {"kind": True},
        "tags": ["a", "b"],
        "token": "3q2+7w==",
        "note": "漢字 🙂 'quoted'",
    }


def properties_of(document: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the custom properties of the only profile of an import."""
    (profile,) = document["data"]["attributes"]["profiles"]["data"]
    return dict(profile["attributes"]["properties"])


def test_a_saved_plan_is_carried_out_or_refused(shop: World) -> None:
    """By the same digest of rows, whichever warehouse works it out: a value that changed is seen in it."""
    members_model(shop)
    become(shop, people("ann", "bob"))
    project = shop.project()
    saved = SavedPlan.from_plan(
        project.plan(options=PlanOptions(with_digest=True)), project.target, options=PlanOptions(), made_at=""
    )
    become(shop, [person("ann"), person("bob", first_name="Bobby")])
    with pytest.raises(GuardRefused, match="different rows or values"):
        shop.project().apply(saved)
    assert not shop.writes()
    become(shop, people("bob", "ann"))
    assert only_list(shop.project().apply(saved)).outcomes == {Outcome.APPLIED: 2}


def test_a_list_is_reconciled_and_adopted(shop: World) -> None:
    members_model(shop, max_removes=1.0)
    become(shop, people("ann", "bob"))
    shop.run()
    shop.sandbox.finish_jobs()
    shop.put_on_list(shop.list_id(), shop.new_profile(email="zoe@example.com"))
    shop.take_off_list("bob@example.com")
    (difference,) = shop.project().reconcile(resend=True)
    assert (difference.missing_sample, difference.unmanaged_sample) == (
        ("email:bob@example.com",),
        ("email:zoe@example.com",),
    )
    shop.run()
    assert shop.emails() == ["ann@example.com", "bob@example.com", "zoe@example.com"]
    shop.project().adopt(["members"])
    shop.run()
    assert shop.emails() == ["ann@example.com", "bob@example.com"]


def test_a_new_address_of_another_profile_is_left_out_and_two_members_of_a_row_are_shown(shop: World) -> None:
    members_model(shop, identifiers={"external_id": "customer_id", "email": "email"})
    become(shop, people("ann"))
    shop.run()
    shop.rename("ann@example.com", email="old@example.com")
    profiles = shop.person("old@example.com")["id"], shop.new_profile(email="ann@example.com")
    shop.put_on_list(shop.list_id(), profiles[1])
    (found,) = shop.project().reconcile()
    assert found.several_members == 1
    assert found.several_members_sample == {"external_id:c-ann": tuple(sorted(profiles))}
    shop.new_profile(email="new@example.com")
    become(shop, [person("ann", email="new@example.com")])
    shop.run()
    assert shop.emails() == ["ann@example.com", "old@example.com"]
