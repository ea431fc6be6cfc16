"""The statements of the classes that read and write the tables which all models share."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import Receipt, ReceiptState, RowException, RowExceptionKind
from reverse_etl.errors import WarehouseError
from reverse_etl.klaviyo.kept_responses import KeptResponse
from reverse_etl.state import (
    ModelRecord,
    RunRecord,
    RunState,
    State,
    StateScope,
    last_account,
    read_shared_tables,
)
from reverse_etl.state.consents import Consents, ConsentState, SentConsent
from reverse_etl.state.lease import Lease
from reverse_etl.state.lists import ListRegistry
from reverse_etl.state.omissions import Omission, Omissions
from reverse_etl.state.own_suppressions import OwnSuppression, OwnSuppressions
from reverse_etl.state.receipts import Receipts
from reverse_etl.state.rejections import Rejections
from reverse_etl.state.removal_holds import HoldCause, RemovalHold, RemovalHolds
from reverse_etl.state.responses import Responses
from reverse_etl.state.runs import RefusedRun, Runs, StopCause
from reverse_etl.state.sql.deltas import RunDeltas
from reverse_etl.state.tables import StateTables
from reverse_etl.state.withheld import DeletionRequest, Withheld
from reverse_etl.surfaces.interface import ListAspect
from reverse_etl.warehouse.model_tables import ModelTables
from reverse_etl.warehouse.statement import Statement
from tests.clocks import NOON, QuickClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from reverse_etl.warehouse.dialect import Dialect
    from reverse_etl.warehouse.interface import Row, Warehouse

from tests.warehouse.model_tables import KEY, MODEL, RUN, vip


class RecordingWarehouse:
    """A warehouse that only records the statements given to it.

    Queries return no rows, but for the next ones after `answers` were given.
    """

    opening_notes: tuple[str, ...] = ()
    single_writer = False
    min_write_interval = 0.0

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.statements: list[Statement] = []
        self.answers: list[list[Row]] = []

    def execute(self, statement: Statement) -> None:
        """Record a statement."""
        self.statements.append(statement)

    def fetch(self, statement: Statement) -> list[Row]:
        """Record a query and return its answer, or no rows."""
        self.statements.append(statement)
        return self.answers.pop(0) if self.answers else []

    def stream(self, statement: Statement, size: int) -> Iterator[list[Row]]:
        """Record a query and return one row: a row key, and the body of a response."""
        del size
        self.statements.append(statement)
        yield [("key:a@example.com", "")]

    def transaction(self) -> AbstractContextManager[None]:
        """Do nothing."""
        return nullcontext()


def recording_tables(dialect: Dialect) -> tuple[StateTables, list[Statement]]:
    """Return state tables of one account and project, and the list to which their statements are added."""
    warehouse = RecordingWarehouse(dialect)
    return StateTables(cast("Warehouse", warehouse), StateScope(*KEY), QuickClock()), warehouse.statements


def answer(tables: StateTables, *rows: list[Row]) -> None:
    """Let the next queries return these rows, one list for each."""
    cast("RecordingWarehouse", tables.warehouse).answers += rows


def shared_table_calls(dialect: Dialect) -> Iterator[tuple[str, Sequence[Statement]]]:
    """Yield the statements of each class that reads and writes the shared tables."""
    uses = (
        _use_models,
        _use_runs,
        _use_receipts,
        _use_lists,
        _use_removal_holds,
        _use_consents,
        _use_own_suppressions,
        _use_withheld,
        _use_omissions,
        _use_lease,
        _use_responses,
    )
    for act in uses:
        tables, statements = recording_tables(dialect)
        act(tables)
        yield act.__name__.removeprefix("_use_"), statements


def _use_models(tables: StateTables) -> None:
    state = State(tables.warehouse, tables.scope, tables.clock)
    state.models.records()
    state.tables.forget_kept()
    read_shared_tables(state)
    state.models.other_projects()
    last_account(tables.warehouse, "shop", "prod")
    state.models.record_model(ModelRecord(MODEL, "vip_0a1b2c3d", "profiles", (), "c0ffee"))


def _use_runs(tables: StateTables) -> None:
    runs = Runs(tables)
    tables.execute(*runs.start(RUN, "prod/klaviyo", "t"))
    runs.record_end(RUN, RunState.ENDED, 0, [(MODEL, "L1", "VIP", "{}", None, "")])
    runs.record_end(RUN, RunState.RECOVERED)
    runs.record_refused_run(RefusedRun("r2", "prod/klaviyo", ["Too many."], StopCause.GUARD))
    runs.refusal_reasons(RunRecord("r2", RunState.REFUSED, "t", "t", 3))
    runs.unfinished()
    runs.windows("L1")
    runs.ends()
    runs.history()
    runs.run_lists()
    runs.interrupted_lists()


def _use_receipts(tables: StateTables) -> None:
    receipts = Receipts(tables)
    rows = [Receipt("L1", Op.ADD, first, first + 9, ReceiptState.APPLIED, 10, "j1") for first in (1, 11)]
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
    lists.claim([("L1", "VIP", MODEL, ListAspect.MEMBERS)])


def _use_consents(tables: StateTables) -> None:
    consents, noon = Consents(tables), datetime.fromtimestamp(NOON, UTC)
    emails = ["email:a@example.com", "email:b@example.com"]
    consents.record(RUN, MODEL, [SentConsent("L1", email, noon, noon) for email in emails])
    consents.mark(MODEL, "L1", emails, ConsentState.CONFIRMED)
    consents.read_pending(MODEL, "L1", "", 10)
    consents.read_pending(MODEL, "L1", "email:a@example.com", 10, RUN)
    consents.count_by_state()
    consents.count_by_state(RUN)
    consents.count_unconfirmed(MODEL, "vip_0a1b2c3d")
    consents.read_confirmed(MODEL, "L1", emails)
    consents.find_subscribed_since(emails, noon)
    consents.forget(MODEL, "L1", emails)


def _use_own_suppressions(tables: StateTables) -> None:
    own, noon = OwnSuppressions(tables), datetime.fromtimestamp(NOON, UTC)
    ann, bob = "email:a@example.com", "email:b@example.com"
    own.record(MODEL, [OwnSuppression(ann, noon), OwnSuppression(bob, noon, noon)])
    own.find(MODEL, [ann])
    own.find_pending(MODEL)
    own.find_other_models([ModelRecord("fraud", "vip_0a1b2c3d", "suppressions", (), "c0ffee")], [bob])
    own.delete(MODEL, [ann])


def _use_withheld(tables: StateTables) -> None:
    withheld, shape = Withheld(tables), vip(tables.dialect)
    identifiers = [(IdentifierType.EMAIL, "a@example.com"), (IdentifierType.PHONE, "+14155550100")]
    tables.execute(*withheld.collect([shape]), withheld.hide_erased(MODEL, shape))
    tables.execute(*withheld.mark_staged(shape), *withheld.cancel_removals(shape))
    tables.execute(withheld.cancel_readmissions(MODEL, shape))
    withheld.find_requested(MODEL)
    withheld.request(MODEL, [DeletionRequest("email:a@example.com", identifiers, "P1")])
    withheld.mark_deleted(MODEL, ["email:a@example.com"])
    withheld.has_deleted()
    withheld.find_deleted()
    withheld.erase({MODEL: ("snapshot_vip_0a1b2c3d",)}, {MODEL: "snapshot_vip_0a1b2c3d"})
    answer(tables, [], [("c0ffee",)])  # no deletion is open, and one is finished
    withheld.readmit("email:a@example.com")
    withheld.forget(MODEL, ["email:a@example.com"])


def _use_omissions(tables: StateTables) -> None:
    omissions, shape = Omissions(tables), vip(tables.dialect)
    phone, code = IdentifierType.PHONE, "duplicate_profile"
    omissions.record(RUN, MODEL, shape, [Omission(seq, phone, code) for seq in (3, 5)])
    omissions.by_list()
    tables.execute(omissions.mark_staged_rows(MODEL, shape))
    tables.forget_kept()
    answer(tables, [(MODEL, "L1", phone.value, code, 2, "email:a@example.com")])
    omissions.delete_ended(MODEL, shape)
    omissions.delete_ended("no_omissions", shape)
    omissions.clear(MODEL)


def _use_responses(tables: StateTables) -> None:
    responses = Responses(tables)
    shape = ModelTables(tables.dialect, "vip_0a1b2c3d", (), (), many_lists=False)
    kept = [KeptResponse(seqs, "POST", "/api/tags", 201, "{}", body_is_cut=False) for seqs in ((1, 2), (4,))]
    responses.record(RunDeltas(shape, RUN, MODEL), kept)
    responses.prune([ModelRecord(MODEL, "vip_0a1b2c3d", "request", (), "c0ffee")])
    responses.erase(lambda _: True)
    tables.execute(Statement.read(responses.view_sql(MODEL, ("coupon", "code"))))


def _use_removal_holds(tables: StateTables) -> None:
    holds = RemovalHolds(tables)
    holds.load()
    hold = RemovalHold(HoldCause.MISSING_RUN, "The state is old.")
    tables.execute(*holds.insert({"": hold, "L1": hold}))
    holds.trust()


def _use_lease(tables: StateTables) -> None:
    for single_writer in (False, True):
        tables.warehouse.single_writer = single_writer  # type: ignore[misc]  # a constant elsewhere
        lease = Lease(tables)
        lease._holder = "me"
        with lease.hold(), suppress(WarehouseError):  # nobody holds it in a warehouse without rows
            lease.renew_or_raise()
