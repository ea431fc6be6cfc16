"""Gold files are compared by default, and written only when asked for by name, outside of pipelines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gold import OPTION, Gold

ROOT = Path(__file__).parents[1]


def test_a_text_that_differs_fails_with_the_difference_and_changes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("ann\nbob\n")
    with pytest.raises(AssertionError, match=r"-bob\n\+cleo\n.*--update-gold"):
        Gold(update=False).check(path, "ann\ncleo\n")
    assert path.read_text() == "ann\nbob\n"


@pytest.mark.parametrize(
    ("kept", "text"), [("ann", "ann\n"), (None, ""), (None, "ann\n")], ids=["line end", "empty", "new"]
)
def test_no_difference_is_too_small(tmp_path: Path, kept: str | None, text: str) -> None:
    """A missing file is never equal, not even to an empty text; nor is another end of the last line."""
    path = tmp_path / "list.txt"
    if kept is not None:
        path.write_text(kept)
    with pytest.raises(AssertionError):
        Gold(update=False).check(path, text)
    assert path.exists() is (kept is not None)


def test_the_switch_writes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "list.txt"
    Gold(update=True).check(path, "ann\n")
    Gold(update=False).check(path, "ann\n")


@pytest.mark.parametrize(("environ", "code"), [({"CI": "true"}, 4), ({}, 0)], ids=["pipeline", "by hand"])
def test_a_pipeline_cannot_rewrite(environ: dict[str, str], code: int) -> None:
    own = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-m", "pytest", OPTION, "--collect-only", "-q", "-p", "no:cacheprovider"]
    ended = subprocess.run(
        [*command, str(Path(__file__).relative_to(ROOT))],
        cwd=ROOT,
        env=own | environ,
        check=False,
        capture_output=True,
    )
    assert ended.returncode == code, ended.stdout
