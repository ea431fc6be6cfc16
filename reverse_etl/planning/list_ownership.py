"""The lists that the models of a project may have: one owner each, and new ones only if they are allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.errors import Problem, UnusableReply, UsageError
from reverse_etl.models.model import shared_list_problem
from reverse_etl.parsing.suggestions import find_similar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.models.model import Model, ProjectModel
    from reverse_etl.planning.list_directory import ListSource
    from reverse_etl.planning.lists import ListRef, ModelLists
    from reverse_etl.state import RegisteredList
    from reverse_etl.surfaces.interface import ListAspect


def refuse_lists_of_other_models(
    lists_by_model: Mapping[str, ModelLists],
    registered_lists: Sequence[RegisteredList],
    project_models: Sequence[ProjectModel],
) -> dict[str, ModelLists]:
    """Return the lists of each model without those that another model owns; their names are refused.

    A list has one owner for each of its aspects. Owners are the models outside the run that own the list in
    the state, the models whose config names the list, and then the models with a list column, the previous
    owner first. Raises UsageError if the config of a model names a list that another model owns.
    """
    models = {model.name: model for model in project_models}
    unplanned_names = models.keys() - lists_by_model.keys()
    owners: dict[tuple[ListAspect, str], str] = {
        (models[entry.model].list_aspect, entry.id): entry.model
        for entry in registered_lists
        if entry.id and entry.model in unplanned_names
    }
    registered_owners = {(entry.model, entry.id) for entry in registered_lists}
    claims = [(model, ref) for model, lists in sorted(lists_by_model.items()) for ref in lists.refs if ref.id]
    claims.sort(
        key=lambda claim: (claim[1].is_of_list_column, (claim[0], claim[1].id) not in registered_owners)
    )
    problems = []
    for model, ref in claims:
        owner = owners.setdefault((models[model].list_aspect, ref.id), model)
        if owner != model and not ref.is_of_list_column:
            problems.append(shared_list_problem(ref.name, models[owner], models[model]))
    if problems:
        raise UsageError(*problems)
    return {
        model: lists.refuse(
            {ref for ref in lists.refs if owners.get((models[model].list_aspect, ref.id), model) != model}
        )
        for model, lists in lists_by_model.items()
    }


def require_no_new_lists(new_lists: Sequence[tuple[Model, ListRef]], klaviyo: ListSource | None) -> None:
    """Raise UsageError if there are new lists, for a destination that may not create any.

    The hint suggests existing lists with similar names. Without `klaviyo` there are none.
    """
    if new_lists:
        try:
            names = klaviyo.get_list_names() if klaviyo is not None else None
        except UnusableReply:
            names = ()  # only a suggestion is missing
        raise UsageError(*(_missing_list_problem(model, ref, names) for model, ref in new_lists))


def _missing_list_problem(model: Model, ref: ListRef, names: Sequence[str] | None) -> Problem:
    """Return the problem of a missing list; `names` are the existing ones, None before a sandbox starts."""
    if names is None:
        return Problem(
            f"The sandbox has no list named {ref.name!r}: it starts with the first run.",
            where=f"{model.path} (model {model.name})",
            models=(model.name,),
            hint="Set `create_lists: true` in the destination, or remove `create_lists: false`.",
        )
    close_names = find_similar(ref.name, names, 3)
    suggestion = f"Did you mean {' or '.join(map(repr, close_names))}? " if close_names else ""
    return Problem(
        f"Klaviyo has no list named {ref.name!r}.",
        where=f"{model.path} (model {model.name})",
        models=(model.name,),
        hint=f"{suggestion}Create the list in Klaviyo, or set `create_lists: true` in the destination.",
    )
