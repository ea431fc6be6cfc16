# ruff: noqa: INP001 - Airflow loads it from its folder of DAGs
"""Airflow 3: dbt, and when it has ended, the lists. Put it into the folder of DAGs."""

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
    """Build, then send, then say whether dbt failed."""

    @task
    def build() -> int:
        code = subprocess.run(BUILD, cwd=PROJECT, check=False).returncode  # noqa: S603 - the command is above
        if code not in {0, 1}:
            raise AirflowFailException(f"dbt exited with {code}: it left no results, so nothing is sent.")
        return code

    @task(
        retries=3,
        retry_delay=timedelta(minutes=15),
        execution_timeout=timedelta(hours=6),
    )
    def send(dbt_code: int) -> None:
        # With 1, some of dbt's nodes failed. The models that read them are held back; the others go.
        command = [*SEND, "--dbt-exit-code", str(dbt_code)]
        match subprocess.run(command, cwd=PROJECT, check=False).returncode:  # noqa: S603 - the command is above
            case 0:
                return
            case 1:
                print("Finished; some rows need a look: reverse-etl status")  # noqa: T201 - the task's log
            case 2 | 3 as code:
                raise AirflowFailException(f"reverse-etl exited with {code}: this waits for someone.")
            case code:
                raise AirflowException(f"reverse-etl exited with {code}: it is safe to run again.")

    @task(trigger_rule="all_done")
    def fail_if_dbt_failed(dbt_code: int) -> None:
        if dbt_code != 0:
            raise AirflowFailException(f"dbt exited with {dbt_code}: see the task `build`.")

    code = build()
    send(code) >> fail_if_dbt_failed(code)


lists()
