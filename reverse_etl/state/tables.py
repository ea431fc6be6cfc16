"""The tables that the state lies in, as one owner sees them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.timestamps import format_epoch_seconds
from reverse_etl.state.sql import ledger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reverse_etl.clock import Clock
    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.interface import Row, Warehouse
    from reverse_etl.warehouse.statement import Statement


@dataclass(frozen=True)
class StateScope:
    """Whose state is meant: a Klaviyo account, and a project that sends to it."""

    account: str
    project: str

    @property
    def key(self) -> tuple[str, str]:
        """Return the account and the project, by which every shared table is keyed."""
        return (self.account, self.project)

    def table_key(self, model: str) -> str:
        """Return the end of the names of a model's tables.

        The same in every run, another for another account or project.
        """
        digest = hashlib.sha256("\0".join((*self.key, model)).encode()).hexdigest()[:8]
        return f"{re.sub('[^a-z0-9]+', '_', model.lower())}_{digest}"


@dataclass(frozen=True)
class StateTables:
    """The state's tables in one warehouse, and what to write into them: whose, and when.

    One thread speaks to them. Everything raises WarehouseError when the warehouse fails.
    """

    warehouse: Warehouse
    scope: StateScope
    clock: Clock

    @property
    def dialect(self) -> Dialect:
        """Return how statements are written here."""
        return self.warehouse.dialect

    def now(self) -> str:
        """Return the time as it is kept."""
        return format_epoch_seconds(self.clock.now())

    def fetch(self, statement: Statement) -> list[Row]:
        """Return all rows of a small result, in its order."""
        return self.warehouse.fetch(statement)

    def execute(self, *statements: Statement) -> None:
        """Run statements in turn, each committed at once."""
        for statement in statements:
            self.warehouse.execute(statement)

    def commit(self, statements: Iterable[Statement]) -> None:
        """Run statements in turn, and commit them as one, or nothing of them."""
        with self.warehouse.transaction():
            self.execute(*statements)


def last_account(warehouse: Warehouse, project: str, destination_id: str) -> str | None:
    """Return the Klaviyo account that a target's last run was sent to, for a plan without a key."""
    rows = warehouse.fetch(ledger.select_last_account(warehouse.dialect, project, destination_id))
    return str(rows[0][0]) if rows else None
