from __future__ import annotations

import shutil

import pytest
from real_dbt import SHOP, dbt


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return the folder of the corner shop after `dbt build`, which takes seconds: look, don't change."""
    folder = tmp_path_factory.mktemp("dbt") / "corner_shop"
    shutil.copytree(SHOP, folder)
    dbt(folder, "deps")
    dbt(folder, "build")
    return folder


@pytest.fixture
def shop(built, tmp_path, monkeypatch):
    """Stand in a built corner shop of the test's own."""
    folder = tmp_path / "corner_shop"
    shutil.copytree(built, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder
