"""The messages for mistakes in profiles.yml, in config() and in a model's SQL, as gold/ has them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reverse_etl.errors import UsageError
from tests.compile import config_mistakes, profile_mistakes, sql_mistakes

if TYPE_CHECKING:
    from reverse_etl.errors import Problem
    from tests.compile.cases import Case
    from tests.compile.conftest import Folder
    from tests.gold import Gold

GOLD = Path(__file__).parent / "gold"
TABLES = {"config": config_mistakes.CASES, "profile": profile_mistakes.CASES, "sql": sql_mistakes.CASES}
CASES = [(table, case) for table, cases in TABLES.items() for case in cases]


def gold_file(table: str, case: Case) -> Path:
    """Return the file with the problems of a mistake."""
    return GOLD / table / f"{re.sub('[^a-z0-9]+', '_', case.name.lower()).strip('_')}.txt"


def explain(problem: Problem) -> str:
    """Return a problem as lines: what is wrong, where, and what to do next."""
    where, hint = f" at {problem.where}", f" next {problem.hint}"
    return "\n".join((problem.summary, *[where] * bool(problem.where), *[hint] * bool(problem.hint), ""))


@pytest.mark.parametrize(("table", "case"), CASES, ids=[f"{table}-{case.name}" for table, case in CASES])
def test_a_mistake_is_explained(folder: Folder, gold: Gold, table: str, case: Case) -> None:
    """In whole sentences, with its location and the next step; all mistakes at once."""
    folder.write(case.files)
    with pytest.raises(UsageError) as caught:
        folder.compile(**case.given)
    texts = [explain(problem) for problem in folder.shown(caught.value)]
    gold.check(gold_file(table, case), "\n".join(texts))


def test_every_gold_file_belongs_to_a_case() -> None:
    assert {*GOLD.rglob("*.txt")} == {gold_file(*case) for case in CASES}
