"""The wheel: it holds every file of the package, and works from a folder where no source lies."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import duckdb
import pytest

from reverse_etl import __version__

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "reverse_etl"
SOURCES = ("pyproject.toml", "README.md", "LICENSE")
PROFILES = """
shop:
  target: local
  outputs:
    local: {type: duckdb, path: shop.duckdb, schema: main}
  destinations:
    local: {type: klaviyo, sandbox: true}
"""
MODEL = "{{ config(surface='list_memberships', list='VIP customers') }} SELECT email FROM vips"
SANDBOX_PAGE = """
from pathlib import Path
from urllib.request import urlopen
import reverse_etl
from reverse_etl.sandbox import Sandbox
print(reverse_etl.__file__)
with Sandbox(Path("klaviyo_sandbox.sqlite")) as sandbox:
    print(urlopen(sandbox.origin, timeout=10).read().decode())
"""

IMPORT_ALL = """
import importlib, pkgutil
import reverse_etl
for module in pkgutil.walk_packages(reverse_etl.__path__, "reverse_etl."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
        print(module.name)
"""


def pip(*arguments: str | Path) -> None:
    """Run pip without a network."""
    command = [sys.executable, "-m", "pip", *map(str, arguments), "--quiet", "--no-deps", "--no-index"]
    subprocess.run(command, check=True, timeout=200)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel built from a copy of the sources, so that the build leaves nothing beside them."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "copy"
    shutil.copytree(PACKAGE, copy / "reverse_etl", ignore=shutil.ignore_patterns("__pycache__"))
    for name in SOURCES:
        shutil.copy(ROOT / name, copy)
    pip("wheel", copy, "--no-build-isolation", "--wheel-dir", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """Return a folder with the wheel installed in it."""
    folder = wheel.parent / "installed"
    pip("install", wheel, "--target", folder)
    return folder


def run_python(installed: Path, project: Path, *arguments: str) -> str:
    """Run Python with the installed package in a project's folder; return its stdout."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    """Templates, styles and the typing marker too: a missing one fails only far from the sources."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("reverse_etl/")}
    files = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == files
    assert {Path(name).suffix for name in files} >= {".py", ".j2", ".css", ".js", ".typed"}


def test_an_installed_wheel_imports_every_module_and_answers(installed: Path, tmp_path: Path) -> None:
    """From a folder without sources; `--version` and `--help` come from the installed package."""
    modules = run_python(installed, tmp_path, "-c", IMPORT_ALL).split()
    assert "reverse_etl.cli" in modules
    program = str(installed / "bin" / "reverse-etl")
    assert run_python(installed, tmp_path, program, "--version").strip().endswith(__version__)
    assert "Usage: reverse-etl" in run_python(installed, tmp_path, program, "--help")


def test_an_installed_wheel_runs_a_model_and_renders_both_pages(installed: Path, tmp_path: Path) -> None:
    """The run, its report and the sandbox's page need the files that are not Python."""
    (tmp_path / "profiles.yml").write_text(PROFILES, encoding="utf-8")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "vip.sql").write_text(MODEL, encoding="utf-8")
    with duckdb.connect(tmp_path / "shop.duckdb") as warehouse:
        warehouse.execute("CREATE TABLE vips AS SELECT 'ann@example.com' AS email")
    program = str(installed / "bin" / "reverse-etl")
    run_python(installed, tmp_path, program, "run")
    report = run_python(installed, tmp_path, program, "report", "--out", "-")
    sandbox = run_python(installed, tmp_path, "-c", SANDBOX_PAGE)
    assert sandbox.startswith(str(installed))
    for page in (report, sandbox):
        assert "VIP customers" in page
        assert "--ground: #f6f5f2" in page


def test_no_python_is_shut_out_by_an_upper_bound() -> None:
    """With an upper bound, an installer on a newer Python takes an old version of the package instead."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11"
