"""Searches one model for a person: its rows, its applied rows, what is open, and what is planned."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import mask_text
from reverse_etl.domain.rejections import RejectionReason, RejectionSource, RowProblem
from reverse_etl.domain.timestamps import format_timestamp, parse_timestamp
from reverse_etl.planning.planned_rows import LOOK_AGAIN_SECONDS
from reverse_etl.planning.sql.row_comparison import select_hidden
from reverse_etl.report import person_rows as sql
from reverse_etl.report.explanation import AppliedRow, ListExplanation, ModelRow, OpenChange
from reverse_etl.report.held_search import HeldSearch
from reverse_etl.state.withheld import WithheldState
from reverse_etl.warehouse.model_tables import IDENTIFIER_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reverse_etl.domain.identifiers import IdentifierType
    from reverse_etl.planning.list_plan import ListPlan
    from reverse_etl.planning.plan import ModelPlan, Plan
    from reverse_etl.report.explanation import PersonQuery
    from reverse_etl.report.held_rows import HeldRow
    from reverse_etl.state import State
    from reverse_etl.state.consents import ConsentState
    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.model_tables import ModelTables


@dataclass
class _Facts:
    """The findings on one list."""

    rows: list[ModelRow] = field(default_factory=list)
    sent: list[AppliedRow] = field(default_factory=list)
    open_changes: list[OpenChange] = field(default_factory=list)
    planned_ops: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    not_found_at: str | None = None
    is_readmitted: bool = False
    no_profile_at: str | None = None
    consent: ConsentState | None = None
    hidden_until: str | None = None

    @property
    def identities(self) -> list[str]:
        """Return the identities under which the person was found."""
        identities = (*(row.identity for row in self.rows), *(row.identity for row in self.sent))
        return list(dict.fromkeys(identity for identity in identities if identity))


@dataclass(frozen=True)
class ModelSearch:
    """The search for one person in one planned model."""

    warehouse: Warehouse
    state: State
    plan: Plan
    model_plan: ModelPlan
    query: PersonQuery

    def explain_lists(self) -> Iterator[ListExplanation]:
        """Yield what is known of the person on each list of the model that knows anything."""
        facts: dict[str | None, _Facts] = defaultdict(_Facts)
        if not self.model_plan.tables.identifiers:
            return
        self._find_rows(facts)
        _find_known_rows(self.warehouse, self.state, self.model_plan.model.name, self.query, facts)
        self._find_current_rows(facts)
        self._find_deleted(facts)
        self._find_without_profile(facts)
        self._find_consents(facts)
        self._find_planned(facts)
        self._find_unmatched_removals(facts)
        plans = {list_plan.list_ref.id: list_plan for list_plan in self.model_plan.lists}
        for list_id, list_facts in facts.items():
            explained = self._explain(list_id or "", plans.get(list_id or ""), list_facts)
            if explained.is_known:
                yield explained

    def _explain(self, list_id: str, list_plan: ListPlan | None, facts: _Facts) -> ListExplanation:
        op = facts.planned_ops[0] if facts.planned_ops else ""
        return ListExplanation(
            model=self.model_plan.model.name,
            list_id=list_id,
            list_name=list_plan.list_ref.name if list_plan else "",
            is_append_only=self.model_plan.tables.append_only,
            rows=tuple(facts.rows),
            sent=tuple(facts.sent),
            open_changes=tuple(facts.open_changes),
            planned_op=op,
            hold=self._find_hold(list_id, facts),
            stop_reason=list_plan.stop_reason if list_plan else "",
            removal_not_found_at=facts.not_found_at,
            changes=_find_changes(facts, [column.name for column in self.model_plan.tables.clear_columns]),
            deletes_people=self.model_plan.model.config.surface.deletes_people,
            is_readmitted=facts.is_readmitted,
            no_profile_at=facts.no_profile_at,
            looks_again_at=_look_again_time(facts.no_profile_at) if facts.no_profile_at else None,
            consent=facts.consent,
            hidden_until=None if facts.open_changes else facts.hidden_until,
        )

    def _find_rows(self, facts: dict[str | None, _Facts]) -> None:
        tables = self.model_plan.tables
        rows = self.warehouse.fetch(sql.select_staged_rows(tables, self.query.staged_values))
        rejected = {str(row[1]) for row in rows if row[2] == RowProblem.STILL_REJECTED}
        rejections = self.state.rejections.of_rows(self.model_plan.model.name, sorted(rejected))
        for list_id, identity, problem, detail, *values in rows:
            identifiers, flags, payload = _split_row(tables, values, len(tables.omit_flags))
            reason = None
            if problem is not None:
                reason = RejectionReason(RejectionSource.CHECK, problem, detail=detail or "")
                if problem == RowProblem.STILL_REJECTED:
                    reason = rejections.get((list_id or "", identity), reason)
            kinds = [kind for kind, flag in zip(tables.secondary_identifiers, flags, strict=True) if flag]
            omitted, because = self._explain_omitted(list_id, identity, identifiers, kinds)
            row = ModelRow(identity, identifiers, payload, reason, omitted, because)
            facts[list_id].rows.append(row)

    def _explain_omitted(
        self,
        list_id: str | None,
        identity: str,
        identifiers: Mapping[str, str],
        kinds: Sequence[IdentifierType],
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the identifiers without which a row is sent, and why and what to do of each."""
        if not kinds:
            return (), ()
        search = HeldSearch(self.warehouse, self.state, self.plan, self.model_plan)
        held = [*search.explain_omissions([((list_id or "", identity), identifiers, kind) for kind in kinds])]
        return tuple(row.omitted for row in held), tuple(f"{row.reason}. {row.advice}" for row in held)

    def _find_current_rows(self, facts: dict[str | None, _Facts]) -> None:
        """Find the identifiers that the model's rows with the keys of applied rows have now."""
        identities = sorted({row.identity for list_facts in facts.values() for row in list_facts.sent})
        if not identities:
            return
        current: dict[tuple[str, str], dict[str, str]] = {}
        statement = sql.select_staged_identifiers(self.model_plan.tables, identities)
        for list_id, identity, *values in self.warehouse.fetch(statement):
            current.setdefault((list_id or "", identity), {}).update(_name_identifiers(values))
        for list_id, list_facts in facts.items():
            list_facts.sent = [
                replace(row, current=current.get((list_id or "", row.identity))) for row in list_facts.sent
            ]

    def _find_deleted(self, facts: dict[str | None, _Facts]) -> None:
        """Find the row of a deleted person, which is known by a hash alone: the text names its identifier."""
        model = self.model_plan.model
        if not model.config.surface.deletes_people:
            return
        for kind, value in self.query.values.items():
            state = self.state.withheld.erased_state(model.name, f"{kind}:{value}")
            if state is None:
                continue
            identity, identifiers = f"{kind}:{value}", {kind.value: value}
            list_facts = facts[""]
            list_facts.rows.append(ModelRow(identity, identifiers, {}))
            list_facts.sent.append(AppliedRow(identity, identifiers, {}, None))
            list_facts.is_readmitted = state is WithheldState.READMITTED

    def _find_without_profile(self, facts: dict[str | None, _Facts]) -> None:
        tables = self.model_plan.tables
        if not (tables.keeps_without_profile and self.warehouse.state_columns(tables.without_profile)):
            return
        identities = [identity for list_facts in facts.values() for identity in list_facts.identities]
        if not identities:
            return
        for list_id, looked_up_at in self.warehouse.fetch(sql.select_without_profile(tables, identities)):
            facts[list_id].no_profile_at = looked_up_at

    def _find_consents(self, facts: dict[str | None, _Facts]) -> None:
        model = self.model_plan.model
        if not model.config.surface.asks_for_consent:
            return
        identities = [identity for list_facts in facts.values() for identity in list_facts.identities]
        for list_id, consent in self.state.consents.states_of(model.name, identities).items():
            facts[list_id].consent = consent

    def _find_planned(self, facts: dict[str | None, _Facts]) -> None:
        identities = list(
            dict.fromkeys(identity for list_facts in facts.values() for identity in list_facts.identities)
        )
        if not identities:
            return
        for list_id, identity, op in self.warehouse.fetch(
            sql.select_planned(self.model_plan.tables, identities)
        ):
            is_for_another = op in {Op.ADD, Op.UPDATE} and all(
                row.identity != identity for row in facts[list_id].rows
            )
            if not is_for_another:  # the row that is to be sent is one of another person
                facts[list_id].planned_ops.append(str(op))
            if op == Op.HELD:
                facts[list_id].held.append(str(identity))
        comparison = self.model_plan.comparison
        if comparison is None or comparison.is_due or comparison.last_full_at is None:
            return
        seconds = self.model_plan.model.config.full_every
        next_full_at = parse_timestamp(comparison.last_full_at) + timedelta(seconds=seconds)
        for (list_id,) in self.warehouse.fetch(select_hidden(self.model_plan.tables, identities)):
            facts[list_id].hidden_until = format_timestamp(next_full_at)

    def _find_hold(self, list_id: str, facts: _Facts) -> HeldRow | None:
        """Return why the plan holds the removal of the person's row, None if it holds none."""
        for identity in facts.held:
            sent = (row.identifiers for row in facts.sent if row.identity == identity)
            search = HeldSearch(self.warehouse, self.state, self.plan, self.model_plan)
            return search.explain_removal(list_id, identity, next(sent, {}))
        return None

    def _find_unmatched_removals(self, facts: dict[str | None, _Facts]) -> None:
        identities = [f"{kind}:{value}" for kind, value in self.query.values.items()]
        name = self.model_plan.model.name
        for removal in self.state.receipts.unmatched_removals_of(name, identities):
            facts[removal.list_id].not_found_at = removal.recorded_at


def explain_deleted(
    warehouse: Warehouse, state: State, model: str, query: PersonQuery
) -> Iterator[ListExplanation]:
    """Yield what is known of the person on each list of a deleted model."""
    facts: dict[str | None, _Facts] = defaultdict(_Facts)
    _find_known_rows(warehouse, state, model, query, facts)
    for list_id, list_facts in facts.items():
        yield ListExplanation(
            model=model,
            list_id=list_id or "",
            list_name="",
            is_append_only=False,
            sent=tuple(list_facts.sent),
            open_changes=tuple(list_facts.open_changes),
            is_model_deleted=True,
        )


def _find_known_rows(
    warehouse: Warehouse, state: State, model: str, query: PersonQuery, facts: dict[str | None, _Facts]
) -> None:
    """Find the applied rows of a model, and its changes that are not proved."""
    record = state.models.records().get(model)
    tables = state.models.load_tables(record) if record else None
    if tables is None or not tables.identifiers:
        return
    for list_id, identity, *rest in warehouse.fetch(sql.select_sent_rows(tables, query.values)):
        identifiers, (first_sent_at,), payload = _split_row(tables, rest, 1)
        first = state.receipts.first_sending(model, list_id, first_sent_at)
        facts[list_id].sent.append(AppliedRow(identity, identifiers, payload, first_sent_at, *first))
    for list_id, _, run_id, seq, op, *values in warehouse.fetch(
        sql.select_open_changes(tables, query.values)
    ):
        receipts = state.receipts.covering(str(run_id), model, int(seq))
        known = ((receipt.state, receipt.job_id, receipt.detail) for receipt in receipts)
        receipt_state, job_id, detail = next(known, ("", None, ""))
        identifiers = _name_identifiers(values)
        facts[list_id].open_changes.append(
            OpenChange(str(run_id), str(op), receipt_state, job_id, mask_text(detail), identifiers)
        )


def _split_row(
    tables: ModelTables, values: Sequence[Any], number: int
) -> tuple[dict[str, str], Sequence[Any], dict[str, Any]]:
    """Return the identifiers by type, the next `number` values, and the payload by column."""
    rest = values[len(IDENTIFIER_COLUMNS) :]
    payload = dict(zip(tables.payload_names, rest[number:], strict=True))
    return _name_identifiers(values), rest[:number], payload


def _name_identifiers(values: Sequence[Any]) -> dict[str, str]:
    return {
        kind.value: str(value)
        for kind, value in zip(IDENTIFIER_COLUMNS, values, strict=False)
        if value is not None
    }


def _look_again_time(no_profile_at: str) -> str:
    return format_timestamp(parse_timestamp(no_profile_at) + timedelta(seconds=LOOK_AGAIN_SECONDS))


def _find_changes(facts: _Facts, clear_columns: Collection[str]) -> dict[str, tuple[Any, Any]]:
    """Return, by name, the values before and after of the columns in which the valid row differs.

    A NULL is a change only in a column whose values are cleared, and an identifier only if it is sent.
    """
    valid = next((row for row in facts.rows if row.rejection is None), None)
    sent = next((row for row in facts.sent if valid is not None and row.identity == valid.identity), None)
    if valid is None or sent is None:
        return {}
    identifiers = {kind: value for kind, value in valid.identifiers.items() if kind not in valid.omitted}
    before = {name.lower(): value for name, value in {**sent.identifiers, **sent.values}.items()}
    return {
        name.lower(): (before.get(name.lower()), value)
        for name, value in {**identifiers, **valid.values}.items()
        if (value is not None or name in clear_columns) and before.get(name.lower()) != value
    }
