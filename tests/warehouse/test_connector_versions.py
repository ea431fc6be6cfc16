"""Connector 4.8, which dbt-snowflake has, and 5.x, on another core: the job sees the same through both."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import snowflake.connector

from tests.warehouse.snowflake_accounts import PYTHON, ROOT, new_database

if TYPE_CHECKING:
    from pathlib import Path

    from tests.warehouse.snowflake_accounts import Server


def seen_by(python: Path | str, server: Server) -> dict[str, object]:
    """Return what one environment's connector shows."""
    command = [python, "-m", "tests.warehouse.connector_check", str(server.port), new_database()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_both_versions_of_the_connector_show_the_same(server: Server) -> None:
    """The stand-in's environment has 4.8, ours the newest within the bounds; warnings are errors in both."""
    versions = subprocess.run(
        [PYTHON, "-c", "import snowflake.connector; print(snowflake.connector.__version__)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert versions.startswith("4.")
    assert snowflake.connector.__version__.startswith("5.")
    theirs, ours = seen_by(PYTHON, server), seen_by(sys.executable, server)
    assert theirs == ours
    assert ours["after the session ended"] == [False, [[1]], True]
