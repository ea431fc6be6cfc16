# ruff: noqa: INP001 - a code location of Dagster's
"""Dagster: dbt, and when it has ended, the lists. Load it with `dagster dev -f dagster_job.py`."""

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
    """Build, and return dbt's exit code: 1 where some nodes failed."""
    code = subprocess.run(BUILD, cwd=PROJECT, check=False).returncode  # noqa: S603 - the command is above
    if code not in {0, 1}:
        raise Failure(f"dbt exited with {code}: it left no results, so nothing is sent.", allow_retries=False)
    return code


@op
def send(context: OpExecutionContext, dbt_code: int) -> int:
    """Send what changed, and return dbt's exit code. The models that read a failed node are held back."""
    command = [*SEND, "--dbt-exit-code", str(dbt_code)]
    match subprocess.run(command, cwd=PROJECT, check=False).returncode:  # noqa: S603 - the command is above
        case 0:
            pass
        case 1:
            context.log.warning("Finished; some rows need a look: reverse-etl status")
        case 2 | 3 as code:
            raise Failure(f"reverse-etl exited with {code}: this waits for someone.", allow_retries=False)
        case code:
            context.log.error("reverse-etl exited with %s: it is safe to run again.", code)
            raise RetryRequested(max_retries=3, seconds_to_wait=900)
    return dbt_code


@op
def fail_if_dbt_failed(dbt_code: int) -> None:
    """Let the job end as failed where some of dbt's nodes failed."""
    if dbt_code != 0:
        raise Failure(f"dbt exited with {dbt_code}: see the op `build`.", allow_retries=False)


@job
def lists() -> None:
    """Build, then send, then say whether dbt failed."""
    fail_if_dbt_failed(send(build()))


definitions = Definitions(
    jobs=[lists],
    schedules=[ScheduleDefinition(job=lists, cron_schedule="15 6 * * *", execution_timezone="UTC")],
)
