"""Gather the facts of a report from the state. Changes nothing, and asks nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.timestamps import moment
from reverse_etl.errors import UsageError
from reverse_etl.parsing.suggestions import nearest
from reverse_etl.report.facts import Former, Gone, Listed, Place, Proof, Rejected, Report
from reverse_etl.report.status import status
from reverse_etl.state import RunEnd
from reverse_etl.surfaces.interface import Surface

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from reverse_etl.report.status import Status
    from reverse_etl.state import KeptList, PastRun, ReceiptSum, State

MOST_RECEIPTS = 25  # of each list and op
MOST_GONE = 50
MOST_RUNS = 30  # before the run itself
_OFFERED = 5  # runs to choose from


def gather(
    state: State, target: str, models: Collection[str], run_id: str | None = None, *, sandbox: bool
) -> Report:
    """Return what is remembered of a run, of the newest for None.

    `models` are those that the project has now. Raises UsageError where there is no such run.
    """
    now = status(state, models)
    place = chosen(now, run_id)
    run, before = now.runs[place], now.runs[place + 1 :][:MOST_RUNS]
    evidence = state.evidence
    kept = evidence.lists([run.run_id, *(one.run_id for one in before)])
    names = _names(state, kept.get(run.run_id, ()))
    lists = _listed(run, kept, names)
    gone_rows, gone = evidence.gone(run.run_id, MOST_GONE)
    return Report(
        made=moment(state.clock.now()),
        project=state.owner.project,
        target=target,
        account=state.owner.account,
        sandbox=sandbox,
        run=run,
        later=place,
        lists=lists,
        refused=tuple(one.reason for one in kept.get(run.run_id, ())) if _is_refused(run) else (),
        proofs=_proofs(state, run, names),
        rejections=_rejections(state, run, {one.place.model for one in lists}, names),
        own_rejections=not _is_refused(run) and all(map(_is_refused, now.runs[:place])),
        gone=tuple(Gone(names.place(one.model, one.list_id), one.identity, one.at) for one in gone),
        gone_rows=gone_rows,
        before=tuple(Former(one, _listed(one, kept, names)) for one in before),
        earlier=len(now.runs) - place - 1,
        notes=(*now.notes, *(one.note for one in now.lists if one.note)),
    )


def chosen(now: Status, run_id: str | None) -> int:
    """Return the place of a run among all of them, newest first."""
    ids = [run.run_id for run in now.runs]
    if not ids:
        raise UsageError.of(
            "There is no run to report of: nothing was sent yet.",
            advice=". ".join(["See what would be: reverse-etl plan", *now.notes]),
        )
    if run_id is None:
        return 0
    if run_id not in ids:
        guess = nearest(run_id, ids)
        newest = ", ".join(ids[:_OFFERED])
        raise UsageError.of(
            f"There is no run {run_id!r}.",
            advice=f"{f'Did you mean {guess}? ' if guess else ''}The newest first: {newest}.",
        )
    return ids.index(run_id)


@dataclass(frozen=True)
class _Names:
    """What lists are called, by id, and which models have profiles instead of a list."""

    lists: Mapping[str, str]
    profiles: Collection[str]

    def place(self, model: str, list_id: str, name: str = "") -> Place:
        """Return a list of a model by that name, else by the name that is known of it."""
        of_profiles = not list_id and model in self.profiles
        return Place(model, list_id, name or (self.lists.get(list_id, "") if list_id else ""), of_profiles)


def _names(state: State, then: Iterable[KeptList]) -> _Names:
    """Return the names of lists now, but for those that the run knew by another."""
    profiles = {sent.name for sent in state.models().values() if sent.surface == Surface.PROFILES}
    now = {known.id: known.name for known in state.lists.known()}
    return _Names(now | {one.list_id: one.list_name for one in then}, profiles)


def _is_refused(run: PastRun) -> bool:
    return run.state == RunEnd.REFUSED


def _listed(run: PastRun, kept: Mapping[str, Sequence[KeptList]], names: _Names) -> tuple[Listed, ...]:
    """Return what a run did to each list, by their names."""
    if _is_refused(run):
        return ()
    found = [
        Listed(names.place(one.model, one.list_id, one.list_name), one.counts, one.reason)
        for one in kept.get(run.run_id, ())
    ]
    return tuple(sorted(found, key=lambda one: _order(one.place)))


def _order(place: Place) -> tuple[str, str, str]:
    return (place.label.casefold(), place.model, place.list_id)


def _proofs(state: State, run: PastRun, names: _Names) -> tuple[Proof, ...]:
    shown = state.evidence.receipts(run.run_id, MOST_RECEIPTS)
    sums: dict[tuple[str, str, str], list[ReceiptSum]] = {}
    for one in state.evidence.receipt_sums(run.run_id):
        sums.setdefault((one.model, one.list_id, one.op), []).append(one)
    found = [
        Proof(
            place=names.place(*key[:2]),
            op=key[2],
            receipts=sum(one.receipts for one in ends),
            rows={one.state: one.rows for one in ends},
            shown=tuple(one for one in shown if (one.model, one.list_id, one.op) == key),
        )
        for key, ends in sums.items()
    ]
    return tuple(sorted(found, key=lambda proof: (*_order(proof.place), proof.op)))


def _rejections(state: State, run: PastRun, models: Iterable[str], names: _Names) -> tuple[Rejected, ...]:
    """Return what stands rejected of these models, of all for none; a list's commonest reason first."""
    wanted = {*models}
    found = [
        Rejected(
            names.place(one.model, one.list_id),
            one.source,
            one.code,
            one.field,
            one.detail,
            one.rows,
            one.new,
            one.example,
        )
        for one in state.rejections.standing(run.run_id)
        if one.rows and (not wanted or one.model in wanted)
    ]
    return tuple(sorted(found, key=lambda one: (*_order(one.place), -one.rows, one.code, one.field)))
