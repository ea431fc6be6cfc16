# ruff: noqa: INP001 - Airflow loads it from its DAGs folder
"""Airflow 3: runs dbt, then sends the lists. Copy it to the DAGs folder."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.sdk import dag, task

PROJECT = "/srv/shop"
BUILD = ["dbt", "build", "--target", "prod"]
SEND = ["reverse-etl", "--log-format", "json", "run", "--target", "prod"]


@dag(
    schedule="15 6 * * *",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - Airflow's own time zone
    catchup=False,
    max_active_runs=1,
)
def lists() -> None:
    """Build, send, then fail if dbt failed."""

    @task
    def build() -> int:
        code = subprocess.run(BUILD, cwd=PROJECT, check=False).returncode  # noqa: S603 - the command is above
        if code not in {0, 1}:
            raise AirflowFailException(f"dbt exited with {code} and wrote no results, so nothing is sent.")
        return code

    @task(
        retries=3,
        retry_delay=timedelta(minutes=15),
        execution_timeout=timedelta(hours=6),
    )
    def send(dbt_code: int) -> None:
        # Exit code 1: some dbt nodes failed. If a model reads one of them, the gate stops the run.
        command = [*SEND, "--dbt-exit-code", str(dbt_code)]
        match subprocess.run(command, cwd=PROJECT, check=False).returncode:  # noqa: S603 - the command is above
            case 0:
                return
            case 1:
                print("Finished, but some rows need attention. Show them: reverse-etl status")  # noqa: T201 - the task's log
            case 2 | 3 as code:
                raise AirflowFailException(f"reverse-etl exited with {code}. Fix the cause first.")
            case code:
                raise AirflowException(f"reverse-etl exited with {code}: it is safe to run again.")

    @task(trigger_rule="all_done")
    def fail_if_dbt_failed(dbt_code: int) -> None:
        if dbt_code != 0:
            raise AirflowFailException(f"dbt exited with {dbt_code}: see the task `build`.")

    code = build()
    send(code) >> fail_if_dbt_failed(code)


lists()
