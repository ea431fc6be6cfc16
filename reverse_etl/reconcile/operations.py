"""Reconcile and adopt: what is done about a list that differs from what was applied to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.delivery.recovery import recover_earlier_runs
from reverse_etl.domain.list_target import ListColumn
from reverse_etl.errors import Problem, UsageError
from reverse_etl.planning import lists
from reverse_etl.reconcile.drift import ListDifference, ManagedList, compare_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.models.model import Model

    ListIdsByName = Mapping[str, str]  # the profile's ids of lists, by their logical names


def reconcile(
    context: DeliveryContext, models: Sequence[Model], list_ids_by_name: ListIdsByName
) -> tuple[ListDifference, ...]:
    """Return how the lists of these models differ from what was applied to them. Changes nothing."""
    return _compare_lists(context, _find_managed_lists(context, models, list_ids_by_name))


def resend_missing(
    context: DeliveryContext, models: Sequence[Model], list_ids_by_name: ListIdsByName
) -> tuple[ListDifference, ...]:
    """Make the rows uncertain that are missing from lists, so that the next run sends them again.

    Returns how the lists differed. Sends nothing.
    """
    return _compare_and_update(
        context,
        models,
        list_ids_by_name,
        lambda managed_list: context.state.mark_missing_uncertain(managed_list.tables),
    )


def preview_adopt(
    context: DeliveryContext, models: Sequence[Model], list_ids_by_name: ListIdsByName
) -> tuple[ListDifference, ...]:
    """Return how the lists differ that `adopt` would take over; raises what it would. Changes nothing."""
    _require_sent_models(context, models, list_ids_by_name)
    return _compare_lists(context, _find_managed_lists(context, models, list_ids_by_name))


def adopt(
    context: DeliveryContext, models: Sequence[Model], list_ids_by_name: ListIdsByName
) -> tuple[ListDifference, ...]:
    """Let everybody on the lists of these models count as put there by this job; return how they differed.

    From then on the models decide who stays: whom no row wants, the next run takes off, if its guards let
    it; and who is missing is sent again. Raises UsageError for a model that never sent to its list: all who
    are on it would count as strangers.
    """
    _require_sent_models(context, models, list_ids_by_name)
    return _compare_and_update(
        context,
        models,
        list_ids_by_name,
        lambda managed_list: context.state.adopt_members(managed_list.tables, managed_list.list_id),
    )


def _compare_lists(
    context: DeliveryContext, managed_lists: Iterable[ManagedList]
) -> tuple[ListDifference, ...]:
    differences: list[ListDifference] = []
    for managed_list in managed_lists:
        with compare_list(context, managed_list) as difference:
            differences.append(difference)
    return tuple(differences)


def _compare_and_update(
    context: DeliveryContext,
    models: Sequence[Model],
    list_ids_by_name: ListIdsByName,
    update_state: Callable[[ManagedList], None],
) -> tuple[ListDifference, ...]:
    """Settle what a dead run left, then compare each list and change what is kept of it."""
    differences: list[ListDifference] = []
    with context.state.hold_lease():
        recover_earlier_runs(context)
        for managed_list in _find_managed_lists(context, models, list_ids_by_name):
            with compare_list(context, managed_list) as difference:
                differences.append(difference)
                context.state.renew_lease_or_raise()  # whoever lost the lease while reading must not write
                if not difference.deleted:
                    update_state(managed_list)
    return tuple(differences)


def _require_sent_models(
    context: DeliveryContext, models: Sequence[Model], list_ids_by_name: ListIdsByName
) -> None:
    models_with_lists = {
        managed_list.model for managed_list in _find_managed_lists(context, models, list_ids_by_name)
    }
    if unsent_models := [model for model in models if model.name not in models_with_lists]:
        raise UsageError(*(_never_sent_problem(model) for model in unsent_models))


def _find_managed_lists(
    context: DeliveryContext, models: Sequence[Model], list_ids_by_name: ListIdsByName
) -> Iterator[ManagedList]:
    """Yield the lists that models drive and sent to; of rows that name their list, all that they sent to."""
    model_records, registered_lists = context.state.models(), context.state.lists.registered()
    for model in models:
        model_record = model_records.get(model.name)
        tables = context.state.load_tables(model_record) if model_record else None
        if tables is None or not model.config.surface.has_list:
            continue
        list_names = {
            registered_list.id: registered_list.name
            for registered_list in registered_lists
            if registered_list.model == model.name and registered_list.id
        }
        if isinstance(model.config.list_target, ListColumn):
            applied, uncertain = context.state.rows_by_list(tables.table_key)
            managed_ids = {*applied, *uncertain}
        else:
            managed_ids = {
                ref.id for ref in lists.resolve_lists(model, (), list_ids_by_name, registered_lists, None)
            }
        for list_id in sorted(managed_ids & list_names.keys(), key=lambda id_: (list_names[id_], id_)):
            yield ManagedList(model.name, tables, list_id, list_names[list_id])


def _never_sent_problem(model: Model) -> Problem:
    if not model.config.surface.has_list:
        return Problem(
            "The model drives no list: there is nobody to adopt.",
            f"{model.path} (model {model.name})",
            "Select models of lists alone.",
            (model.name,),
        )
    return Problem(
        "Nothing was sent to its list by this model yet, so that nobody on it could be told from a stranger.",
        f"{model.path} (model {model.name})",
        f"Send it first: reverse-etl run --select {model.name}",
        (model.name,),
    )
