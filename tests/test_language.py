"""Docstrings, comments, messages, help and documents are plain English, without the words listed here."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]

TOP_LEVEL = 2  # parts of a path directly in a folder

BANNED = {
    "whoever": r"\b[Ww]hoever\b",
    "whom": r"\b[Ww]hom\b",
    "in vain": r"\bin vain\b",
    "mend": r"\b[Mm]end(s|ed|ing)?\b",
    "be had": r"\b(be|been) had\b",
    "so many, at the start": r"(?:^|[.!?] )So many\b",
    "is told": r"\b(is|are|was|were|be|been) told\b",
    "drives a list": r"\b(drives?|drove|driven|driving)\b(?= ((a|the|its|one|no|two|this|that) )?lists?\b)",
    "put there": r"\b(puts?|putting) there\b",
    "take off a list": r"\b(takes?|took|taken|taking) (\w+ )?off\b",
    "talk": r"\btalk(s|ed|ing)?\b",
    "all the same": r"\ball the same\b",
    "otherwise called else": r"(?:^|[.!?;] )Else\b|(?:^|[.!?] )else\b|[,;] else (?!if\b)",
    "a sentence that begins with Of": r"(?:^|[.!?] )Of (?!course\b)[a-z]",
    "a sentence that begins with What": r"(?:^|[.!?] )What (?!(is|are|was|were|happens|does|did)\b[^.]*\?)",
}
PATTERNS = {name: re.compile(pattern) for name, pattern in BANNED.items()}


def strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the docstrings and string constants of a file, each with its line; f-strings in their parts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of a file, each with its line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


def names_of_tests(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the names of tests as words, each with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a file that people read, each with its line; paragraphs of documents as one text."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from strings(ast.parse(source))
        yield from names_of_tests(ast.parse(source))
        yield from comments(source)
        return
    line = 1
    for paragraph in re.split(r"(\n\s*\n)", source):
        yield line, paragraph
        line += paragraph.count("\n")


def findings(path: Path) -> list[str]:
    """Return what a file says in words that are not plain, with its lines."""
    found: list[str] = []
    for line, text in prose(path):
        words = " ".join(text.split())
        found += [
            f"{path.relative_to(ROOT)}:{line}: {name}: {words[max(match.start() - 30, 0) : match.end() + 30]}"
            for name, pattern in PATTERNS.items()
            for match in pattern.finditer(words)
        ]
    return found


def room(path: Path) -> str:
    """Return the room of a file of the package, the folder of a test, or the name of a document."""
    relative = path.relative_to(ROOT)
    if relative.parts[0] == "tests":
        return "tests" if len(relative.parts) == TOP_LEVEL else f"tests/{relative.parts[1]}"
    return Path(relative.parts[1]).stem if relative.parts[0] == "reverse_etl" else relative.as_posix()


def sources() -> dict[str, list[Path]]:
    """Return the files of each room of the package and of each folder of tests, and each document."""
    rooms: dict[str, list[Path]] = {}
    documents = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    tests = sorted({*(ROOT / "tests").rglob("*.py")} - {Path(__file__)})  # this file quotes the words
    for path in [*sorted((ROOT / "reverse_etl").rglob("*.py")), *tests, *documents]:
        rooms.setdefault(room(path), []).append(path)
    return rooms


@pytest.mark.parametrize("name", sorted(sources()))
def test_texts_use_plain_words(name: str) -> None:
    """Help texts are docstrings and strings of the command line's room, so that they are checked too."""
    assert [finding for path in sources()[name] for finding in findings(path)] == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Whoever only looks holds none.",
        "Klaviyo was asked in vain.",
        "A row. So many rows were sent.",
        "The key cannot be had from a file.",
        "Of two that claim it, both lose.",
        "Members that this job put there.",
        "Rename it, else it is refused.",
        "Models that drive a list.",
        "What a user sees.",
    ],
)
def test_a_banned_word_is_found(sentence: str) -> None:
    assert any(pattern.search(sentence) for pattern in PATTERNS.values())


@pytest.mark.parametrize(
    "sentence",
    [
        "Return None if there is no list, or else a list.",
        "What is uncertain? A row that was sent and not proved.",
        "Of course it is safe.",
        "A driven system, and hidden rows.",
        "The amendment is recommended.",
    ],
)
def test_plain_sentences_pass(sentence: str) -> None:
    assert not [name for name, pattern in PATTERNS.items() if pattern.search(sentence)]
