# ruff: noqa: INP001 - Airflow loads it from its DAGs folder
"""Airflow 3 with Cosmos: each dbt node is a task, and the lists follow them. Copy it to the DAGs folder.

Cosmos runs each node in a folder of its own and keeps no artifacts, so install the dbt package of
reverse-etl: it records the results in the warehouse. Cosmos and reverse-etl read the manifest of `dbt parse`.
"""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta
from pathlib import Path

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.sdk import dag, task
from cosmos import DbtTaskGroup, ProfileConfig, ProjectConfig

PROJECT = Path("/srv/shop")
PARSE = ["dbt", "parse", "--target", "prod"]
SEND = ["reverse-etl", "--log-format", "json", "run", "--target", "prod"]


@dag(
    schedule="15 6 * * *",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 - Airflow's own time zone
    catchup=False,
    max_active_runs=1,
)
def lists() -> None:
    """Parse, build, then send."""

    @task
    def parse() -> None:
        subprocess.run(PARSE, cwd=PROJECT, check=True)  # noqa: S603 - the command is above

    build = DbtTaskGroup(
        group_id="build",
        project_config=ProjectConfig(
            dbt_project_path=PROJECT, manifest_path=PROJECT / "target/manifest.json"
        ),
        profile_config=ProfileConfig(
            profile_name="shop", target_name="prod", profiles_yml_filepath=PROJECT / "profiles.yml"
        ),
    )

    # By its trigger rule it runs only if every task of dbt succeeded. With trigger_rule="all_done" the models
    # that read no failed node would be sent, but a dbt that left no results would go unnoticed.
    @task(
        retries=3,
        retry_delay=timedelta(minutes=15),
        execution_timeout=timedelta(hours=6),
    )
    def send() -> None:
        match subprocess.run(SEND, cwd=PROJECT, check=False).returncode:  # noqa: S603 - the command is above
            case 0:
                return
            case 1:
                print("Finished, but some rows need attention. Show them: reverse-etl status")  # noqa: T201 - the task's log
            case 2 | 3 as code:
                raise AirflowFailException(f"reverse-etl exited with {code}. Fix the cause first.")
            case code:
                raise AirflowException(f"reverse-etl exited with {code}: it is safe to run again.")

    parse() >> build >> send()


lists()
