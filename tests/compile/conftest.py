from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

PROFILES = """\
shop:
  target: trial
  outputs:
    trial: {type: duckdb, path: shop.duckdb, schema: main}
    prod:
      type: snowflake
      account: ab12345
      database: ANALYTICS
      schema: MARTS
  destinations:
    trial: {type: klaviyo, sandbox: true}
    prod: {type: klaviyo}
"""


class Folder:
    """The current folder of a test, into which it writes the user's files."""

    def __init__(self, path: Path):
        self.path = path

    def write(self, files):
        """Write the files, a text by its path each; leading blanks common to all lines are left out."""
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Stand in a fresh folder."""
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path)


@pytest.fixture
def project(folder):
    """Stand in a project that has a profile and no models yet."""
    folder.write({"profiles.yml": PROFILES})
    return folder
