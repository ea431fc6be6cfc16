"""The house is as its documents say: each room on its floor, no import goes up, nothing is too long."""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest

from reverse_etl.surfaces.catalog import surface_names
from reverse_etl.surfaces.operations import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "reverse_etl"
MOST_LINES = {"file": 400, "function": 60}  # as CONTRIBUTING.md says
SURFACE_PORT = {
    "interface",
    "operations",
    "operation_facts",
    "attribute_hints",
    "column_rules",
    "catalog",
    "request",  # of a model that describes its requests itself: what it may say, and what is made of it
    "request_rules",
    "request_template",
    "event_rules",  # the rules that planning and delivery keep: flows, and how old events may be
    "read_back",  # what `reconcile` reads, by the surface's own word
}  # what other rooms may import of surfaces/
# Where the name of a surface is a word for something else: an endpoint's name in JSON, and a table's.
OTHER_MEANINGS = {
    ("cli/output/json.py", "profiles"),
    ("config/people_table.py", "profiles"),
    ("klaviyo/consents.py", "profiles"),  # of a request's body
    ("klaviyo/consents.py", "subscriptions"),  # of a profile
    ("klaviyo/suppressions.py", "subscriptions"),  # of a profile
}
A_WORD_OF_HTTP = "request"


@cache
def nodes_of(file: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of a file's tree, which several tests read."""
    return tuple(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


def floors() -> dict[str, int]:
    """Return the floor of each room, counted from the ground, as the drawing in the document shows it."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = text.split("```rooms\n", 1)[1].split("```", 1)[0].splitlines()
    names = [re.split(r"\s{2,}", line)[0].split(" · ") for line in reversed(drawing)]
    return {room: floor for floor, rooms in enumerate(names) for room in rooms}


def rooms() -> list[str]:
    """Return the rooms that there are: folders and files of the package."""
    return sorted(
        path.stem
        for path in PACKAGE.iterdir()
        if path.stem not in {"__init__", "__pycache__", "py"} and (path.is_dir() or path.suffix == ".py")
    )


def imports(room: str) -> set[str]:
    """Return the other rooms that a room imports from, wherever in a file the import is."""
    place = PACKAGE / room
    files = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
    found: set[str] = set()
    for file in files:
        for node in nodes_of(file):
            if isinstance(node, ast.ImportFrom) and node.module == "reverse_etl":
                found |= {alias.name for alias in node.names} & set(rooms())
            elif isinstance(node, ast.ImportFrom) and (module := node.module or "").startswith(
                "reverse_etl."
            ):
                found.add(module.split(".")[1])
    return found - {room}


def test_every_room_is_in_the_picture_and_the_picture_shows_no_other() -> None:
    assert sorted(floors()) == rooms()


@pytest.mark.parametrize("room", rooms())
def test_no_import_goes_up_or_across_a_floor(room: str) -> None:
    floor = floors()
    up = {other: floor[other] for other in imports(room) if floor[other] >= floor[room]}
    assert not up, f"{room} (floor {floor[room]}) imports {up}"


def modules() -> dict[str, set[str]]:
    """Return the modules of the package that each module imports, by dotted name."""
    files = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in PACKAGE.rglob("*.py")}
    found: dict[str, set[str]] = {name: set() for name in files}
    for name, file in files.items():
        for node in nodes_of(file):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported = {f"{node.module}.{alias.name}" for alias in node.names} & files.keys()
                found[name] |= imported or {node.module} & files.keys()
    return found


def test_no_modules_import_each_other_in_a_circle() -> None:
    TopologicalSorter(modules()).prepare()  # raises CycleError


def test_the_rooms_of_delivery_share_only_what_lies_beside_them() -> None:
    """`deliver` and `recovery` are above the rooms; the other files beside the rooms are below them."""
    rooms = {folder.parent.name for folder in (PACKAGE / "delivery").glob("*/__init__.py")}

    def room(module: str) -> str:
        return module.removeprefix("reverse_etl.delivery.").split(".")[0]

    arrows = {
        (room(module), room(other))
        for module, imported in modules().items()
        for other in imported
        if module.startswith("reverse_etl.delivery.") and other.startswith("reverse_etl.delivery.")
    }
    into_rooms = {(giver, taker) for giver, taker in arrows if taker in rooms and giver != taker}
    assert {giver for giver, _ in into_rooms} - rooms == {"deliver", "recovery"}
    assert {pair for pair in into_rooms if pair[0] in rooms} == {("profiles", "imports")}
    assert {giver for giver, taker in arrows if taker in {"deliver", "recovery"}} == set()


def test_the_root_of_the_package_holds_few_loose_files() -> None:
    """A newcomer finds the flow, the library's face and what every room uses; the rest lies in rooms."""
    loose = {file.stem for file in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert loose == {"clock", "connections", "errors", "files", "formatting", "project", "run"}


def test_a_class_name_means_one_thing() -> None:
    """Private ones too, without their underscore: a search for a name finds one class."""
    names = Counter(
        node.name.lstrip("_")
        for file in PACKAGE.rglob("*.py")
        for node in nodes_of(file)
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, number in names.items() if number > 1] == []


def test_no_code_compares_a_sentence() -> None:
    """A program compares enums and ids, since sentences change. These two are of dbt and sqlglot."""
    sentences = {
        text
        for file in PACKAGE.rglob("*.py")
        for node in nodes_of(file)
        for text in compared_texts(node)
        if " " in text.strip()
    }
    assert sentences == {"partial success", "Unexpected token"}


def compared_texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts that code compares with something, or that a `match` names."""
    match node:
        case ast.Compare():
            compared = [node.left, *node.comparators]
        case ast.MatchValue():
            compared = [node.value]
        case _:
            compared = []
    for expression in compared:
        parts = expression.elts if isinstance(expression, ast.Tuple | ast.Set | ast.List) else [expression]
        for part in parts:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def functions(file: Path) -> dict[str, int]:
    """Return the lines of each function of a file, those of its docstring included."""
    return {
        f"{node.name}, line {node.lineno}": (node.end_lineno or node.lineno) - node.lineno + 1
        for node in nodes_of(file)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_no_file_and_no_function_of_the_package_is_long() -> None:
    """A file or function beyond the limit is split, with better names."""
    files = sorted(PACKAGE.rglob("*.py"))
    long = {str(file): len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert {file: lines for file, lines in long.items() if lines > MOST_LINES["file"]} == {}
    most = {f"{file}: {name}": lines for file in files for name, lines in functions(file).items()}
    assert {name: lines for name, lines in most.items() if lines > MOST_LINES["function"]} == {}


def nodes_outside_surfaces() -> list[tuple[str, tuple[ast.AST, ...]]]:
    """Return the files of the package outside surfaces/, by path.

    Not those of the sandbox, which plays Klaviyo, whose profiles are no surface.
    """
    files = {file.relative_to(PACKAGE).as_posix(): file for file in sorted(PACKAGE.rglob("*.py"))}
    return [
        (name, nodes_of(file))
        for name, file in files.items()
        if not name.startswith(("surfaces/", "sandbox/"))
    ]


def test_nothing_outside_surfaces_names_a_surface() -> None:
    """A surface is one file: other code reads its fields, and no fact depends on a name."""
    named = {
        (name, node.value)
        for name, nodes in nodes_outside_surfaces()
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for surface in surface_names()
        if node.value in {surface, f"({surface})"} - {A_WORD_OF_HTTP} or f"surface='{surface}'" in node.value
    }
    assert named - OTHER_MEANINGS == set()
    imported = {
        (name, module.group(1))
        for name, nodes in nodes_outside_surfaces()
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        and (module := re.match(r"reverse_etl\.surfaces\.(\w+)", node.module or ""))
    }
    assert [pair for pair in sorted(imported) if pair[1] not in SURFACE_PORT] == []


def test_only_delivery_matches_the_class_of_an_operation() -> None:
    """Other code reads facts of an operation: a new class needs no search for places that ask for one.

    The exceptions read fields that only their class has.
    """
    classes = {each.__name__ for each in get_args(Operation)}
    asked = {
        (name, asked_class.id)
        for name, nodes in nodes_outside_surfaces()
        if name != "delivery/deliver.py"
        for node in nodes
        if isinstance(node, ast.MatchClass)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance")
        for asked_class in ast.walk(node)
        if isinstance(asked_class, ast.Name) and asked_class.id in classes
    }
    assert asked == {
        ("delivery/consents/confirm_consents.py", "SubscribePeople"),
        ("delivery/requests/request_preview.py", "SendRequests"),
    }


def test_nothing_outside_surfaces_compares_a_surface() -> None:
    """Two surfaces that say the same of themselves are treated the same."""

    def is_surface(node: ast.expr) -> bool:
        match node:
            case ast.Name(id="surface" | "surface_name" | "EXAMPLE") | ast.Attribute(attr="surface"):
                return True
            case ast.Attribute(value=inner, attr="name"):
                return is_surface(inner)
        return False

    def is_none(node: ast.expr) -> bool:
        return isinstance(node, ast.Constant) and node.value is None

    compared = [
        f"{name}, line {node.lineno}"
        for name, nodes in nodes_outside_surfaces()
        for node in nodes
        if isinstance(node, ast.Compare)
        and any(map(is_surface, (node.left, *node.comparators)))
        and not any(map(is_none, (node.left, *node.comparators)))
    ]
    assert compared == []


def test_each_error_that_a_docstring_promises_is_a_class() -> None:
    """A caller may catch it by that name."""
    nodes = [node for file in PACKAGE.rglob("*.py") for node in nodes_of(file)]
    known = {node.name for node in nodes if isinstance(node, ast.ClassDef)} | {*vars(builtins)}
    known |= {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    docstrings = [
        ast.get_docstring(node) or ""
        for node in nodes
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    promised = {name for text in docstrings for name in re.findall(r"\bRaises? (?:an? )?`?([A-Z]\w+)", text)}
    assert "HttpError" in promised
    assert promised - known == set()


def test_no_python_name_is_a_contract_by_accident() -> None:
    """JSON, stored values and tables are written key by key: a renamed field changes none of them.

    In the exceptions the fields are what users write, or values of one class become those of another.
    """
    allowed = {"sandbox/rules.py", "config/destinations.py", "cli/options.py"}
    banned = {"asdict", "astuple", "fields"}
    found = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        for node in nodes_of(file)
        if isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
        if banned & {alias.name for alias in node.names}
    }
    assert found == allowed


def test_the_condition_of_an_account_and_project_is_written_once() -> None:
    """A statement without it would mix accounts: all take it from one place."""
    files = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.j2")]
    writers = {file.name for file in files if "account_id = ?" in file.read_text(encoding="utf-8")}
    assert writers == {"tables.py"}
