"""Reconcile and adopt: what is done about a list that differs from what was applied to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.delivery.recovery import recover
from reverse_etl.domain.list_target import ListColumn
from reverse_etl.errors import Problem, UsageError
from reverse_etl.planning import lists
from reverse_etl.reconcile.drift import Drift, Driven, compared
from reverse_etl.surfaces.interface import Surface

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from reverse_etl.delivery.context import At
    from reverse_etl.models.model import Model

    Mapped = Mapping[str, str]  # the profile's ids of lists, by their logical names


def reconcile(at: At, models: Sequence[Model], mapped: Mapped) -> tuple[Drift, ...]:
    """Return how the lists of these models differ from what was applied to them. Changes nothing."""
    return _look(at, _driven(at, models, mapped))


def mend(at: At, models: Sequence[Model], mapped: Mapped) -> tuple[Drift, ...]:
    """Make the rows uncertain that are missing from lists, so that the next run sends them again.

    Returns how the lists differed. Sends nothing.
    """
    return _change(at, models, mapped, lambda one: at.state.doubt_missing(one.shape))


def would_adopt(at: At, models: Sequence[Model], mapped: Mapped) -> tuple[Drift, ...]:
    """Return how the lists differ that `adopt` would take over; raises what it would. Changes nothing."""
    _refuse_never_sent(at, models, mapped)
    return _look(at, _driven(at, models, mapped))


def adopt(at: At, models: Sequence[Model], mapped: Mapped) -> tuple[Drift, ...]:
    """Let everybody on the lists of these models count as put there by this job; return how they differed.

    From then on the models decide who stays: whom no row wants, the next run takes off, if its guards let
    it; and who is missing is sent again. Raises UsageError for a model that never sent to its list: all who
    are on it would count as strangers.
    """
    _refuse_never_sent(at, models, mapped)
    return _change(at, models, mapped, lambda one: at.state.adopt(one.shape, one.list_id))


def _look(at: At, driven: Iterable[Driven]) -> tuple[Drift, ...]:
    found: list[Drift] = []
    for one in driven:
        with compared(at, one) as drift:
            found.append(drift)
    return tuple(found)


def _change(
    at: At, models: Sequence[Model], mapped: Mapped, change: Callable[[Driven], None]
) -> tuple[Drift, ...]:
    """Settle what a dead run left, then compare each list and change what is kept of it."""
    found: list[Drift] = []
    with at.state.lease():
        recover(at)
        for one in _driven(at, models, mapped):
            with compared(at, one) as drift:
                found.append(drift)
                at.state.still_leased()  # whoever lost the lease while reading must not write
                if not drift.deleted:
                    change(one)
    return tuple(found)


def _refuse_never_sent(at: At, models: Sequence[Model], mapped: Mapped) -> None:
    known = {one.model for one in _driven(at, models, mapped)}
    if never := [model for model in models if model.name not in known]:
        raise UsageError(*(_never_sent(model) for model in never))


def _driven(at: At, models: Sequence[Model], mapped: Mapped) -> Iterator[Driven]:
    """Yield the lists that models drive and sent to; of rows that name their list, all that they sent to."""
    sent, known = at.state.models(), at.state.lists.known()
    for model in models:
        as_sent = sent.get(model.name)
        shape = at.state.kept_shape(as_sent) if as_sent else None
        if shape is None or model.config.surface is Surface.PROFILES:
            continue
        mine = {entry.id: entry.name for entry in known if entry.model == model.name and entry.id}
        if isinstance(model.config.target, ListColumn):
            applied, uncertain = at.state.rows_by_list(shape.key)
            driven = {*applied, *uncertain}
        else:
            driven = {ref.id for ref in lists.resolve(model, (), mapped, known, None)}
        for list_id in sorted(driven & mine.keys(), key=lambda id_: (mine[id_], id_)):
            yield Driven(model.name, shape, list_id, mine[list_id])


def _never_sent(model: Model) -> Problem:
    if model.config.surface is Surface.PROFILES:
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
