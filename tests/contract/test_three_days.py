"""Three days of a shop: requests, documents, logs, files and state are as the gold files say."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.normalizer import Normalizer
from tests.contract.recorder import KEY, Klaviyo
from tests.contract.shop import Shop
from tests.contract.steps import OF_ENGINE, STEPS
from tests.contract.story import run_steps
from tests.contract.warehouses import duckdb_warehouse, snowflake_warehouse
from tests.gold import Gold

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
class Story:
    """The texts to compare of one warehouse, by name."""

    engine: Engine
    texts: dict[str, str]


@pytest.fixture(scope="module", params=ENGINES)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Run the steps of three days."""
    folder = tmp_path_factory.mktemp("contract") / "shop"
    folder.mkdir()
    with ExitStack() as stack:
        klaviyo = stack.enter_context(Klaviyo())
        if request.param == "duckdb":
            warehouse = duckdb_warehouse(folder)
        else:
            server = request.getfixturevalue("snowflake_server")
            warehouse = stack.enter_context(snowflake_warehouse(server))
        shop = Shop(folder, klaviyo, warehouse)
        normalizer = Normalizer({str(folder): "<folder>", klaviyo.origin: "<klaviyo>"})
        yield Story(request.param, run_steps(shop, normalizer))


@pytest.mark.parametrize("step", STEPS, ids=[step.name for step in STEPS])
def test_each_step_sends_and_writes_what_the_gold_files_say(story: Story, gold: Gold, step: Step) -> None:
    """Requests byte for byte; keys and values of documents, logs and files; the state row by row.

    On Snowflake they equal those on DuckDB, except for texts with the warehouse's own SQL or names.
    """
    for name in step.texts if story.engine in step.engines else ():
        if name in OF_ENGINE:
            gold.check(GOLD / story.engine / name, story.texts[name])
        else:
            (gold if story.engine == "duckdb" else Gold(update=False)).check(GOLD / name, story.texts[name])


def test_no_step_sends_or_writes_anything_else(story: Story) -> None:
    """Commands that do not need Klaviyo send no request, and no text contains the key."""
    assert story.texts.keys() == NAMES[story.engine]
    assert not any(KEY in text for text in story.texts.values())


def test_every_gold_file_belongs_to_a_step() -> None:
    expected = {GOLD / name for names in NAMES.values() for name in names - OF_ENGINE}
    expected |= {GOLD / engine / name for engine in ENGINES for name in NAMES[engine] & OF_ENGINE}
    assert {path for path in GOLD.rglob("*") if path.is_file()} == expected
