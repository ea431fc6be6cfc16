"""Searches a plan, and the record of the runs, for the rows that a run keeps back."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.domain.identifiers import KEY_PREFIX, IdentifierType
from reverse_etl.report import held_row_queries as sql
from reverse_etl.report.counts import sum_counts
from reverse_etl.report.held_rows import HeldRow, OtherRow, PlanHold
from reverse_etl.state.removal_holds import EVERY_LIST
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reverse_etl.planning.plan import ModelPlan, Plan
    from reverse_etl.state import RunList, State
    from reverse_etl.warehouse.interface import Warehouse

_BATCH_ROWS: Final = 1_000
_RowKey = tuple[str, str]  # list id and identity


@dataclass(frozen=True)
class _Holders:
    """By identifier: a rejected row that has it, and the name of a stopped list with a person who has it."""

    rejected: dict[tuple[str, str], OtherRow] = field(default_factory=dict)
    lists: dict[tuple[str, str], str] = field(default_factory=dict)

    def find_rejected(self, identifiers: Mapping[str, str]) -> OtherRow | None:
        """Return a rejected row that shares an identifier with a row, None if there is none."""
        return next((self.rejected[item] for item in identifiers.items() if item in self.rejected), None)

    def find_list(self, identifiers: Mapping[str, str]) -> str:
        """Return the name of a stopped list with the person of a row."""
        return next((self.lists[item] for item in identifiers.items() if item in self.lists), "")


def find_held_rows(warehouse: Warehouse, state: State, plan: Plan) -> Iterator[HeldRow]:
    """Yield the rows that a run keeps back: those that are not sent, then those sent without an identifier.

    The plan's temporary tables have to be those of this session. Changes nothing.
    """
    searches = [HeldSearch(warehouse, state, plan, model_plan) for model_plan in plan.models]
    for search in searches:
        yield from search.find_held_removals()
        yield from search.find_held_at_lookup()
    for search in searches:
        yield from search.find_omitting_rows()


@dataclass(frozen=True)
class HeldSearch:
    """The search for the held rows of one planned model."""

    warehouse: Warehouse
    state: State
    plan: Plan
    model_plan: ModelPlan

    @property
    def _names(self) -> Mapping[str, str]:
        return {list_plan.list_ref.id: list_plan.list_ref.name for list_plan in self.model_plan.lists}

    def _make(self, key: _RowKey, identifiers: Mapping[str, str], code: str, **facts: Any) -> HeldRow:
        list_id, identity = key
        name = self._names.get(list_id, "")
        return HeldRow(self.model_plan.model.name, list_id, name, identity, identifiers, code, **facts)

    def find_held_removals(self) -> Iterator[HeldRow]:
        """Yield the removals that the plan holds."""
        statement = sql.select_held_removals(self.model_plan.tables)
        for rows in self.warehouse.stream(statement, _BATCH_ROWS):
            held = {(str(row[0]), str(row[1])): _name_identifiers(row[2:]) for row in rows}
            holders = self._find_holders(held)
            for key, identifiers in held.items():
                yield self._explain_removal(key, identifiers, holders)

    def explain_removal(self, list_id: str, identity: str, identifiers: Mapping[str, str]) -> HeldRow:
        """Return why the plan holds a removal."""
        key = (list_id, identity)
        return self._explain_removal(key, identifiers, self._find_holders({key: identifiers}))

    def _explain_removal(self, key: _RowKey, identifiers: Mapping[str, str], holders: _Holders) -> HeldRow:
        list_id, identity = key
        holds = self.plan.removal_holds
        if hold := holds.get(EVERY_LIST) or holds.get(list_id):
            return self._make(key, identifiers, PlanHold.OLD_STATE, detail=hold.cause.value)
        if identity.startswith(KEY_PREFIX):
            return self._make(key, identifiers, PlanHold.MAY_BE_REMOVED)
        if other := holders.find_rejected(identifiers):
            return self._make(key, identifiers, PlanHold.REJECTED_ROW, other=other)
        return self._make(key, identifiers, PlanHold.STOPPED_LIST, detail=holders.find_list(identifiers))

    def _find_holders(self, held: Mapping[_RowKey, Mapping[str, str]]) -> _Holders:
        holders = _Holders()
        for kind in IdentifierType:
            values = sorted({row[kind] for row in held.values() if kind in row})
            if values and not self.plan.removal_holds.get(EVERY_LIST):
                self._collect_holders(kind, values, holders)
        return holders

    def _collect_holders(self, kind: IdentifierType, values: Sequence[str], holders: _Holders) -> None:
        """Collect the rejected rows and the stopped lists that have one of these identifiers."""
        for value, identity, *identifiers in self.warehouse.fetch(
            sql.select_rejected_people(self.model_plan.tables, kind, values)
        ):
            other = OtherRow(identity, _name_identifiers(identifiers), kind)
            holders.rejected.setdefault((kind, value), other)
        for stopped in self.plan.models:
            stops = {
                list_plan.list_ref.id: list_plan.list_ref.name
                for list_plan in stopped.lists
                if list_plan.stop_reason
            }
            if not stops:
                continue
            has_snapshot = bool(self.warehouse.state_columns(stopped.tables.snapshot))
            statement = sql.select_people_on_lists(
                stopped.tables, [*stops], kind, values, has_snapshot=has_snapshot
            )
            for value, list_id in self.warehouse.fetch(statement):
                holders.lists.setdefault((kind, value), stops[list_id] or stopped.model.name)

    def find_held_at_lookup(self) -> Iterator[HeldRow]:
        """Yield the planned rows that the last run of their list held when it looked their people up."""
        for list_plan in self.model_plan.lists:
            list_id = list_plan.list_ref.id
            run = self._last_runs.get(list_id)
            if run is None:
                continue
            keeps_journal = self.state.journal.settings is not None
            if not keeps_journal and not sum_counts(run.counts, ("held_at_lookup",)):
                continue
            deletes = self.model_plan.model.config.surface.deletes_people
            looked_up = sql.looked_up_rows(self.model_plan.tables, list_id, deletes_people=deletes)
            statement = (
                self.state.journal.select_held(looked_up, run)
                if keeps_journal
                else sql.select_looked_up(looked_up)
            )
            for rows in self.warehouse.stream(statement, _BATCH_ROWS):
                for identity, code, recorded_at, *values in rows:
                    key, identifiers = (list_id, str(identity)), _name_identifiers(values)
                    yield self._make(key, identifiers, code or PlanHold.AT_LOOKUP, since=recorded_at or "")

    @cached_property
    def _last_runs(self) -> Mapping[str, RunList]:
        """Return what the last run of each list of the model did, by list id."""
        runs = [run for run in self.state.runs.run_lists() if run.model == self.model_plan.model.name]
        return {run.list_id: run for run in reversed(runs)}

    def find_omitting_rows(self) -> Iterator[HeldRow]:
        """Yield the valid rows that are sent without an identifier."""
        tables = self.model_plan.tables
        if not (tables.marks.names and tables.secondary_identifiers):
            return
        for rows in self.warehouse.stream(sql.select_omitting_rows(tables), _BATCH_ROWS):
            yield from self.explain_omissions(
                [
                    ((list_id or "", str(identity)), _name_identifiers(values), kind)
                    for list_id, identity, *values in rows
                    for kind, is_omitted in zip(
                        tables.secondary_identifiers, values[len(IDENTIFIER_COLUMNS) :], strict=True
                    )
                    if is_omitted
                ]
            )

    def explain_omissions(
        self, omitted: Sequence[tuple[_RowKey, Mapping[str, str], IdentifierType]]
    ) -> Iterator[HeldRow]:
        """Yield why each of these rows is sent without an identifier of it."""
        refused = self.state.omissions.of_rows(
            self.model_plan.model.name, sorted({identity for (_, identity), _, _ in omitted})
        )
        values: dict[IdentifierType, set[str]] = {}
        for _, identifiers, kind in omitted:
            values.setdefault(kind, set()).add(identifiers[kind])
        shared = {
            (kind, value)
            for kind, texts in values.items()
            for (value,) in self.warehouse.fetch(
                sql.select_shared_values(self.model_plan.tables, kind, sorted(texts))
            )
        }
        for key, identifiers, kind in omitted:
            detail = ""
            if (kind, identifiers[kind]) in shared:
                code = PlanHold.SHARED_IDENTIFIER
            elif detail := refused.get((*key, kind.value), ""):
                code = PlanHold.OTHER_PROFILE
            else:
                code = PlanHold.OTHER_ROW
            yield self._make(key, identifiers, code, detail=detail, omitted=kind.value)


def _name_identifiers(values: Sequence[Any]) -> dict[str, str]:
    return {
        kind.value: str(value)
        for kind, value in zip(IDENTIFIER_COLUMNS, values, strict=False)
        if value is not None
    }
