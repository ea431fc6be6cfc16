from __future__ import annotations

import fcntl
import os
import shutil

import pytest
from real_dbt import SHOP, dbt


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return the folder of the corner shop after `dbt build`, which takes seconds: look, don't change.

    Built once, by the first worker that comes.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder, ready = shared / "corner_shop", shared / "corner_shop.ready"
    with (shared / "corner_shop.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            shutil.copytree(SHOP, folder, dirs_exist_ok=True)
            dbt(folder, "deps")
            dbt(folder, "build")
            ready.touch()
    return folder


@pytest.fixture
def shop(built, tmp_path, monkeypatch):
    """Stand in a built corner shop of the test's own."""
    folder = tmp_path / "corner_shop"
    shutil.copytree(built, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder
