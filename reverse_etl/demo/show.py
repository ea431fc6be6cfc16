"""The demo: a shop's two days, played against a sandbox with the commands that a user would type."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.config.scaffold import flow
from reverse_etl.connections import SANDBOX_FILE
from reverse_etl.delivery.results import RunResult, counts
from reverse_etl.demo import shop
from reverse_etl.errors import UsageError
from reverse_etl.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reverse_etl.project import Project

PROFILES = """\
shop:
  target: trial
  outputs:
    trial: {output}
  destinations:
    trial: {{type: klaviyo, sandbox: true}}
"""


@dataclass(frozen=True)
class Line:
    """One list on day 2: members read back from the sandbox before and now, and what the run did in between.

    A customer whose e-mail changed is updated: her old row is superseded by her new one, and she stays the
    same member.
    """

    name: str
    before: int
    added: int
    updated: int
    removed: int
    rejected: int
    now: int


@dataclass(frozen=True)
class Stage:
    """How the demo shows itself: a heading, a project's plan, and a project's run with its result."""

    heading: Callable[[str], None]
    plan: Callable[[Project], None]
    run: Callable[[Project], RunResult]


def prepare(folder: Path, models: Path) -> None:
    """Make the demo's project anew in `folder`: models, profiles.yml, and no state.

    Raises UsageError where there are no models to show, or where the folder holds something that is not the
    demo's.
    """
    if not (models / "vip_customers.sql").exists():
        raise UsageError.of(
            f"The demo's models are not in {models}.",
            advice="Run the demo in a checkout of reverse_etl (make demo), or name them with --models.",
        )
    if folder.exists():
        if any(folder.iterdir()) and not _is_ours(folder):
            raise UsageError.of(
                f"The folder {folder} holds other files; the demo would remove them.",
                advice="Name another folder with --dir.",
            )
        shutil.rmtree(folder)
    (folder / "models").mkdir(parents=True)
    for path in sorted(models.glob("*.sql")):
        shutil.copyfile(path, folder / "models" / path.name)
    (folder / "profiles.yml").write_text(_profiles(folder), encoding="utf-8")


def _profiles(folder: Path) -> str:
    output = {"type": "duckdb", "path": str(folder / "shop.duckdb"), "schema": "main"}
    return PROFILES.format(output=flow(output))


def _is_ours(folder: Path) -> bool:
    """Return whether the demo made a folder: its profiles.yml is the demo's, word for word."""
    path = folder / "profiles.yml"
    return path.is_file() and path.read_text(encoding="utf-8", errors="replace") == _profiles(folder)


def play(folder: Path, stage: Stage, load: Callable[[], Project]) -> tuple[Line, ...]:
    """Play day 1, day 2 and a run with nothing to do.

    Returns what became of each list on day 2, read back from the sandbox.
    """
    warehouse = folder / "shop.duckdb"
    stage.heading("Day 1: dbt has built the shop's warehouse; nothing is in Klaviyo yet.")
    shop.build(warehouse, 1)
    stage.plan(load())
    stage.run(load())
    before = _members(folder)
    stage.heading("Day 2: customers came, went and changed.")
    shop.build(warehouse, 2)
    stage.plan(load())
    second = stage.run(load())
    stage.heading("Once more: nothing changed since, so nothing is sent.")
    stage.run(load())
    now = _members(folder)
    return tuple(
        Line(
            name=one.plan.list.name,
            before=before.get(one.plan.list.name, 0),
            added=one.plan.adds - counts(one)["superseded"],
            updated=one.plan.updates + counts(one)["superseded"],
            removed=counts(one)["removed"],
            rejected=counts(one)["rejected_by_checks"] + counts(one)["rejected"],
            now=now.get(one.plan.list.name, 0),
        )
        for one in second.lists
        if one.plan.list.name
    )


def _members(folder: Path) -> dict[str, int]:
    """Return the members of each list, as the sandbox itself counts them."""
    with Sandbox(folder / SANDBOX_FILE) as sandbox:
        return {one["name"]: one["members"] for one in sandbox.lists()}
