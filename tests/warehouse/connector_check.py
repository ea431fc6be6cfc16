"""Prints what the job sees through the installed connector, as JSON.

Each environment's Python runs it, and the outputs are compared.
`python -m tests.warehouse.connector_check PORT DATABASE`, in the repository's folder.
"""

from __future__ import annotations

import json
import sys
import warnings
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

import requests

from reverse_etl.clock import SystemClock
from reverse_etl.domain.deltas import Op
from reverse_etl.errors import ReverseEtlError, SessionLost
from reverse_etl.state import State, StateScope, open_state
from reverse_etl.warehouse.snowflake import Snowflake
from reverse_etl.warehouse.statement import Statement, TableName
from tests.warehouse.insert_rows import insert

TYPES = (
    "a number(10,2), b float, c boolean, d date, e time, f timestamp_ntz, g timestamp_tz, h variant, "
    "i object, j binary, k varchar, l number(38,0)"
)
VALUES = (
    "1.50, 0.1, true, '2026-01-02', '03:04:05', '2026-01-02 03:04:05.678', '2026-01-02 03:04:05+00', "
    "parse_json('{\"x\": [1, null]}'), object_construct('y', 1), to_binary('DEADBEEF', 'HEX'), '漢字 🙂', "
    "9007199254740993"
)

EVERYTHING = TableName("everything", temporary=False)


def told(error: ReverseEtlError) -> list[str]:
    """Return what an error says, without what names a version."""
    return [type(error).__name__, *(problem.hint for problem in error.problems)]


def refused(warehouse: Snowflake, text: str) -> list[str]:
    """Return what is said of a statement that can't be run."""
    try:
        warehouse.execute(Statement.read(text))
    except ReverseEtlError as error:
        return told(error)
    raise AssertionError(text)


def after_the_end(warehouse: Snowflake, port: int, user: str) -> list[object]:
    """Return what a session can do that was ended by the stand-in: nothing in a transaction, then all."""
    seen: list[object] = []
    for work in (warehouse.transaction, nullcontext):
        with suppress(SessionLost), work():
            url = f"http://127.0.0.1:{port}/control/expire"
            requests.post(url, json={"user": user}, timeout=10)
            seen.append([list(row) for row in warehouse.fetch(Statement.read("SELECT 1"))])
        seen.append(work is nullcontext)
    return seen


def main(port: int, database: str) -> None:
    """Do what a run does, and print what came of it."""
    settings: dict[str, Any] = {
        "account": "acc",
        "user": "CHECKED",
        "password": "dummy-password",
        "host": "127.0.0.1",
        "port": port,
    }
    settings |= {"protocol": "http", "database": database, "schema": "MARTS"}
    warehouse = Snowflake(settings, read_only=False, threads=4)
    open_state(warehouse, SystemClock())
    with State(warehouse, StateScope("acc", "shop"), SystemClock()).hold_lease():
        warehouse.execute(Statement.create(EVERYTHING, f"CREATE TABLE everything ({TYPES})"))
        warehouse.execute(Statement.insert(EVERYTHING, f"INSERT INTO everything SELECT {VALUES}"))
        warehouse.execute(Statement.insert(EVERYTHING, "INSERT INTO everything (k) VALUES (?)", (None,)))
        insert(warehouse, "runs", [(f"r{n}", "é", "", "x", "x", None, None, n) for n in range(5)])
        with warehouse.transaction():
            insert(warehouse, "targets", [("shop", "prod", "acc")])
        kept = warehouse.dialect.state_table("runs")
        seen = {
            "described": [repr(column) for column in warehouse.describe("SELECT * FROM everything")],
            "rows": [
                repr(row) for row in warehouse.fetch(Statement.read("SELECT * FROM everything ORDER BY a"))
            ],
            "batches": [
                [list(row) for row in batch]
                for batch in warehouse.stream(
                    Statement.read(f"SELECT * FROM {kept} WHERE run_id > ? ORDER BY 1", ("r0",)), 3
                )
            ],
            "a member of an enum": [
                list(row) for row in warehouse.fetch(Statement.read("SELECT ?", (Op.ADD,)))
            ],
            "rows of tasks that run at the same time": [
                [list(row) for row in rows]
                for rows in warehouse.run_each(
                    [partial(warehouse.fetch, Statement.read(f"SELECT {number}")) for number in range(6)]
                )
            ],
            "missing": refused(warehouse, "SELECT * FROM nowhere"),
            "wrong": refused(warehouse, "SELEC 1"),
            "columns": list(warehouse.state_columns("lease")),
            "after the session ended": after_the_end(warehouse, port, settings["user"]),
        }
    warehouse.close()
    print(json.dumps(seen))  # noqa: T201 - that is its answer


if __name__ == "__main__":
    warnings.simplefilter("error")
    main(int(sys.argv[1]), sys.argv[2])
