"""Builds a report from the state. Reads only the state and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.timestamps import format_epoch_seconds
from reverse_etl.errors import UsageError
from reverse_etl.parsing.suggestions import find_nearest
from reverse_etl.report.facts import (
    ListLabel,
    ListProof,
    ListSummary,
    RejectionSummary,
    RemovalNotFound,
    Report,
    ReportedRun,
)
from reverse_etl.state import RunState
from reverse_etl.surfaces.catalog import find_surface

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reverse_etl.report.status import Status
    from reverse_etl.state import ReceiptSum, RunList, RunRecord, State
    from reverse_etl.surfaces.interface import Surface

MAX_RECEIPTS = 25  # per list and operation
MAX_REMOVALS_NOT_FOUND = 50
MAX_PREVIOUS_RUNS = 30
_MAX_SUGGESTED_RUNS = 5  # runs named in an error message


def build_report(
    state: State, current_status: Status, target: str, run_id: str | None = None, *, sandbox: bool
) -> Report:
    """Return the report of a run, by default of the newest. Raises UsageError if there is no such run."""
    run_index = find_run_index(current_status, run_id)
    run, previous_runs = (
        current_status.runs[run_index],
        current_status.runs[run_index + 1 :][:MAX_PREVIOUS_RUNS],
    )
    interruption = current_status.interruption
    lists_by_run: dict[str, list[RunList]] = {}
    for run_list in state.runs.run_lists():
        lists_by_run.setdefault(run_list.run_id, []).append(run_list)
    list_names = _load_list_names(state, lists_by_run.get(run.run_id, ()))
    lists = _summarize_lists(run, lists_by_run, list_names)
    removal_not_found_count, removals_not_found = state.receipts.unmatched_removals(
        run.run_id, MAX_REMOVALS_NOT_FOUND
    )
    return Report(
        generated_at=format_epoch_seconds(state.clock.now()),
        project=state.scope.project,
        target=target,
        account=state.scope.account,
        sandbox=sandbox,
        run=run,
        later_run_count=run_index,
        lists=lists,
        refusal_reasons=state.runs.refusal_reasons(run),
        proofs=_collect_proofs(state, run, list_names),
        rejections=_collect_rejections(
            state, run, {previous_run.label.model for previous_run in lists}, list_names
        ),
        rejections_match_run=not _is_refused(run) and all(map(_is_refused, current_status.runs[:run_index])),
        removals_not_found=tuple(
            RemovalNotFound(
                list_names.label_list(previous_run.model, previous_run.list_id),
                previous_run.identity,
                previous_run.recorded_at,
            )
            for previous_run in removals_not_found
        ),
        removal_not_found_count=removal_not_found_count,
        previous_runs=tuple(
            ReportedRun(previous_run, _summarize_lists(previous_run, lists_by_run, list_names))
            for previous_run in previous_runs
        ),
        previous_run_count=len(current_status.runs) - run_index - 1,
        notes=(
            *current_status.notes,
            *(previous_run.note for previous_run in current_status.lists if previous_run.note),
        ),
        has_journal=state.journal.settings is not None,
        ended_lists=current_status.ended_lists,
        interruption=interruption if interruption and interruption.run_id == run.run_id else None,
    )


def load_history(state: State) -> tuple[ReportedRun, ...]:
    """Return the runs with what each did to each list, newest first, from the state only."""
    run_lists = state.runs.run_lists()
    lists_by_run: dict[str, list[RunList]] = {}
    for run_list in run_lists:
        lists_by_run.setdefault(run_list.run_id, []).append(run_list)
    list_names = _load_list_names(state, run_lists)
    return tuple(
        ReportedRun(run, _summarize_lists(run, lists_by_run, list_names)) for run in state.runs.history()
    )


def find_run_index(current_status: Status, run_id: str | None) -> int:
    """Return the index of a run among all runs, newest first."""
    ids = [run.run_id for run in current_status.runs]
    if not ids:
        raise UsageError.of(
            "There is no run to report yet.",
            hint=". ".join(["Show what a run would send: reverse-etl plan", *current_status.notes]),
        )
    if run_id is None:
        return 0
    if run_id not in ids:
        guess = find_nearest(run_id, ids)
        newest = ", ".join(ids[:_MAX_SUGGESTED_RUNS])
        raise UsageError.of(
            f"There is no run {run_id!r}.",
            hint=f"{f'Did you mean {guess}? ' if guess else ''}The newest runs are {newest}.",
        )
    return ids.index(run_id)


@dataclass(frozen=True)
class _ListNames:
    """The names of lists by id, and the surface of each model, None if this version does not know it."""

    names_by_list_id: Mapping[str, str]
    surfaces: Mapping[str, Surface | None]

    def label_list(self, model: str, list_id: str, name: str = "") -> ListLabel:
        """Return the label of a model's list: `name` if given, or the list's last known name."""
        surface = self.surfaces.get(model)
        return ListLabel(
            model,
            list_id,
            name or (self.names_by_list_id.get(list_id, "") if list_id else ""),
            surface.name if surface and not surface.has_list and not list_id else "",
        )

    def forgets(self, model: str) -> bool:
        """Return whether the model's surface sends nothing for rows that leave the model."""
        surface = self.surfaces.get(model)
        return surface is not None and surface.remove is None


def _load_list_names(state: State, run_lists: Iterable[RunList]) -> _ListNames:
    """Return the names of lists: as the run recorded them, or their current names."""
    surfaces = {
        model_record.name: find_surface(model_record.surface)
        for model_record in state.models.records().values()
    }
    current_names = {
        registered_list.id: registered_list.name
        for registered_list in state.lists.registered()
        if registered_list.id
    }
    return _ListNames(
        current_names | {run_list.list_id: run_list.list_name for run_list in run_lists}, surfaces
    )


def _is_refused(run: RunRecord) -> bool:
    return run.state is RunState.REFUSED


def _summarize_lists(
    run: RunRecord, lists_by_run: Mapping[str, Sequence[RunList]], list_names: _ListNames
) -> tuple[ListSummary, ...]:
    """Return what a run did to each list, sorted by the list's name."""
    summaries = [
        ListSummary(
            list_names.label_list(run_list.model, run_list.list_id, run_list.list_name),
            run_list.counts,
            run_list.stop_cause,
            run_list.reason,
            run_list.skipped,
        )
        for run_list in lists_by_run.get(run.run_id, ())
    ]
    return tuple(sorted(summaries, key=lambda run_list: _sort_key(run_list.label)))


def _sort_key(label: ListLabel) -> tuple[str, str, str]:
    return (label.text.casefold(), label.model, label.list_id)


def _collect_proofs(state: State, run: RunRecord, list_names: _ListNames) -> tuple[ListProof, ...]:
    receipts = state.receipts.first_of_run(run.run_id, MAX_RECEIPTS)
    sums_by_group: dict[tuple[str, str, str], list[ReceiptSum]] = {}
    for receipt_sum in state.receipts.sums(run.run_id):
        sums_by_group.setdefault((receipt_sum.model, receipt_sum.list_id, receipt_sum.op), []).append(
            receipt_sum
        )
    proofs = [
        ListProof(
            label=list_names.label_list(*group[:2]),
            op=group[2],
            receipt_count=sum(receipt_sum.receipts for receipt_sum in group_sums),
            rows_by_state={receipt_sum.state: receipt_sum.rows for receipt_sum in group_sums},
            shown_receipts=tuple(
                receipt for receipt in receipts if (receipt.model, receipt.list_id, receipt.op) == group
            ),
            forgets=list_names.forgets(group[0]),
        )
        for group, group_sums in sums_by_group.items()
    ]
    return tuple(sorted(proofs, key=lambda proof: (*_sort_key(proof.label), proof.op)))


def _collect_rejections(
    state: State, run: RunRecord, models: Iterable[str], list_names: _ListNames
) -> tuple[RejectionSummary, ...]:
    """Return the current rejections of `models`, or of all models if empty.

    They are sorted by list, then with the most frequent reason first.
    """
    wanted_models = {*models}
    rejections = [
        RejectionSummary(list_names.label_list(model, list_id), rejected)
        for (model, list_id), rejected_rows in state.rejections.by_list(run.run_id).items()
        for rejected in rejected_rows
        if rejected.rows and (not wanted_models or model in wanted_models)
    ]
    return tuple(
        sorted(
            rejections,
            key=lambda summary: (
                *_sort_key(summary.label),
                -summary.rejected.rows,
                summary.rejected.reason.code,
                summary.rejected.reason.field,
            ),
        )
    )
