"""The tutorial works as written: its files, its commands in order, and what they print."""

from __future__ import annotations

import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

from tests.cli.process import run_program

PAGE = (Path(__file__).parents[1] / "docs" / "tutorial.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"(?:^`(?P<file>[\w/.]+)`\n\n)?^```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    environ = {"PATH": "", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    codes = []
    for block in _BLOCK.finditer(PAGE):
        if block["file"]:
            (tmp_path / "models" / "first_list.sql").unlink(missing_ok=True)
            (tmp_path / block["file"]).write_text(block["text"], encoding="utf-8")
        for command, expected in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", block["text"], re.MULTILINE):
            program, *arguments = command.split()
            if program == "python":
                subprocess.run([sys.executable, *arguments], cwd=tmp_path, check=True)
                continue
            ended = run_program(arguments, tmp_path, environ)
            codes.append(ended.code)
            errors = re.findall(r"^error .*", ended.err, re.MULTILINE)
            assert all(error in PAGE for error in errors[:1]), errors
            assert _matches(ended.out, expected), f"{command}\n{ended.out}\n{ended.err}"
    assert codes == [0, 0, 0, 0, 0, 1, 0, 0, 3, 0]


def _matches(printed: str, expected: str) -> bool:
    """Return whether the lines are as the page has them; `...` is any text. No lines: anything."""
    plain = "\n".join(line.rstrip() for line in printed.splitlines())
    pattern = re.sub(r"([\[*?])", r"[\1]", expected.rstrip("\n")).replace("...", "*")
    return not expected or fnmatchcase(plain, pattern)
