"""Every statement of the diff and the state, on two models: what the gold files hold, and what is parsed."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.engine import Engine
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.errors import WarehouseError
from reverse_etl.planning.sql import conflicts, diff, planned_rows, staging
from reverse_etl.planning.sql.conflicts import SharedIdentifier
from reverse_etl.planning.sql.diff import DiffOptions, ModelDiff
from reverse_etl.planning.sql.staging import Staging
from reverse_etl.state import ModelRecord, RunRecord, RunState, State, StateScope, last_account
from reverse_etl.state.lease import Lease
from reverse_etl.state.lists import ListRegistry
from reverse_etl.state.receipts import Receipts
from reverse_etl.state.runs import Runs
from reverse_etl.state.sql import members, migrations, rejections, schema
from reverse_etl.state.sql import pending as deltas
from reverse_etl.state.sql import snapshot as takeover
from reverse_etl.state.tables import StateTables
from reverse_etl.warehouse.model_tables import ModelTables
from reverse_etl.warehouse.statement import Sql
from tests.clocks import NOON, QuickClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.interface import Row, Warehouse
    from reverse_etl.warehouse.statement import Statement

KEY = ("acc", "shop")
RUN = "r1"
MODEL = "vip"
_TYPES = {
    Engine.DUCKDB: {"number": "DECIMAL(10,2)", "json": "JSON", "double": "DOUBLE"},
    Engine.SNOWFLAKE: {"number": "NUMBER(10,2)", "json": "OBJECT", "double": "FLOAT"},
}


def _named(engine: Engine, name: str) -> str:
    return name.upper() if engine is Engine.SNOWFLAKE else name


def vip(dialect: Dialect) -> ModelTables:
    """Return a model of one list with an e-mail, a phone and four columns."""
    engine = dialect.engine
    types = _TYPES[engine]
    payload = (
        Column(_named(engine, "first_name"), ColumnKind.TEXT, "VARCHAR"),
        Column(_named(engine, "spent"), ColumnKind.DECIMAL, types["number"]),
        Column(
            "Since",
            ColumnKind.TIMESTAMP,
            {Engine.DUCKDB: "TIMESTAMP", Engine.SNOWFLAKE: "TIMESTAMP_NTZ(9)"}[engine],
        ),
        Column(_named(engine, "tags"), ColumnKind.JSON, types["json"]),
    )
    return ModelTables(
        dialect, "vip_0a1b2c3d", (IdentifierType.EMAIL, IdentifierType.PHONE), payload, many_lists=False
    )


def clubs(dialect: Dialect) -> ModelTables:
    """Return a model of many lists with an external id and no other column."""
    return ModelTables(
        dialect, "clubs_4e5f6a7b", (IdentifierType.EXTERNAL_ID, IdentifierType.EMAIL), (), many_lists=True
    )


def codes(dialect: Dialect) -> ModelTables:
    """Return a model that only appends rows of no people, keyed by two columns."""
    engine = dialect.engine
    coupon = Column(_named(engine, "coupon"), ColumnKind.TEXT, "VARCHAR")
    code = Column(_named(engine, "code"), ColumnKind.DECIMAL, _TYPES[engine]["number"])
    percent = Column(_named(engine, "percent"), ColumnKind.INTEGER, "BIGINT")
    payload = (coupon, code, percent)
    return ModelTables(
        dialect, "codes_8c9d0e1f", (), payload, many_lists=False, key=(coupon, code), append_only=True
    )


def kept_of(shape: ModelTables, engine: Engine) -> Mapping[str, Column]:
    """Return the snapshot's columns, one of them of an older type."""
    kept = {column.name: column for column in shape.payload}
    spent = _named(engine, "spent")
    if spent in kept:
        kept[spent] = Column(spent, ColumnKind.FLOAT, _TYPES[engine]["double"])
        del kept["Since"]
    return kept


def cases(dialect: Dialect) -> list[tuple[str, Statement]]:
    """Return every statement with the name of what it is for, also those of identifiers that others have."""
    phone = SharedIdentifier(vip(dialect), IdentifierType.PHONE)
    more = [
        *(conflicts.collect_claimed(phone, rekeyed=rekeyed) for rekeyed in (False, True)),
        conflicts.count_claimed(phone),
        conflicts.omit_claimed(phone),
    ]
    return [*statements(dialect), *((f"claimed {n}", each) for n, each in enumerate(more, 1))]


def statements(dialect: Dialect) -> Iterator[tuple[str, Statement]]:
    """Yield every statement with the name of what it is for."""
    shape, many = vip(dialect), clubs(dialect)
    kept = kept_of(shape, dialect.engine)
    named = {
        "schema": (
            *schema.create_shared_tables(dialect),
            *schema.create_model_tables(dialect, shape),
        ),
        "schema.follow_columns": schema.migrate_columns(dialect, shape, shape.snapshot, kept),
        "schema.follow_columns deltas": schema.migrate_columns(dialect, shape, shape.deltas, kept),
        "schema.follow_columns new": schema.migrate_columns(dialect, shape, shape.rejected, {}),
        "staging": _staging(dialect, shape, many),
        "diff": _diff(dialect, shape, many, kept),
        "append_only": _append_only(dialect, codes(dialect)),
        "deltas": _deltas(dialect, shape),
        "takeover": _takeover(dialect, shape),
        "rejections": _rejections(dialect, shape),
        "migrations": _migrations(dialect),
        "members": _members(dialect, shape),
        **dict(_shared_tables(dialect)),
    }
    for name, group in named.items():
        for number, statement in enumerate(group, 1):
            yield f"{name} {number}", statement


def _staging(dialect: Dialect, shape: ModelTables, many: ModelTables) -> Iterator[Statement]:
    email = Column(_named(dialect.engine, "mail"), ColumnKind.TEXT, "VARCHAR")
    phone = Column(_named(dialect.engine, "phone"), ColumnKind.INTEGER, "BIGINT")
    number = Column(_named(dialect.engine, "id"), ColumnKind.DECIMAL, _TYPES[dialect.engine]["number"])
    select = Sql("select * from people")
    yield staging.stage_rows(
        Staging(shape, select, {IdentifierType.EMAIL: email, IdentifierType.PHONE: phone}, None)
    )
    identifiers = {IdentifierType.EXTERNAL_ID: number, IdentifierType.EMAIL: email}
    yield staging.stage_rows(Staging(many, select, identifiers, _named(dialect.engine, "club")))
    for one in (shape, many):
        identifier = SharedIdentifier(one, one.identifiers[1])
        yield conflicts.collect_duplicates(one)
        yield from conflicts.resolve_duplicates(one)
        yield conflicts.collect_shared(identifier)
        yield conflicts.reject_identity_conflicts(identifier)
        yield conflicts.count_shared(identifier)
        yield conflicts.omit_shared(identifier)
        yield conflicts.reject_shared(identifier)
        yield staging.mark_still_rejected(one, "c0ffee")
        yield staging.select_list_names(one)
        yield from staging.replace_list_ids(one, {"": "L1", "b": "L2"})
        yield staging.count_staged_rows(one)


def _append_only(dialect: Dialect, shape: ModelTables) -> Iterator[Statement]:
    kept = {column.name: column for column in shape.payload}
    yield staging.stage_rows(Staging(shape, Sql("select * from codes"), {}, None))
    yield diff.mark_changed_rows(ModelDiff(shape, kept))
    for columns in ({}, kept):
        yield from diff.compute_deltas(ModelDiff(shape, columns))
    yield deltas.select_upserts(dialect, shape, RUN, "", range(1, 9))


def _diff(
    dialect: Dialect, shape: ModelTables, many: ModelTables, kept: Mapping[str, Column]
) -> Iterator[Statement]:
    kept_of_many = {"retl_email": shape.payload[0]}
    yield diff.select_first_difference(ModelDiff(shape, kept))
    yield planned_rows.create_empty_plan(shape)
    yield diff.select_first_difference(ModelDiff(many, kept_of_many))
    yield planned_rows.create_empty_plan(many)
    yield from diff.compute_deltas(ModelDiff(shape, {}))
    yield from diff.compute_deltas(ModelDiff(shape, kept))
    yield from diff.compute_deltas(ModelDiff(shape, kept, DiffOptions(full_refresh=True, rekeyed=True)))
    yield from planned_rows.limit_upserts(shape, 5)
    yield from diff.compute_deltas(ModelDiff(many, kept_of_many))
    yield from diff.compute_deltas(ModelDiff(shape, kept, DiffOptions(stale_list_ids=("L1", "L2"))))
    yield planned_rows.cancel_rejected_removals(shape)
    yield planned_rows.hold_shared_removals(shape)
    yield planned_rows.count_planned_by_list(shape)
    yield from (planned_rows.select_digest(one) for one in (shape, many))
    yield planned_rows.count_removes_by_identifier(shape)
    yield takeover.count_snapshot_by_list(dialect, shape)
    yield takeover.count_uncertain_by_list(dialect, shape)
    yield diff.select_sample(ModelDiff(shape, kept), 3)
    yield diff.select_sample(ModelDiff(shape, {}), 3)
    yield planned_rows.set_created_list_ids(shape, {"new:VIP": "L1", "new:Tea": "L2"})


def _deltas(dialect: Dialect, shape: ModelTables) -> Iterator[Statement]:
    yield deltas.clear_superseded(dialect, shape)
    yield deltas.select_last_seq(dialect, shape)
    yield deltas.insert_deltas(dialect, shape, RUN, "2026-01-01T00:00:00.000Z", None)
    yield deltas.insert_deltas(dialect, shape, RUN, "2026-01-01T00:00:00.000Z", range(1, 10))
    yield from deltas.update_identities(dialect, shape)
    yield deltas.select_seq_ranges(dialect, shape, RUN)
    yield deltas.select_upserts(dialect, shape, RUN, "L1", range(1, 10))
    yield deltas.select_removes(dialect, shape, RUN, "L1", range(10, 20))
    yield deltas.select_delta_identifiers(dialect, shape, RUN, 1, 10)
    yield deltas.select_staged_rows(
        dialect, shape, (RUN, MODEL), "L1", IdentifierType.EMAIL, ["a@example.com", "b@example.com"]
    )
    yield deltas.delete_unsent(dialect, shape, RUN, MODEL)
    yield deltas.mark_uncertain(dialect, shape, ["L1", "L2"])
    yield deltas.mark_deferred_uncertain(dialect, shape)
    yield deltas.mark_unsent_uncertain(dialect, shape, RUN, MODEL)
    yield deltas.keep_uncertain(dialect, shape, RUN, MODEL)
    yield deltas.inherit_first_sent(dialect, shape, RUN, shape.table_key, ["L1", "L2"])
    yield from deltas.backdate_first_sent(
        dialect, shape, [("L1", "email:a@example.com", "2026-01-01T00:00:00.000Z")]
    )


def _members(dialect: Dialect, shape: ModelTables) -> Iterator[Statement]:
    yield members.create_members(dialect, shape)
    joined = ("2026-01-01T00:00:00.000Z", "2026-01-01T00:01:00.000Z")
    yield from members.insert_members(dialect, shape, [("a@example.com", None, None, "P1", *joined)])
    yield from members.compare_members(dialect, shape, "L1")
    yield members.select_comparison_counts(dialect, shape, "L1")
    yield members.select_missing_sample(dialect, shape, 3)
    yield members.select_unmanaged_sample(dialect, shape, 3)
    yield members.select_unmatched_but_present(dialect, shape, (*KEY, MODEL, "L1"))
    yield members.mark_missing_uncertain(dialect, shape)
    yield from members.adopt_members(dialect, shape, "L1")


def _migrations(dialect: Dialect) -> Iterator[Statement]:
    yield migrations.select_meta(dialect, ["version"])
    yield migrations.select_scopes(dialect)
    yield migrations.select_table_keys(dialect)
    yield migrations.mark_migrating(dialect, 2, "a copy")
    yield migrations.select_meta(dialect, ["version", "migrating_to", "backup"])
    for change in migrations.CHANGES_BY_VERSION[2]:
        yield from migrations.change_table(dialect, change)
    yield from migrations.change_values(dialect, 2)
    yield migrations.raise_version(dialect, 2)


def _takeover(dialect: Dialect, shape: ModelTables) -> Iterator[Statement]:
    yield from takeover.collect_applied(dialect, shape, RUN, MODEL)
    yield takeover.select_last_applied_seq(dialect, shape)
    yield from takeover.apply_to_snapshot(dialect, shape, RUN, MODEL, "c0ffee", [None])
    yield from takeover.apply_to_snapshot(
        dialect, shape, RUN, MODEL, "c0ffee", [range(1, 10), range(10, 19)]
    )[1:3]
    yield from schema.drop_temp_tables(dialect, ("taken_" + shape.table_key,))


def _rejections(dialect: Dialect, shape: ModelTables) -> Iterator[Statement]:
    yield rejections.select_current_rejections(dialect, KEY, RUN)
    yield rejections.count_check_rejections(dialect, KEY, shape, MODEL)
    yield rejections.collect_check_rejections(dialect, KEY, shape, RUN, MODEL)
    yield from rejections.replace_check_rejections(dialect, KEY, shape, MODEL)
    yield from rejections.delete_changed_rejections(dialect, KEY, shape, MODEL)
    yield from rejections.record_klaviyo_rejections(dialect, KEY, shape, RUN, MODEL)
    yield from rejections.delete_klaviyo_rejections(dialect, KEY, MODEL, shape.rejected)


class RecordingWarehouse:
    """A warehouse without rows that only records the statements given to it."""

    single_writer = False

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.statements: list[Statement] = []

    def execute(self, statement: Statement) -> None:
        """Record a statement."""
        self.statements.append(statement)

    def fetch(self, statement: Statement) -> list[Row]:
        """Record a query and return no rows."""
        self.statements.append(statement)
        return []

    def transaction(self) -> AbstractContextManager[None]:
        """Do nothing."""
        return nullcontext()


def recording_tables(dialect: Dialect) -> tuple[StateTables, list[Statement]]:
    """Return state tables of one account and project, and the list to which their statements are added."""
    warehouse = RecordingWarehouse(dialect)
    return StateTables(cast("Warehouse", warehouse), StateScope(*KEY), QuickClock()), warehouse.statements


def _shared_tables(dialect: Dialect) -> Iterator[tuple[str, Sequence[Statement]]]:
    """Yield the statements of each class that reads and writes the shared tables."""
    for act in (_use_models, _use_runs, _use_receipts, _use_lists, _use_lease):
        tables, statements = recording_tables(dialect)
        act(tables)
        yield act.__name__.removeprefix("_use_"), statements


def _use_models(tables: StateTables) -> None:
    state = State(tables.warehouse, tables.scope, tables.clock)
    state.models()
    state.other_projects()
    last_account(tables.warehouse, "shop", "prod")
    tables.execute(*state.replace_model(ModelRecord(MODEL, "vip_0a1b2c3d", "profiles", (), "c0ffee")))


def _use_runs(tables: StateTables) -> None:
    runs = Runs(tables)
    tables.execute(*runs.start(RUN, "prod/klaviyo", "t"))
    runs.record_end(RUN, RunState.ENDED, 0, [(MODEL, "L1", "VIP", "{}", "")])
    runs.record_end(RUN, RunState.RECOVERED)
    runs.record_refused_run("r2", "prod/klaviyo", ["Too many."], 3)
    runs.refusal_reasons(RunRecord("r2", RunState.REFUSED, "t", "t", 3))
    runs.unfinished()
    runs.windows("L1")
    runs.history()
    runs.run_lists()


def _use_receipts(tables: StateTables) -> None:
    receipts = Receipts(tables)
    rows = [Receipt("L1", "add", first, first + 9, ReceiptState.APPLIED, 10, "j1") for first in (1, 11)]
    refused = RowException(1, RowExceptionKind.REJECTED, "invalid", "email", "No.")
    receipts.record(RUN, MODEL, rows, [refused], [("L1", "email:a@example.com")])
    receipts.open_receipts()
    receipts.sums(RUN)
    receipts.first_of_run(RUN, 25)
    receipts.unmatched_removals(RUN, 50)
    deltas_table = tables.dialect.state_table("deltas_vip_0a1b2c3d")
    tables.execute(receipts.delete_row_exceptions(deltas_table, RUN, MODEL))


def _use_lists(tables: StateTables) -> None:
    lists = ListRegistry(tables)
    lists.record_intent("VIP", MODEL, datetime.fromtimestamp(NOON, UTC))
    lists.claim([("L1", "VIP", MODEL)])


def _use_lease(tables: StateTables) -> None:
    for single_writer in (False, True):
        tables.warehouse.single_writer = single_writer  # type: ignore[misc]  # a constant elsewhere
        lease = Lease(tables)
        lease._holder = "me"
        with lease.hold(), suppress(WarehouseError):  # nobody holds it in a warehouse without rows
            lease.renew_or_raise()
