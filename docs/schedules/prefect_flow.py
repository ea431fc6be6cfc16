# ruff: noqa: INP001 - Prefect runs it as a script
"""Prefect 3: runs dbt, then sends the lists. Serve it with `python prefect_flow.py`."""

from __future__ import annotations

import subprocess
from typing import Any

from prefect import flow, get_run_logger, task

PROJECT = "/srv/shop"
BUILD = ["dbt", "build", "--target", "prod"]
SEND = ["reverse-etl", "--log-format", "json", "run", "--target", "prod"]


class WaitsForSomeone(Exception):  # noqa: N818 - says what happened
    """A failure that a retry does not fix."""


def is_worth_a_retry(task: Any, run: Any, state: Any) -> bool:
    """Return whether a retry may fix the failure."""
    del task, run
    try:
        state.result()
    except WaitsForSomeone:
        return False
    except Exception:  # noqa: BLE001 - whatever else it was
        return True
    return True


@task
def build() -> int:
    """Build, and return dbt's exit code: 1 if some nodes failed."""
    code = subprocess.run(BUILD, cwd=PROJECT, check=False).returncode  # noqa: S603 - the command is above
    if code not in {0, 1}:
        raise WaitsForSomeone(f"dbt exited with {code} and wrote no results, so nothing is sent.")
    return code


@task(retries=3, retry_delay_seconds=900, retry_condition_fn=is_worth_a_retry, timeout_seconds=6 * 3600)
def send(dbt_code: int) -> None:
    """Send what changed. If a model reads a failed node, the gate stops the run."""
    command = [*SEND, "--dbt-exit-code", str(dbt_code)]
    match subprocess.run(command, cwd=PROJECT, check=False).returncode:  # noqa: S603 - the command is above
        case 0:
            return
        case 1:
            get_run_logger().warning("Finished, but some rows need attention. Show them: reverse-etl status")
        case 2 | 3 as code:
            raise WaitsForSomeone(f"reverse-etl exited with {code}. Fix the cause first.")
        case code:
            raise RuntimeError(f"reverse-etl exited with {code}: it is safe to run again.")


@flow
def lists() -> None:
    """Build, send, then fail if dbt failed."""
    dbt_code = build()
    send(dbt_code)
    if dbt_code != 0:
        raise WaitsForSomeone(f"dbt exited with {dbt_code}: see the task `build`.")


if __name__ == "__main__":
    lists.serve(name="every-morning", cron="15 6 * * *")
