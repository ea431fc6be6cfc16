"""Opens the state: creates its tables, checks their version, and migrates those of an earlier one.

A migration makes a copy of the state first, then changes table by table, and raises the version last. If a
process is killed between any two statements, the next one continues. A session that may not write migrates a
temporary copy.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reverse_etl.domain.progress import StateMigrated
from reverse_etl.errors import StateUnreadable
from reverse_etl.state.lease import Lease
from reverse_etl.state.sql import migrations, schema
from reverse_etl.state.tables import StateScope, StateTables, reading
from reverse_etl.warehouse.model_tables import MODEL_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.clock import Clock
    from reverse_etl.domain.progress import ProgressHandler
    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.statement import Statement

_MIGRATION_SCOPE = StateScope(
    "", ""
)  # of no project; a migration holds its lease too, even before the first run


@dataclass(frozen=True)
class _Meta:
    """The row of `meta`; `version` is None if there is no state yet."""

    version: int | None
    migrating_to: int | None = None
    backup: str | None = None


def open_state(warehouse: Warehouse, clock: Clock, on_progress: ProgressHandler | None = None) -> None:
    """Create, check or migrate the tables that all models share.

    Raises StateUnreadable if a newer version of the program wrote them, or began to migrate them;
    WarehouseError while another process uses a state that has to be migrated.
    """
    meta = _read_meta(warehouse)
    if meta.version is None:
        with warehouse.schema_transaction():
            for statement in schema.create_shared_tables(warehouse.dialect):
                warehouse.execute(statement)
        return
    newest = max(meta.version, meta.migrating_to or 0)
    if newest > schema.STATE_VERSION:
        raise StateUnreadable.of(
            f"The state was written by a newer reverse-etl: version {newest}; "
            f"this one knows {schema.STATE_VERSION}.",
            where="table meta of the state",
            hint="Upgrade reverse-etl here. Nothing was changed.",
        )
    if meta.version == schema.STATE_VERSION:
        return
    if warehouse.read_only:
        _migrate_copy(warehouse, meta.version)
        return
    with _hold_leases(warehouse, clock) as leases:
        meta = _read_meta(warehouse)  # another process may have migrated it before the lease was ours
        if meta.version is not None and meta.version < schema.STATE_VERSION:
            backup = _migrate(warehouse, clock, meta, leases)
            if on_progress:
                on_progress(StateMigrated(meta.version, schema.STATE_VERSION, backup))


def _migrate(warehouse: Warehouse, clock: Clock, meta: _Meta, leases: Sequence[Lease]) -> str:
    """Migrate a state whose leases are held; return where its copy is."""
    version, backup = meta.version or 0, meta.backup or ""
    if not (meta.migrating_to and backup):
        time = datetime.fromtimestamp(clock.now(), UTC)
        backup = warehouse.back_up_state(_list_tables(warehouse, version), f"v{version}_{time:%Y%m%dT%H%M%S}")
    with warehouse.schema_transaction():
        warehouse.execute(migrations.mark_migrating(warehouse.dialect, schema.STATE_VERSION, backup))
        _change_tables(warehouse, version, leases)
        for lease in leases:
            lease.renew_or_raise()
        warehouse.execute(migrations.raise_version(warehouse.dialect, schema.STATE_VERSION))
    return backup


def _migrate_copy(warehouse: Warehouse, version: int) -> None:
    """Migrate a copy of the state, which a session that may not write uses from then on."""
    warehouse.copy_state(_list_tables(warehouse, version))
    with warehouse.schema_transaction():
        warehouse.execute(migrations.mark_migrating(warehouse.dialect, schema.STATE_VERSION, None))
        _change_tables(warehouse, version, ())
        warehouse.execute(migrations.raise_version(warehouse.dialect, schema.STATE_VERSION))


def _change_tables(warehouse: Warehouse, version: int, leases: Sequence[Lease]) -> None:
    """Bring the shared tables to the current version; skip what an interrupted migration has changed."""
    for next_version in range(version + 1, schema.STATE_VERSION + 1):
        _execute(warehouse, migrations.create_new_tables(warehouse.dialect, next_version), leases)
        for change in migrations.CHANGES_BY_VERSION[next_version]:
            columns = _column_names(warehouse, change.old_name or change.name)
            if change.is_pending(columns, migrations.later_columns(change.name, next_version)):
                _execute(warehouse, migrations.change_table(warehouse.dialect, change), leases)
        for old_name, name in _model_table_names(warehouse, next_version):
            if warehouse.state_columns(old_name):
                _execute(warehouse, migrations.rename_model_table(warehouse.dialect, name, old_name), leases)
        _execute(warehouse, migrations.change_values(warehouse.dialect, next_version), leases)


def _execute(warehouse: Warehouse, statements: Sequence[Statement], leases: Sequence[Lease]) -> None:
    for statement in statements:
        for lease in leases:
            lease.renew_if_due()
        warehouse.execute(statement)


@reading("meta")
def _read_meta(warehouse: Warehouse) -> _Meta:
    columns = _column_names(warehouse, "meta")
    if not columns:
        return _Meta(None)
    ((version, migrating_to, backup),) = warehouse.fetch(migrations.select_meta(warehouse.dialect, columns))
    return _Meta(int(version), migrating_to and int(migrating_to), backup)


def _column_names(warehouse: Warehouse, table: str) -> list[str]:
    return [name.lower() for name in warehouse.state_columns(table)]


def _model_table_names(warehouse: Warehouse, version: int) -> list[tuple[str, str]]:
    """Return the names before a version of the models' own tables that it renames, each with the new name."""
    renamed = migrations.RENAMED_MODEL_TABLES_BY_VERSION[version]
    if not renamed:
        return []
    table_keys = warehouse.fetch(migrations.select_table_keys(warehouse.dialect))
    return [(f"{old}_{key}", f"{new}_{key}") for (key,) in table_keys for old, new in renamed.items()]


def _list_tables(warehouse: Warehouse, version: int) -> list[str]:
    """Return the names of all tables of a state of a version, `meta` last.

    Some have their new name already if a migration was interrupted.
    """
    table_keys = [key for (key,) in warehouse.fetch(migrations.select_table_keys(warehouse.dialect))]
    versions = range(version + 1, schema.STATE_VERSION + 1)
    changes = [change for later in versions for change in migrations.CHANGES_BY_VERSION[later]]
    renamed = [name for later in versions for name in migrations.RENAMED_MODEL_TABLES_BY_VERSION[later]]
    names = [
        *(f"{name}_{key}" for key in table_keys for name in (*MODEL_TABLES, *renamed)),
        *(change.name for change in changes if change.old_name),
        *migrations.TABLES_BY_VERSION[version],
    ]
    return [name for name in names if warehouse.state_columns(name)]


@contextmanager
def _hold_leases(warehouse: Warehouse, clock: Clock) -> Iterator[Sequence[Lease]]:
    """Hold the leases of all accounts and projects of this state, so that no run of any version uses it."""
    if warehouse.single_writer:
        yield ()
        return
    scopes = [StateScope(*row) for row in warehouse.fetch(migrations.select_scopes(warehouse.dialect))]
    leases = [
        Lease(StateTables(warehouse, scope, clock)) for scope in dict.fromkeys([_MIGRATION_SCOPE, *scopes])
    ]
    with ExitStack() as stack:
        for lease in leases:
            stack.enter_context(lease.hold())
        yield leases
