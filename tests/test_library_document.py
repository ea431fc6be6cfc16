"""The examples of docs/library.md work as written, one after another, in a project with a sandbox."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cli.command_line import CommandLine

if TYPE_CHECKING:
    import pytest

DOCUMENT = Path(__file__).parents[1] / "docs" / "library.md"


def test_the_examples_of_the_library_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli = CommandLine(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    examples = parser.get_doctest(
        DOCUMENT.read_text(encoding="utf-8"), {}, "library", str(DOCUMENT), lineno=0
    )
    report: list[str] = []
    results = runner.run(examples, out=report.append)
    cli.close()
    assert not results.failed, "".join(report)
    assert results.attempted > 15
