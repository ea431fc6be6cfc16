"""Every statement of the diff and the state: what the gold files hold, and what is parsed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.planning.sql import (
    conflicts,
    diff,
    events,
    kept_values,
    planned_rows,
    row_comparison,
    staging,
    stopped_lists,
    without_profile,
)
from reverse_etl.planning.sql.conflicts import SharedIdentifier
from reverse_etl.planning.sql.diff import DiffOptions, ModelDiff
from reverse_etl.planning.sql.kept_values import ValueSource
from reverse_etl.planning.sql.model_query import PastTimeCheck, StagedPart, Staging
from reverse_etl.report import held_row_queries, person_rows
from reverse_etl.state.sql import deltas, members, pending, rejections, schema, snapshot
from reverse_etl.state.sql import without_profile as stored_without_profile
from reverse_etl.state.sql.deltas import RunDeltas
from reverse_etl.state.sql.rejections import ModelRejections
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, ModelTables, RowMarks
from reverse_etl.warehouse.statement import Sql, Statement
from tests.clocks import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reverse_etl.warehouse.dialect import Dialect
    from tests.warehouse.state_statements import Call

from tests.warehouse import state_statements
from tests.warehouse.model_tables import (
    KEY,
    MODEL,
    RUN,
    TYPES,
    clubs,
    codes,
    friends,
    kept_of,
    name_for,
    orders,
    vip,
)
from tests.warehouse.recorded_statements import shared_table_calls


@dataclass(frozen=True)
class StatementCase:
    """One call of a function that returns statements; a function's calls in a group are numbered from 1."""

    group: str
    function: str
    number: int
    statements: tuple[Statement, ...]

    @property
    def file(self) -> str:
        """Return the gold file that has its statements, and those of the function's other calls."""
        return f"{self.group.split()[0]}/{self.function}.sql"


def calls(dialect: Dialect) -> Iterator[StatementCase]:
    """Yield the calls in the order of their groups; each group begins with the same tables."""
    for group, group_calls in _groups(dialect).items():
        numbers: Counter[str] = Counter()
        for function, returned in group_calls:
            numbers[function] += 1
            statements = (returned,) if isinstance(returned, Statement) else tuple(returned)
            yield StatementCase(group, function, numbers[function], statements)


def cases(dialect: Dialect) -> list[tuple[str, Statement]]:
    """Return every statement with a name: its group, its function and its number."""
    return [
        (f"{case.group}/{case.function} {case.number}.{number}", statement)
        for case in calls(dialect)
        for number, statement in enumerate(case.statements, 1)
    ]


def grouped_cases(dialect: Dialect) -> dict[str, dict[str, Statement]]:
    """Return the statements by their names, in groups: a test for each statement costs more than it does."""
    groups: dict[str, dict[str, Statement]] = {}
    for name, statement in cases(dialect):
        groups.setdefault(name.partition("/")[0], {})[name] = statement
    return groups


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
        "compared": _compared(shape),
        "diff": _diff(shape, many, kept),
        "append_only": _append_only(codes(dialect)),
        "events": _events(orders(dialect)),
        "deltas": state_statements.deltas_calls(run),
        "address_changes": state_statements.address_changes_calls(shape),
        "snapshot": state_statements.snapshot_calls(run),
        "journal": state_statements.journal_calls(run),
        "rejections": state_statements.rejections_calls(ModelRejections(shape, *KEY, MODEL), run),
        "migrations": state_statements.migrations_calls(dialect),
        "model_changes": state_statements.model_changes_calls(shape, friends(dialect)),
        "members": state_statements.members_calls(members.ListComparison(shape, "L1")),
        **{name: iter([(name, statements)]) for name, statements in shared_table_calls(dialect)},
        "claimed": _claimed(SharedIdentifier(shape, IdentifierType.PHONE)),
        "clears": _clears(replace(shape, table_key="tiers_2b3c4d5e")),
        "without_profile": _without_profile(
            replace(shape, table_key="known_6f7a8b9c", keeps_without_profile=True)
        ),
        "updated_at": _updated_at(replace(shape, table_key="changed_3c4d5e6f")),
    }


def _schema(dialect: Dialect, shape: ModelTables, kept: Mapping[str, Column]) -> Iterator[Call]:
    yield "create_shared_tables", schema.create_shared_tables(dialect)
    yield "create_model_tables", schema.create_model_tables(shape)
    yield "migrate_columns", schema.migrate_columns(shape, shape.snapshot, kept)
    yield "migrate_columns", schema.migrate_columns(shape, shape.deltas, kept)


def _claimed(identifier: SharedIdentifier) -> Iterator[Call]:
    for rekeyed in (False, True):
        unmarked = SharedIdentifier(replace(identifier.tables, marks=RowMarks()), identifier.kind)
        yield "count_upserts_of_others", conflicts.count_upserts_of_others(unmarked, rekeyed=rekeyed)
        yield "mark_claimed", conflicts.mark_claimed(unmarked, rekeyed=rekeyed)


def _staging(dialect: Dialect, shape: ModelTables, many: ModelTables) -> Iterator[Call]:
    email = Column(name_for(dialect.engine, "mail"), ColumnKind.TEXT, "VARCHAR")
    phone = Column(name_for(dialect.engine, "phone"), ColumnKind.INTEGER, "BIGINT")
    number = Column(name_for(dialect.engine, "id"), ColumnKind.DECIMAL, TYPES[dialect.engine]["number"])
    select = Sql("select * from people")
    yield (
        "stage_rows",
        staging.stage_rows(
            Staging(shape, select, {IdentifierType.EMAIL: email, IdentifierType.PHONE: phone}, None)
        ),
    )
    identifiers = {IdentifierType.EXTERNAL_ID: number, IdentifierType.EMAIL: email}
    yield (
        "stage_rows",
        staging.stage_rows(Staging(many, select, identifiers, name_for(dialect.engine, "club"))),
    )
    yield "stage_rows", staging.stage_rows(_consents(dialect, select, email))
    for tables in (shape, many):
        identifier = SharedIdentifier(tables, tables.identifiers[1])
        yield "collect_duplicates", conflicts.collect_duplicates(tables)
        yield "resolve_duplicates", conflicts.resolve_duplicates(tables)
        yield "collect_shared", conflicts.collect_shared(identifier)
        yield "replace_list_ids", staging.replace_list_ids(tables, [("b", "L2"), ("", "L1"), (None, "L0")])
        yield "count_staged_rows", staging.count_staged_rows(tables, marks_unchanged=tables is shape)
        yield from _marks(replace(tables, marks=RowMarks()))
    yield "select_conflicting_properties", staging.select_conflicting_properties(shape)


def _marks(shape: ModelTables) -> Iterator[Call]:
    """Yield the statements that mark staged rows, each reading the ones before, and some readers."""
    identifier = SharedIdentifier(shape, shape.identifiers[1])
    refused = {"VIP": RowProblem.UNKNOWN_LIST, "Tea": RowProblem.OTHER_MODELS_LIST}
    yield "reject_lists", staging.reject_lists(shape, refused)
    yield "count_staged_rows", staging.count_staged_rows(shape, marks_unchanged=False)
    yield "mark_shared", conflicts.mark_shared(identifier, reject=False)
    yield "count_marks", conflicts.count_marks(shape)
    yield "mark_shared", conflicts.mark_shared(identifier, reject=True)
    yield "mark_still_rejected", staging.mark_still_rejected(shape, "c0ffee")
    yield "count_staged_rows", staging.count_staged_rows(shape, marks_unchanged=False)
    yield "compute_deltas", diff.compute_deltas(ModelDiff(shape, {}))
    yield "select_adds", planned_rows.select_adds(shape, 100)
    for kind in shape.identifiers[:2]:
        values = {kind: ["a@example.com"]}
        yield "select_staged_rows", pending.select_staged_rows(RunDeltas(shape, RUN, MODEL), "L1", values)


def _consents(dialect: Dialect, people: Sql, email: Column) -> Staging:
    """Return the staging of people with a time of each type, which may not lie in the future."""
    times = {
        "consented_at": (ColumnKind.TIMESTAMP_TZ, TYPES[dialect.engine]["time_tz"]),
        "local_time": (ColumnKind.TIMESTAMP, TYPES[dialect.engine]["time"]),
        "day": (ColumnKind.DATE, "DATE"),
    }
    columns = [Column(name_for(dialect.engine, name), *kind) for name, kind in times.items()]
    values = ", ".join(f'CAST(NULL AS {column.type}) AS "{column.name}"' for column in columns)
    shape = ModelTables(
        dialect, "consents_2b3c4d5e", (IdentifierType.EMAIL,), tuple(columns), many_lists=False
    )
    noon = datetime.fromtimestamp(NOON, UTC)
    checks = [PastTimeCheck(column, number == 0, noon) for number, column in enumerate(columns)]
    select = Sql(f'SELECT "{email.name}", {values} FROM ({people}) AS retl_people')
    return Staging(shape, select, {IdentifierType.EMAIL: email}, None, checks)


def _compared(shape: ModelTables) -> Iterator[Call]:
    """Yield the statements of rows that are compared with the snapshot's as they are staged."""
    yield "stage_rows", staging.stage_rows(replace(_stage_people(shape), sent_list_id="L1"))
    yield "compute_marked_deltas", diff.compute_marked_deltas(shape, "L1")
    yield "restore_values", staging.restore_values(shape, "L1")


def _stage_people(shape: ModelTables) -> Staging:
    names = {IdentifierType.EMAIL: "mail", IdentifierType.PHONE: "phone"}
    identifiers = {
        kind: Column(name_for(shape.dialect.engine, name), ColumnKind.TEXT, "VARCHAR")
        for kind, name in names.items()
    }
    return Staging(shape, Sql("select * from people"), identifiers, None)


def _append_only(shape: ModelTables) -> Iterator[Call]:
    kept = {column.name: column for column in shape.payload}
    yield "stage_rows", staging.stage_rows(Staging(shape, Sql("select * from codes"), {}, None))
    unmarked = replace(shape, marks=RowMarks())
    yield "mark_unknown_rows", diff.mark_unknown_rows(ModelDiff(unmarked, kept))
    yield "mark_changed_rows", diff.mark_changed_rows(ModelDiff(unmarked, kept))
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
    email = Column(name_for(shape.dialect.engine, "email"), ColumnKind.TEXT, "VARCHAR")
    query = Staging(shape, Sql("select * from orders"), {IdentifierType.EMAIL: email}, None)
    yield "stage_rows", staging.stage_rows(query)
    yield "count_old_events", events.count_old_events(shape, when)
    yield "delete_old_events", events.delete_old_events(shape, when)
    yield "compute_deltas", diff.compute_deltas(ModelDiff(shape, {}))
    yield "count_planned_events", events.count_planned_events(shape, when)
    yield "count_busy_days", events.count_busy_days(shape, 100)
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
    yield "select_held", stopped_lists.select_held(shape, ["email:ann@example.com"])
    yield "count_planned_by_list", planned_rows.count_planned_by_list(shape)
    yield "select_digest", planned_rows.select_digest(shape)
    yield "select_digest", planned_rows.select_digest(many)
    yield "select_adds", planned_rows.select_adds(shape, 100)
    sent = [
        planned_rows.SentPeople(shape.dialect.state_table(tables.snapshot), tables.identifier_columns[:2])
        for tables in (shape, many)
    ]
    yield "count_sent_adds", planned_rows.count_sent_adds(shape, sent, 99)
    yield "count_by_list", snapshot.count_by_list(shape)
    yield "select_sample", diff.select_sample(ModelDiff(shape, kept), 3)
    yield "select_sample", diff.select_sample(ModelDiff(shape, {}), 3)
    person = {IdentifierType.EMAIL: "ann@example.com", IdentifierType.EXTERNAL_ID: "17"}
    yield "select_staged_rows", person_rows.select_staged_rows(shape, person)
    yield from _held_rows(shape)
    yield "select_staged_identifiers", person_rows.select_staged_identifiers(shape, ["email:ann@example.com"])
    yield "select_planned", person_rows.select_planned(shape, ["email:ann@example.com", "external_id:17"])
    yield "select_sent_rows", person_rows.select_sent_rows(shape, person)
    yield "select_open_changes", person_rows.select_open_changes(shape, person)
    yield "set_created_list_ids", planned_rows.set_created_list_ids(shape, {"new:VIP": "L1", "new:Tea": "L2"})


def _held_rows(shape: ModelTables) -> Iterator[Call]:
    values = ["ann@example.com", "bob@example.com"]
    yield "select_held_removals", held_row_queries.select_held_removals(shape)
    for deletes_people in (False, True):
        rows = held_row_queries.looked_up_rows(shape, "L1", deletes_people=deletes_people)
        yield "select_looked_up", held_row_queries.select_looked_up(rows)
    yield (
        "select_rejected_people",
        held_row_queries.select_rejected_people(shape, IdentifierType.EMAIL, values),
    )
    yield "select_shared_values", held_row_queries.select_shared_values(shape, IdentifierType.EMAIL, values)
    for has_snapshot in (False, True):
        yield (
            "select_people_on_lists",
            held_row_queries.select_people_on_lists(
                shape, ["L1"], IdentifierType.EMAIL, values, has_snapshot=has_snapshot
            ),
        )
    yield "select_omitting_rows", held_row_queries.select_omitting_rows(shape)


def _clears(plain: ModelTables) -> Iterator[Call]:
    """Yield the statements that differ for a model whose NULLs clear values or reject rows."""
    shape = replace(plain, clear_columns=plain.payload[:2], not_null_columns=plain.payload[2:])
    kept = {column.name: replace(column, type=shape.dialect.storage_type(column)) for column in shape.payload}
    run = RunDeltas(shape, RUN, MODEL)
    state_table = shape.dialect.state_table
    columns = (IDENTIFIER_COLUMNS[IdentifierType.EMAIL], IDENTIFIER_COLUMNS[IdentifierType.PHONE])
    names = shape.payload_columns
    marks = [*shape.clear_marks.values()]
    sources = [
        ValueSource(MODEL, shape.staged_rows, columns, {marks[0]: [names[0]]}, is_own=True),
        ValueSource(
            "it's", state_table(shape.snapshot), columns[:1], dict.fromkeys(marks, names[:2]), is_own=False
        ),
    ]
    yield "create_model_tables", schema.create_model_tables(plain)
    for table in (shape.deltas, shape.rejected, shape.snapshot):
        yield "migrate_columns", schema.migrate_columns(shape, table, kept)
    yield "create_model_tables", schema.create_model_tables(shape)
    yield "replace_list_ids", staging.replace_list_ids(shape, [("", "L1")])
    yield "stage_rows", staging.stage_rows(_stage_people(shape))
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
    yield (
        "select_staged_rows",
        pending.select_staged_rows(run, "L1", {IdentifierType.EMAIL: ["a@example.com"]}),
    )
    yield "collect_applied", (snapshot.collect_applied(run), snapshot.collect_replaced(shape))
    yield "apply_to_snapshot", snapshot.apply_to_snapshot(run, [None])
    yield "store_refused_rows", snapshot.store_refused_rows(run, "c0ffee")
    yield "delete_unsent", deltas.delete_unsent(run)
    yield "keep_uncertain", deltas.keep_uncertain(run)
    model = ModelRejections(shape, *KEY, MODEL)
    yield "record_klaviyo_rejections", rejections.record_klaviyo_rejections(model, run)


def _without_profile(shape: ModelTables) -> Iterator[Call]:
    """Yield the statements that differ for a model that creates nobody."""
    run = RunDeltas(shape, RUN, MODEL)
    yield "create_model_tables", schema.create_model_tables(shape)
    yield "replace_list_ids", staging.replace_list_ids(shape, [("", "L1")])
    yield "stage_rows", staging.stage_rows(_stage_people(shape))
    yield "create_empty_plan", planned_rows.create_empty_plan(shape)
    yield "skip_without_profile", without_profile.skip_without_profile(shape, "2026-01-01T00:00:00.000Z")
    yield "select_without_profile", person_rows.select_without_profile(shape, ["email:ann@example.com"])
    yield "count_adds_without_profile", without_profile.count_adds_without_profile(shape)
    yield "collect_applied", (snapshot.collect_applied(run), snapshot.collect_replaced(shape))
    yield (
        "record_without_profile",
        stored_without_profile.record_without_profile(run, "2026-01-01T00:00:00.000Z"),
    )
    yield "prune_without_profile", stored_without_profile.prune_without_profile(shape)


def _updated_at(plain: ModelTables) -> Iterator[Call]:
    """Yield the statements that differ for a model with `updated_at`."""
    shape = replace(plain, keeps_updated_at=True)
    kept = {column.name: replace(column, type=shape.dialect.storage_type(column)) for column in shape.payload}
    run, people = RunDeltas(shape, RUN, MODEL), _stage_people(shape)
    updated_at = Column(name_for(shape.dialect.engine, "club"), ColumnKind.TEXT, "VARCHAR")
    yield "create_model_tables", schema.create_model_tables(plain)
    for table in (shape.deltas, shape.rejected, shape.snapshot):
        yield "migrate_columns", schema.migrate_columns(shape, table, kept)
    known = row_comparison.StagedKeys(are_unique=True, are_valid=True, others_are_equal=True)
    equal = replace(shape, table_key="equal_0a1b2c3d")
    for tables, keys, list_id in ((shape, row_comparison.StagedKeys(), None), (equal, known, "L1")):
        rows = replace(people, tables=tables, updated_at=updated_at, sent_list_id=list_id)
        yield "create_model_tables", schema.create_model_tables(tables)
        yield "replace_list_ids", staging.replace_list_ids(tables, [("", "L1")])
        yield "stage_rows", staging.stage_rows(replace(rows, part=StagedPart.KEYS))
        for stale in ((), ("L1", "L2")):
            yield "collect_compared", row_comparison.collect_compared(tables, keys, (*KEY, MODEL), stale)
        yield "count_compared", row_comparison.count_compared(tables)
        yield "stage_rows", staging.stage_rows(replace(rows, part=StagedPart.COMPARED))
        yield "count_completed", row_comparison.count_completed(tables)
        yield "replace_compared", row_comparison.replace_compared(tables, keys)
    yield "create_empty_plan", planned_rows.create_empty_plan(shape)
    yield "insert_deltas", deltas.insert_deltas(run, "2026-01-01T00:00:00.000Z", None)
    yield "select_hidden", row_comparison.select_hidden(shape, ["email:ann@example.com", "external_id:17"])
    yield "keep_updated_at", row_comparison.keep_updated_at(shape)
    yield "collect_applied", (snapshot.collect_applied(run), snapshot.collect_replaced(shape))
    yield "apply_to_snapshot", snapshot.apply_to_snapshot(run, [None])
