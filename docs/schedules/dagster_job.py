# ruff: noqa: INP001 - a code location of Dagster's
"""Dagster: dbt, and when it has ended, the lists. Load it with `dagster dev -f dagster_job.py`."""

from __future__ import annotations

import subprocess

from dagster import (
    Definitions,
    Failure,
    In,
    Nothing,
    OpExecutionContext,
    RetryRequested,
    ScheduleDefinition,
    job,
    op,
)

PROJECT = "/srv/shop"
BUILD = ["dbt", "build", "--target", "prod"]
SEND = ["reverse-etl", "--log-format", "json", "run", "--target", "prod"]


@op
def build(context: OpExecutionContext) -> None:
    """Build; what fails is held back by the gate, so the lists have a turn in any case."""
    done = subprocess.run(BUILD, cwd=PROJECT, check=False)  # noqa: S603 - the command is above
    context.log.info("dbt exited with %s", done.returncode)


@op(ins={"built": In(Nothing)})
def send(context: OpExecutionContext) -> None:
    """Send what changed."""
    match subprocess.run(SEND, cwd=PROJECT, check=False).returncode:  # noqa: S603 - the command is above
        case 0:
            return
        case 1:
            context.log.warning("Finished; some rows need a look: reverse-etl status")
        case 2 | 3 as code:
            raise Failure(f"reverse-etl exited with {code}: this waits for someone.", allow_retries=False)
        case code:
            context.log.error("reverse-etl exited with %s: it is safe to run again.", code)
            raise RetryRequested(max_retries=3, seconds_to_wait=900)


@job
def lists() -> None:
    """Build, then send."""
    send(built=build())


definitions = Definitions(
    jobs=[lists],
    schedules=[ScheduleDefinition(job=lists, cron_schedule="15 6 * * *", execution_timezone="UTC")],
)
