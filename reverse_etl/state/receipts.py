"""The receipts: what requests proved, read for recovery and for the report of a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.receipts import Receipt, ReceiptState
from reverse_etl.domain.timestamps import parse_timestamp
from reverse_etl.state.shared_query import SharedQuery
from reverse_etl.state.tables import in_scope_sql, reading
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reverse_etl.domain.receipts import RowException
    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.statement import TableName


# The counts of rows of a run that a later run may have sent.
_OPEN_COUNTS: Final = ("not_sent", "unknown", "unverified", "no_profile")
_STORED_COLUMNS = "model, list_id, op, job_id, row_count, state, recorded_at, detail, may_have_duplicate"


@dataclass(frozen=True)
class OpenReceipt:
    """A receipt of an earlier run whose import job had not ended."""

    run_id: str
    model: str
    receipt: Receipt
    run_started_at: datetime


@dataclass(frozen=True)
class ReceiptSum:
    """The number of receipts of a list and op in one state, and of their rows."""

    model: str
    list_id: str
    op: str
    state: str
    receipts: int
    rows: int


@dataclass(frozen=True)
class StoredReceipt:
    """A receipt as it is stored. `job_id` is Klaviyo's id of an import, None if there was none."""

    model: str
    list_id: str
    op: str
    job_id: str | None
    rows: int
    state: str
    recorded_at: str
    detail: str
    may_have_duplicate: bool = False


@dataclass(frozen=True)
class UnmatchedRemoval:
    """A removal for which no profile was found."""

    model: str
    list_id: str
    identity: str
    recorded_at: str


@dataclass(frozen=True)
class Receipts:
    """The receipts of one account and project, the row exceptions, and the removals without a profile."""

    state_tables: StateTables

    @property
    def shared_query(self) -> SharedQuery:
        """Return the query of the open receipts."""
        receipts, runs = map(self.state_tables.dialect.state_table, ("receipts", "runs"))
        columns = (
            "run_id",
            "model",
            "list_id",
            "op",
            "first_seq",
            "last_seq",
            "row_count",
            "job_id",
            "detail",
        )
        return SharedQuery(
            ("receipts", "runs"),
            (*(f"c.{column}" for column in (*columns, "may_have_duplicate")), "r.klaviyo_time"),
            f"FROM {receipts} AS c JOIN {runs} AS r ON c.run_id = r.run_id\n"
            f"WHERE {in_scope_sql('r')} AND c.state = '{ReceiptState.ACCEPTED}'",
            "c.run_id, c.model, c.first_seq",
            self.state_tables.scope.key,
            integers=(4, 5, 6),
            booleans=(9,),
        )

    @reading("receipts")
    def open_receipts(self) -> tuple[OpenReceipt, ...]:
        """Return the receipts of earlier runs whose import job had not ended, each with its run's start."""
        return tuple(_to_open_receipt(*row) for row in self.state_tables.fetch_shared(self.shared_query))

    def sums(self, run_id: str) -> tuple[ReceiptSum, ...]:
        """Return how many receipts of a run are in which state, by list and op."""
        statement = Statement.read(
            f"SELECT model, list_id, op, state, COUNT(*), SUM(row_count) FROM {self._receipts} "
            f"WHERE run_id = ?\nGROUP BY model, list_id, op, state ORDER BY model, list_id, op, state",
            (run_id,),
        )
        return tuple(
            ReceiptSum(model, list_id, op, state, int(receipt_count), int(rows))
            for model, list_id, op, state, receipt_count, rows in self.state_tables.fetch(statement)
        )

    def first_of_run(self, run_id: str, limit: int) -> tuple[StoredReceipt, ...]:
        """Return at most `limit` receipts of each list and op of a run; those not applied come first."""
        statement = Statement.read(
            f"SELECT {_STORED_COLUMNS} FROM (\n"
            f"  SELECT {_STORED_COLUMNS}, ROW_NUMBER() OVER (\n"
            f"    PARTITION BY model, list_id, op "
            f"ORDER BY CASE WHEN state = 'applied' THEN 1 ELSE 0 END, first_seq) AS nth\n"
            f"  FROM {self._receipts} WHERE run_id = ?\n"
            f") AS c WHERE nth <= {limit} ORDER BY model, list_id, op, nth",
            (run_id,),
        )
        return tuple(StoredReceipt(*row) for row in self.state_tables.fetch(statement))

    def unmatched_removals(self, run_id: str, limit: int) -> tuple[int, tuple[UnmatchedRemoval, ...]]:
        """Return the number of removals of a run for which no profile was found, and the first of them."""
        rows = self.state_tables.read(
            "unmatched_removals",
            "model, list_id, identity, recorded_at, COUNT(*) OVER ()",
            f"model, list_id, identity LIMIT {limit}",
            **self.state_tables.in_scope,
            run_id=run_id,
        )
        return (int(rows[0][-1]) if rows else 0), tuple(UnmatchedRemoval(*row[:-1]) for row in rows)

    def unmatched_removals_of(self, model: str, identities: Sequence[str]) -> list[UnmatchedRemoval]:
        """Return the removals of these identities for which no profile was found, oldest first."""
        if not identities:
            return []
        rows = self.state_tables.read(
            "unmatched_removals",
            "model, list_id, identity, recorded_at",
            "recorded_at, list_id, identity",
            **self.state_tables.in_scope,
            model=model,
            identity=[*identities],
        )
        return [UnmatchedRemoval(*row) for row in rows]

    def covering(self, run_id: str, model: str, seq: int) -> list[StoredReceipt]:
        """Return the receipts of a run that cover a change, by its number; the newest first."""
        statement = Statement.read(
            f"SELECT {_STORED_COLUMNS} FROM {self._receipts}\n"
            "WHERE run_id = ? AND model = ? AND first_seq <= ? AND last_seq >= ?\n"
            "ORDER BY recorded_at DESC, first_seq",
            (run_id, model, seq, seq),
        )
        return [StoredReceipt(*row) for row in self.state_tables.fetch(statement)]

    @reading("receipts")
    def first_sending(self, model: str, list_id: str, first_sent_at: str) -> tuple[str, str]:
        """Return the run that first sent a row, and its import job if that had all rows of the list.

        The state knows the run by its time. Both are "" if no run, or several, had that time. A run that was
        killed, or left rows open, had rows with this time that a later run sent.
        """
        runs, run_lists = map(self.state_tables.dialect.state_table, ("runs", "run_lists"))
        statement = Statement.read(
            f"SELECT DISTINCT r.run_id, c.job_id, c.state, l.counts\n"
            f"FROM {runs} AS r JOIN {self._receipts} AS c ON c.run_id = r.run_id\n"
            f"LEFT JOIN {run_lists} AS l "
            f"ON l.run_id = c.run_id AND l.model = c.model AND l.list_id = c.list_id\n"
            f"WHERE {in_scope_sql('r')} AND r.klaviyo_time = ? "
            f"AND c.model = ? AND c.list_id = ? AND c.op <> ?",
            (*self.state_tables.scope.key, first_sent_at, model, list_id, Op.REMOVE.value),
        )
        match self.state_tables.fetch(statement):
            case [(run_id, str(job_id), ReceiptState.APPLIED.value, str(counts))] if _is_sent(counts):
                return run_id, job_id
            case [(run_id, *_), *others] if all(run_id == other for other, *_ in others):
                return run_id, ""
            case _:
                return "", ""

    def record(
        self,
        run_id: str,
        model: str,
        receipts: Sequence[Receipt],
        row_exceptions: Sequence[RowException],
        unmatched_removals: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Store a group of receipts, replacing earlier ones of the same ranges, and the row exceptions.

        Row exceptions and `unmatched_removals` are added to the stored ones, so don't record a group twice.
        `unmatched_removals` are the (list id, identity) of the removals without a profile.
        """
        tables, recorded_at = self.state_tables, self.state_tables.now()
        receipt_rows = [_receipt_row(run_id, model, receipt, recorded_at) for receipt in receipts]
        exception_rows = [_exception_row(run_id, model, entry) for entry in row_exceptions]
        removal_rows = [
            (*tables.scope.key, model, list_id, identity, run_id, recorded_at)
            for list_id, identity in unmatched_removals
        ]
        tables.commit(
            (
                *tables.merge("receipts", receipt_rows, "run_id", "model", "first_seq"),
                *tables.insert("row_exceptions", exception_rows),
                *tables.insert("unmatched_removals", removal_rows),
            )
        )

    def replace_row_exceptions(self, run_id: str, model: str, row_exceptions: Sequence[RowException]) -> None:
        """Store row exceptions in the place of those of the same rows."""
        tables, seqs = self.state_tables, [entry.seq for entry in row_exceptions]
        rows = [_exception_row(run_id, model, entry) for entry in row_exceptions]
        tables.commit(
            (
                tables.delete("row_exceptions", run_id=run_id, model=model, seq=seqs),
                *tables.insert("row_exceptions", rows),
            )
        )

    def has_row_exceptions(self, run_id: str, model: str) -> bool:
        """Return whether a run has row exceptions of a model. Most runs have none of any."""
        table = self.state_tables.dialect.state_table("row_exceptions")
        statement = Statement.read(f"SELECT DISTINCT model FROM {table} WHERE run_id = ?", (run_id,))
        return (model,) in self.state_tables.fetch_kept(statement, "row_exceptions")

    def delete_row_exceptions(self, deltas: TableName, run_id: str, model: str) -> Statement:
        """Delete the row exceptions of a run's model whose rows are no longer in `deltas`.

        A row that stays there keeps its exception: without it, its range's receipt would hold for it too.
        The exception of a clear has the row's number with a minus.
        """
        table = self.state_tables.dialect.state_table("row_exceptions")
        return Statement.change(
            table,
            f"DELETE FROM {table} WHERE run_id = ? AND model = ?\n"
            f"AND ABS(seq) NOT IN (SELECT retl_seq FROM {deltas} WHERE retl_run_id = ?)",
            (run_id, model, run_id),
        )

    @property
    def _receipts(self) -> TableName:
        return self.state_tables.dialect.state_table("receipts")


def _to_open_receipt(run_id: str, model: str, *values: Any) -> OpenReceipt:
    list_id, op, first, last, row_count, job_id, detail, may_have_duplicate, run_started_at = values
    receipt = Receipt(
        list_id,
        Op(op),
        first,
        last,
        ReceiptState.ACCEPTED,
        row_count,
        job_id,
        detail,
        bool(may_have_duplicate),
    )
    return OpenReceipt(run_id, model, receipt, parse_timestamp(run_started_at))


def _receipt_row(run_id: str, model: str, receipt: Receipt, recorded_at: str) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "model": model,
        "list_id": receipt.list_id,
        "op": receipt.op.value,
        "first_seq": receipt.first_seq,
        "last_seq": receipt.last_seq,
        "row_count": receipt.rows,
        "state": receipt.state.value,
        "job_id": receipt.job_id,
        "recorded_at": recorded_at,
        "detail": receipt.detail,
        "may_have_duplicate": receipt.may_have_duplicate,
    }


def _exception_row(run_id: str, model: str, entry: RowException) -> tuple[Any, ...]:
    return (run_id, model, entry.seq, entry.kind.value, entry.code, entry.field, entry.detail)


def _is_sent(counts: str) -> bool:
    """Return whether a run sent all rows of a list, by its counts as JSON."""
    rows = json.loads(counts)
    return not any(rows.get(name, 0) for name in _OPEN_COUNTS)
