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
    """Build, then send."""

    @task
    def build() -> None:
        subprocess.run(BUILD, cwd=PROJECT, check=True)  # noqa: S603 - the command is above

    @task(
        retries=3,
        retry_delay=timedelta(minutes=15),
        execution_timeout=timedelta(hours=6),
        # What dbt could not build is held back by the gate, so the lists have a turn in any case.
        trigger_rule="all_done",
    )
    def send() -> None:
        match subprocess.run(SEND, cwd=PROJECT, check=False).returncode:  # noqa: S603 - the command is above
            case 0:
                return
            case 1:
                print("Finished; some rows need a look: reverse-etl status")  # noqa: T201 - the task's log
            case 2 | 3 as code:
                raise AirflowFailException(f"reverse-etl exited with {code}: this waits for someone.")
            case code:
                raise AirflowException(f"reverse-etl exited with {code}: it is safe to run again.")

    build() >> send()


lists()
