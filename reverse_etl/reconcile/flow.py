"""Reconcile and adopt: what is done about a list that differs from what was applied to it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from reverse_etl.delivery.recover import recover
from reverse_etl.errors import Problem, UsageError
from reverse_etl.reconcile.drift import Drift, Driven, compare, forget
from reverse_etl.status import driven_last
from reverse_etl.surfaces import Surface

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reverse_etl.delivery.at import At
    from reverse_etl.models.model import Model
    from reverse_etl.state import State


def reconcile(at: At, models: Sequence[Model], *, mend: bool) -> tuple[Drift, ...]:
    """Return how the lists of these models differ from what was applied to them.

    With `mend`, rows that are missing become uncertain, so that the next run sends them again; nothing is
    sent here. Without, nothing changes.
    """

    def do(one: Driven, drift: Drift) -> None:
        if drift.missing:
            at.state.doubt_missing(one.shape)

    return _each(at, models, do if mend else None)


def adopt(at: At, models: Sequence[Model], *, dry: bool) -> tuple[Drift, ...]:
    """Let everybody on the lists of these models count as put there by this job; return how they differed.

    From then on the models decide who stays: whom no row wants, the next run takes off, if its guards let
    it. With `dry`, nothing changes. Raises UsageError for a model that was never sent: its rows would all
    count as strangers.
    """
    known = {one.model for one in _driven(at.state, models)}
    if never := [model for model in models if model.name not in known]:
        raise UsageError(*(_never_sent(model) for model in never))

    def do(one: Driven, drift: Drift) -> None:
        if not drift.deleted:
            at.state.adopt(one.shape, one.list_id)

    return _each(at, models, None if dry else do)


def _each(at: At, models: Sequence[Model], do: Callable[[Driven, Drift], None] | None) -> tuple[Drift, ...]:
    """Compare each list, and do with it what is to be done; where that is nothing, only look."""
    at.warehouse.tag(run=at.run_id)
    with at.state.lease() if do else nullcontext():
        if do:
            recover(at)
        found: list[Drift] = []
        for one in _driven(at.state, models):
            found.append(drift := compare(at, one))
            if do:
                at.state.still_leased()  # whoever lost the lease while reading must not write
                do(one, drift)
            if not drift.deleted:
                forget(at, one)
        return tuple(found)


def _driven(state: State, models: Sequence[Model]) -> Iterator[Driven]:
    """Yield the lists that these models drove in their last run; where the only run died, what it began."""
    sent, known = state.models(), state.lists.known()
    last = driven_last(state.runs.past_lists())
    names = {entry.id: entry.name for entry in known}
    for model in models:
        as_sent = sent.get(model.name)
        shape = state.kept_shape(as_sent) if as_sent else None
        if shape is None or model.config.surface is Surface.PROFILES:
            continue
        begun = {entry.id for entry in known if entry.model == model.name and entry.id}
        for list_id in sorted(last.get(model.name, begun) - {""}, key=lambda id_: names.get(id_, id_)):
            yield Driven(model.name, shape, list_id, names.get(list_id, list_id))


def _never_sent(model: Model) -> Problem:
    if model.config.surface is Surface.PROFILES:
        return Problem(
            "The model drives no list: there is nobody to adopt.",
            f"{model.path} (model {model.name})",
            "Select models of lists alone.",
        )
    return Problem(
        "Nothing was sent by this model yet, so that nobody on its list could be told from a stranger.",
        f"{model.path} (model {model.name})",
        f"Send it first: reverse-etl run --select {model.name}",
    )
