"""The deltas of a run: written before its first row is sent, and kept until receipts prove what came of them.

From then on a row is uncertain until a receipt proves that it was applied or refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import PERSONAL_IDENTIFIERS, IdentifierType
from reverse_etl.state.sql.templates import render
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS, KEY_COLUMNS, ModelTables
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.warehouse.statement import TableName


@dataclass(frozen=True)
class RunDeltas:
    """The deltas of one model in one run."""

    tables: ModelTables
    run_id: str
    model: str

    @property
    def stored(self) -> TableName:
        """Return the table of the model's deltas, of this and earlier runs."""
        return deltas_table(self.tables)


def deltas_table(tables: ModelTables) -> TableName:
    """Return the full name of the state table of a model's deltas."""
    return tables.dialect.state_table(tables.deltas)


def defer_lists(tables: ModelTables, list_ids: Sequence[str]) -> Statement:
    """Leave the plan's rows of these lists for a later run: none is sent, and none replaces an uncertain row."""
    planned = tables.dialect.temp_table(tables.planned)
    return Statement.change(
        planned,
        f"UPDATE {planned} SET retl_op = '{Op.DEFERRED}' WHERE retl_list_id IN ({', '.join('?' for _ in list_ids)})",
        (*list_ids,),
    )


def clear_superseded(tables: ModelTables) -> Statement:
    """Delete the uncertain rows of earlier runs that the plan replaces."""
    return Statement.change(deltas_table(tables), *render("deltas:clear_superseded", tables))


def insert_deltas(run: RunDeltas, first_sent_at: str, seq_range: range | None) -> Statement:
    """Store the plan's deltas of a range, or all of them, as deltas of this run."""
    text = render(
        "deltas:insert_deltas",
        run.tables,
        run_id=run.run_id,
        first_sent_at=first_sent_at,
        seq_range=seq_range,
    )
    return Statement.insert(run.stored, *text)


def update_identities(tables: ModelTables) -> tuple[Statement, ...]:
    """Give snapshot and uncertain rows the identity that the model's current identifiers make."""
    return tuple(
        Statement.change(
            tables.dialect.state_table(table), *render("deltas:update_identities", tables, table=table)
        )
        for table in (tables.snapshot, tables.deltas)
    )


def mark_uncertain(tables: ModelTables, list_ids: Sequence[str]) -> Statement:
    """Make the snapshot's rows of these lists uncertain that have no delta, such as those of rejected rows."""
    return Statement.insert(
        deltas_table(tables), *render("deltas:mark_uncertain", tables, list_ids=list_ids, column=None)
    )


def mark_people_uncertain(
    tables: ModelTables, list_id: str, kind: IdentifierType, values: Sequence[str]
) -> tuple[Statement, ...]:
    """Make a list's rows uncertain that have one of these identifiers, and upserts of them that are planned."""
    table, column = deltas_table(tables), IDENTIFIER_COLUMNS[kind]
    placeholders = ", ".join("?" for _ in values)
    return (
        Statement.change(
            table,
            f"UPDATE {table} SET retl_uncertain = TRUE "
            f"WHERE retl_list_id = ? AND retl_op <> '{Op.REMOVE}' AND {column} IN ({placeholders})",
            (list_id, *values),
        ),
        Statement.insert(
            table, *render("deltas:mark_uncertain", tables, list_ids=(list_id,), column=column, values=values)
        ),
    )


def mark_deferred_uncertain(tables: ModelTables) -> Statement:
    """Make the rows uncertain whose removal is held or deferred.

    The rows that are sent meanwhile may change the same profiles. So they are sent again if they come back.
    """
    return Statement.insert(deltas_table(tables), *render("deltas:mark_deferred_uncertain", tables))


def mark_rejected_uncertain(tables: ModelTables) -> Statement:
    """Make the applied rows uncertain that Klaviyo refused later, so that they are sent again although they did not change."""
    return Statement.insert(deltas_table(tables), *render("deltas:mark_rejected_uncertain", tables))


def mark_unsent_uncertain(run: RunDeltas) -> Statement:
    """Make the rows uncertain whose removal was planned and not sent, or was held: see `mark_deferred_uncertain`."""
    text = render("deltas:mark_removals_uncertain", run.tables, run=run, were_uncertain=False)
    return Statement.change(run.stored, *text)


def keep_uncertain(run: RunDeltas) -> Statement:
    """Keep the rows uncertain that were so before their removal was planned and not sent, or was held.

    A row whose removal was sent before, or that may never have been added, may not be on the list, and stays a removal.
    """
    text = render("deltas:mark_removals_uncertain", run.tables, run=run, were_uncertain=True)
    return Statement.change(run.stored, *text)


def delete_unsent(run: RunDeltas) -> Statement:
    """Delete the deltas that were not sent, for a run that knows what it sent.

    A row that was uncertain before this run stays so: an earlier run may have sent it.
    """
    return Statement.change(run.stored, *render("deltas:delete_unsent", run.tables, run=run))


def count_of_run(tables: ModelTables, run_id: str) -> Statement:
    """Return the number of a run's deltas."""
    return Statement.read(f"SELECT COUNT(*) FROM {deltas_table(tables)} WHERE retl_run_id = ?", (run_id,))


def count_uncertain(tables: ModelTables) -> Statement:
    """Return the number of uncertain rows."""
    return Statement.read(f"SELECT COUNT(*) FROM {deltas_table(tables)}")


def delete_uncertain_upserts(tables: ModelTables) -> Statement:
    """Delete the uncertain rows that were to be added or updated."""
    table = deltas_table(tables)
    return Statement.change(table, f"DELETE FROM {table} WHERE retl_op <> '{Op.REMOVE}'")


def repeat_uncertain_removes(tables: ModelTables) -> Statement:
    """Make the uncertain removes rows that Klaviyo may have, so that the next plan removes them."""
    table = deltas_table(tables)
    return Statement.change(
        table, f"UPDATE {table} SET retl_op = '{Op.UPDATE}' WHERE retl_op = '{Op.REMOVE}'"
    )


def inherit_first_sent(run: RunDeltas, previous_table_key: str, list_ids: Sequence[str]) -> Statement:
    """Count a run's rows as first sent when another model sent their person to these lists, if that was earlier.

    Rows with the same identity, e-mail or id are of the same person. Members that the other model added were added by this
    job. `previous_table_key` ends the names of that model's tables. May be repeated.
    """
    text = render(
        "deltas:inherit_first_sent",
        run.tables,
        run_id=run.run_id,
        previous_tables=(f"snapshot_{previous_table_key}", f"deltas_{previous_table_key}"),
        list_ids=list_ids,
        matching_columns=(KEY_COLUMNS[1], *(IDENTIFIER_COLUMNS[kind] for kind in PERSONAL_IDENTIFIERS)),
    )
    return Statement.change(run.stored, *text)


def backdate_first_sent(tables: ModelTables, rows: Sequence[tuple[str, str, str]]) -> tuple[Statement, ...]:
    """Count rows as first sent at a time, if that was earlier: (list id, identity, time), at least one."""
    return tuple(
        Statement.change(
            tables.dialect.state_table(table),
            *render("deltas:backdate_first_sent", tables, table=table, rows=rows),
        )
        for table in (tables.snapshot, tables.deltas)
    )


def count_unanswered(run: RunDeltas) -> Statement:
    """Return (list id, rows) of a run's deltas that no receipt covers: sent without a recorded reply, or not sent."""
    return Statement.read(*render("deltas:count_unanswered", run.tables, run=run))


def select_last_stored_seq(run: RunDeltas) -> Statement:
    """Return the last number of a run's deltas."""
    return Statement.read(
        f"SELECT COALESCE(MAX(retl_seq), 0) FROM {deltas_table(run.tables)} WHERE retl_run_id = ?",
        (run.run_id,),
    )


def renumber(run: RunDeltas, seqs: Sequence[int], offset: int) -> Statement:
    """Give deltas of a run higher numbers, so that they are sent as rows without a receipt."""
    table, placeholders = deltas_table(run.tables), ", ".join("?" for _ in seqs)
    return Statement.change(
        table,
        f"UPDATE {table} SET retl_seq = retl_seq + {int(offset)} "
        f"WHERE retl_run_id = ? AND retl_seq IN ({placeholders})",
        (run.run_id, *seqs),
    )
