"""Opening the state, and what can be asked of it before its owner is known."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from reverse_etl.errors import UsageError
from reverse_etl.sql import ledger, schema

if TYPE_CHECKING:
    from reverse_etl.warehouse import Warehouse


def open_state(warehouse: Warehouse) -> None:
    """Create or check the tables that all models share.

    Raises UsageError when a newer version of the job wrote them.
    """
    dialect = warehouse.dialect
    if not warehouse.kept_columns("meta"):
        with warehouse.transaction() if dialect.creates_in_transactions else nullcontext():
            for statement in schema.create_shared(dialect):
                warehouse.execute(statement)
        return
    ((version,),) = warehouse.fetch(schema.version(dialect))
    if version > schema.VERSION:
        raise UsageError.of(
            f"The state was written by a newer reverse_etl: version {version}; "
            f"this one knows {schema.VERSION}.",
            where="table meta of the state",
            advice="Upgrade reverse_etl here.",
        )


def last_account(warehouse: Warehouse, project: str, target: str) -> str | None:
    """Return the Klaviyo account that a target's last run was sent to, for a plan without a key."""
    rows = warehouse.fetch(ledger.last_account(warehouse.dialect, project, target))
    return str(rows[0][0]) if rows else None
