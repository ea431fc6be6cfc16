"""Resolves the list names in models to Klaviyo list ids.

A name is looked up in `lists` of the destination, then among the model's own lists in the state, then by
exact name at Klaviyo. A name that is found nowhere is a list to create.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reverse_etl.domain.list_target import ListById, ListColumn, NamedList
from reverse_etl.domain.rejections import RowProblem
from reverse_etl.domain.timestamps import CLOCK_SKEW_TOLERANCE, parse_timestamp
from reverse_etl.errors import FailureReason, UnusableReply, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.klaviyo.lists import KlaviyoList
    from reverse_etl.models.model import Model
    from reverse_etl.planning.list_directory import ListSource
    from reverse_etl.state import RegisteredList


@dataclass(frozen=True)
class ListRef:
    """A list that a model owns, or the one target of a surface without lists.

    `row_value` is the list's value in the list column, '' for a model with one list, None if no row names
    the list now. `name` is the list's name at Klaviyo if known, or the name in the model. If `is_new`, the
    list does not exist yet or was not looked up, and `id` is a placeholder. `previous_model` is the other
    model that owned the list last, '' if none. `resumed` says that the model owned the list before, but not
    in its last run. `surface` is the surface's name if it has no lists; names and ids are '' then.
    `refresh`: a full refresh of the list was asked for. `removals_held`: the state may be too old to remove
    anybody. `fault` is why the list could not be looked up or created: nothing is sent to it.
    """

    row_value: str | None
    name: str
    id: str
    is_new: bool = False
    previous_model: str = ""
    resumed: bool = False
    surface: str = ""
    refresh: bool = False
    removals_held: bool = False
    fault: str = ""

    @property
    def label(self) -> str:
        """Return what people call it."""
        return self.name or f"({self.surface})"

    @property
    def needs_resend(self) -> bool:
        """Return whether all rows of the list are to be sent again: asked for, or others sent to the list."""
        return bool(self.previous_model) or self.resumed or self.refresh

    @property
    def is_of_list_column(self) -> bool:
        """Return whether rows name the list, now or before, and not the model's config."""
        return self.row_value != ""


@dataclass(frozen=True)
class ModelLists:
    """The lists of a model, and the names in its list column that can't be used, with the rows' problem."""

    refs: tuple[ListRef, ...]
    refused_names: Mapping[str, RowProblem] = field(default_factory=dict)

    def refuse(
        self, refs: Collection[ListRef], problem: RowProblem = RowProblem.OTHER_MODELS_LIST
    ) -> ModelLists:
        """Return the lists without some of them; the names of lists that rows name are refused."""
        refused = {ref.row_value: problem for ref in refs if ref.row_value is not None}
        kept = tuple(ref for ref in self.refs if ref not in refs)
        return ModelLists(kept, {**self.refused_names, **refused})

    def refuse_new_lists(self) -> ModelLists:
        """Return the lists that exist or could not be looked up; the names of the others are refused."""
        new_lists = [ref for ref in self.refs if ref.is_new and not ref.fault]
        return self.refuse(new_lists, RowProblem.UNKNOWN_LIST)

    def refuse_same_lists(self) -> ModelLists:
        """Return the lists that only one name means; the names of the others are refused."""
        counts = Counter(ref.id for ref in self.refs)
        return self.refuse([ref for ref in self.refs if counts[ref.id] > 1], RowProblem.SAME_LIST)


@dataclass(frozen=True)
class ListSources:
    """Where the ids of lists are looked for: in the destination's `lists`, in the state, and at Klaviyo.

    Without `klaviyo` nothing is looked up, and unknown lists count as new.
    """

    ids_by_name: Mapping[str, str]
    registered_lists: Sequence[RegisteredList]
    klaviyo: ListSource | None


class AmbiguousList(UsageError):  # noqa: N818 - says what happened
    """Several lists of Klaviyo have one name."""


def placeholder_id(name: str) -> str:
    """Return the placeholder for the id of a list that does not exist yet. Saved plans have it."""
    return f"new:{name}"


def resolve_lists(
    model: Model, row_values: Sequence[str], sources: ListSources, ids_with_rows: Collection[str] = ()
) -> ModelLists:
    """Return the lists of a model.

    `row_values` are the distinct values of the list column. For a model with a list column, the result also
    has the lists that no row names now, if the model has rows on them (`ids_with_rows`) and they still exist:
    these rows are to be removed. A name of the list column that several lists have is refused, and names that
    mean one list. A list whose look-up has no usable reply has a fault.

    Raises UsageError if two lists have the name in the config, or an id is not a list.
    """
    match model.config.list_target:
        case None:
            return ModelLists((ListRef("", "", "", surface=model.config.surface.name),))
        case ListById(list_id):
            list_name, fault = _fetch_list_name(model, list_id, "list_id", sources.klaviyo)
            list_name = list_name or _find_registered_name(list_id, sources.registered_lists) or list_id
            return ModelLists((ListRef("", list_name, list_id, fault=fault),))
        case NamedList(name):
            return ModelLists((_resolve_name(model, "", name, sources),))
        case ListColumn():
            refs, refused_names = [], {}
            for name in row_values:
                try:
                    refs.append(_resolve_name(model, name, name, sources))
                except AmbiguousList:
                    refused_names[name] = RowProblem.AMBIGUOUS_LIST
            mentioned = ModelLists(tuple(refs), refused_names).refuse_same_lists()
            unmentioned_ids = {*ids_with_rows} - {ref.id for ref in mentioned.refs}
            unmentioned = _find_unmentioned_lists(model, unmentioned_ids, sources)
            return replace(mentioned, refs=(*mentioned.refs, *unmentioned))


def collect_lookups(
    model: Model, row_values: Sequence[str], sources: ListSources, ids_with_rows: Collection[str]
) -> tuple[set[str], set[str]]:
    """Return the names and the ids that `resolve_lists` will look up for a model."""
    own_lists = [entry for entry in sources.registered_lists if entry.id and entry.model == model.name]
    match model.config.list_target:
        case None:
            return set(), set()
        case ListById(list_id):
            return set(), {list_id}
        case NamedList(name):
            list_names, ids = {name}, set[str]()
        case ListColumn():
            list_names, ids = {*row_values}, {entry.id for entry in own_lists} & {*ids_with_rows}
    ids |= {sources.ids_by_name[name] for name in list_names if name in sources.ids_by_name}
    unmapped_names = list_names - sources.ids_by_name.keys()
    ids |= {entry.id for entry in own_lists if entry.name in unmapped_names}
    return unmapped_names - {entry.name for entry in own_lists}, ids


def creation_started_at(registered_lists: Sequence[RegisteredList], name: str) -> datetime | None:
    """Return when an unconfirmed creation of a list with this name started, in Klaviyo's time, or None.

    The model that started it does not matter: it may have been renamed since.
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
    """Return the one list of `candidates`, which all have the name `name`; None if there are none.

    If there are several, return the only one created after `started_at`, when our creation started. Raises
    AmbiguousList if that does not decide it.
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
    raise AmbiguousList.of(
        f"Klaviyo has {len(candidates)} lists named {name!r}: "
        f"{', '.join(sorted(candidate.id for candidate in candidates))}.",
        where=where,
        models=(model,),
        hint="Give the list's id instead: `list_id` in the model's config, or `lists` in the destination.",
    )


def _resolve_name(model: Model, row_value: str, name: str, sources: ListSources) -> ListRef:
    klaviyo = sources.klaviyo
    if name in sources.ids_by_name:
        list_id = sources.ids_by_name[name]
        klaviyo_name, fault = _fetch_list_name(model, list_id, f"lists.{name} of the destination", klaviyo)
        return ListRef(row_value, klaviyo_name or name, list_id, fault=fault)
    own_entries = [
        entry
        for entry in sources.registered_lists
        if entry.id and entry.name == name and entry.model == model.name
    ]
    new_ref = ListRef(row_value, name, placeholder_id(name), is_new=True)
    try:
        for entry in own_entries:
            if klaviyo is None or klaviyo.get_list(entry.id) is not None:
                return ListRef(row_value, name, entry.id)
        if klaviyo is None:
            return new_ref
        where = f"{model.path} (model {model.name})"
        started_at = creation_started_at(sources.registered_lists, name)
        klaviyo_list = pick_list(klaviyo.find_lists(name), started_at, name, model=model.name, where=where)
    except UnusableReply as error:
        ref = ListRef(row_value, name, own_entries[0].id) if own_entries else new_ref
        return replace(ref, fault=_describe_fault(error))
    return ListRef(row_value, name, klaviyo_list.id) if klaviyo_list else new_ref


def _describe_fault(error: UnusableReply) -> str:
    text = f"The list could not be looked up. {error} Nothing was sent to it."
    return FailureReason.because(error.failure_cause, text)


def _find_unmentioned_lists(
    model: Model, list_ids: Collection[str], sources: ListSources
) -> Iterator[ListRef]:
    """Yield the model's lists that no row names now."""
    klaviyo = sources.klaviyo
    for entry in sources.registered_lists:
        if entry.model != model.name or entry.id not in list_ids:
            continue
        ref = ListRef(None, entry.name, entry.id)
        try:
            if klaviyo is None or klaviyo.get_list(entry.id) is not None:
                yield ref
        except UnusableReply as error:
            yield replace(ref, fault=_describe_fault(error))


def _fetch_list_name(model: Model, list_id: str, setting: str, klaviyo: ListSource | None) -> tuple[str, str]:
    """Return the name of a list, and why it could not be looked up; each may be ''."""
    if klaviyo is None:
        return "", ""
    try:
        klaviyo_list = klaviyo.get_list(list_id)
    except UnusableReply as error:
        return "", _describe_fault(error)
    if klaviyo_list is None:
        raise UsageError.of(
            f"Klaviyo has no list with the id {list_id}.",
            where=f"{model.path} (model {model.name}), {setting}",
            models=(model.name,),
            hint="The list may be deleted, or belong to another account. Klaviyo shows the id in the list's "
            "settings.",
        )
    return klaviyo_list.name, ""


def _find_registered_name(list_id: str, registered_lists: Sequence[RegisteredList]) -> str | None:
    return next((entry.name for entry in registered_lists if entry.id == list_id), None)
