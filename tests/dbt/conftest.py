from __future__ import annotations

import fcntl
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.dbt.real_dbt import SHOP, add_package, break_people, dbt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the corner shop after `dbt build`, which takes seconds: look, don't change."""
    return build_once(tmp_path_factory, "corner_shop", lambda _: None)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a corner shop that has our dbt package, after `dbt build`: look, don't change."""
    return build_once(tmp_path_factory, "recorded_shop", add_package)


@pytest.fixture(scope="session")
def failed(tmp_path_factory: pytest.TempPathFactory, recorded: Path) -> Path:
    """Return a recorded corner shop after another build, in which `people` failed: look, don't change."""

    def break_copy(folder: Path) -> None:
        shutil.copytree(recorded, folder, symlinks=True, dirs_exist_ok=True)
        break_people(folder)

    return build_once(tmp_path_factory, "failed_shop", break_copy, fails=True)


def build_once(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    prepare: Callable[[Path], None],
    *,
    fails: bool = False,
) -> Path:
    """Return the folder of a shop, prepared and built once, by the first worker that comes."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder, ready = shared / name, shared / f"{name}.ready"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            shutil.copytree(SHOP, folder, dirs_exist_ok=True)
            prepare(folder)
            if not (folder / "dbt_packages").exists():
                dbt(folder, "deps")
            dbt(folder, "build", fails=fails)
            ready.touch()
    return folder


@pytest.fixture
def shop(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a built corner shop of the test's own."""
    return own_copy(built, tmp_path, monkeypatch)


@pytest.fixture
def recorded_shop(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a built corner shop of the test's own that has our dbt package."""
    return own_copy(recorded, tmp_path, monkeypatch)


@pytest.fixture
def failed_shop(failed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a corner shop of the test's own with our dbt package, in which `people` failed."""
    return own_copy(failed, tmp_path, monkeypatch)


def own_copy(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy a built shop, and change to the copy."""
    folder = tmp_path / "corner_shop"
    shutil.copytree(built, folder, symlinks=True)
    monkeypatch.chdir(folder)
    return folder
