"""The demo: a shop's two days, played against a sandbox with the commands that a user would type."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.config.scaffold import format_flow_mapping
from reverse_etl.connections import SANDBOX_FILE
from reverse_etl.delivery.results import RunResult, collect_figures
from reverse_etl.demo import shop
from reverse_etl.errors import UsageError
from reverse_etl.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reverse_etl.project import Project

PROFILES_TEMPLATE = """\
shop:
  target: trial
  outputs:
    trial: {output}
  destinations:
    trial: {{type: klaviyo, sandbox: true}}
"""


@dataclass(frozen=True)
class DemoListSummary:
    """One list on day 2: members read back from the sandbox before and now, and what the run did in between.

    A customer whose e-mail changed is updated: her old row is superseded by her new one, and she stays the
    same member.
    """

    name: str
    members_before: int
    added: int
    updated: int
    removed: int
    rejected: int
    members_now: int


@dataclass(frozen=True)
class DemoPresenter:
    """How the demo shows itself: a heading, a project's plan, and a project's run with its result."""

    show_heading: Callable[[str], None]
    show_plan: Callable[[Project], None]
    run_and_show: Callable[[Project], RunResult]


def prepare_project(folder: Path, models: Path) -> None:
    """Make the demo's project anew in `folder`: models, profiles.yml, and no state.

    Raises UsageError where there are no models to show, or where the folder holds something that is not the
    demo's.
    """
    if not (models / "vip_customers.sql").exists():
        raise UsageError.of(
            f"The demo's models are not in {models}.",
            hint="Run the demo in a checkout of reverse_etl (make demo), or name them with --models.",
        )
    if folder.exists():
        if any(folder.iterdir()) and not _is_demo_folder(folder):
            raise UsageError.of(
                f"The folder {folder} holds other files; the demo would remove them.",
                hint="Name another folder with --dir.",
            )
        shutil.rmtree(folder)
    (folder / "models").mkdir(parents=True)
    for path in sorted(models.glob("*.sql")):
        shutil.copyfile(path, folder / "models" / path.name)
    (folder / "profiles.yml").write_text(_profiles_yaml(folder), encoding="utf-8")


def _profiles_yaml(folder: Path) -> str:
    output = {"type": "duckdb", "path": str(folder / "shop.duckdb"), "schema": "main"}
    return PROFILES_TEMPLATE.format(output=format_flow_mapping(output))


def _is_demo_folder(folder: Path) -> bool:
    """Return whether the demo made a folder: its profiles.yml is the demo's, word for word."""
    path = folder / "profiles.yml"
    return path.is_file() and path.read_text(encoding="utf-8", errors="replace") == _profiles_yaml(folder)


def play_days(
    folder: Path, presenter: DemoPresenter, load_project: Callable[[], Project]
) -> tuple[DemoListSummary, ...]:
    """Play day 1, day 2 and a run with nothing to do.

    Returns what became of each list on day 2, read back from the sandbox.
    """
    warehouse = folder / "shop.duckdb"
    presenter.show_heading("Day 1: dbt has built the shop's warehouse; nothing is in Klaviyo yet.")
    shop.build_warehouse(warehouse, 1)
    presenter.show_plan(load_project())
    presenter.run_and_show(load_project())
    members_before = _count_members(folder)
    presenter.show_heading("Day 2: customers came, went and changed.")
    shop.build_warehouse(warehouse, 2)
    presenter.show_plan(load_project())
    day_two_result = presenter.run_and_show(load_project())
    presenter.show_heading("Once more: nothing changed since, so nothing is sent.")
    presenter.run_and_show(load_project())
    members_now = _count_members(folder)
    return tuple(
        DemoListSummary(
            name=list_result.list_plan.list_ref.name,
            members_before=members_before.get(list_result.list_plan.list_ref.name, 0),
            added=list_result.list_plan.adds - collect_figures(list_result)["superseded"],
            updated=list_result.list_plan.updates + collect_figures(list_result)["superseded"],
            removed=collect_figures(list_result)["removed"],
            rejected=collect_figures(list_result)["rejected_by_checks"]
            + collect_figures(list_result)["rejected"],
            members_now=members_now.get(list_result.list_plan.list_ref.name, 0),
        )
        for list_result in day_two_result.lists
        if list_result.list_plan.list_ref.name
    )


def _count_members(folder: Path) -> dict[str, int]:
    """Return the members of each list, as the sandbox itself counts them."""
    with Sandbox(folder / SANDBOX_FILE) as sandbox:
        return {sandbox_list["name"]: sandbox_list["members"] for sandbox_list in sandbox.lists()}
