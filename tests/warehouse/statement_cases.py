"""Every statement of the diff and the state, on two models: what the gold files hold, and what is parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.domain.engine import Engine
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.planning.sql import conflicts as claimed
from reverse_etl.planning.sql import conflicts as clashes
from reverse_etl.planning.sql import diff, staging
from reverse_etl.planning.sql import digest as seal
from reverse_etl.planning.sql.diff import DiffOptions
from reverse_etl.state.sql import ledger, members, migrations, rejections, reports, schema
from reverse_etl.state.sql import pending as deltas
from reverse_etl.state.sql import snapshot as takeover
from reverse_etl.warehouse.model_tables import ModelTables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reverse_etl.warehouse.dialect import Dialect
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
    shape, kind = vip(dialect), IdentifierType.PHONE
    more = [
        *(claimed.collect_claimed(dialect, shape, kind, rekeyed=rekeyed) for rekeyed in (False, True)),
        claimed.count_claimed(dialect, shape, kind),
        claimed.omit_claimed(dialect, shape, kind),
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
        "ledger": _ledger(dialect),
        "migrations": _migrations(dialect),
        "members": _members(dialect, shape),
        "reports": _reports(dialect),
    }
    for name, group in named.items():
        for number, statement in enumerate(group, 1):
            yield f"{name} {number}", statement


def _staging(dialect: Dialect, shape: ModelTables, many: ModelTables) -> Iterator[Statement]:
    email = Column(_named(dialect.engine, "mail"), ColumnKind.TEXT, "VARCHAR")
    phone = Column(_named(dialect.engine, "phone"), ColumnKind.INTEGER, "BIGINT")
    number = Column(_named(dialect.engine, "id"), ColumnKind.DECIMAL, _TYPES[dialect.engine]["number"])
    select = "select * from people"
    yield staging.stage_rows(
        dialect, shape, select, {IdentifierType.EMAIL: email, IdentifierType.PHONE: phone}, None
    )
    identifiers = {IdentifierType.EXTERNAL_ID: number, IdentifierType.EMAIL: email}
    yield staging.stage_rows(dialect, many, select, identifiers, _named(dialect.engine, "club"))
    for one in (shape, many):
        yield clashes.collect_duplicates(dialect, one)
        yield from clashes.resolve_duplicates(dialect, one)
        yield clashes.collect_shared(dialect, one, one.identifiers[1])
        yield clashes.reject_identity_conflicts(dialect, one, one.identifiers[1])
        yield clashes.count_shared(dialect, one, one.identifiers[1])
        yield clashes.omit_shared(dialect, one, one.identifiers[1])
        yield clashes.reject_shared(dialect, one, one.identifiers[1])
        yield staging.mark_still_rejected(dialect, one, "c0ffee")
        yield staging.select_list_names(dialect, one)
        yield from staging.replace_list_ids(dialect, one, {"": "L1", "b": "L2"})
        yield staging.count_staged_rows(dialect, one)


def _append_only(dialect: Dialect, shape: ModelTables) -> Iterator[Statement]:
    kept = {column.name: column for column in shape.payload}
    yield staging.stage_rows(dialect, shape, "select * from codes", {}, None)
    yield diff.mark_changed_rows(dialect, shape, kept)
    for columns in ({}, kept):
        yield from diff.compute_deltas(dialect, shape, columns, DiffOptions())
    yield deltas.select_upserts(dialect, shape, RUN, "", range(1, 9))


def _diff(
    dialect: Dialect, shape: ModelTables, many: ModelTables, kept: Mapping[str, Column]
) -> Iterator[Statement]:
    for one in (shape, many):
        yield diff.select_first_difference(
            dialect, one, kept_of(one, dialect.engine) or {"retl_email": shape.payload[0]}
        )
        yield diff.create_empty_plan(dialect, one)
    yield from diff.compute_deltas(dialect, shape, {}, DiffOptions())
    yield from diff.compute_deltas(dialect, shape, kept, DiffOptions())
    yield from diff.compute_deltas(dialect, shape, kept, DiffOptions(full_refresh=True, rekeyed=True))
    yield from diff.limit_upserts(dialect, shape, 5)
    yield from diff.compute_deltas(
        dialect, many, kept_of(many, dialect.engine) or {"retl_email": shape.payload[0]}, DiffOptions()
    )
    yield from diff.compute_deltas(dialect, shape, kept, DiffOptions(stale_list_ids=("L1", "L2")))
    yield diff.cancel_rejected_removals(dialect, shape)
    yield diff.hold_shared_removals(dialect, shape)
    yield diff.count_planned_by_list(dialect, shape)
    yield from (seal.select_digest(dialect, one) for one in (shape, many))
    yield diff.count_removes_by_identifier(dialect, shape)
    yield takeover.count_snapshot_by_list(dialect, shape)
    yield takeover.count_uncertain_by_list(dialect, shape)
    yield diff.select_sample(dialect, shape, kept, 3, DiffOptions())
    yield diff.select_sample(dialect, shape, {}, 3, DiffOptions())
    yield diff.set_created_list_ids(dialect, shape, {"new:VIP": "L1", "new:Tea": "L2"})


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


def _ledger(dialect: Dialect) -> Iterator[Statement]:
    yield ledger.select_models(dialect, *KEY)
    yield ledger.select_other_projects(dialect, *KEY)
    yield from ledger.replace_model(dialect, *KEY, ("vip", "vip_0a1b2c3d", "profiles", "[]", "c0ffee"))
    yield ledger.select_last_account(dialect, "shop", "prod")
    yield from ledger.replace_account(dialect, "shop", "prod", "acc")
    yield ledger.insert_run(dialect, RUN, *KEY, "t", "t")
    yield ledger.update_ended_run(dialect, RUN, "ended", "t", None)
    yield ledger.insert_refused_run(dialect, RUN, *KEY, "t", 3)
    yield ledger.select_refusal_reasons(dialect, RUN)
    yield ledger.select_unfinished_runs(dialect, *KEY)
    yield ledger.select_run_windows(dialect, *KEY, "L1")
    yield ledger.select_runs(dialect, *KEY)
    yield ledger.select_all_run_lists(dialect, *KEY)
    yield ledger.select_open_receipts(dialect, *KEY)
    yield ledger.delete_receipts(dialect, RUN, MODEL, (1, 2))
    yield from ledger.delete_row_exceptions(dialect, "deltas_vip_0a1b2c3d", RUN, MODEL)
    yield ledger.select_lists(dialect, *KEY)
    yield from ledger.replace_list(dialect, *KEY, ("L1", "VIP", "vip", "owned", "t"))
    yield ledger.select_lease(dialect, *KEY)
    yield from ledger.replace_lease(dialect, *KEY, "me", "t")
    yield ledger.renew_lease(dialect, *KEY, "me", "t")
    yield ledger.acquire_lease(dialect, *KEY, "me", "t2", "t1")
    yield ledger.delete_lease(dialect, *KEY, "me")
    for table in ("receipts", "row_exceptions", "unmatched_removals", "run_lists"):
        columns = schema.SHARED_TABLES[table].split(",")
        rows = [
            tuple(
                row == 1 if "BOOLEAN" in column else f"{row}.{index}" for index, column in enumerate(columns)
            )
            for row in range(2)
        ]
        yield from ledger.insert_rows(dialect, table, rows)


def _reports(dialect: Dialect) -> Iterator[Statement]:
    yield reports.select_run_lists(dialect, [RUN, "r2"])
    yield reports.select_receipt_sums(dialect, RUN)
    yield reports.select_receipts(dialect, RUN, 25)
    yield reports.select_unmatched_removals(dialect, KEY, RUN, 50)
