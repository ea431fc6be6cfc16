"""Finds the lists of staged models, and rejects the rows whose list can't be used.

A list that a column names wrongly is a fault of its rows; a list that the config names wrongly is one of the
project.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from reverse_etl.domain.list_target import ListColumn
from reverse_etl.domain.progress import Warned
from reverse_etl.domain.rejections import PROBLEM_DESCRIPTIONS, RowProblem
from reverse_etl.errors import UnusableReply
from reverse_etl.parsing.suggestions import find_similar
from reverse_etl.planning import list_ownership, lists
from reverse_etl.planning.list_directory import ListDirectory
from reverse_etl.planning.lists import ListSources
from reverse_etl.planning.sql import staging
from reverse_etl.planning.stage import SkippedModel
from reverse_etl.state.runs import last_lists_by_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.config.target import Destination
    from reverse_etl.domain.progress import ProgressHandler
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.models.model import Model, ProjectModel
    from reverse_etl.planning.list_directory import ListSource
    from reverse_etl.planning.lists import ListRef, ModelLists
    from reverse_etl.planning.stage import PlannableModel, StagedModel
    from reverse_etl.planning.stager import Stager
    from reverse_etl.state import RegisteredList
    from reverse_etl.warehouse.interface import Warehouse

_MAX_SHOWN_NAMES = 3


@dataclass(frozen=True)
class ListFinder:
    """Finds lists by the destination, the state and Klaviyo. Without `klaviyo` nothing is looked up."""

    destination: Destination
    registered_lists: Sequence[RegisteredList]
    klaviyo: ListSource | None

    @property
    def sources(self) -> ListSources:
        """Return where the ids of lists are looked for."""
        return ListSources(self.destination.lists, self.registered_lists, self.klaviyo)

    def find(
        self, model: Model, row_values: Sequence[str], ids_with_rows: frozenset[str] = frozenset()
    ) -> ModelLists:
        """Return the lists of a model; see `lists.resolve_lists`."""
        return lists.resolve_lists(model, row_values, self.sources, ids_with_rows)

    @property
    def knows_missing_lists(self) -> bool:
        """Return whether a list that was not found is known to be missing.

        A sandbox that has not started has no lists; without a key nobody was asked.
        """
        return self.klaviyo is not None or self.destination.embedded_sandbox

    def require_usable(
        self, lists_by_model: Mapping[str, ModelLists], models: Sequence[Model], known: Sequence[ProjectModel]
    ) -> dict[str, ModelLists]:
        """Return the lists that may be used, with the refused names of list columns.

        Raises UsageError if the config of a model names a list that is missing or that another model owns.
        """
        usable_lists = list_ownership.refuse_lists_of_other_models(
            lists_by_model, self.registered_lists, known
        )
        if self.destination.create_lists or not self.knows_missing_lists:
            return usable_lists
        for model in models:
            if isinstance(model.config.list_target, ListColumn):
                usable_lists[model.name] = usable_lists[model.name].refuse_new_lists()
        new_lists = [
            (model, ref)
            for model in models
            for ref in usable_lists[model.name].refs
            if ref.is_new and not ref.fault
        ]
        list_ownership.require_no_new_lists(new_lists, self.klaviyo)
        return usable_lists


def find_lists(
    stager: Stager,
    destination: Destination,
    klaviyo: Klaviyo | None,
    staged_models: Sequence[PlannableModel],
    on_progress: ProgressHandler,
) -> dict[str, tuple[ListRef, ...]]:
    """Return the lists of each staged model, and reject the staged rows whose list can't be used.

    The lists of all models are looked up together.

    Raises UsageError if the config of a model names a list that can't be used.
    """
    warehouse, state = stager.warehouse, stager.state
    finder = ListFinder(destination, state.lists.registered(), klaviyo)
    tasks = [
        partial(state.models.rows_by_list, staged_model.tables.table_key) for staged_model in staged_models
    ]
    ids_with_rows = {
        staged_model.model.name: frozenset({*applied, *uncertain})
        for staged_model, (applied, uncertain) in zip(staged_models, warehouse.run_each(tasks), strict=True)
    }
    if klaviyo is not None:
        finder = replace(finder, klaviyo=_look_up_together(klaviyo, finder, staged_models, ids_with_rows))
    lists_by_model = {
        staged_model.model.name: finder.find(
            staged_model.model, staged_model.list_names, ids_with_rows[staged_model.model.name]
        )
        for staged_model in staged_models
    }
    models = [staged_model.model for staged_model in staged_models]
    lists_by_model = finder.require_usable(lists_by_model, models, stager.project_models)
    for staged_model in staged_models:
        refused_names = lists_by_model[staged_model.model.name].refused_names
        if not isinstance(staged_model, SkippedModel):  # it is staged if its lists are not as they were
            _reject_rows(warehouse, finder, staged_model, refused_names, on_progress)
        for ref in lists_by_model[staged_model.model.name].refs:
            if ref.fault:
                on_progress(Warned(f"{staged_model.model.name}, list {ref.name!r}: {ref.fault}"))
    last_lists = last_lists_by_model(state.runs.run_lists())
    return {
        staged_model.model.name: _annotate_history(
            lists_by_model[staged_model.model.name].refs, staged_model, finder.registered_lists, last_lists
        )
        for staged_model in staged_models
    }


def refresh_lists(
    refs_by_model: Mapping[str, Sequence[ListRef]], staged_models: Sequence[PlannableModel]
) -> dict[str, tuple[ListRef, ...]]:
    """Return the lists of which all rows are to be sent again, if they may be."""
    return {
        staged_model.model.name: tuple(
            replace(ref, refresh=staged_model.may_send_again)
            for ref in refs_by_model[staged_model.model.name]
        )
        for staged_model in staged_models
        if not isinstance(staged_model, SkippedModel)  # no model is, if all rows are to be sent
    }


def _look_up_together(
    klaviyo: Klaviyo,
    finder: ListFinder,
    staged_models: Sequence[PlannableModel],
    ids_with_rows: Mapping[str, frozenset[str]],
) -> ListDirectory:
    names: set[str] = set()
    ids: set[str] = set()
    for staged_model in staged_models:
        model_names, model_ids = lists.collect_lookups(
            staged_model.model,
            staged_model.list_names,
            finder.sources,
            ids_with_rows[staged_model.model.name],
        )
        names |= model_names
        ids |= model_ids
    directory = ListDirectory(klaviyo)
    directory.prefetch(names, ids)
    return directory


def _reject_rows(
    warehouse: Warehouse,
    finder: ListFinder,
    staged_model: StagedModel,
    refused_names: Mapping[str, RowProblem],
    on_progress: ProgressHandler,
) -> None:
    """Reject the rows of the refused lists, and warn of them by name."""
    if refused_names:
        warehouse.execute(staging.reject_lists(staged_model.tables, refused_names))
    for problem in dict.fromkeys(refused_names.values()):
        names = sorted(name for name, reason in refused_names.items() if reason is problem)
        names_text = ", ".join(map(repr, names[:_MAX_SHOWN_NAMES]))
        others = f" and {len(names) - _MAX_SHOWN_NAMES:,} more" if len(names) > _MAX_SHOWN_NAMES else ""
        on_progress(
            Warned(
                f"{staged_model.model.path} (model {staged_model.model.name}): the rows of the "
                f"list{'s' if len(names) > 1 else ''} {names_text}{others} are rejected: "
                f"{PROBLEM_DESCRIPTIONS[problem]}.{_suggest(finder, problem, names)}"
            )
        )


def _suggest(finder: ListFinder, problem: RowProblem, names: Sequence[str]) -> str:
    if problem is not RowProblem.UNKNOWN_LIST:
        return ""
    known_names: Sequence[str] = ()
    with suppress(UnusableReply):  # only a suggestion is missing
        known_names = finder.klaviyo.get_list_names() if finder.klaviyo is not None else ()
    similar_names = find_similar(names[0], known_names, 3)
    if similar_names:
        return f" Did you mean {' or '.join(map(repr, similar_names))}?"
    where = "set" if finder.destination.embedded_sandbox else "create the list in Klaviyo, or set"
    return f" To send them, {where} `create_lists: true` in the destination."


def _annotate_history(
    refs: Sequence[ListRef],
    staged_model: PlannableModel,
    registered_lists: Sequence[RegisteredList],
    last_lists: Mapping[str, frozenset[str]],
) -> tuple[ListRef, ...]:
    """Return the lists of a model with their history: the previous owner, and whether the model resumes it.

    `last_lists` holds, by model, the ids of the lists of its last run.
    """
    name, aspect = staged_model.model.name, staged_model.model.list_aspect
    other_owners = {
        entry.id: entry.model
        for entry in registered_lists
        if entry.id and entry.model != name and entry.aspect == aspect
    }
    last_list_ids = last_lists.get(name)
    return tuple(
        replace(
            ref,
            previous_model=other_owners.get(ref.id, ""),
            resumed=last_list_ids is not None
            and bool(ref.id)
            and not ref.is_new
            and ref.id not in last_list_ids,
        )
        for ref in refs
    )
