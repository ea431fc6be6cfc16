"""The statements of the state that are about one model, or about its migration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from reverse_etl.config.journal import JournalSettings, Pii
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.planning.sql import staging
from reverse_etl.state.journal import Journal, JournalSearch
from reverse_etl.state.person_hash import PersonHash
from reverse_etl.state.rejections import Rejections
from reverse_etl.state.sql import (
    address_changes,
    deltas,
    members,
    migrations,
    model_changes,
    pending,
    rejections,
    schema,
    snapshot,
)
from reverse_etl.state.sql.journal import JournalEntry, insert_journal
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.state.sql.deltas import RunDeltas
    from reverse_etl.state.sql.rejections import ModelRejections
    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.model_tables import ModelTables

from tests.warehouse.model_tables import KEY, MODEL, RUN
from tests.warehouse.recorded_statements import recording_tables

Call = tuple[str, Statement | Iterable[Statement]]


def deltas_calls(run: RunDeltas) -> Iterator[Call]:
    tables = run.tables
    yield "defer_lists", deltas.defer_lists(tables, ["L1", "L2"])
    yield "clear_superseded", deltas.clear_superseded(tables)
    yield "insert_deltas", deltas.insert_deltas(run, "2026-01-01T00:00:00.000Z", None)
    yield "insert_deltas", deltas.insert_deltas(run, "2026-01-01T00:00:00.000Z", range(1, 10))
    yield "update_identities", deltas.update_identities(tables)
    yield "select_seq_ranges", pending.select_seq_ranges(tables, RUN)
    yield "select_upserts", pending.select_upserts(tables, RUN, "L1", range(1, 10))
    yield "select_changed_contacts", pending.select_changed_contacts(tables, RUN, "L1", range(1, 10))
    yield "select_possible_renames", pending.select_possible_renames(tables, RUN, "L1", range(1, 10))
    yield "select_meeting_lists", pending.select_meeting_lists(tables, RUN)
    yield "select_removes", pending.select_removes(tables, RUN, "L1", range(10, 20))
    yield "select_delta_identifiers", pending.select_delta_identifiers(tables, RUN, 1, 10)
    emails = ["a@example.com", "b@example.com"]
    yield (
        "select_staged_rows",
        pending.select_staged_rows(
            run, "L1", {IdentifierType.EMAIL: emails, IdentifierType.EXTERNAL_ID: ["17"]}
        ),
    )
    yield "count_unanswered", deltas.count_unanswered(run)
    yield "select_last_stored_seq", deltas.select_last_stored_seq(run)
    yield "renumber", deltas.renumber(run, [3, 5], 40)
    yield "delete_unsent", deltas.delete_unsent(run)
    yield "mark_uncertain", deltas.mark_uncertain(tables, ["L1", "L2"])
    yield (
        "mark_people_uncertain",
        deltas.mark_people_uncertain(tables, "L1", IdentifierType.EMAIL, emails),
    )
    yield "mark_deferred_uncertain", deltas.mark_deferred_uncertain(tables)
    yield "mark_rejected_uncertain", deltas.mark_rejected_uncertain(tables)
    yield "mark_unsent_uncertain", deltas.mark_unsent_uncertain(run)
    yield "keep_uncertain", deltas.keep_uncertain(run)
    yield "inherit_first_sent", deltas.inherit_first_sent(run, tables.table_key, ["L1", "L2"])
    times = [("L1", "email:a@example.com", "2026-01-01T00:00:00.000Z")]
    yield "backdate_first_sent", deltas.backdate_first_sent(tables, times)
    yield "count_uncertain", deltas.count_uncertain(tables)
    yield "delete_uncertain_upserts", deltas.delete_uncertain_upserts(tables)
    yield "repeat_uncertain_removes", deltas.repeat_uncertain_removes(tables)


def address_changes_calls(tables: ModelTables) -> Iterator[Call]:
    """Yield the statements about rows without ids, whose member gets another address."""
    changes = [
        ("email:ann@example.com", "01ANN", "klaviyo_profile_id:01ANN"),
        ("phone_e164:+14155550100", "01BOB", "klaviyo_profile_id:01BOB"),
    ]
    yield "select_changed", address_changes.select_changed(tables, RUN, changes)
    yield "name_members", address_changes.name_members(tables, RUN, changes)
    yield "forget_rows", address_changes.forget_rows(tables, changes)


def members_calls(comparison: members.ListComparison) -> Iterator[Call]:
    yield "create_members", members.create_members(comparison)
    joined = ("2026-01-01T00:00:00.000Z", "2026-01-01T00:01:00.000Z")
    member = ("a@example.com", None, None, "P1", *joined)
    yield "insert_members", members.insert_members(comparison, [member])
    yield "compare_members", members.compare_members(comparison)
    yield "select_comparison_counts", members.select_comparison_counts(comparison)
    yield "select_missing_sample", members.select_missing_sample(comparison, 3)
    yield "select_unmanaged_sample", members.select_unmanaged_sample(comparison, 3)
    yield "select_several_members_sample", members.select_several_members_sample(comparison, 3)
    yield (
        "select_unmatched_but_present",
        members.select_unmatched_but_present(comparison, KEY, MODEL),
    )
    yield "select_unmatched_contacts", members.select_unmatched_contacts(comparison)
    yield "mark_missing_uncertain", members.mark_missing_uncertain(comparison)
    yield "adopt_members", members.adopt_members(comparison)
    consents = replace(comparison, consents_of=(*KEY, MODEL))
    yield "compare_consents", members.compare_members(consents)
    yield "select_consent_counts", members.select_comparison_counts(consents)


def model_changes_calls(tables: ModelTables, other: ModelTables) -> Iterator[Call]:
    dialect, names = tables.dialect, ("old_name", MODEL)
    yield "rename_in_runs", model_changes.rename_in_runs(dialect, "receipts", KEY, *names)
    yield "merge_rows", model_changes.merge_rows(tables, other)
    yield "merge_consents", model_changes.merge_consents(dialect, KEY, *names)
    yield "renumber_journal", model_changes.renumber_journal(dialect, KEY, *names)
    for list_id in ("L1", None):
        yield "delete_rows", model_changes.delete_rows(dialect, other.snapshot, list_id)
    yield "drop_table", model_changes.drop_table(dialect, other.snapshot)


def migrations_calls(dialect: Dialect) -> Iterator[Call]:
    yield "select_meta", migrations.select_meta(dialect, ["version"])
    yield "select_scopes", migrations.select_scopes(dialect)
    yield "select_table_keys", migrations.select_table_keys(dialect)
    yield "mark_migrating", migrations.mark_migrating(dialect, schema.STATE_VERSION, "a copy")
    yield "select_meta", migrations.select_meta(dialect, ["version", "migrating_to", "backup"])
    for version, changes in migrations.CHANGES_BY_VERSION.items():
        yield "create_new_tables", migrations.create_new_tables(dialect, version)
        for change in changes:
            yield "change_table", migrations.change_table(dialect, change)
        for old_name, name in migrations.RENAMED_MODEL_TABLES_BY_VERSION[version].items():
            yield (
                "rename_model_table",
                migrations.rename_model_table(dialect, f"{name}_vip", f"{old_name}_vip"),
            )
        yield "change_values", migrations.change_values(dialect, version)
    yield "raise_version", migrations.raise_version(dialect, schema.STATE_VERSION)


def snapshot_calls(run: RunDeltas) -> Iterator[Call]:
    yield "collect_applied", snapshot.collect_applied(run)
    yield "count_nulls", snapshot.count_nulls(run)
    old = run.tables.payload_columns[:1]
    yield "collect_replaced", snapshot.collect_replaced(run.tables, old)
    yield "apply_to_snapshot", snapshot.apply_to_snapshot(run, [None], old)
    yield "collect_replaced", snapshot.collect_replaced(run.tables)
    rejected = run.tables.dialect.state_table(run.tables.rejected)
    yield "delete_applied_rows", snapshot.delete_applied_rows(run.tables, rejected)
    yield "apply_to_snapshot", snapshot.apply_to_snapshot(run, [None])
    yield "count_of_run", deltas.count_of_run(run.tables, run.run_id)
    yield "store_refused_rows", snapshot.store_refused_rows(run, "c0ffee")
    in_parts = snapshot.apply_to_snapshot(run, [range(1, 10), range(10, 19)])
    yield "apply_to_snapshot", in_parts[1:3]
    yield "drop_temp_tables", schema.drop_temp_tables(run.tables.dialect, (run.tables.applied,))
    for list_id in (None, "L1"):
        emails = ["email:a@example.com"]
        yield "select_known", snapshot.select_known(run.tables, emails, list_id)
        yield "select_staged_identities", staging.select_staged_identities(run.tables, emails, list_id)
    by_value = staging.select_staged_identities(run.tables, emails, "L1", ["", "L1", "Members"])
    yield "select_staged_identities", by_value


def journal_calls(run: RunDeltas) -> Iterator[Call]:
    dialect = run.tables.dialect
    yield "collect_applied", snapshot.collect_applied(run)
    yield "collect_replaced", snapshot.collect_replaced(run.tables)
    for pii in Pii:
        entry = JournalEntry(run.tables, *KEY, "2026-01-01T00:00:00.000Z", pii, PersonHash(dialect, KEY[0]))
        yield "insert_journal", insert_journal(run, entry)
    tables, statements = recording_tables(dialect)
    journal = Journal(tables, JournalSettings(90 * 86_400))
    journal.store_outcomes(RUN, MODEL, [(1, 3, "replaced")])
    tables.commit(journal.insert_settled_consents(MODEL, "L1"))
    own_ids = {IdentifierType.EXTERNAL_ID: journal.kept_texts(IdentifierType.EXTERNAL_ID, "60")}
    journal.find(JournalSearch({IdentifierType.EMAIL: "a@example.com"}, [MODEL], 20, own_ids=own_ids))
    yield "journal", statements


def rejections_calls(model: ModelRejections, run: RunDeltas) -> Iterator[Call]:
    yield "count_check_rejections", rejections.count_check_rejections(model)
    yield "count_check_rejections", rejections.count_check_rejections(model, with_example=True)
    yield "collect_check_rejections", rejections.collect_check_rejections(model, RUN)
    yield "replace_check_rejections", rejections.replace_check_rejections(model)
    yield "delete_changed_rejections", rejections.delete_changed_rejections(model)
    yield "record_klaviyo_rejections", rejections.record_klaviyo_rejections(model, run)
    yield "delete_klaviyo_rejections", rejections.delete_klaviyo_rejections(model)
    tables, statements = recording_tables(run.tables.dialect)
    Rejections(tables).by_list(RUN)
    yield "by_list", statements
