"""One measurement, in a process of its own: `python child.py WHAT FOLDER PORT`.

Prints what it found as one line of JSON. `floor`: DuckDB to tuples, to bodies, to POSTs; nothing else. `run`:
a whole run of the project. `start`: what every run does before it looks at a row. `join`: a bare join of the
warehouse's keys with the snapshot's.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

THREADS = 8  # requests in flight, of the floor and of the run


def floor(folder: Path, port: int) -> dict[str, float]:
    """Send all rows as fast as the parts allow: no state, no checks, no diff."""
    import http.client  # noqa: PLC0415 - a measurement imports what it needs, and nothing of the others'
    import threading  # noqa: PLC0415
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    import duckdb  # noqa: PLC0415
    import orjson  # noqa: PLC0415
    from shop import COLUMNS, SELECT, WAREHOUSE  # noqa: PLC0415

    here = threading.local()
    permits = threading.Semaphore(THREADS)

    def post(body: bytes) -> None:
        if not hasattr(here, "connection"):
            here.connection = http.client.HTTPConnection("127.0.0.1", port)
        here.connection.request(
            "POST", "/api/profile-bulk-import-jobs", body, {"Content-Type": "application/json"}
        )
        here.connection.getresponse().read()
        permits.release()

    with (
        duckdb.connect(str(folder / WAREHOUSE), read_only=True) as connection,
        ThreadPoolExecutor(THREADS) as executor,
    ):
        rows = connection.execute(SELECT.format(table="customers"))
        names = COLUMNS[2:]
        while batch := rows.fetchmany(10_000):
            profiles = [
                {
                    "type": "profile",
                    "attributes": {
                        "email": email,
                        "external_id": str(id_),
                        "properties": dict(zip(names, rest, strict=True)),
                    },
                }
                for email, id_, *rest in batch
            ]
            body = orjson.dumps({"data": {"attributes": {"profiles": {"data": profiles}}}}, default=float)
            permits.acquire()
            executor.submit(post, body)
    return {}


def run(folder: Path, port: int) -> dict[str, float]:
    """Run the project, unpaced."""
    del port  # it is in the project's profiles.yml
    from reverse_etl.cli import reduce_gc_frequency  # noqa: PLC0415

    reduce_gc_frequency()  # as the command line does, before it imports the rest
    from dataclasses import replace  # noqa: PLC0415

    from reverse_etl.klaviyo.endpoints import RateLimit  # noqa: PLC0415
    from reverse_etl.project import Project  # noqa: PLC0415

    unpaced = RateLimit(1_000_000, 1_000_000)
    project = replace(Project.load(folder, threads=THREADS), rate_limit_for=lambda _: unpaced)
    result = project.run()
    if result.exit_code != 0:
        raise SystemExit(str(result.lists))
    return {"sent": sum(sum(one.outcomes.values()) for one in result.lists)}


def start(folder: Path, port: int) -> dict[str, float]:
    """Do what every run begins with: import, compile, open the state, ask for the account."""
    del port
    import reverse_etl.run  # noqa: F401, PLC0415 - which imports the steps of a run
    from reverse_etl.project import Project  # noqa: PLC0415

    project = Project.load(folder, threads=THREADS)
    ways = project.connections
    with ways.warehouse(read_only=False) as warehouse, ways.klaviyo(dry_run=False) as klaviyo:
        assert klaviyo is not None  # noqa: S101 - for the type
        ways.state(warehouse, klaviyo.get_account().id)
    return {}


def join(folder: Path, port: int) -> dict[str, float]:
    """Join the keys of the two tables, and count."""
    del port
    import duckdb  # noqa: PLC0415
    from shop import STATE, WAREHOUSE  # noqa: PLC0415

    with duckdb.connect() as connection:
        for file, name in ((WAREHOUSE, "warehouse"), (STATE, "state")):
            connection.execute(f"ATTACH '{folder / file}' AS {name} (READ_ONLY)")
        tables = connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY table_name").fetchall()
        snapshot = next(name for (name,) in tables if name.startswith("snapshot_"))
        begun, begun_cpu = time.perf_counter(), time.process_time()
        connection.execute(
            f"SELECT COUNT(*) FROM warehouse.customers AS d "
            f"FULL OUTER JOIN state.{snapshot} AS k ON d.email = k.retl_email"
        ).fetchall()
        return {"inner": time.perf_counter() - begun, "inner_cpu": time.process_time() - begun_cpu}


def peak_bytes() -> int:
    """Return the most memory that this process had. On Linux, getrusage's figure may be its parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    what, folder_, port_ = sys.argv[1:]
    found = {"floor": floor, "run": run, "start": start, "join": join}[what](Path(folder_), int(port_))
    print(json.dumps({**found, "peak": peak_bytes(), "cpu": time.process_time()}))
    if what == "run":
        from reverse_etl.cli.output.streams import exit_now

        exit_now(0)  # as the command line does
