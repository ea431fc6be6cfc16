# ruff: noqa: INP001 - a Dagster code location
"""Dagster with dagster-dbt: dbt's models as assets, and the lists as an asset that follows them.

dagster-dbt gives each command a target folder of its own, so install the dbt package of reverse-etl: it
records the results in the warehouse. Load it with `dagster dev -f dagster_dbt_assets.py`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetExecutionContext,
    AssetSelection,
    Definitions,
    Failure,
    RetryRequested,
    ScheduleDefinition,
    asset,
    define_asset_job,
)
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path("/srv/shop")
SEND = ["reverse-etl", "--log-format", "json", "run", "--target", "prod"]
project = DbtProject(project_dir=PROJECT, target="prod")


@dbt_assets(manifest=project.manifest_path)
def shop(context: AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """Build. If a node fails, or dbt ends before it runs one, the asset fails and the lists are not sent."""
    yield from dbt.cli(["build"], context=context).stream()


@asset(deps=[shop])
def lists(context: AssetExecutionContext) -> None:
    """Send what changed."""
    match subprocess.run(SEND, cwd=PROJECT, check=False).returncode:  # noqa: S603 - the command is above
        case 0:
            return
        case 1:
            context.log.warning("Finished, but some rows need attention. Show them: reverse-etl status")
        case 2 | 3 as code:
            raise Failure(f"reverse-etl exited with {code}. Fix the cause first.", allow_retries=False)
        case code:
            context.log.error("reverse-etl exited with %s. It is safe to run again.", code)
            raise RetryRequested(max_retries=3, seconds_to_wait=900)


every_morning = define_asset_job("every_morning", AssetSelection.all())
definitions = Definitions(
    assets=[shop, lists],
    resources={"dbt": DbtCliResource(project_dir=project)},
    schedules=[ScheduleDefinition(job=every_morning, cron_schedule="15 6 * * *", execution_timezone="UTC")],
)
