"""The status of each list, from the state only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import mask_text
from reverse_etl.domain.receipts import ReceiptState
from reverse_etl.domain.rejections import OPTED_OUT
from reverse_etl.planning.orphans import Orphan, rename_warning
from reverse_etl.planning.removal_holds import describe_holds, find_removal_holds
from reverse_etl.report.counts import HELD_COUNTS, sum_counts
from reverse_etl.state.consents import ConsentState
from reverse_etl.state.runs import RunState, last_lists_by_model
from reverse_etl.surfaces.catalog import find_surface

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from reverse_etl.domain.rejections import RejectedRows
    from reverse_etl.state import ModelRecord, RunList, RunRecord, State


class ListEnd(StrEnum):
    """Why no run sends to a list any more."""

    MODEL_DELETED = "model deleted"
    FORGOTTEN = "list deleted or forgotten"  # Klaviyo no longer has it, or `state forget` was run
    NOT_OWNED = "not sent any more"  # the model names other lists now


@dataclass(frozen=True)
class ListStatus:
    """One list of one model.

    `applied` rows are in the snapshot, without those whose consent is `pending`; `opted_out` people are not
    subscribed, since they opted out. `uncertain` rows may or may not be applied. `held` counts the removals
    held by `last_run`, the last run that included the list. `note` says what to do if the model no longer
    owns the list, '' if it does. `surface` is the name of the surface that the model was sent with.
    """

    model: str
    list_id: str
    list_name: str
    applied: int
    rejected: int
    held: int
    uncertain: int
    last_run: RunList | None
    rejections: tuple[RejectedRows, ...]
    note: str = ""
    surface: str = ""
    pending: int = 0
    opted_out: int = 0

    @property
    def label(self) -> str:
        """Return what people call the list."""
        surface = find_surface(self.surface)
        without_list = f"({self.surface})" if surface and not surface.has_list else "(no list)"
        return self.list_name or without_list


@dataclass(frozen=True)
class Interruption:
    """The rows of a run that recorded no result: it is still running, or it was interrupted.

    `answered` counts the rows with a receipt, by its state. No reply is recorded for the `unanswered` rows.
    """

    run_id: str
    answered: Mapping[str, int]
    unanswered: int

    def describe(self) -> str:
        """Return a sentence that says what was handed over and what was not."""
        counts = [
            (self.answered.get(ReceiptState.APPLIED, 0), "applied"),
            (self.answered.get(ReceiptState.ACCEPTED, 0), "accepted by Klaviyo and not confirmed yet"),
            (self.answered.get(ReceiptState.UNKNOWN, 0), "sent, but the reply was lost"),
            (self.answered.get(ReceiptState.NOT_SENT, 0), "not sent"),
            (self.unanswered, "without a recorded reply, so they may not have been sent"),
        ]
        texts = [f"{rows:,} {text}" for rows, text in counts if rows]
        return f"Rows of this run: {'; '.join(texts)}." if texts else "It has sent no row."


@dataclass(frozen=True)
class Status:
    """All lists that the project ever sent to, sorted by name, and its runs, newest first.

    `account` is '' before the first run. `refusal_reasons` says why the newest run sent nothing, or not all
    models; empty if it did. `interruption` is about the newest run that recorded no result. `notes` are
    sentences for the user. `ended_lists` are those, by model and list id, that no run sends to any more.
    """

    account: str
    lists: tuple[ListStatus, ...]
    runs: tuple[RunRecord, ...]
    refusal_reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    interruption: Interruption | None = None
    ended_lists: Mapping[tuple[str, str], ListEnd] = field(default_factory=dict)

    def describe_refusals(self) -> list[str]:
        """Return a sentence for each reason why the newest run did not send all models."""
        if not self.refusal_reasons:
            return []
        run = self.runs[0]
        sent = any(shown.last_run and shown.last_run.run_id == run.run_id for shown in self.lists)
        effect = "did not send all models" if sent else run.describe_refusal()
        return [f"Run {run.run_id} {effect}: {reason}" for reason in self.refusal_reasons]


def load_status(state: State, models: Collection[str], selected: Collection[str] | None = None) -> Status:
    """Return the status of each list, or of those of the `selected` models.

    Reads only the state; `models` are the project's current models.
    """
    runs = state.runs.history()
    unfinished = next((run.run_id for run in runs if run.state is RunState.SUBMITTING), None)
    unanswered = _load_unanswered(state, unfinished) if unfinished else {}
    records = _load_list_records(state, unanswered.keys())
    lists = [
        replace(list_status, note=_orphan_note(list_status, models, records))
        for model_record in state.models.records().values()
        for list_status in _list_statuses(state, model_record, records)
        if selected is None or list_status.model in selected
    ]
    return Status(
        state.scope.account,
        tuple(sorted(lists, key=lambda list_status: (list_status.list_name, list_status.model))),
        runs,
        state.runs.refusal_reasons(runs[0]) if runs else (),
        (*rename_warning(state), *_hold_notes(state, records), *_omission_notes(state, records)),
        Interruption(unfinished, _count_answered(state, unfinished), sum(unanswered.values()))
        if unfinished
        else None,
        _find_ended_lists(models, records),
    )


def _find_ended_lists(models: Collection[str], records: _ListRecords) -> dict[tuple[str, str], ListEnd]:
    """Return the lists that no run sends to any more, of those that any run sent to."""
    ended: dict[tuple[str, str], ListEnd] = {}
    for (model, list_id), run_list in records.last_runs.items():
        if model not in models:
            ended[model, list_id] = ListEnd.MODEL_DELETED
        elif list_id and list_id not in records.last_lists.get(model, ()):
            had_rows = sum_counts(run_list.counts, ("snapshot_rows", "applied"))
            was_forgotten = had_rows and list_id not in records.names
            ended[model, list_id] = ListEnd.FORGOTTEN if was_forgotten else ListEnd.NOT_OWNED
    return ended


def _hold_notes(state: State, records: _ListRecords) -> Iterator[str]:
    """Yield a note for each hold of removals that the state and the record of the last run show."""
    return describe_holds(records.names, find_removal_holds(state, None, {}))


def _omission_notes(state: State, records: _ListRecords) -> tuple[str, ...]:
    """Return a note for the rows of each list that are sent without an identifier of another profile."""
    return tuple(
        omitted.describe(records.names.get(list_id) or model)
        for (model, list_id), entries in state.omissions.by_list().items()
        for omitted in entries
    )


def _load_unanswered(state: State, run_id: str) -> dict[tuple[str, str], int]:
    """Return how many rows of a run have no receipt, by model and list id."""
    return {
        (model_record.name, list_id): rows
        for model_record in state.models.records().values()
        for list_id, rows in state.models.unanswered_rows(run_id, model_record).items()
    }


def _count_answered(state: State, run_id: str) -> Mapping[str, int]:
    answered: Counter[str] = Counter()
    for receipt_sum in state.receipts.sums(run_id):
        answered[receipt_sum.state] += receipt_sum.rows
    pending = sum(
        states.get(ConsentState.PENDING, 0) for states in state.consents.count_by_state(run_id).values()
    )
    answered[ReceiptState.APPLIED] -= pending  # a receipt of a consent says that Klaviyo took it
    answered[ReceiptState.ACCEPTED] += pending
    return +answered


def _orphan_note(list_status: ListStatus, models: Collection[str], records: _ListRecords) -> str:
    model_deleted = list_status.model not in models
    rows = max(list_status.applied, list_status.uncertain)
    if not (list_status.list_id and rows) or (
        not model_deleted and list_status.list_id in records.last_lists.get(list_status.model, ())
    ):
        return ""
    owners = {
        list_id: model for model, ids in records.last_lists.items() if model in models for list_id in ids
    }
    owner = owners.get(list_status.list_id, "")
    return Orphan(
        list_status.model, list_status.list_id, list_status.list_name, rows, model_deleted, owner
    ).describe()


def summarize_rejections(rejections: Sequence[RejectedRows]) -> tuple[RejectedRows, ...]:
    """Return the rejected rows by reason, most rows first. E-mails and phones in a detail are masked."""
    masked = [
        replace(rejected, reason=replace(rejected.reason, detail=mask_text(rejected.reason.detail)))
        for rejected in rejections
        if rejected.rows
    ]
    return tuple(sorted(masked, key=_rejected_order))


def _rejected_order(rejected: RejectedRows) -> tuple[int, str, str, str]:
    reason = rejected.reason
    return (-rejected.rows, reason.source, reason.code, reason.field)


@dataclass(frozen=True)
class _ListRecords:
    """Records of lists from the shared state tables.

    Rejections and last runs are by model and list id. `last_lists` has each model's lists in its last run
    and in runs since then that recorded no result.
    """

    names: Mapping[str, str]
    rejections: Mapping[tuple[str, str], Sequence[RejectedRows]]
    last_runs: Mapping[tuple[str, str], RunList]
    last_lists: Mapping[str, Collection[str]]


def _load_list_records(state: State, unanswered: Collection[tuple[str, str]]) -> _ListRecords:
    """Load the records. `unanswered`: models and list ids of an unfinished run's rows without receipts."""
    last_runs: dict[tuple[str, str], RunList] = {}
    run_lists = state.runs.run_lists()
    for run_list in run_lists:
        last_runs.setdefault((run_list.model, run_list.list_id), run_list)
    names = {
        registered_list.id: registered_list.name
        for registered_list in state.lists.registered()
        if registered_list.id
    }
    last_lists = {model: set(list_ids) for model, list_ids in last_lists_by_model(run_lists).items()}
    for model, list_id in (*unanswered, *_find_interrupted_lists(state, run_lists)):
        last_lists.setdefault(model, set()).add(list_id)
    return _ListRecords(names, state.rejections.by_list(), last_runs, last_lists)


def _find_interrupted_lists(state: State, run_lists: Sequence[RunList]) -> Iterator[tuple[str, str]]:
    """Yield models and list ids that runs without a result sent to after the model's last recorded run."""
    last_run_starts: dict[str, str] = {}
    for run_list in run_lists:
        last_run_starts.setdefault(run_list.model, run_list.started_at)
    for started_at, model, list_id in state.runs.interrupted_lists():
        if started_at > last_run_starts.get(model, ""):
            yield model, list_id


def _list_statuses(state: State, model_record: ModelRecord, records: _ListRecords) -> list[ListStatus]:
    applied, uncertain = state.models.rows_by_list(model_record.table_key)
    unconfirmed: Mapping[str, Mapping[ConsentState, int]] = {}
    surface = find_surface(model_record.surface)
    if applied and surface is not None and surface.asks_for_consent:
        unconfirmed = state.consents.count_unconfirmed(model_record.name, model_record.table_key)
    rejected_ids = {list_id for model, list_id in records.rejections if model == model_record.name}
    mentioned_ids = rejected_ids.union(records.last_lists.get(model_record.name, ()))
    return [
        _separate_unconfirmed(
            _build_list_status(
                model_record, list_id, records, applied.get(list_id, 0), uncertain.get(list_id, 0)
            ),
            unconfirmed.get(list_id, {}),
        )
        for list_id in sorted(mentioned_ids | applied.keys() | uncertain.keys())
    ]


def _separate_unconfirmed(list_status: ListStatus, unconfirmed: Mapping[ConsentState, int]) -> ListStatus:
    """Return the status with the people who are not subscribed apart, as in the result of a run."""
    refused = sum(entry.rows for entry in list_status.rejections if entry.reason.code == OPTED_OUT)
    opted_out = unconfirmed.get(ConsentState.OPTED_OUT, 0)
    return replace(
        list_status,
        applied=list_status.applied - sum(unconfirmed.values()),
        rejected=list_status.rejected - refused,
        pending=sum(unconfirmed.values()) - opted_out,
        opted_out=refused + opted_out,
    )


def _build_list_status(
    model_record: ModelRecord, list_id: str, records: _ListRecords, applied: int, uncertain: int
) -> ListStatus:
    model = model_record.name
    last_run = records.last_runs.get((model, list_id))
    rejections = records.rejections.get((model, list_id), ())
    return ListStatus(
        model=model,
        list_id=list_id,
        list_name=records.names.get(list_id) or (last_run.list_name if last_run else ""),
        applied=applied,
        rejected=sum(rejection.rows for rejection in rejections),
        held=sum_counts(last_run.counts, HELD_COUNTS) if last_run else 0,
        uncertain=uncertain,
        last_run=last_run,
        rejections=summarize_rejections(rejections),
        surface=model_record.surface,
    )
