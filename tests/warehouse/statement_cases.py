"""Every statement of the diff and the state, on two models: what the gold files hold, and what is parsed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.engine import Engine
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.errors import WarehouseError
from reverse_etl.planning.sql import (
    conflicts,
    diff,
    events,
    kept_values,
    planned_rows,
    staging,
    stopped_lists,
    without_profile,
)
from reverse_etl.planning.sql.conflicts import SharedIdentifier
from reverse_etl.planning.sql.diff import DiffOptions, ModelDiff
from reverse_etl.planning.sql.kept_values import ValueSource
from reverse_etl.planning.sql.staging import PastTimeCheck, Staging
from reverse_etl.report import person_rows
from reverse_etl.state import ModelRecord, RunRecord, RunState, State, StateScope, last_account
from reverse_etl.state.consents import Consents, ConsentState, SentConsent
from reverse_etl.state.lease import Lease
from reverse_etl.state.lists import ListRegistry
from reverse_etl.state.receipts import Receipts
from reverse_etl.state.rejections import Rejections
from reverse_etl.state.removal_holds import RemovalHolds
from reverse_etl.state.runs import Runs
from reverse_etl.state.sql import deltas, members, migrations, pending, rejections, schema, snapshot
from reverse_etl.state.sql import without_profile as stored_without_profile
from reverse_etl.state.sql.deltas import RunDeltas
from reverse_etl.state.sql.rejections import ModelRejections
from reverse_etl.state.tables import StateTables
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, ModelTables
from reverse_etl.warehouse.statement import Sql, Statement
from tests.clocks import NOON, QuickClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.interface import Row, Warehouse

Call = tuple[str, Statement | Iterable[Statement]]

KEY = ("acc", "shop")
RUN = "r1"
MODEL = "vip"
_TYPES = {
    Engine.DUCKDB: {
        "number": "DECIMAL(10,2)",
        "json": "JSON",
        "double": "DOUBLE",
        "time": "TIMESTAMP",
        "time_tz": "TIMESTAMP WITH TIME ZONE",
    },
    Engine.SNOWFLAKE: {
        "number": "NUMBER(10,2)",
        "json": "OBJECT",
        "double": "FLOAT",
        "time": "TIMESTAMP_NTZ(9)",
        "time_tz": "TIMESTAMP_TZ(9)",
    },
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


def orders(dialect: Dialect) -> ModelTables:
    """Return a model of events: people's orders, each with its time and its metric."""
    engine = dialect.engine
    zoned = {Engine.DUCKDB: "TIMESTAMP WITH TIME ZONE", Engine.SNOWFLAKE: "TIMESTAMP_TZ(9)"}[engine]
    unique_id = Column(_named(engine, "unique_id"), ColumnKind.TEXT, "VARCHAR")
    metric = Column(_named(engine, "metric"), ColumnKind.TEXT, "VARCHAR")
    payload = (unique_id, Column(_named(engine, "time"), ColumnKind.TIMESTAMP_TZ, zoned), metric)
    return ModelTables(
        dialect,
        "orders_2a3b4c5d",
        (IdentifierType.EMAIL,),
        payload,
        many_lists=False,
        key=(unique_id,),
        append_only=True,
    )


def kept_of(shape: ModelTables, engine: Engine) -> Mapping[str, Column]:
    """Return the snapshot's columns, one of them of an older type."""
    kept = {column.name: column for column in shape.payload}
    spent = _named(engine, "spent")
    if spent in kept:
        kept[spent] = Column(spent, ColumnKind.FLOAT, _TYPES[engine]["double"])
        del kept["Since"]
    return kept


@dataclass(frozen=True)
class Case:
    """One call of a function that returns statements; a function's calls in a group are numbered from 1."""

    group: str
    function: str
    number: int
    statements: tuple[Statement, ...]

    @property
    def file(self) -> str:
        """Return the gold file that has its statements, and those of the function's other calls."""
        return f"{self.group.split()[0]}/{self.function}.sql"


def calls(dialect: Dialect) -> Iterator[Case]:
    """Yield the calls in the order of their groups; each group begins with the same tables."""
    for group, group_calls in _groups(dialect).items():
        numbers: Counter[str] = Counter()
        for function, returned in group_calls:
            numbers[function] += 1
            statements = (returned,) if isinstance(returned, Statement) else tuple(returned)
            yield Case(group, function, numbers[function], statements)


def cases(dialect: Dialect) -> list[tuple[str, Statement]]:
    """Return every statement with a name: its group, its function and its number."""
    return [
        (f"{case.group}/{case.function} {case.number}.{number}", statement)
        for case in calls(dialect)
        for number, statement in enumerate(case.statements, 1)
    ]


def _groups(dialect: Dialect) -> dict[str, Iterator[Call]]:
    shape, many = vip(dialect), clubs(dialect)
    kept = kept_of(shape, dialect.engine)
    run = RunDeltas(shape, RUN, MODEL)
    return {
        "schema": _schema(dialect, shape, kept),
        "schema new_columns": iter(
            [("migrate_columns_of_new_table", schema.migrate_columns(shape, shape.rejected, {}))]
        ),
        "staging": _staging(dialect, shape, many),
        "diff": _diff(shape, many, kept),
        "append_only": _append_only(codes(dialect)),
        "events": _events(orders(dialect)),
        "deltas": _deltas(run),
        "snapshot": _snapshot(run),
        "rejections": _rejections(ModelRejections(shape, *KEY, MODEL), run),
        "migrations": _migrations(dialect),
        "members": _members(members.ListComparison(shape, "L1")),
        **{name: iter([(name, statements)]) for name, statements in _shared_tables(dialect)},
        "claimed": _claimed(SharedIdentifier(shape, IdentifierType.PHONE)),
        "clears": _clears(replace(shape, table_key="tiers_2b3c4d5e")),
        "without_profile": _without_profile(
            replace(shape, table_key="known_6f7a8b9c", keeps_without_profile=True)
        ),
    }


def _schema(dialect: Dialect, shape: ModelTables, kept: Mapping[str, Column]) -> Iterator[Call]:
    yield "create_shared_tables", schema.create_shared_tables(dialect)
    yield "create_model_tables", schema.create_model_tables(shape)
    yield "migrate_columns", schema.migrate_columns(shape, shape.snapshot, kept)
    yield "migrate_columns", schema.migrate_columns(shape, shape.deltas, kept)


def _claimed(identifier: SharedIdentifier) -> Iterator[Call]:
    for rekeyed in (False, True):
        yield "collect_claimed", conflicts.collect_claimed(identifier, rekeyed=rekeyed)
    yield "count_claimed", conflicts.count_claimed(identifier)
    yield "omit_claimed", conflicts.omit_claimed(identifier)


def _staging(dialect: Dialect, shape: ModelTables, many: ModelTables) -> Iterator[Call]:
    email = Column(_named(dialect.engine, "mail"), ColumnKind.TEXT, "VARCHAR")
    phone = Column(_named(dialect.engine, "phone"), ColumnKind.INTEGER, "BIGINT")
    number = Column(_named(dialect.engine, "id"), ColumnKind.DECIMAL, _TYPES[dialect.engine]["number"])
    select = Sql("select * from people")
    yield (
        "stage_rows",
        staging.stage_rows(
            Staging(shape, select, {IdentifierType.EMAIL: email, IdentifierType.PHONE: phone}, None)
        ),
    )
    identifiers = {IdentifierType.EXTERNAL_ID: number, IdentifierType.EMAIL: email}
    yield "stage_rows", staging.stage_rows(Staging(many, select, identifiers, _named(dialect.engine, "club")))
    yield "stage_rows", staging.stage_rows(_consents(dialect, select, email))
    for one in (shape, many):
        identifier = SharedIdentifier(one, one.identifiers[1])
        yield "collect_duplicates", conflicts.collect_duplicates(one)
        yield "resolve_duplicates", conflicts.resolve_duplicates(one)
        yield "collect_shared", conflicts.collect_shared(identifier)
        yield "reject_identity_conflicts", conflicts.reject_identity_conflicts(identifier)
        yield "count_shared", conflicts.count_shared(identifier)
        yield "omit_shared", conflicts.omit_shared(identifier)
        yield "reject_shared", conflicts.reject_shared(identifier)
        yield "mark_still_rejected", staging.mark_still_rejected(one, "c0ffee")
        yield "select_list_names", staging.select_list_names(one)
        yield "replace_list_ids", staging.replace_list_ids(one, {"": "L1", "b": "L2"})
        yield "count_staged_rows", staging.count_staged_rows(one)


def _consents(dialect: Dialect, people: Sql, email: Column) -> Staging:
    """Return the staging of people with a time of each type, which may not lie in the future."""
    times = {
        "consented_at": (ColumnKind.TIMESTAMP_TZ, _TYPES[dialect.engine]["time_tz"]),
        "local_time": (ColumnKind.TIMESTAMP, _TYPES[dialect.engine]["time"]),
        "day": (ColumnKind.DATE, "DATE"),
    }
    columns = [Column(_named(dialect.engine, name), *kind) for name, kind in times.items()]
    values = ", ".join(f'CAST(NULL AS {column.type}) AS "{column.name}"' for column in columns)
    shape = ModelTables(
        dialect, "consents_2b3c4d5e", (IdentifierType.EMAIL,), tuple(columns), many_lists=False
    )
    noon = datetime.fromtimestamp(NOON, UTC)
    checks = [PastTimeCheck(column, number == 0, noon) for number, column in enumerate(columns)]
    select = Sql(f'SELECT "{email.name}", {values} FROM ({people}) AS retl_people')
    return Staging(shape, select, {IdentifierType.EMAIL: email}, None, checks)


def _append_only(shape: ModelTables) -> Iterator[Call]:
    kept = {column.name: column for column in shape.payload}
    yield "stage_rows", staging.stage_rows(Staging(shape, Sql("select * from codes"), {}, None))
    yield "mark_changed_rows", diff.mark_changed_rows(ModelDiff(shape, kept))
    yield "mark_unknown_rows", diff.mark_unknown_rows(ModelDiff(shape, kept))
    sending = ModelDiff(replace(shape, append_only=False, sends_nulls=True), kept)
    yield "select_first_difference", diff.select_first_difference(sending)
    for columns in ({}, kept):
        yield "compute_deltas", diff.compute_deltas(ModelDiff(shape, columns))
    yield "hold_unknown_removals", planned_rows.hold_unknown_removals(shape)
    yield "hold_list_removals", planned_rows.hold_list_removals(shape, ["L1", "L2"])
    yield "select_upserts", pending.select_upserts(shape, RUN, "", range(1, 9))
    yield "select_upserts_with_op", pending.select_upserts_with_op(shape, RUN, "", range(1, 9))


def _events(shape: ModelTables) -> Iterator[Call]:
    when = datetime(2026, 11, 30, 8, 15, 30, 250_000, tzinfo=UTC)
    email = Column(_named(shape.dialect.engine, "email"), ColumnKind.TEXT, "VARCHAR")
    query = Staging(shape, Sql("select * from orders"), {IdentifierType.EMAIL: email}, None)
    yield "stage_rows", staging.stage_rows(query)
    yield "count_old_events", events.count_old_events(shape, when)
    yield "delete_old_events", events.delete_old_events(shape, when)
    yield "compute_deltas", diff.compute_deltas(ModelDiff(shape, {}))
    yield "count_planned_events", events.count_planned_events(shape, when)
    yield "select_metrics", events.select_metrics(shape)
    yield (
        "select_upserts_with_uncertainty",
        pending.select_upserts_with_uncertainty(shape, RUN, "", range(1, 9)),
    )
    yield "prune_events", snapshot.prune_events(shape, when)


def _diff(shape: ModelTables, many: ModelTables, kept: Mapping[str, Column]) -> Iterator[Call]:
    kept_of_many = {"retl_email": shape.payload[0]}
    yield "select_first_difference", diff.select_first_difference(ModelDiff(shape, kept))
    yield (
        "count_moved",
        diff.count_moved(ModelDiff(shape, {column.name: column for column in shape.payload}), {"since"}),
    )
    yield "create_empty_plan", planned_rows.create_empty_plan(shape)
    yield "select_first_difference", diff.select_first_difference(ModelDiff(many, kept_of_many))
    yield "create_empty_plan", planned_rows.create_empty_plan(many)
    yield "compute_deltas", diff.compute_deltas(ModelDiff(shape, {}))
    yield "compute_deltas", diff.compute_deltas(ModelDiff(shape, kept))
    yield (
        "compute_deltas",
        diff.compute_deltas(ModelDiff(shape, kept, DiffOptions(full_refresh=True, rekeyed=True))),
    )
    yield "apply_limit", planned_rows.apply_limit(shape, 5)
    yield "compute_deltas", diff.compute_deltas(ModelDiff(many, kept_of_many))
    yield (
        "compute_deltas",
        diff.compute_deltas(ModelDiff(shape, kept, DiffOptions(stale_list_ids=("L1", "L2")))),
    )
    yield "cancel_rejected_removals", planned_rows.cancel_rejected_removals(shape)
    yield "hold_shared_removals", planned_rows.hold_shared_removals(shape)
    yield "count_resent", stopped_lists.count_resent(shape)
    yield "keep_back", stopped_lists.keep_back(shape, ["L1", "L2"])
    for has_snapshot in (True, False):
        held = stopped_lists.hold_removals_of_people(shape, many, ["L1"], has_snapshot=has_snapshot)
        yield "hold_removals_of_people", held
    yield "count_planned_by_list", planned_rows.count_planned_by_list(shape)
    yield "select_digest", planned_rows.select_digest(shape)
    yield "select_digest", planned_rows.select_digest(many)
    yield "select_adds", planned_rows.select_adds(shape, 100)
    yield "count_removes_by_identifier", planned_rows.count_removes_by_identifier(shape)
    yield "count_snapshot_by_list", snapshot.count_snapshot_by_list(shape)
    yield "count_uncertain_by_list", snapshot.count_uncertain_by_list(shape)
    yield "select_sample", diff.select_sample(ModelDiff(shape, kept), 3)
    yield "select_sample", diff.select_sample(ModelDiff(shape, {}), 3)
    person = {IdentifierType.EMAIL: "ann@example.com", IdentifierType.EXTERNAL_ID: "17"}
    yield "select_staged_rows", person_rows.select_staged_rows(shape, person)
    yield "select_rejected_like", person_rows.select_rejected_like(shape, person)
    yield "select_planned", person_rows.select_planned(shape, ["email:ann@example.com", "external_id:17"])
    yield "select_sent_rows", person_rows.select_sent_rows(shape, person)
    yield "select_open_changes", person_rows.select_open_changes(shape, person)
    yield "set_created_list_ids", planned_rows.set_created_list_ids(shape, {"new:VIP": "L1", "new:Tea": "L2"})


def _deltas(run: RunDeltas) -> Iterator[Call]:
    tables = run.tables
    yield "defer_lists", deltas.defer_lists(tables, ["L1", "L2"])
    yield "clear_superseded", deltas.clear_superseded(tables)
    yield "select_last_seq", deltas.select_last_seq(tables)
    yield "insert_deltas", deltas.insert_deltas(run, "2026-01-01T00:00:00.000Z", None)
    yield "insert_deltas", deltas.insert_deltas(run, "2026-01-01T00:00:00.000Z", range(1, 10))
    yield "update_identities", deltas.update_identities(tables)
    yield "select_seq_ranges", pending.select_seq_ranges(tables, RUN)
    yield "select_upserts", pending.select_upserts(tables, RUN, "L1", range(1, 10))
    yield "select_meeting_lists", pending.select_meeting_lists(tables, RUN)
    yield "select_removes", pending.select_removes(tables, RUN, "L1", range(10, 20))
    yield "select_delta_identifiers", pending.select_delta_identifiers(tables, RUN, 1, 10)
    emails = ["a@example.com", "b@example.com"]
    yield "select_staged_rows", pending.select_staged_rows(run, "L1", IdentifierType.EMAIL, emails)
    yield "count_unanswered", deltas.count_unanswered(run)
    yield "select_last_stored_seq", deltas.select_last_stored_seq(run)
    yield "renumber", deltas.renumber(run, [3, 5], 40)
    yield "delete_unsent", deltas.delete_unsent(run)
    yield "mark_uncertain", deltas.mark_uncertain(tables, ["L1", "L2"])
    yield "mark_deferred_uncertain", deltas.mark_deferred_uncertain(tables)
    yield "mark_rejected_uncertain", deltas.mark_rejected_uncertain(tables)
    yield "mark_unsent_uncertain", deltas.mark_unsent_uncertain(run)
    yield "keep_uncertain", deltas.keep_uncertain(run)
    yield "inherit_first_sent", deltas.inherit_first_sent(run, tables.table_key, ["L1", "L2"])
    times = [("L1", "email:a@example.com", "2026-01-01T00:00:00.000Z")]
    yield "backdate_first_sent", deltas.backdate_first_sent(tables, times)


def _clears(plain: ModelTables) -> Iterator[Call]:
    """Yield the statements that differ for a model whose NULLs clear values or reject rows."""
    shape = replace(plain, clear_columns=plain.payload[:2], not_null_columns=plain.payload[2:])
    kept = {column.name: replace(column, type=shape.dialect.storage_type(column)) for column in shape.payload}
    email = Column(_named(shape.dialect.engine, "mail"), ColumnKind.TEXT, "VARCHAR")
    phone = Column(_named(shape.dialect.engine, "phone"), ColumnKind.TEXT, "VARCHAR")
    identifiers = {IdentifierType.EMAIL: email, IdentifierType.PHONE: phone}
    run = RunDeltas(shape, RUN, MODEL)
    state_table, temp_table = shape.dialect.state_table, shape.dialect.temp_table
    columns = (IDENTIFIER_COLUMNS[IdentifierType.EMAIL], IDENTIFIER_COLUMNS[IdentifierType.PHONE])
    names = shape.payload_columns
    marks = [*shape.clear_marks.values()]
    sources = [
        ValueSource(MODEL, temp_table(shape.staged), columns, {marks[0]: [names[0]]}, is_own=True),
        ValueSource(
            "it's", state_table(shape.snapshot), columns[:1], dict.fromkeys(marks, names[:2]), is_own=False
        ),
    ]
    yield "create_model_tables", schema.create_model_tables(plain)
    for table in (shape.deltas, shape.rejected, shape.snapshot):
        yield "migrate_columns", schema.migrate_columns(shape, table, kept)
    yield "create_model_tables", schema.create_model_tables(shape)
    yield "replace_list_ids", staging.replace_list_ids(shape, {"": "L1"})
    yield "stage_rows", staging.stage_rows(Staging(shape, Sql("select * from people"), identifiers, None))
    yield "select_first_difference", diff.select_first_difference(ModelDiff(shape, kept))
    yield "create_empty_plan", planned_rows.create_empty_plan(shape)
    stored = {**kept, "retl_cleared": Column("retl_cleared", ColumnKind.TEXT, "VARCHAR")}
    for columns_stored, options in (
        ({}, DiffOptions()),
        (kept, DiffOptions()),
        (stored, DiffOptions(full_refresh=True)),
        (stored, DiffOptions(stale_list_ids=("L1",))),
    ):
        yield "compute_deltas", diff.compute_deltas(ModelDiff(shape, columns_stored, options))
    yield "count_clears_by_list", planned_rows.count_clears_by_list(shape)
    yield "collect_kept_values", kept_values.collect_kept_values(shape, sources)
    yield "count_kept_values", kept_values.count_kept_values(shape)
    yield "keep_value", kept_values.keep_value(shape, shape.payload[0].name)
    yield "delete_rows_without_change", kept_values.delete_rows_without_change(shape)
    yield "select_digest", planned_rows.select_digest(shape)
    yield "select_sample", diff.select_sample(ModelDiff(shape, stored), 3)
    yield "set_created_list_ids", planned_rows.set_created_list_ids(shape, {"new:VIP": "L1"})
    yield "insert_deltas", deltas.insert_deltas(run, "2026-01-01T00:00:00.000Z", None)
    yield "mark_uncertain", deltas.mark_uncertain(shape, ["L1"])
    yield "select_clears", pending.select_clears(run, "L1", range(1, 10))
    yield "count_clears", pending.count_clears(run, "L1")
    yield "select_staged_rows", pending.select_staged_rows(run, "L1", IdentifierType.EMAIL, ["a@example.com"])
    yield "collect_applied", snapshot.collect_applied(run)
    yield "apply_to_snapshot", snapshot.apply_to_snapshot(run, "c0ffee", [None])
    yield "delete_unsent", deltas.delete_unsent(run)
    yield "keep_uncertain", deltas.keep_uncertain(run)
    model = ModelRejections(shape, *KEY, MODEL)
    yield "record_klaviyo_rejections", rejections.record_klaviyo_rejections(model, run)


def _without_profile(shape: ModelTables) -> Iterator[Call]:
    """Yield the statements that differ for a model that creates nobody."""
    email = Column(_named(shape.dialect.engine, "mail"), ColumnKind.TEXT, "VARCHAR")
    phone = Column(_named(shape.dialect.engine, "phone"), ColumnKind.TEXT, "VARCHAR")
    identifiers = {IdentifierType.EMAIL: email, IdentifierType.PHONE: phone}
    run = RunDeltas(shape, RUN, MODEL)
    yield "create_model_tables", schema.create_model_tables(shape)
    yield "replace_list_ids", staging.replace_list_ids(shape, {"": "L1"})
    yield "stage_rows", staging.stage_rows(Staging(shape, Sql("select * from people"), identifiers, None))
    yield "create_empty_plan", planned_rows.create_empty_plan(shape)
    yield "skip_without_profile", without_profile.skip_without_profile(shape, "2026-01-01T00:00:00.000Z")
    yield "count_adds_without_profile", without_profile.count_adds_without_profile(shape)
    yield "collect_applied", snapshot.collect_applied(run)
    yield (
        "record_without_profile",
        stored_without_profile.record_without_profile(run, "2026-01-01T00:00:00.000Z"),
    )
    yield "prune_without_profile", stored_without_profile.prune_without_profile(shape)


def _members(comparison: members.ListComparison) -> Iterator[Call]:
    yield "create_members", members.create_members(comparison)
    joined = ("2026-01-01T00:00:00.000Z", "2026-01-01T00:01:00.000Z")
    member = ("a@example.com", None, None, "P1", *joined)
    yield "insert_members", members.insert_members(comparison, [member])
    yield "compare_members", members.compare_members(comparison)
    yield "select_comparison_counts", members.select_comparison_counts(comparison)
    yield "select_missing_sample", members.select_missing_sample(comparison, 3)
    yield "select_unmanaged_sample", members.select_unmanaged_sample(comparison, 3)
    yield (
        "select_unmatched_but_present",
        members.select_unmatched_but_present(comparison, KEY, MODEL),
    )
    yield "mark_missing_uncertain", members.mark_missing_uncertain(comparison)
    yield "adopt_members", members.adopt_members(comparison)


def _migrations(dialect: Dialect) -> Iterator[Call]:
    yield "select_meta", migrations.select_meta(dialect, ["version"])
    yield "select_scopes", migrations.select_scopes(dialect)
    yield "select_table_keys", migrations.select_table_keys(dialect)
    yield "mark_migrating", migrations.mark_migrating(dialect, schema.STATE_VERSION, "a copy")
    yield "select_meta", migrations.select_meta(dialect, ["version", "migrating_to", "backup"])
    for version, changes in migrations.CHANGES_BY_VERSION.items():
        yield "create_new_tables", migrations.create_new_tables(dialect, version)
        for change in changes:
            yield "change_table", migrations.change_table(dialect, change)
        yield "change_values", migrations.change_values(dialect, version)
    yield "raise_version", migrations.raise_version(dialect, schema.STATE_VERSION)


def _snapshot(run: RunDeltas) -> Iterator[Call]:
    yield "collect_applied", snapshot.collect_applied(run)
    yield "select_last_applied_seq", snapshot.select_last_applied_seq(run.tables)
    yield "apply_to_snapshot", snapshot.apply_to_snapshot(run, "c0ffee", [None])
    in_parts = snapshot.apply_to_snapshot(run, "c0ffee", [range(1, 10), range(10, 19)])
    yield "apply_to_snapshot", in_parts[1:3]
    yield "drop_temp_tables", schema.drop_temp_tables(run.tables.dialect, (run.tables.applied,))


def _rejections(model: ModelRejections, run: RunDeltas) -> Iterator[Call]:
    yield "count_check_rejections", rejections.count_check_rejections(model)
    yield "collect_check_rejections", rejections.collect_check_rejections(model, RUN)
    yield "replace_check_rejections", rejections.replace_check_rejections(model)
    yield "delete_changed_rejections", rejections.delete_changed_rejections(model)
    yield "record_klaviyo_rejections", rejections.record_klaviyo_rejections(model, run)
    yield "delete_klaviyo_rejections", rejections.delete_klaviyo_rejections(model)
    tables, statements = recording_tables(run.tables.dialect)
    Rejections(tables).by_list(RUN)
    yield "by_list", statements


class RecordingWarehouse:
    """A warehouse without rows that only records the statements given to it."""

    opening_notes: tuple[str, ...] = ()
    single_writer = False
    min_write_interval = 0.0

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
    uses = (_use_models, _use_runs, _use_receipts, _use_lists, _use_removal_holds, _use_consents, _use_lease)
    for act in uses:
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
    runs.ends()
    runs.history()
    runs.run_lists()
    runs.interrupted_lists()


def _use_receipts(tables: StateTables) -> None:
    receipts = Receipts(tables)
    rows = [Receipt("L1", "add", first, first + 9, ReceiptState.APPLIED, 10, "j1") for first in (1, 11)]
    refused = RowException(1, RowExceptionKind.REJECTED, "invalid", "email", "No.")
    receipts.record(RUN, MODEL, rows, [refused], [("L1", "email:a@example.com")])
    receipts.open_receipts()
    receipts.sums(RUN)
    receipts.first_of_run(RUN, 25)
    receipts.unmatched_removals(RUN, 50)
    receipts.unmatched_removals_of(MODEL, ["email:a@example.com"])
    receipts.covering(RUN, MODEL, 3)
    Rejections(tables).of_rows(MODEL, ["email:a@example.com"])
    deltas_table = tables.dialect.state_table("deltas_vip_0a1b2c3d")
    tables.execute(receipts.delete_row_exceptions(deltas_table, RUN, MODEL))


def _use_lists(tables: StateTables) -> None:
    lists = ListRegistry(tables)
    lists.record_intent("VIP", MODEL, datetime.fromtimestamp(NOON, UTC))
    lists.claim([("L1", "VIP", MODEL, "members")])


def _use_consents(tables: StateTables) -> None:
    consents, noon = Consents(tables), datetime.fromtimestamp(NOON, UTC)
    emails = ["email:a@example.com", "email:b@example.com"]
    consents.record(RUN, MODEL, [SentConsent("L1", email, noon, noon) for email in emails])
    consents.mark(MODEL, "L1", emails, ConsentState.CONFIRMED)
    consents.read_pending(MODEL, "L1", "", 10)
    consents.read_pending(MODEL, "L1", "email:a@example.com", 10, RUN)
    consents.count_by_state()
    consents.count_by_state(RUN)


def _use_removal_holds(tables: StateTables) -> None:
    holds = RemovalHolds(tables)
    holds.load()
    tables.execute(*holds.insert({"": "The state is old.", "L1": "An import of nobody."}))
    holds.trust()


def _use_lease(tables: StateTables) -> None:
    for single_writer in (False, True):
        tables.warehouse.single_writer = single_writer  # type: ignore[misc]  # a constant elsewhere
        lease = Lease(tables)
        lease._holder = "me"
        with lease.hold(), suppress(WarehouseError):  # nobody holds it in a warehouse without rows
            lease.renew_or_raise()
