"""A project, its warehouse and a Klaviyo stand-in on a clock on which only waiting takes time."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from reverse_etl.project import Project
from reverse_etl.sandbox import Sandbox
from reverse_etl.surfaces.catalog import find_surface
from tests.clocks import OtherClock, QuickClock
from tests.core.files import opened
from tests.core.invariants import check_accounts, check_journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from reverse_etl.delivery.results import ListResult, RunResult
    from reverse_etl.planning.plan import Plan
    from reverse_etl.sandbox import Fault, LoggedRequest
    from reverse_etl.sandbox.rules import Rules

PrepareWorld: TypeAlias = "Callable[[Callable[[World], object]], World]"
KEY = "pk_test"
MINUTE = 60.0


class Interrupted(BaseException):
    """The process dies here, as far as the job can tell: it is no error that the job could catch."""


@dataclass(frozen=True)
class SavedWorld:
    """A folder with copies of a world's files and its account, and what else the world knew."""

    folder: Path
    time: float
    destination: Mapping[str, Any]
    rules: Rules


class World:
    """A folder with models, a DuckDB warehouse and a sandbox. Close it in the end."""

    def __init__(
        self,
        folder: Path,
        *,
        create_lists: bool = True,
        lists: Mapping[str, str] | None = None,
        klaviyo_ahead: float = 0.0,
        **rules: Any,
    ) -> None:
        self.folder = folder
        self.clock = QuickClock(start=time.time(), tick=0.001)  # as for commands in the same folder
        self.klaviyo_clock = OtherClock(self.clock, klaviyo_ahead)
        self.path = folder / "shop.duckdb"
        self._stack = ExitStack()
        rules = {"limits": False, "job_seconds": 0.5, "account_seed": "core", **rules}
        self.sandbox = self._stack.enter_context(Sandbox(None, clock=self.klaviyo_clock, **rules))
        (folder / "models").mkdir(parents=True)
        self.destination = {"create_lists": create_lists, "lists": dict(lists or {})}
        self.sql("CREATE TABLE nothing (x INT)")

    def save(self, folder: Path) -> SavedWorld:
        """Copy the world, which has run, to a folder that does not exist yet."""
        shutil.copytree(self.folder, folder)
        with closing(sqlite3.connect(folder / "account.sqlite")) as copy:
            self.sandbox._account.store._db.backup(copy)
        return SavedWorld(folder, self.clock.now(), dict(self.destination), self.sandbox._account.rules)

    @classmethod
    def load(cls, saved: SavedWorld, folder: Path) -> World:
        """Make a world that goes on from where a world was saved."""
        world = cls(folder)
        world.clock.leap(saved.time - world.clock.now())
        shutil.copytree(saved.folder, folder, dirs_exist_ok=True)
        with closing(sqlite3.connect(folder / "account.sqlite")) as copy:
            copy.backup(world.sandbox._account.store._db)
        world.sandbox._account.rules = saved.rules
        world.destination = dict(saved.destination)
        world.profile()  # the sandbox has another port, under which the state remembers the account
        with opened(folder / "shop.reverse_etl.duckdb") as connection:
            connection.execute("UPDATE targets SET destination_id = ?", [f"trial/{world.sandbox.origin}"])
        return world

    def close(self) -> None:
        """Stop the sandbox."""
        self._stack.close()

    def profile(self, **changes: Any) -> None:
        """Write profiles.yml, with changes of the destination that stay."""
        self.destination |= changes
        destination = {
            "type": "klaviyo",
            "origin": self.sandbox.origin,
            "private_api_key": KEY,
            **self.destination,
        }
        output = {"type": "duckdb", "path": str(self.path), "threads": 1}
        shop = {"target": "trial", "outputs": {"trial": output}, "destinations": {"trial": destination}}
        (self.folder / "profiles.yml").write_text(yaml.safe_dump({"shop": shop}))

    def model(self, name: str, select: str, **config: Any) -> None:
        """Write a model; by default of the surface list_memberships and the list 'Members'."""
        config = {"surface": "list_memberships"} | config
        surface = find_surface(config["surface"])
        if surface and surface.has_list and not {"list", "list_id", "list_column"} & config.keys():
            config["list"] = "Members"
        arguments = ", ".join(f"{key}={value!r}" for key, value in config.items())
        (self.folder / "models" / f"{name}.sql").write_text(f"{{{{ config({arguments}) }}}}\n{select}\n")

    def drop_model(self, name: str) -> None:
        """Delete a model's file."""
        (self.folder / "models" / f"{name}.sql").unlink()

    def sql(self, *statements: str) -> None:
        """Change the warehouse, as dbt would."""
        with opened(self.path) as connection:
            for statement in statements:
                connection.execute(statement)

    def people(self, rows: Iterable[Mapping[str, Any]], table: str = "people", columns: str = "") -> None:
        """Replace a table of people.

        `columns` are its columns with types; by default all text, as the rows name them.
        """
        rows = [*rows]
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = columns or ", ".join(f'"{name}" VARCHAR' for name in names)
        with opened(self.path) as connection:
            connection.execute(f"CREATE OR REPLACE TABLE {table} ({columns})")
            if rows:
                marks = ", ".join("?" for _ in names)
                listed = ", ".join(f'"{name}"' for name in names)
                values = [[row.get(name) for name in names] for row in rows]
                connection.begin()
                connection.executemany(f"INSERT INTO {table} ({listed}) VALUES ({marks})", values)
                connection.commit()

    def project(self, **options: Any) -> Project:
        """Load the project afresh, as every start of the command line does."""
        if not (self.folder / "profiles.yml").exists():
            self.profile()
        self.wait(1.0)  # the ids of two runs begin with the seconds at which they started
        options = {"threads": 4, "environ": {}, **options}
        return Project.load(self.folder, clock=self.clock, **options)

    def plan(self, **options: Any) -> Plan:
        """Return the plan."""
        return self.project().plan(**options)

    def run(self, **options: Any) -> RunResult:
        """Run, and check that every row is accounted for."""
        result = self.project().run(**options)
        check_accounts(result)
        if self.destination.get("journal"):
            query = (
                "select model, list_id, outcome, count(*) from journal where run_id = '{}' group by 1, 2, 3"
            )
            check_journal(result, self.state(query.format(result.run_id)))
        return result

    def dies(self, at: Callable[[Any], bool], **options: Any) -> bool:
        """Run, and die at the first event that `at` picks. Return whether it came to that."""

        def tell(event: Any) -> None:
            if at(event):
                raise Interrupted

        try:
            self.run(on_progress=tell, **options)
        except Interrupted:
            return True
        return False

    def members(self, name: str = "Members") -> list[dict[str, Any]]:
        """Return who is on a list, after every import has ended."""
        self.sandbox.finish_jobs()
        return self.sandbox.members(name)

    def emails(self, name: str = "Members") -> list[str]:
        """Return the e-mails on a list, in order."""
        return sorted(str(member["email"]) for member in self.members(name))

    def person(self, email: str) -> dict[str, Any]:
        """Return the one profile with this e-mail."""
        (profile_found,) = [profile for profile in self.sandbox.profiles() if profile["email"] == email]
        return profile_found

    def list_id(self, name: str = "Members") -> str:
        """Return a list's id."""
        (list_id,) = [listed["id"] for listed in self.sandbox.lists() if listed["name"] == name]
        return str(list_id)

    def fault(self, *faults: Fault) -> None:
        """Let the sandbox go wrong."""
        for fault in faults:
            self.sandbox.add_fault(fault)

    def calm(self) -> None:
        """Let faults stop and open imports end."""
        self.sandbox.clear_faults()
        self.sandbox.finish_jobs()

    def writes(self) -> list[LoggedRequest]:
        """Return the requests so far that were no GETs."""
        return [entry for entry in self.sandbox.log() if entry.method != "GET"]

    def wait(self, seconds: float = 2 * MINUTE) -> None:
        """Let time pass on the clock of both sides."""
        self.clock.leap(seconds)

    def by_hand(self, method: str, path: str, document: Any = None) -> Any:
        """Send a request as some other app of the account would, and return the reply's document."""
        import requests  # noqa: PLC0415 - few tests need another app

        headers = {"Authorization": "Klaviyo-API-Key pk_other", "revision": "2026-10-15"}
        reply = requests.request(
            method, self.sandbox.origin + path, json=document, headers=headers, timeout=10
        )
        assert reply.status_code < 300, reply.text
        return reply.json() if reply.content else None

    def new_profile(self, **attributes: Any) -> str:
        """Create a profile by hand and return its id."""
        document = {"data": {"type": "profile", "attributes": attributes}}
        return str(self.by_hand("POST", "/api/profiles", document)["data"]["id"])

    def new_list(self, name: str = "Members") -> str:
        """Create a list by hand and return its id."""
        document = {"data": {"type": "list", "attributes": {"name": name}}}
        return str(self.by_hand("POST", "/api/lists", document)["data"]["id"])

    def put_on_list(self, list_id: str, *ids: str) -> None:
        """Put profiles on a list by hand."""
        document = {"data": [{"type": "profile", "id": id_} for id_ in ids]}
        self.by_hand("POST", f"/api/lists/{list_id}/relationships/profiles", document)

    def take_off_list(self, email: str, name: str = "Members") -> None:
        """Take somebody off a list by hand."""
        document = {"data": [{"type": "profile", "id": self.person(email)["id"]}]}
        self.by_hand("DELETE", f"/api/lists/{self.list_id(name)}/relationships/profiles", document)

    def rename(self, email: str, /, **attributes: Any) -> None:
        """Change somebody's profile by hand."""
        id_ = self.person(email)["id"]
        document = {"data": {"type": "profile", "id": id_, "attributes": attributes}}
        self.by_hand("PATCH", f"/api/profiles/{id_}", document)

    def state(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the state file."""
        with opened(self.folder / "shop.reverse_etl.duckdb", read_only=True) as connection:
            return connection.execute(query).fetchall()

    def forget_keys(self, table_key: str, *keys: str) -> None:
        """Lose rows of a model's snapshot, all of them if no key is named: a part of the state is lost."""
        condition = f"WHERE retl_identity IN ({', '.join(map(repr, keys))})" if keys else ""
        with opened(self.folder / "shop.reverse_etl.duckdb") as connection:
            connection.execute(f"DELETE FROM snapshot_{table_key} {condition}")


def once_at(kind: type, call: Callable[[], object]) -> Callable[[Any], None]:
    """Return a listener that calls something at the first event of a kind."""
    calls = [call]

    def tell(event: Any) -> None:
        if isinstance(event, kind) and calls:
            calls.pop()()

    return tell


def only_list(result: RunResult, model: str | None = None) -> ListResult:
    """Return the result of the only list, or of a model's only list."""
    (list_result,) = [listed for listed in result.lists if model in {None, listed.model}]
    return list_result
