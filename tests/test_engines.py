"""Differences between engines are answered by dialects and adapters; a new engine has to answer them all."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from reverse_etl.domain.engine import Engine

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "reverse_etl"
MAY_MENTION = (
    "domain/engine.py",
    "config/output_rules.py",
    "config/duckdb_output.py",
    "warehouse/factory.py",
    "warehouse/duckdb/",
    "warehouse/snowflake/",
)
# Texts that name an engine, and are no question which one a target has.
NAMED_IN_TEXTS = {
    "cli/commands/init.py": "help of --warehouse and --schedule; the files to ignore in git",
    "cli/commands/init_profiles.py": "makes the first profile for a DuckDB file in the folder",
    "cli/commands/demo.py": "the demo's warehouse",
    "config/scaffold.py": "the first profile",
    "config/target_reader.py": "an example of an output",
    "config/target_section.py": "an example of an output",
    "demo/show.py": "the demo's warehouse",
    "models/lint.py": "the endings of files that a model can't read",
}


def mentions(node: ast.AST) -> bool:
    """Return whether a node is a member of Engine."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Engine"
        and node.attr in Engine.__members__
    )


def imports_engine(node: ast.AST) -> bool:
    """Return whether a node imports an adapter, a dialect or a driver of one engine."""
    match node:
        case ast.ImportFrom(module=str(module)):
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        case ast.Import():
            names = [alias.name for alias in node.names]
        case _:
            return False
    return any(str(engine) in name.lower() for name in names for engine in Engine)


def named_in_texts(tree: ast.Module) -> bool:
    """Return whether a text of a file names an engine, docstrings apart."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return any(
        str(engine) in node.value.lower()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        for engine in Engine
    )


@cache
def trees() -> dict[str, ast.Module]:
    """Return each module of the package, by its path from there."""
    files = PACKAGE.rglob("*.py")
    return {
        file.relative_to(PACKAGE).as_posix(): ast.parse(file.read_text(encoding="utf-8")) for file in files
    }


def test_only_dialects_adapters_and_the_enumeration_mention_an_engine() -> None:
    """Everything else asks them: what is true of an engine is written in one place for each engine."""
    found = {path for path, tree in trees().items() if any(map(mentions, ast.walk(tree)))}
    assert {path for path in found if not path.startswith(MAY_MENTION)} == set()


def test_only_the_factory_and_the_demo_import_what_one_engine_has() -> None:
    found = {path for path, tree in trees().items() if any(map(imports_engine, ast.walk(tree)))}
    assert {path for path in found if not path.startswith(MAY_MENTION)} == {"demo/shop.py"}


def test_no_text_names_an_engine_but_for_examples() -> None:
    """A comparison with an engine's name, and advice for one engine, belong to a dialect or an adapter."""
    found = {path for path, tree in trees().items() if named_in_texts(tree)}
    assert {path for path in found if not path.startswith(MAY_MENTION)} == {*NAMED_IN_TEXTS}


def test_no_fact_of_an_engine_is_its_name_in_disguise() -> None:
    """A yes or no that is about SQL, not about files, drivers or services: those have their own functions."""
    facts = {name for name, fact in vars(Engine).items() if isinstance(fact, property)}
    yes_or_no = {name for name in facts if isinstance(getattr(Engine.DUCKDB, name), bool)}
    assert yes_or_no == {"folds_to_upper_case"}


def test_the_macros_of_the_dbt_package_ask_dbt_which_adapter_it_has() -> None:
    """They dispatch; a comparison would answer for each further adapter as if it were DuckDB."""
    macros = sorted((ROOT / "dbt_package").rglob("*.sql"))
    assert macros
    assert [path.name for path in macros if re.search(r"target\.type\s*[!=]=", path.read_text("utf-8"))] == []


def questions() -> dict[tuple[str, int], bool]:
    """Return each `match` over engines, by file and line of its last case, and if that is assert_never."""
    found: dict[tuple[str, int], bool] = {}
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Match):
                continue
            if any(mentions(part) for case in node.cases for part in ast.walk(case.pattern)):
                (last,) = node.cases[-1].body
                is_never = isinstance(last, ast.Expr) and ast.unparse(last).startswith("assert_never(")
                found[f"reverse_etl/{path}", last.lineno] = is_never
    return found


def test_every_engine_is_answered_everywhere() -> None:
    """No `match` over engines has a case for all others."""
    assert all(questions().values())


def type_errors(folder: Path, cache: Path) -> set[tuple[str, int]]:
    """Return file and line of each place where the package in a folder does not answer for an engine."""
    asking = sorted({path.removesuffix(".py").replace("/", ".") for path, _ in questions()})
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        str(ROOT / "pyproject.toml"),
        "--cache-dir",
        str(cache),
    ]
    modules = [word for module in asking for word in ("-m", module)]
    done = subprocess.run(
        [*command, "--follow-imports", "silent", *modules],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    found = re.findall(r'^(\S+):(\d+): error: Argument 1 to "assert_never"', done.stdout, re.MULTILINE)
    assert len(found) == done.stdout.count("error:"), done.stdout
    return {(path, int(line)) for path, line in found}


def test_a_new_engine_does_not_type_check_until_it_is_answered_everywhere(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """On a copy of the package with one member more, the type checker names each place that has to answer."""
    shutil.copytree(PACKAGE, tmp_path / "reverse_etl", ignore=shutil.ignore_patterns("__pycache__"))
    cache = request.config.cache.mkdir("mypy") if request.config.cache else tmp_path / "cache"
    assert type_errors(tmp_path, cache) == set()
    enumeration = tmp_path / "reverse_etl" / "domain" / "engine.py"
    text = enumeration.read_text(encoding="utf-8")
    last = f"{[*Engine][-1].name} = "
    assert text.count(last) == 1
    enumeration.write_text(text.replace(last, f"ANOTHER = 'another'; {last}"), encoding="utf-8")
    assert type_errors(tmp_path, cache) == {*questions()}
