"""The operations on lists that were changed outside reverse-etl: reconcile, resend missing rows, adopt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.delivery.recovery import recover_earlier_runs
from reverse_etl.domain.list_target import ListColumn
from reverse_etl.domain.progress import Warned
from reverse_etl.errors import KlaviyoError, Problem, UsageError
from reverse_etl.planning import lists
from reverse_etl.reconcile.drift import ListDifference, OwnedList, compare_list
from reverse_etl.state.sql import members
from reverse_etl.surfaces.catalog import find_surface
from reverse_etl.surfaces.read_back import ReadConsents, ReadMembers, ReadSuppressions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.models.model import Model
    from reverse_etl.state.model_record import ModelRecord
    from reverse_etl.surfaces.read_back import ReadBack
    from reverse_etl.warehouse.statement import Statement

    ListIdsByName = Mapping[str, str]  # `lists` of the destination: list ids by logical name


def reconcile(
    context: DeliveryContext, models: Sequence[Model], list_ids_by_name: ListIdsByName
) -> tuple[ListDifference, ...]:
    """Return how the models' lists differ from the rows applied to them. Changes nothing."""
    return _compare_lists(context, _find_owned_lists(context, models, list_ids_by_name))


def resend_missing(
    context: DeliveryContext, models: Sequence[Model], list_ids_by_name: ListIdsByName
) -> tuple[ListDifference, ...]:
    """Mark the rows that are missing from lists as uncertain, so that the next run sends them again.

    Returns how the lists differed. Sends only GETs.
    """
    return _compare_and_update(
        context,
        models,
        list_ids_by_name,
        lambda owned_list: (members.mark_missing_uncertain(owned_list.comparison),),
    )


def preview_adopt(
    context: DeliveryContext, models: Sequence[Model], list_ids_by_name: ListIdsByName
) -> tuple[ListDifference, ...]:
    """Return how the lists that `adopt` would adopt differ; raises what it would. Changes nothing."""
    _require_sent_models(context, models, list_ids_by_name)
    return _compare_lists(context, _find_owned_lists(context, models, list_ids_by_name))


def adopt(
    context: DeliveryContext, models: Sequence[Model], list_ids_by_name: ListIdsByName
) -> tuple[ListDifference, ...]:
    """Take ownership of all current members of the models' lists; return how the lists differed.

    Afterwards the next run removes the members that match no row, within its guards, and sends missing rows
    again. Raises UsageError for a model that never sent to its list: no member could be matched to a row.
    """
    _require_sent_models(context, models, list_ids_by_name)
    return _compare_and_update(
        context,
        models,
        list_ids_by_name,
        lambda owned_list: (
            *members.adopt_members(owned_list.comparison),
            members.mark_missing_uncertain(owned_list.comparison),
        ),
    )


def _compare_lists(context: DeliveryContext, owned_lists: Iterable[OwnedList]) -> tuple[ListDifference, ...]:
    differences: list[ListDifference] = []
    for owned_list in owned_lists:
        with compare_list(context, owned_list) as difference:
            differences.append(difference)
    return tuple(differences)


def _compare_and_update(
    context: DeliveryContext,
    models: Sequence[Model],
    list_ids_by_name: ListIdsByName,
    build_statements: Callable[[OwnedList], Sequence[Statement]],
) -> tuple[ListDifference, ...]:
    """Recover earlier runs, then compare each list and commit statements about it."""
    differences: list[ListDifference] = []
    with context.state.hold_lease():
        context.state.snapshot_matches.forget()  # no run changes the rows: the next run reads all models
        blocked_lists = recover_earlier_runs(context, models)
        for owned_list in _find_owned_lists(context, models, list_ids_by_name):
            reason = blocked_lists.find_reason(owned_list.model, owned_list.list_id)
            if reason is not None:
                raise KlaviyoError.of(reason, where=f"list {owned_list.list_name}")
            with compare_list(context, owned_list) as difference:
                differences.append(difference)
                context.state.renew_lease_or_raise()  # the lease may have expired while the list was read
                if not difference.deleted:
                    context.state.tables.commit(build_statements(owned_list))
    return tuple(differences)


def _require_sent_models(
    context: DeliveryContext, models: Sequence[Model], list_ids_by_name: ListIdsByName
) -> None:
    models_with_members = [model for model in models if model.owns_members]
    models_with_lists = {
        owned_list.model for owned_list in _find_owned_lists(context, models_with_members, list_ids_by_name)
    }
    if unsent_models := [model for model in models if model.name not in models_with_lists]:
        raise UsageError(*(_never_sent_problem(model) for model in unsent_models))


def _find_owned_lists(
    context: DeliveryContext, models: Sequence[Model], list_ids_by_name: ListIdsByName
) -> Iterator[OwnedList]:
    """Yield the lists that the models own and have sent to, and the models without one that have sent.

    For a model with a list column these are all lists that it has rows on. Surfaces that can't be read back
    are left out.
    """
    model_records, registered_lists = context.state.models.records(), context.state.lists.registered()
    for model in models:
        model_record = model_records.get(model.name)
        tables = context.state.models.load_tables(model_record) if model_record else None
        read_back = model.config.surface.read_back
        if model_record is None or tables is None or read_back is None:
            continue
        if _sent_otherwise(model_record, read_back):
            text = "it changed since it was sent, so that its rows can't be compared. Run it first."
            context.on_progress(Warned(f"{model.name}: {text}"))
            continue
        if model.list_target is None:
            yield OwnedList(model.name, tables, "", "", context.state.scope.key, read_back)
            continue
        list_names = {
            registered_list.id: registered_list.name
            for registered_list in registered_lists
            if registered_list.model == model.name and registered_list.id
        }
        if isinstance(model.config.list_target, ListColumn):
            applied, uncertain = context.state.models.rows_by_list(tables.table_key)
            owned_ids = {*applied, *uncertain}
        else:
            sources = lists.ListSources(list_ids_by_name, registered_lists, None)
            owned_ids = {ref.id for ref in lists.resolve_lists(model, (), sources).refs}
        for list_id in sorted(owned_ids & list_names.keys(), key=lambda id_: (list_names[id_], id_)):
            yield OwnedList(
                model.name, tables, list_id, list_names[list_id], context.state.scope.key, read_back
            )


def _sent_otherwise(model_record: ModelRecord, read_back: ReadBack) -> bool:
    """Return whether the rows were sent by a surface or channel that is not read back like the model's.

    The lists of a model of members are those that it sent to, whatever it was then.
    """
    sent_by = find_surface(model_record.surface)
    match read_back:
        case ReadMembers():
            return False
        case ReadSuppressions():
            return sent_by is None or sent_by.read_back != read_back
        case ReadConsents(channel):
            identifiers = {kind for kind, _ in model_record.identifiers}
            asked_for_consent = sent_by is not None and sent_by.asks_for_consent
            return not asked_for_consent or channel.identifier not in identifiers


def _never_sent_problem(model: Model) -> Problem:
    if not model.owns_members:
        return Problem(
            "This model owns no members of a list, so it has none to adopt.",
            f"{model.path} (model {model.name})",
            "Select only models of list memberships.",
            (model.name,),
        )
    return Problem(
        "This model has not sent anything to its list yet, so its members can't be matched to rows.",
        f"{model.path} (model {model.name})",
        f"Run the model first: reverse-etl run --select {model.name}",
        (model.name,),
    )
