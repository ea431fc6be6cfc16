"""Docstrings, comments, messages, help and documents are plain English, without the words listed here."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]

TOP_LEVEL = 2  # parts of a path directly in a folder
OWN_WORDS = Path(__file__)  # quotes the banned words
PACKAGE_TEXTS = {".py", ".j2", ".sql", ".css", ".js"}
DOCUMENTS = (
    "*.md",
    "Makefile",
    "*.yml",
    "docs/*.*",
    "docs/schedules/*",
    "dbt_package/**/*.*",
    "models/*",
    "benchmarks/*.*",
)

BANNED = {
    "whoever": r"\b[Ww]hoever\b",
    "whom": r"\b[Ww]hom\b",
    "in vain": r"\bin vain\b",
    "mend": r"\b[Mm]end(s|ed|ing)?\b",
    "be had": r"\b(be|been) had\b",
    "so many, at the start": r"(?:^|[.!?] )So many\b",
    "is told": r"\b(is|are|was|were|be|been) told\b",
    "drives": r"\b[Dd](rives?|rove|riving)\b",
    "put there": r"\b(puts?|putting) there\b",
    "take off a list": r"\b(takes?|took|taken|taking) (\w+ )?off\b",
    "talk": r"\b[Tt]alk(s|ed|ing)?\b",
    "stands": r"\b([Ss]tand(s|ing)?|[Ss]tood)\b(?!-in)",
    "anew": r"\b[Aa]new\b",
    "all the same": r"\ball the same\b",
    "otherwise called else": r"(?:^|[.!?;] )Else\b|(?:^|[.!?] )else\b|[,;] else (?!if\b)",
    "a sentence that begins with Of": r"(?:^|[.!?] )Of (?!course\b)[a-z]",
    "a sentence that begins with What": r"(?:^|[.!?] )What (?!(is|are|was|were|happens|does|did)\b[^.]*\?)",
    "a sentence that begins with Who": r"(?:^|[.!?] )Who (?!(is|are|was|were|may|can)\b[^.]*\?)",
}
PATTERNS = {name: re.compile(pattern) for name, pattern in BANNED.items()}
ANY_BANNED = re.compile("|".join(BANNED.values()))

SQL_MARK = re.compile(r"\s*--+\s*")
COMMENT_MARK = re.compile(r"\s*(--+|//+|\{#-?|/\*+|#+)\s*")
ITEM = re.compile(r"^\s*([-*]|\d+\.)\s+")


def without_marks(text: str, mark: re.Pattern[str]) -> str:
    """Return a text without the marks of its comments; a comment after code begins a sentence."""
    lines: list[str] = []
    was_comment = True
    for line in text.splitlines():
        found = mark.match(line)
        lines.append(
            line if not found else line[found.end() :] if was_comment else f". {line[found.end() :]}"
        )
        was_comment = found is not None
    return "\n".join(lines)


def strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the docstrings and string constants of a file, each with its line; f-strings in their parts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, without_marks(node.value, SQL_MARK)


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of a file, each with its line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


def names_of_tests(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the names of tests as sentences, without the word "test", each with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.removeprefix("test_").replace("_", " ").capitalize()


def paragraphs(source: str) -> Iterator[tuple[int, str]]:
    """Yield each paragraph, item and cell of a document, with its line; headings keep their mark."""
    text, began = "", 1
    for number, line in enumerate(source.splitlines(), start=1):
        if not line.strip() or ITEM.match(line) or line.startswith(("#", "|")):
            yield began, text
            text, began = "", number
        if line.startswith("|"):
            yield from ((number, cell) for cell in line.split("|"))
        else:
            text += " " + ITEM.sub("", line)
    yield began, text


def code_texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield each block of a template, a statement or a file of settings, without the marks of comments."""
    line = 1
    for block in re.split(r"(\n\s*\n)", source):
        yield line, without_marks(block, COMMENT_MARK)
        line += block.count("\n")


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a file that people read, each with its line."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from paragraphs(source) if path.suffix == ".md" else code_texts(source)
        return
    tree = ast.parse(source)
    yield from strings(tree)
    yield from comments(source)
    yield from names_of_tests(tree)


def banned_words(text: str) -> list[str]:
    """Return each banned word or beginning of a text, by its rule, with the words around it."""
    words = " ".join(text.split())
    if not ANY_BANNED.search(words):
        return []
    return [
        f"{name}: {words[max(match.start() - 30, 0) : match.end() + 30]}"
        for name, pattern in PATTERNS.items()
        for match in pattern.finditer(words)
    ]


def findings(path: Path) -> list[str]:
    """Return what a file says in words that are not plain, with its lines."""
    return [
        f"{path.relative_to(ROOT)}:{line}: {words}"
        for line, text in prose(path)
        for words in banned_words(text)
    ]


def room(path: Path) -> str:
    """Return the room of a file of the package, the folder of a test, or the name of a document."""
    relative = path.relative_to(ROOT)
    if relative.parts[0] == "tests":
        return "tests" if len(relative.parts) == TOP_LEVEL else f"tests/{relative.parts[1]}"
    return Path(relative.parts[1]).stem if relative.parts[0] == "reverse_etl" else relative.as_posix()


@cache
def sources() -> dict[str, list[Path]]:
    """Return the files of each room of the package and of each folder of tests, and each document."""
    rooms: dict[str, list[Path]] = {}
    package = sorted(path for path in (ROOT / "reverse_etl").rglob("*") if path.suffix in PACKAGE_TEXTS)
    tests = sorted({*(ROOT / "tests").rglob("*.py")} - {OWN_WORDS})
    documents = sorted({path for pattern in DOCUMENTS for path in ROOT.glob(pattern) if path.is_file()})
    for path in [*package, *tests, *documents]:
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
        "Who leaves is removed.",
        "The command stands on one line.",
        "The model drives it.",
        "The person is created anew.",
    ],
)
def test_a_banned_word_is_found(sentence: str) -> None:
    assert any(pattern.search(sentence) for pattern in PATTERNS.values())


def test_names_of_tests_and_comments_of_statements_are_read() -> None:
    source = 'def test_of_two_the_first_wins():\n    ask("""SELECT 1\n-- What is sent is proved.\n""")'
    tree = ast.parse(source)
    for texts in (names_of_tests(tree), strings(tree), code_texts("{#- So many rows. -#}")):
        assert [words for _, text in texts for words in banned_words(text)] != []


@pytest.mark.parametrize(
    "document",
    [
        "- Of two rows one is sent.",
        "| row | Of two rows one is sent. |",
        "A row.\nWhat it has is sent.",
        "* Who leaves.",
    ],
)
def test_each_item_and_cell_of_a_document_is_read(document: str) -> None:
    assert [words for _, text in paragraphs(document) for words in banned_words(text)] != []


@pytest.mark.parametrize(
    "sentence",
    [
        "Return None if there is no list, or else a list.",
        "What is uncertain? A row that was sent and not proved.",
        "Of course it is safe.",
        "A driven system, hidden rows, and a stand-in.",
        "Who is removed? Members that a run added.",
        "The amendment is recommended.",
    ],
)
def test_plain_sentences_pass(sentence: str) -> None:
    assert not [name for name, pattern in PATTERNS.items() if pattern.search(sentence)]
