"""From the names that models use to Klaviyo's list ids.

First the profile's mapping, then the registry, then Klaviyo, then creation.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.list_target import ListById, ListColumn, NamedList
from reverse_etl.domain.timestamps import CLOCK_SKEW_TOLERANCE, parse_timestamp
from reverse_etl.errors import Problem, UsageError
from reverse_etl.models.model import shared_list_problem
from reverse_etl.parsing.suggestions import find_similar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.lists import KlaviyoList
    from reverse_etl.models.model import Model
    from reverse_etl.state import RegisteredList

MAX_NEW_LISTS = 5  # in one run; Klaviyo allows 150 a day
_PLACEHOLDER_PREFIX = "new:"


@dataclass(frozen=True)
class ListRef:
    """A list that a model drives.

    `row_value` is what rows call it ('' where the model has one); `name` is Klaviyo's or the model's.

    `id` is `new:<name>` while there is no such list, or none was looked up. `previous_model` is the other
    model that drove it last, '' where none did; `resumed` says that the model's own last run drove others.
    `surface` is the name of the surface where it has no list, and then all else is ''.
    """

    row_value: str
    name: str
    id: str
    previous_model: str = ""
    resumed: bool = False
    surface: str = ""

    @property
    def label(self) -> str:
        """Return what people call it."""
        return self.name or f"({self.surface})"

    @property
    def needs_resend(self) -> bool:
        """Return whether what the model remembers of the list may be overtaken by what was sent since."""
        return bool(self.previous_model) or self.resumed

    @property
    def is_new(self) -> bool:
        """Return whether the list's id is not known."""
        return is_placeholder(self.id)


def placeholder_id(name: str) -> str:
    """Return what stands for the id of a list that is yet to be created."""
    return _PLACEHOLDER_PREFIX + name


def is_placeholder(list_id: str) -> bool:
    """Return whether an id stands for that of a list that is yet to be created."""
    return list_id.startswith(_PLACEHOLDER_PREFIX)


def resolve_lists(  # noqa: PLR0913, PLR0917 - the three places where a list may be known
    model: Model,
    row_values: Sequence[str],
    list_ids_by_name: Mapping[str, str],
    registered_lists: Sequence[RegisteredList],
    klaviyo: Klaviyo | None,
    ids_with_rows: Collection[str] = (),
) -> tuple[ListRef, ...]:
    """Return the lists of a model, by row name.

    Without `klaviyo` nothing is looked up, and unknown lists count as new.

    For a model with a list column, the lists that no row names now are returned too if the model has rows on
    them (`ids_with_rows`, by list id) and they still exist. Raises UsageError where two lists have one name,
    two names one list, or an id is no list.
    """
    match model.config.list_target:
        case None:
            return (ListRef("", "", "", surface=model.config.surface.name),)
        case ListById(list_id):
            list_name = _fetch_list_name(model, list_id, "list_id", klaviyo)
            return (
                ListRef(
                    "", list_name or _find_registered_name(list_id, registered_lists) or list_id, list_id
                ),
            )
        case NamedList(name):
            return (_resolve_name(model, "", name, list_ids_by_name, registered_lists, klaviyo),)
        case ListColumn():
            refs = [
                _resolve_name(model, name, name, list_ids_by_name, registered_lists, klaviyo)
                for name in row_values
            ]
            _reject_duplicate_lists(model, refs)
            return (
                *refs,
                *_find_unmentioned_lists(
                    model, {*ids_with_rows} - {ref.id for ref in refs}, registered_lists, klaviyo
                ),
            )


def reject_multiple_owners(
    refs_by_model: Mapping[str, Sequence[ListRef]],
    registered_lists: Sequence[RegisteredList],
    project_models: Sequence[Model],
) -> None:
    """Raise UsageError when a list would have two owning models.

    Two of this run, or one of it and one that drove it before. A model of this run that drives a list no more
    has let it go.
    """
    models = {model.name: model for model in project_models}
    unplanned_names = models.keys() - refs_by_model.keys()
    owners: dict[str, str] = {
        entry.id: entry.model for entry in registered_lists if entry.id and entry.model in unplanned_names
    }
    problems = []
    for model, lists in sorted(refs_by_model.items()):
        for ref in lists:
            owner = owners.setdefault(ref.id, model) if ref.id else model
            if owner != model:
                problems.append(shared_list_problem(ref.name, models[owner], models[model]))
    if problems:
        raise UsageError(*problems)


def require_creation_allowed(
    new_lists: Sequence[tuple[Model, ListRef]], klaviyo: Klaviyo, *, allowed: bool
) -> None:
    """Raise UsageError for lists that do not exist where none may be created, or too many would be.

    Names the nearest of those that exist.
    """
    if not new_lists:
        return
    if not allowed:
        names = klaviyo.get_list_names()
        raise UsageError(*(_missing_list_problem(model, ref, names) for model, ref in new_lists))
    if len(new_lists) > MAX_NEW_LISTS:
        raise UsageError.of(
            f"This run would create {len(new_lists)} lists; at most {MAX_NEW_LISTS} are created in one run.",
            where="models " + ", ".join(sorted({model.name for model, _ in new_lists})),
            hint="Create them in Klaviyo, or select fewer models at a time with --select.",
        )


def creation_started_at(registered_lists: Sequence[RegisteredList], name: str) -> datetime | None:
    """Return when the creation of a list was begun, at Klaviyo's time, and never confirmed.

    By whichever model: it may have another name today.
    """
    return next(
        (
            parse_timestamp(entry.recorded_at)
            for entry in registered_lists
            if not entry.id and entry.name == name
        ),
        None,
    )


def pick_list(
    candidates: Sequence[KlaviyoList], started_at: datetime | None, name: str, *, model: str, where: str
) -> KlaviyoList | None:
    """Return the list that a name means among those that have it, None where none has.

    Of several, the sole one that was created since `started_at`, when we began to create it. Raises
    UsageError where there is no telling.
    """
    if len(candidates) <= 1:
        return candidates[0] if candidates else None
    created_since = [
        candidate
        for candidate in candidates
        if started_at is not None and candidate.created_at >= started_at - CLOCK_SKEW_TOLERANCE
    ]
    if len(created_since) == 1:
        return created_since[0]
    raise UsageError.of(
        f"Klaviyo has {len(candidates)} lists named {name!r}: "
        f"{', '.join(sorted(candidate.id for candidate in candidates))}.",
        where=where,
        models=(model,),
        hint="Name the list by its id: list_id in the model, or lists in the destination.",
    )


def _resolve_name(  # noqa: PLR0913, PLR0917 - what it is made of, each from its own place
    model: Model,
    row_value: str,
    name: str,
    list_ids_by_name: Mapping[str, str],
    registered_lists: Sequence[RegisteredList],
    klaviyo: Klaviyo | None,
) -> ListRef:
    if name in list_ids_by_name:
        klaviyo_name = _fetch_list_name(
            model, list_ids_by_name[name], f"lists.{name} of the destination", klaviyo
        )
        return ListRef(row_value, klaviyo_name or name, list_ids_by_name[name])
    own_entries = [
        entry for entry in registered_lists if entry.id and entry.name == name and entry.model == model.name
    ]
    for entry in own_entries:
        if klaviyo is None or klaviyo.get_list(entry.id) is not None:
            return ListRef(row_value, name, entry.id)
    if klaviyo is None:
        return ListRef(row_value, name, placeholder_id(name))
    where, started_at = f"{model.path} (model {model.name})", creation_started_at(registered_lists, name)
    klaviyo_list = pick_list(klaviyo.find_lists(name), started_at, name, model=model.name, where=where)
    return ListRef(row_value, name, klaviyo_list.id if klaviyo_list else placeholder_id(name))


def _find_unmentioned_lists(
    model: Model,
    list_ids: Collection[str],
    registered_lists: Sequence[RegisteredList],
    klaviyo: Klaviyo | None,
) -> Iterator[ListRef]:
    """Yield the lists that no row names now, under a row name that no row can have.

    Names in rows are trimmed.
    """
    for entry in registered_lists:
        if (
            entry.model == model.name
            and entry.id in list_ids
            and (klaviyo is None or klaviyo.get_list(entry.id) is not None)
        ):
            yield ListRef(f" {entry.id}", entry.name, entry.id)


def _fetch_list_name(model: Model, list_id: str, setting: str, klaviyo: Klaviyo | None) -> str | None:
    if klaviyo is None:
        return None
    klaviyo_list = klaviyo.get_list(list_id)
    if klaviyo_list is None:
        raise UsageError.of(
            f"Klaviyo has no list with the id {list_id}.",
            where=f"{model.path} (model {model.name}), {setting}",
            models=(model.name,),
            hint="It may be deleted, or another account's. Klaviyo shows the id in the list's settings.",
        )
    return klaviyo_list.name


def _find_registered_name(list_id: str, registered_lists: Sequence[RegisteredList]) -> str | None:
    return next((entry.name for entry in registered_lists if entry.id == list_id), None)


def _reject_duplicate_lists(model: Model, refs: Sequence[ListRef]) -> None:
    repeated_ids = [list_id for list_id, count in Counter(ref.id for ref in refs).items() if count > 1]
    if repeated_ids:
        names = sorted(ref.row_value for ref in refs if ref.id in repeated_ids)
        raise UsageError.of(
            f"Several names mean the same list: {', '.join(map(repr, names))}.",
            where=f"{model.path} (model {model.name})",
            models=(model.name,),
            hint="Give each list one name in the list column.",
        )


def _missing_list_problem(model: Model, ref: ListRef, names: Sequence[str]) -> Problem:
    close_names = find_similar(ref.name, names, 3)
    introduction = "The nearest name is" if len(close_names) == 1 else "The nearest names are"
    suggestion = f"{introduction} {', '.join(map(repr, close_names))}. " if close_names else ""
    return Problem(
        f"Klaviyo has no list named {ref.name!r}.",
        where=f"{model.path} (model {model.name})",
        models=(model.name,),
        hint=f"{suggestion}Create it in Klaviyo, or write create_lists: true into the destination.",
    )
