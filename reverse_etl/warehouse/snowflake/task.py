"""A Snowflake task that runs the job inside the account, by Snowpark Container Services. Pure.

By Snowflake's SQL reference: CREATE TASK, EXECUTE JOB SERVICE, CREATE NETWORK RULE, CREATE SECRET, CREATE
EXTERNAL ACCESS INTEGRATION and CREATE COMPUTE POOL, and the specification reference of container services.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml

from reverse_etl.domain.engine import Engine
from reverse_etl.errors import UsageError
from reverse_etl.klaviyo.private_key import KEY_VARIABLE
from reverse_etl.warehouse.snowflake.tasks import count_threads

if TYPE_CHECKING:
    from reverse_etl.config.target import Target

_IDENTIFIER = re.compile(r'[A-Za-z_][A-Za-z0-9_$]*|"([^"]|"")+"')
_TOKEN_PATH: Final = "/snowflake/session/token"  # noqa: S105 - where Snowflake puts one, none itself
_TIMEOUT_HOURS: Final = 6

_SQL_TEMPLATE: Final = """\
-- The job inside Snowflake: a task starts a container that may reach Klaviyo and nothing else.
-- Written from target {target} of profile {profile}. Before you run it:
--   1. put the key where it says so, in a worksheet that is not kept;
--   2. run `dbt parse`, build docs/schedules/Dockerfile with your project in it but without run_results.json,
--      and push it to the image repository; again with each change of the project. dbt's results are read
--      from the table of the dbt package, so install that;
--   3. let the target in the image's profiles.yml sign in by the token that Snowflake gives the container:
{output}
{trigger_comment}
-- A role that may create roles, integrations and compute pools runs the first part; {role} owns the second.

USE ROLE ACCOUNTADMIN;
CREATE TRANSIENT SCHEMA IF NOT EXISTS {schema} DATA_RETENTION_TIME_IN_DAYS = 1;
CREATE IMAGE REPOSITORY IF NOT EXISTS {schema}.IMAGES;
CREATE OR REPLACE NETWORK RULE {schema}.KLAVIYO_API
  MODE = EGRESS TYPE = HOST_PORT VALUE_LIST = ('a.klaviyo.com:443');
CREATE SECRET IF NOT EXISTS {schema}.KLAVIYO_KEY
  TYPE = GENERIC_STRING SECRET_STRING = 'put the private key in here';
CREATE OR REPLACE EXTERNAL ACCESS INTEGRATION REVERSE_ETL_KLAVIYO
  ALLOWED_NETWORK_RULES = ({schema}.KLAVIYO_API)
  ALLOWED_AUTHENTICATION_SECRETS = ({schema}.KLAVIYO_KEY)
  ENABLED = TRUE;
CREATE COMPUTE POOL IF NOT EXISTS REVERSE_ETL_POOL
  MIN_NODES = 1 MAX_NODES = 1 INSTANCE_FAMILY = CPU_X64_XS
  AUTO_RESUME = TRUE AUTO_SUSPEND_SECS = 60 INITIALLY_SUSPENDED = TRUE;
{database_grants}
GRANT USAGE, CREATE TABLE, CREATE SERVICE ON SCHEMA {schema} TO ROLE {role};
GRANT USAGE, CREATE TASK ON SCHEMA {tasks} TO ROLE {role};
GRANT READ ON IMAGE REPOSITORY {schema}.IMAGES TO ROLE {role};
GRANT READ ON SECRET {schema}.KLAVIYO_KEY TO ROLE {role};
GRANT USAGE ON INTEGRATION REVERSE_ETL_KLAVIYO TO ROLE {role};
GRANT USAGE, MONITOR ON COMPUTE POOL REVERSE_ETL_POOL TO ROLE {role};
GRANT USAGE ON WAREHOUSE {warehouse} TO ROLE {role};
GRANT EXECUTE TASK ON ACCOUNT TO ROLE {role};

USE ROLE {role};
-- A job's name is kept for a while after it has ended, so the first task drops the last one.
CREATE OR REPLACE TASK {tasks}.REVERSE_ETL_CLEAR
  WAREHOUSE = {warehouse}
  {trigger}
  AS DROP SERVICE IF EXISTS {schema}.REVERSE_ETL_JOB;
CREATE OR REPLACE TASK {tasks}.REVERSE_ETL_RUN
  WAREHOUSE = {warehouse}
  USER_TASK_TIMEOUT_MS = {timeout}
  AFTER {tasks}.REVERSE_ETL_CLEAR
  AS EXECUTE JOB SERVICE
  IN COMPUTE POOL REVERSE_ETL_POOL
  NAME = {schema}.REVERSE_ETL_JOB
  EXTERNAL_ACCESS_INTEGRATIONS = (REVERSE_ETL_KLAVIYO)
  FROM SPECIFICATION $$
{specification}$$;
ALTER TASK {tasks}.REVERSE_ETL_RUN RESUME;
ALTER TASK {tasks}.REVERSE_ETL_CLEAR RESUME;
"""


# A task with a predecessor has no schedule and starts when the predecessor has succeeded. All tasks of a
# graph lie in one schema and have one owner ("Task graphs").
_AFTER_CLAUSE: Final = "AFTER {after}"
_AFTER_COMMENT: Final = """\
-- The job follows the task {after}, which builds with dbt, for example:
--   CREATE OR REPLACE TASK {after} WAREHOUSE = {warehouse} SCHEDULE = 'USING CRON 15 6 * * * UTC'
--     AS EXECUTE DBT PROJECT {tasks}.SHOP ARGS = 'build --target {target}';
-- {role} has to own it too. If it fails, the job does not run. Suspend it while you run this."""
_CRON_CLAUSE: Final = "SCHEDULE = 'USING CRON 15 6 * * * UTC'\n  ALLOW_OVERLAPPING_EXECUTION = FALSE"
_CRON_COMMENT: Final = """\
-- The job has a time of its own. If a task of Snowflake builds with dbt, let the job follow it instead:
--   reverse-etl init --schedule snowflake --after DATABASE.SCHEMA.TASK"""


def render_snowflake_task(target: Target, after: str | None = None) -> str:
    """Return the SQL for a target's database, warehouse and role, without secrets.

    `after` is the full name of a task, such as one that builds with dbt, which the job follows. Raises
    UsageError if the target is not Snowflake, or lacks one of the three, or `after` is no such name.
    """
    output, where = target.output, f"{target.profile}.outputs.{target.name}"
    if output.type is not Engine.SNOWFLAKE:
        raise UsageError.of(
            f"A Snowflake task runs a target of Snowflake, and {target.name} is {output.type}.",
            where=where,
            hint="Name the target with --target.",
        )
    missing = [key for key in ("database", "warehouse", "role") if not output.settings.get(key)]
    if missing:
        raise UsageError.of(
            f"The target has no {' and no '.join(missing)}, which a task needs.",
            where=where,
            hint="Write it beside the other keys of the output.",
        )
    database = _quote_identifier(str(output.settings["database"]))
    state_database = target.destination.warehouse_options.state_database
    state_container = _quote_identifier(state_database) if state_database else database
    schema = f"{state_container}.{_quote_identifier(target.state_schema)}"
    role = _quote_identifier(str(output.settings["role"]))
    names = {
        "after": after,
        "tasks": _schema_of(after) if after else schema,
        "target": target.name,
        "role": role,
        "warehouse": _quote_identifier(str(output.settings["warehouse"])),
    }
    return _SQL_TEMPLATE.format(
        trigger=(_AFTER_CLAUSE if after else _CRON_CLAUSE).format(**names),
        trigger_comment=(_AFTER_COMMENT if after else _CRON_COMMENT).format(**names),
        **names,
        profile=target.profile,
        output=_comment_lines(yaml.safe_dump({target.name: _output_inside_account(target)}, sort_keys=False)),
        database_grants="\n".join(
            f"GRANT USAGE ON DATABASE {name} TO ROLE {role};"
            for name in dict.fromkeys((database, state_container))
        ),
        schema=schema,
        timeout=_TIMEOUT_HOURS * 3_600_000,
        specification=yaml.safe_dump(_specification(schema, target.name), sort_keys=False),
    )


def _schema_of(task: str) -> str:
    """Return the database and schema of a task's full name. Raises UsageError if it is none."""
    parts = re.fullmatch(
        rf"((?:{_IDENTIFIER.pattern})\.(?:{_IDENTIFIER.pattern}))\.(?:{_IDENTIFIER.pattern})", task
    )
    if parts is None:
        raise UsageError.of(
            f"{task} is not the full name of a task.", where="--after", hint="Write DATABASE.SCHEMA.TASK."
        )
    return parts[1]


def _specification(schema: str, target: str) -> dict[str, object]:
    secret = {
        "snowflakeSecret": {"objectName": f"{schema}.KLAVIYO_KEY"},
        "secretKeyRef": "secret_string",
        "envVarName": KEY_VARIABLE,
    }
    repository = schema.replace(".", "/").replace('"', "").lower()
    container = {
        "name": "main",
        "image": f"/{repository}/images/reverse_etl:latest",
        "args": ["--log-format", "json", "run", "--target", target],
        "secrets": [secret],
        "resources": {"requests": {"memory": "1Gi", "cpu": 0.5}, "limits": {"memory": "2Gi", "cpu": 1}},
    }
    return {"spec": {"containers": [container]}}


def _output_inside_account(target: Target) -> dict[str, str | int]:
    """Return the output of profiles.yml for use inside the account."""
    copied = {key: str(target.output.settings[key]) for key in ("role", "warehouse", "database")}
    threads = (
        {"threads": count_threads(target.output.settings)} if "threads" in target.output.settings else {}
    )
    return {
        "type": "snowflake",
        "account": "{{ env_var('SNOWFLAKE_ACCOUNT') }}",
        "host": "{{ env_var('SNOWFLAKE_HOST') }}",
        "authenticator": "oauth",
        "token_file_path": _TOKEN_PATH,
        **copied,
        **threads,
        "schema": target.output.schema,
    }


def _comment_lines(text: str) -> str:
    return "\n".join(f"--        {line}" for line in text.splitlines())


def _quote_identifier(name: str) -> str:
    doubled = name.replace('"', '""')
    return name if _IDENTIFIER.fullmatch(name) else f'"{doubled}"'
