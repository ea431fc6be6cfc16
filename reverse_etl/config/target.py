"""The frozen values of a target: which warehouse output is read, and which Klaviyo destination is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.errors import Problem, UsageError
from reverse_etl.klaviyo.origin import API_REVISION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reverse_etl.domain.engine import Engine
    from reverse_etl.klaviyo.private_key import PrivateKey


JOB_TIMEOUT_MINUTES: Final = 240


STATE_SCHEMA: Final = "REVERSE_ETL"


@dataclass(frozen=True)
class Output:
    """The warehouse side of a target: dbt's keys, rendered and left alone. They may hold secrets.

    `locations` says where in profiles.yml some of them stand.
    """

    type: Engine
    settings: Mapping[str, Any] = field(repr=False)
    locations: Mapping[str, str] = field(default_factory=dict)

    @property
    def database(self) -> str:
        """Return the database in which dbt builds: its own key, or as in dbt the name of the file."""
        configured = self.settings.get("database")
        if configured or not self.type.database_is_a_file:
            return str(configured or "")
        return PurePath(str(self.settings.get("path", ""))).stem

    @property
    def schema(self) -> str:
        """Return the schema in which dbt builds, dbt's own default if none is named."""
        return str(self.settings.get("schema") or self.type.default_schema)


@dataclass(frozen=True)
class Destination:
    """The Klaviyo side of a target.

    `origin` is `https://a.klaviyo.com`, a loopback `http://host:port`, or "" for a sandbox that starts by
    itself. `key` is None where none is given, which `plan` can do without; `key_problem` then says the ways
    to give one. `lists` maps logical names to list ids. `state_schema` is empty where none is given.
    """

    sandbox: bool
    origin: str
    key: PrivateKey | None
    api_revision: str = API_REVISION
    lists: Mapping[str, str] = field(default_factory=dict)
    create_lists: bool = False
    job_timeout_minutes: int = JOB_TIMEOUT_MINUTES
    state_schema: str = ""
    key_problem: Problem | None = None

    @property
    def embedded_sandbox(self) -> bool:
        """Return whether it is a sandbox that starts by itself, in the project's folder."""
        return self.sandbox and not self.origin

    def require_key(self) -> PrivateKey:
        """Return the key; raises UsageError that says the ways to give one where there is none."""
        if self.key is None:
            raise UsageError(self.key_problem or Problem("There is no private key for Klaviyo."))
        return self.key


@dataclass(frozen=True)
class Target:
    """The chosen target of a profile.

    `path` is its profiles.yml; `warnings` are whole sentences for people.
    """

    profile: str
    name: str
    output: Output
    destination: Destination
    path: Path
    warnings: tuple[str, ...] = ()

    @property
    def state_schema(self) -> str:
        """Return the schema of a Snowflake database in which the state lies; a DuckDB state is a file."""
        return self.destination.state_schema or STATE_SCHEMA

    @property
    def destination_id(self) -> str:
        """Return the target and where it sends: the account that one place has says nothing of another."""
        return f"{self.name} to {self.destination.origin or 'a sandbox of its own'}"
