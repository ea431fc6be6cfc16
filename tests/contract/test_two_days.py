"""Two days of a shop: the same requests, documents, logs, files and state as ever, on both warehouses."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverse_etl import __version__
from tests.contract.plain import Plain
from tests.contract.recorder import Klaviyo
from tests.contract.shop import Shop
from tests.contract.state_dump import written
from tests.contract.story import OF_ENGINE, STEPS, play
from tests.contract.warehouses import duckdb_warehouse, snowflake_warehouse
from tests.gold import Gold
from tests.warehouse.snowflake_accounts import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.recorder import Request
    from tests.contract.story import Story

GOLD = Path(__file__).parent / "gold" / "two_days"


@dataclass(frozen=True)
class Told:
    """What the two days left on a warehouse."""

    engine: str
    story: Story
    state: str

    def check(self, gold: Gold, name: str, text: str, *, of_engine: bool = False) -> None:
        """Hold a text against its gold file: DuckDB writes it anew, and Snowflake is held to the same.

        Texts of an engine have a file for each.
        """
        if of_engine:
            gold.check(GOLD / self.engine / name, text)
        else:
            (gold if self.engine == "duckdb" else Gold(update=False)).check(GOLD / name, text)


@pytest.fixture(scope="module", params=["duckdb", "snowflake"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Play the two days."""
    folder = tmp_path_factory.mktemp("contract") / "shop"
    folder.mkdir()
    with ExitStack() as stack:
        klaviyo = stack.enter_context(Klaviyo())
        if request.param == "duckdb":
            warehouse = duckdb_warehouse(folder)
        else:
            server = Server()
            stack.callback(server.close)
            warehouse = stack.enter_context(snowflake_warehouse(server))
        shop = Shop(folder, klaviyo, warehouse.output, warehouse.sql)
        story = play(shop, Plain({str(folder): "<folder>", klaviyo.origin: "<klaviyo>"}))
        names = {klaviyo.origin: "http://127.0.0.1:8765"}
        yield Told(request.param, story, written(warehouse.state(), warehouse.engine, names))


@pytest.mark.parametrize("day", ["day1", "day2"])
def test_requests_are_the_same_byte_for_byte(told: Told, gold: Gold, day: str) -> None:
    """Method, address, query, headers and body of each, in their order."""
    steps = {name: requests for name, requests in told.story.requests.items() if name.startswith(day)}
    told.check(gold, f"{day}.http", _text(steps))


@pytest.mark.parametrize("name", [name for step in STEPS for name in step.texts()])
def test_documents_and_logs_are_the_same(told: Told, gold: Gold, name: str) -> None:
    """Keys and values, and the sentences in them."""
    told.check(gold, name, told.story.texts[name], of_engine=name in OF_ENGINE)


def test_the_state_is_the_same(told: Told, gold: Gold) -> None:
    """Every table, column and row."""
    told.check(gold, "state.sql", told.state, of_engine=True)


def test_every_gold_file_is_of_a_step() -> None:
    """A step that is gone takes its files along."""
    names = {name for step in STEPS for name in step.texts()}
    expected = {GOLD / name for name in {*names, "day1.http", "day2.http"} - OF_ENGINE}
    for engine in ("duckdb", "snowflake"):
        expected |= {GOLD / engine / name for name in (*OF_ENGINE, "state.sql")}
    assert {path for path in GOLD.rglob("*") if path.is_file()} == expected


def _text(steps: dict[str, list[Request]]) -> str:
    """Return the requests of steps, below the headers that they usually have."""
    usual = next(request.headers for requests in steps.values() for request in requests)
    lines = [
        "# every request, unless it says otherwise",
        *(f"  {name}: {value}" for name, value in usual.items()),
    ]
    for name, requests in steps.items():
        lines += [f"\n# {name}: {len(requests)} requests", *(request.text(usual) for request in requests)]
    return "\n".join(lines).replace(f"reverse-etl/{__version__}", "reverse-etl/<version>") + "\n"
