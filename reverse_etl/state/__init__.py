"""The state: everything that is stored between runs.

- A snapshot per model: the rows last applied, with the values that Klaviyo was last given.
- The uncertain deltas: those of a run, from the start of sending until a receipt proves them applied.
- Runs, receipts, rejections, the registry of lists, and the lease.

Everything is keyed by Klaviyo account and project, and a model's rows by list id. Related changes are one
transaction: a process may be killed between any two statements, and the next run continues from what was
committed.
"""

from __future__ import annotations

from reverse_etl.state.last_run_file import LastRunFile
from reverse_etl.state.lease import LEASE_SECONDS
from reverse_etl.state.lists import RegisteredList
from reverse_etl.state.migrations import open_state
from reverse_etl.state.model_record import ModelRecord, ModelSubmission
from reverse_etl.state.receipts import OpenReceipt, ReceiptSum, StoredReceipt, UnmatchedRemoval
from reverse_etl.state.runs import RunList, RunRecord, RunState
from reverse_etl.state.shared_tables import read_shared_tables
from reverse_etl.state.store import State
from reverse_etl.state.tables import StateScope, last_account

__all__ = [
    "LEASE_SECONDS",
    "LastRunFile",
    "ModelRecord",
    "ModelSubmission",
    "OpenReceipt",
    "ReceiptSum",
    "RegisteredList",
    "RunList",
    "RunRecord",
    "RunState",
    "State",
    "StateScope",
    "StoredReceipt",
    "UnmatchedRemoval",
    "last_account",
    "open_state",
    "read_shared_tables",
]
