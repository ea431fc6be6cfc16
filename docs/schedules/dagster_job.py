# ruff: noqa: INP001 - a Dagster code location
"""Dagster: runs dbt, then sends the lists. Load it with `dagster dev -f dagster_job.py`."""

from __future__ import annotations

import subprocess

from dagster import (
    Definitions,
    Failure,
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
def build() -> int:
    """Build, and return dbt's exit code: 1 if some nodes failed."""
    code = subprocess.run(BUILD, cwd=PROJECT, check=False).returncode  # noqa: S603 - the command is above
    if code not in {0, 1}:
        raise Failure(
            f"dbt exited with {code} and wrote no results, so nothing is sent.", allow_retries=False
        )
    return code


@op
def send(context: OpExecutionContext, dbt_code: int) -> int:
    """Send what changed; return dbt's exit code. If a model reads a failed node, the gate stops the run."""
    command = [*SEND, "--dbt-exit-code", str(dbt_code)]
    match subprocess.run(command, cwd=PROJECT, check=False).returncode:  # noqa: S603 - the command is above
        case 0:
            pass
        case 1:
            context.log.warning("Finished, but some rows need attention. Show them: reverse-etl status")
        case 2 | 3 as code:
            raise Failure(f"reverse-etl exited with {code}. Fix the cause first.", allow_retries=False)
        case code:
            context.log.error("reverse-etl exited with %s. It is safe to run again.", code)
            raise RetryRequested(max_retries=3, seconds_to_wait=900)
    return dbt_code


@op
def fail_if_dbt_failed(dbt_code: int) -> None:
    """Fail the job if some dbt nodes failed."""
    if dbt_code != 0:
        raise Failure(f"dbt exited with {dbt_code}: see the op `build`.", allow_retries=False)


@job
def lists() -> None:
    """Build, send, then fail if dbt failed."""
    fail_if_dbt_failed(send(build()))


definitions = Definitions(
    jobs=[lists],
    schedules=[ScheduleDefinition(job=lists, cron_schedule="15 6 * * *", execution_timezone="UTC")],
)
