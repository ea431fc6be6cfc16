"""From the names that models use to Klaviyo's list ids.

First the profile's mapping, then the registry, then Klaviyo, then creation.
"""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.list_target import ListById, ListColumn, NamedList
from reverse_etl.domain.timestamps import GRACE, read
from reverse_etl.errors import Problem, UsageError
from reverse_etl.models.model import both_drive

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.lists import KlaviyoList
    from reverse_etl.models.model import Model
    from reverse_etl.state import KnownList

MOST_CREATED = 5  # in one run; Klaviyo allows 150 a day
_NEW = "new:"


@dataclass(frozen=True)
class ListRef:
    """A list that a model drives.

    `row_name` is what rows call it ('' where the model has one); `name` is Klaviyo's or the model's.

    `id` is `new:<name>` while there is no such list, or none was looked up. `taken_over` is the other model
    that drove it last, '' where none did; `come_back` says that the model's own last run drove others.
    """

    row_name: str
    name: str
    id: str
    taken_over: str = ""
    come_back: bool = False

    @property
    def doubted(self) -> bool:
        """Return whether what the model remembers of the list may be overtaken by what was sent since."""
        return bool(self.taken_over) or self.come_back

    @property
    def new(self) -> bool:
        """Return whether the list's id is not known."""
        return is_new(self.id)


def place_of(name: str) -> str:
    """Return what stands for the id of a list that is yet to be created."""
    return _NEW + name


def is_new(list_id: str) -> bool:
    """Return whether an id stands for that of a list that is yet to be created."""
    return list_id.startswith(_NEW)


def resolve(  # noqa: PLR0913, PLR0917 - the three places where a list may be known
    model: Model,
    row_names: Sequence[str],
    mapping: Mapping[str, str],
    known: Sequence[KnownList],
    klaviyo: Klaviyo | None,
    with_rows: Collection[str] = (),
) -> tuple[ListRef, ...]:
    """Return the lists of a model, by row name.

    Without `klaviyo` nothing is looked up, and unknown lists count as new.

    For a model with a list column, the lists that no row names now are returned too if the model has rows on
    them (`with_rows`, by list id) and they still exist. Raises UsageError where two lists have one name, two
    names one list, or an id is no list.
    """
    match model.config.target:
        case None:
            return (ListRef("", "", ""),)
        case ListById(list_id):
            found = _by_id(model, list_id, "list_id", klaviyo)
            return (ListRef("", found or _known_name(list_id, known) or list_id, list_id),)
        case NamedList(name):
            return (_named(model, "", name, mapping, known, klaviyo),)
        case ListColumn():
            refs = [_named(model, name, name, mapping, known, klaviyo) for name in row_names]
            _refuse_twins(model, refs)
            return (*refs, *_left(model, {*with_rows} - {ref.id for ref in refs}, known, klaviyo))


def refuse_shared(
    refs: Mapping[str, Sequence[ListRef]], known: Sequence[KnownList], project: Sequence[Model]
) -> None:
    """Raise UsageError when a list would have two owning models.

    Two of this run, or one of it and one that drove it before. A model of this run that drives a list no more
    has let it go.
    """
    models = {model.name: model for model in project}
    others = models.keys() - refs.keys()
    owners: dict[str, str] = {entry.id: entry.model for entry in known if entry.id and entry.model in others}
    problems = []
    for model, lists in sorted(refs.items()):
        for ref in lists:
            owner = owners.setdefault(ref.id, model) if ref.id else model
            if owner != model:
                problems.append(both_drive(ref.name, models[owner], models[model]))
    if problems:
        raise UsageError(*problems)


def refuse_creation(refs: Sequence[tuple[Model, ListRef]], klaviyo: Klaviyo, *, allowed: bool) -> None:
    """Raise UsageError for lists that do not exist where none may be created, or too many would be.

    Names the nearest of those that exist.
    """
    if not refs:
        return
    if not allowed:
        names = klaviyo.list_names()
        raise UsageError(*(_no_list(model, ref, names) for model, ref in refs))
    if len(refs) > MOST_CREATED:
        raise UsageError.of(
            f"This run would create {len(refs)} lists; at most {MOST_CREATED} are created in one run.",
            where="models " + ", ".join(sorted({model.name for model, _ in refs})),
            advice="Create them in Klaviyo, or select fewer models at a time with --select.",
        )


def begun_at(known: Sequence[KnownList], name: str) -> datetime | None:
    """Return when the creation of a list was begun, at Klaviyo's time, and never confirmed.

    By whichever model: it may have another name today.
    """
    return next((read(entry.at) for entry in known if not entry.id and entry.name == name), None)


def the_one(
    found: Sequence[KlaviyoList], begun: datetime | None, name: str, *, model: str, where: str
) -> KlaviyoList | None:
    """Return the list that a name means among those that have it, None where none has.

    Of several, the sole one that was created since `begun`, when we began to create it. Raises UsageError
    where there is no telling.
    """
    if len(found) <= 1:
        return found[0] if found else None
    ours = [one for one in found if begun is not None and one.created >= begun - GRACE]
    if len(ours) == 1:
        return ours[0]
    raise UsageError.of(
        f"Klaviyo has {len(found)} lists named {name!r}: {', '.join(sorted(one.id for one in found))}.",
        where=where,
        models=(model,),
        advice="Name the list by its id: list_id in the model, or lists in the destination.",
    )


def _named(  # noqa: PLR0913, PLR0917 - what it is made of, each from its own place
    model: Model,
    row_name: str,
    name: str,
    mapping: Mapping[str, str],
    known: Sequence[KnownList],
    klaviyo: Klaviyo | None,
) -> ListRef:
    if name in mapping:
        found = _by_id(model, mapping[name], f"lists.{name} of the destination", klaviyo)
        return ListRef(row_name, found or name, mapping[name])
    remembered = [entry for entry in known if entry.id and entry.name == name and entry.model == model.name]
    for entry in remembered:
        if klaviyo is None or klaviyo.list(entry.id) is not None:
            return ListRef(row_name, name, entry.id)
    if klaviyo is None:
        return ListRef(row_name, name, place_of(name))
    where, begun = f"{model.path} (model {model.name})", begun_at(known, name)
    named = the_one(klaviyo.find_lists(name), begun, name, model=model.name, where=where)
    return ListRef(row_name, name, named.id if named else place_of(name))


def _left(
    model: Model, ids: Collection[str], known: Sequence[KnownList], klaviyo: Klaviyo | None
) -> Iterator[ListRef]:
    """Yield the lists that no row names now, under a row name that no row can have.

    Names in rows are trimmed.
    """
    for entry in known:
        if (
            entry.model == model.name
            and entry.id in ids
            and (klaviyo is None or klaviyo.list(entry.id) is not None)
        ):
            yield ListRef(f" {entry.id}", entry.name, entry.id)


def _by_id(model: Model, list_id: str, named_in: str, klaviyo: Klaviyo | None) -> str | None:
    if klaviyo is None:
        return None
    found = klaviyo.list(list_id)
    if found is None:
        raise UsageError.of(
            f"Klaviyo has no list with the id {list_id}.",
            where=f"{model.path} (model {model.name}), {named_in}",
            models=(model.name,),
            advice="It may be deleted, or another account's. Klaviyo shows the id in the list's settings.",
        )
    return found.name


def _known_name(list_id: str, known: Sequence[KnownList]) -> str | None:
    return next((entry.name for entry in known if entry.id == list_id), None)


def _refuse_twins(model: Model, refs: Sequence[ListRef]) -> None:
    twice = [list_id for list_id, count in Counter(ref.id for ref in refs).items() if count > 1]
    if twice:
        names = sorted(ref.row_name for ref in refs if ref.id in twice)
        raise UsageError.of(
            f"Several names mean the same list: {', '.join(map(repr, names))}.",
            where=f"{model.path} (model {model.name})",
            models=(model.name,),
            advice="Give each list one name in the list column.",
        )


def _no_list(model: Model, ref: ListRef, names: Sequence[str]) -> Problem:
    nearest = difflib.get_close_matches(ref.name, names, n=3, cutoff=0.5)
    names_it = "The nearest name is" if len(nearest) == 1 else "The nearest names are"
    hint = f"{names_it} {', '.join(map(repr, nearest))}. " if nearest else ""
    return Problem(
        f"Klaviyo has no list named {ref.name!r}.",
        where=f"{model.path} (model {model.name})",
        models=(model.name,),
        advice=f"{hint}Create it in Klaviyo, or write create_lists: true into the destination.",
    )
