"""The demo: two days of a shop, run against a sandbox with the same steps as a user's commands."""

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
    """One list on day 2: the members in the sandbox before and after the run, and the run's changes.

    A customer whose e-mail changed counts as updated: the new row replaces the old one, and the member stays.
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
    """Callbacks with which the demo prints a heading, a plan, and a run with its result."""

    show_heading: Callable[[str], None]
    show_plan: Callable[[Project], None]
    run_and_show: Callable[[Project], RunResult]


def prepare_project(folder: Path, models: Path) -> None:
    """Create the demo's project in `folder`, without state; an earlier demo there is deleted.

    Raises UsageError if `models` has no demo models, or if the folder holds files other than a demo's.
    """
    if not (models / "vip_customers.sql").exists():
        raise UsageError.of(
            f"The demo's models are not in {models}.",
            hint="Run the demo in a checkout of reverse-etl (make demo), or give the folder with --models.",
        )
    if folder.exists():
        if any(folder.iterdir()) and not _is_demo_folder(folder):
            raise UsageError.of(
                f"The folder {folder} holds other files, which the demo would delete.",
                hint="Choose another folder with --dir.",
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
    """Return whether the demo created the folder: its profiles.yml is exactly the demo's."""
    path = folder / "profiles.yml"
    return path.is_file() and path.read_text(encoding="utf-8", errors="replace") == _profiles_yaml(folder)


def play_days(
    folder: Path, presenter: DemoPresenter, load_project: Callable[[], Project]
) -> tuple[DemoListSummary, ...]:
    """Run day 1, day 2 and a third run without changes; return a summary of each list on day 2."""
    warehouse = folder / "shop.duckdb"
    presenter.show_heading("Day 1: dbt has built the shop's warehouse; Klaviyo is still empty.")
    shop.build_warehouse(warehouse, 1)
    presenter.show_plan(load_project())
    presenter.run_and_show(load_project())
    members_before = _count_members(folder)
    presenter.show_heading("Day 2: customers signed up, left and changed.")
    shop.build_warehouse(warehouse, 2)
    presenter.show_plan(load_project())
    day_two_result = presenter.run_and_show(load_project())
    presenter.show_heading("Third run: nothing changed, so nothing is sent.")
    presenter.run_and_show(load_project())
    members_now = _count_members(folder)
    return tuple(
        DemoListSummary(
            name=list_result.list_plan.list_ref.name,
            members_before=members_before.get(list_result.list_plan.list_ref.name, 0),
            added=list_result.list_plan.adds - collect_figures(list_result)["replaced"],
            updated=list_result.list_plan.updates + collect_figures(list_result)["replaced"],
            removed=collect_figures(list_result)["removed"],
            rejected=collect_figures(list_result)["rejected_by_check"]
            + collect_figures(list_result)["rejected_by_klaviyo"],
            members_now=members_now.get(list_result.list_plan.list_ref.name, 0),
        )
        for list_result in day_two_result.lists
        if list_result.list_plan.list_ref.name
    )


def _count_members(folder: Path) -> dict[str, int]:
    """Return the number of members of each list, as counted by the sandbox."""
    with Sandbox(folder / SANDBOX_FILE) as sandbox:
        return {sandbox_list["name"]: sandbox_list["members"] for sandbox_list in sandbox.lists()}
