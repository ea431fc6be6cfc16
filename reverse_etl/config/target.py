"""A target: the warehouse output that models read, and the Klaviyo destination that rows are sent to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.config.output_rules import output_rules
from reverse_etl.errors import Problem, UsageError
from reverse_etl.klaviyo.origin import KLAVIYO_ORIGIN
from reverse_etl.klaviyo.revision import API_REVISION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reverse_etl.config.journal import JournalSettings
    from reverse_etl.config.notify import Notify
    from reverse_etl.domain.engine import Engine
    from reverse_etl.klaviyo.private_key import PrivateKey


JOB_TIMEOUT_MINUTES: Final = 240


STATE_SCHEMA: Final = "REVERSE_ETL"
# Settings that models may read as `target.<name>`: those that dbt offers and that are never secret.
VISIBLE_SETTINGS: Final = ("threads", "path", "account", "user", "role", "warehouse", "host", "port")


@dataclass(frozen=True)
class Output:
    """The warehouse side of a target. `settings` are dbt's rendered keys and may hold secrets.

    `locations` holds the location in profiles.yml of some keys.
    """

    type: Engine
    settings: Mapping[str, Any] = field(repr=False)
    locations: Mapping[str, str] = field(default_factory=dict)

    @property
    def database(self) -> str:
        """Return the database in which dbt builds."""
        return output_rules(self.type).find_database(self.settings)

    @property
    def unreadable_databases(self) -> Mapping[str, str]:
        """Return the databases that dbt reads and no model can, in lower case, with what each of them is."""
        return output_rules(self.type).find_unreadable_databases(self.settings)

    @property
    def schema(self) -> str:
        """Return the schema in which dbt builds: the key `schema`, or dbt's default."""
        return str(self.settings.get("schema") or self.type.default_schema)


@dataclass(frozen=True)
class WarehouseOptions:
    """The keys of a destination that concern the warehouse; "" if a key is not configured.

    `state_path` is the state's file beside DuckDB; the other keys are names in a Snowflake account.
    """

    state_path: str = ""
    state_database: str = ""
    state_schema: str = ""
    sending_warehouse: str = ""


NO_WAREHOUSE_OPTIONS: Final = WarehouseOptions()


@dataclass(frozen=True)
class Destination:
    """The Klaviyo side of a target.

    `origin` is `https://a.klaviyo.com`, a loopback address `http://host:port`, or "" for an embedded sandbox.
    `key` is None if none is configured; `plan` needs none. `key_problem` then explains how to configure one.
    `lists` maps logical names to list ids. `shared_lists` are names and ids of lists into which other apps
    import, too. `notify` has the receivers of alerts. `unset_receivers` says which are left out, since a
    variable of the environment is not set: only a run needs them. `journal` is None if none is kept. With
    `skip_unchanged`, models are not read if nothing that they read has changed.
    """

    sandbox: bool
    origin: str
    key: PrivateKey | None
    api_revision: str = API_REVISION
    lists: Mapping[str, str] = field(default_factory=dict)
    create_lists: bool = False
    shared_lists: frozenset[str] = frozenset()
    job_timeout_minutes: int = JOB_TIMEOUT_MINUTES
    warehouse_options: WarehouseOptions = NO_WAREHOUSE_OPTIONS
    key_problem: Problem | None = None
    notify: Notify | None = None
    unset_receivers: tuple[Problem, ...] = ()
    journal: JournalSettings | None = None
    skip_unchanged: bool = False

    @property
    def embedded_sandbox(self) -> bool:
        """Return whether commands start a sandbox themselves, with its file in the project's folder."""
        return self.sandbox and not self.origin

    def require_key(self) -> PrivateKey:
        """Return the key. Raises UsageError, which explains how to configure one, if there is none."""
        if self.key is None:
            raise UsageError(self.key_problem or Problem("There is no private key for Klaviyo."))
        return self.key


@dataclass(frozen=True)
class Target:
    """The chosen target of a profile.

    `path` is the path of profiles.yml; `warnings` are whole sentences for people. `secret_variables` are the
    environment variables that models may not read: those that destinations and secret keys of outputs use.
    """

    profile: str
    name: str
    output: Output
    destination: Destination
    path: Path
    warnings: tuple[str, ...] = ()
    secret_variables: frozenset[str] = frozenset()

    @property
    def state_schema(self) -> str:
        """Return the schema of the state in a Snowflake database; a DuckDB state is a file."""
        return self.destination.warehouse_options.state_schema or STATE_SCHEMA

    @property
    def destination_id(self) -> str:
        """Return the key under which the state remembers the account: `prod/klaviyo`, `trial/sandbox`.

        A server at another address has the address: what one account has says nothing of another's.
        """
        origin = self.destination.origin
        kind = "klaviyo" if origin == KLAVIYO_ORIGIN else origin or "sandbox"
        return f"{self.name}/{kind}"
