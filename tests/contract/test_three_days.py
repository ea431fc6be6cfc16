"""Three days of a shop: the same requests, documents, logs, files and state as ever, on both warehouses."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.plain import Plain
from tests.contract.recorder import KEY, Klaviyo
from tests.contract.shop import Shop
from tests.contract.steps import OF_ENGINE, STEPS
from tests.contract.story import play
from tests.contract.warehouses import duckdb_warehouse, snowflake_warehouse
from tests.gold import Gold
from tests.warehouse.snowflake_accounts import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.state_dump import Engine
    from tests.contract.steps import Step

GOLD = Path(__file__).parent / "gold" / "three_days"
ENGINES: tuple[Engine, ...] = ("duckdb", "snowflake")
NAMES = {
    engine: {name for step in STEPS if engine in step.engines for name in step.texts} for engine in ENGINES
}


@dataclass(frozen=True)
class Told:
    """What the days left on a warehouse: texts by name."""

    engine: Engine
    texts: dict[str, str]


@pytest.fixture(scope="module", params=ENGINES)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Play the days."""
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
        shop = Shop(folder, klaviyo, warehouse)
        yield Told(request.param, play(shop, Plain({str(folder): "<folder>", klaviyo.origin: "<klaviyo>"})))


@pytest.mark.parametrize("step", STEPS, ids=[step.name for step in STEPS])
def test_a_step_sends_and_leaves_what_it_always_did(told: Told, gold: Gold, step: Step) -> None:
    """Requests byte for byte, documents, logs and files with their keys and values, the state row by row.

    Snowflake is held to what DuckDB wrote, but for what has a warehouse's own SQL or names in it.
    """
    for name in step.texts if told.engine in step.engines else ():
        if name in OF_ENGINE:
            gold.check(GOLD / told.engine / name, told.texts[name])
        else:
            (gold if told.engine == "duckdb" else Gold(update=False)).check(GOLD / name, told.texts[name])


def test_nothing_else_is_sent_or_left(told: Told) -> None:
    """Commands that need not ask Klaviyo send nothing, and the key is nowhere."""
    assert told.texts.keys() == NAMES[told.engine]
    assert not any(KEY in text for text in told.texts.values())


def test_every_gold_file_is_of_a_step() -> None:
    """A step that is gone takes its files along."""
    expected = {GOLD / name for names in NAMES.values() for name in names - OF_ENGINE}
    expected |= {GOLD / engine / name for engine in ENGINES for name in NAMES[engine] & OF_ENGINE}
    assert {path for path in GOLD.rglob("*") if path.is_file()} == expected
