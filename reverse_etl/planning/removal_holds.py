"""Finds out whether the state is older than what was sent, as after a restored backup, and holds removals.

A run with such a state could remove members that somebody else added since. It shows in two ways: the newest
run of this machine is missing in the state, or Klaviyo has imports that no recorded run started.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.timestamps import CLOCK_SKEW_TOLERANCE
from reverse_etl.errors import Problem, UnusableReply, UsageError
from reverse_etl.formatting import format_count, format_location
from reverse_etl.planning.violations import Violation
from reverse_etl.state.removal_holds import EVERY_LIST, HoldCause, RemovalHold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.imports import Job
    from reverse_etl.planning.lists import ListRef
    from reverse_etl.planning.plan import ModelPlan
    from reverse_etl.state import LastRunFile, State

ANY_SHARED_LIST: Final = "*"  # in the place of a shared list's name
_MAX_JOBS: Final = 100  # each takes a request, of 150 a minute
_NEXT_STEP: Final = (
    "If there is a newer state, put it back. Otherwise check the removals (reverse-etl plan) and trust this "
    "state: reverse-etl state trust"
)


_UNREADABLE: Final = RemovalHold(
    HoldCause.UNREADABLE_IMPORTS,
    "Klaviyo's import jobs since the last run could not be read. The next run looks again.",
)


def find_removal_holds(
    state: State,
    klaviyo: Klaviyo | None,
    refs_by_model: Mapping[str, Sequence[ListRef]],
    shared_lists: Collection[str] = (),
) -> dict[str, RemovalHold]:
    """Return why removals are held, by list id; `EVERY_LIST` holds those of all lists. Changes nothing.

    Without `klaviyo`, its imports are not looked at. Other apps import into the `shared_lists`, names or ids,
    so that imports into these show nothing.
    """
    stored, run_ends = state.removal_holds.load(), state.runs.ends()
    holds = {**stored.holds}
    if EVERY_LIST not in holds and (hold := _find_missing_run(state.last_run_file, run_ends)):
        holds[EVERY_LIST] = hold
    shared = {*shared_lists}
    list_ids = {
        ref.id
        for refs in refs_by_model.values()
        for ref in refs
        if ref.id and not ref.is_new and not {ref.id, ref.name, ANY_SHARED_LIST} & shared
    }
    ends = [end for end in run_ends.values() if end is not None]
    if klaviyo is None or not list_ids or not ends or len(ends) < len(run_ends) or EVERY_LIST in holds:
        return holds
    since = max([*ends, *([stored.trusted_at] if stored.trusted_at else [])])
    return _find_unrecorded_imports(klaviyo, since, list_ids) | holds


def hold_lists(
    refs_by_model: Mapping[str, Sequence[ListRef]], holds: Mapping[str, RemovalHold]
) -> dict[str, tuple[ListRef, ...]]:
    """Return the lists, with a mark on those whose removals are held."""
    return {
        model: tuple(replace(ref, removals_held=bool({EVERY_LIST, ref.id} & holds.keys())) for ref in refs)
        for model, refs in refs_by_model.items()
    }


def describe_holds(names: Mapping[str, str], holds: Mapping[str, RemovalHold]) -> Iterator[str]:
    """Yield a note for each hold on a list that `names` has, by list id, and on all lists."""
    for list_id, hold in sorted(holds.items()):
        next_step = f" {_NEXT_STEP}" if hold.is_lasting else ""
        if list_id == EVERY_LIST:
            yield f"All removals are held. {hold.reason}{next_step}"
        elif list_id in names:
            yield f"Removals from the list {names[list_id]!r} ({list_id}) are held. {hold.reason}{next_step}"


def _find_missing_run(last_run_file: LastRunFile | None, run_ids: Collection[str]) -> RemovalHold | None:
    """Return a hold if the newest run of this machine is missing in the state, otherwise None.

    A state without runs is new or was lost: it has nobody to remove.
    """
    if last_run_file is None or not run_ids:
        return None
    try:
        run_id = last_run_file.read()
    except UsageError as error:
        (problem,) = error.problems
        reason = f"{problem.summary} ({problem.where}) Nothing shows that the state is the newest one."
        return RemovalHold(HoldCause.UNREADABLE_RECORD, reason)
    if run_id is None or run_id in run_ids:
        return None
    return RemovalHold(
        HoldCause.MISSING_RUN,
        f"The state does not contain the run {run_id}, the last one from here "
        f"({format_location(last_run_file.path)}): it is older, probably restored from a backup, or another "
        "state. It may count members as its own that others added since.",
    )


def _find_unrecorded_imports(
    klaviyo: Klaviyo, since: datetime, list_ids: Collection[str]
) -> dict[str, RemovalHold]:
    """Return the lists that got an import since a time, and from no run that the state knows."""
    jobs: list[Job] = []
    try:
        for job in klaviyo.get_jobs_since(since + CLOCK_SKEW_TOLERANCE):
            if job.created_at is None:
                return dict.fromkeys(list_ids, _UNREADABLE)
            jobs.append(job)
            if len(jobs) > _MAX_JOBS:
                hold = _hold_for_imports(f"more than {_MAX_JOBS} imports", since)
                return dict.fromkeys(list_ids, hold)
        counts = Counter(list_id for job in jobs for list_id in klaviyo.get_job_list_ids(job.id))
    except UnusableReply:
        return dict.fromkeys(list_ids, _UNREADABLE)
    return {
        list_id: _hold_for_imports(f"{format_count(number, 'import')} into this list", since)
        for list_id, number in counts.items()
        if list_id in list_ids
    }


def _hold_for_imports(imports: str, since: datetime) -> RemovalHold:
    return RemovalHold(
        HoldCause.UNRECORDED_IMPORTS,
        f"Klaviyo has {imports} since {since:%Y-%m-%d %H:%M} UTC that no recorded run started: the state may "
        "be restored from a backup, or another app imports into the list. If one does, name the list in "
        "`shared_lists` of the destination.",
    )


def find_unsafe_repeats(model_plans: Iterable[ModelPlan]) -> Iterator[Violation]:
    """Yield a violation for each list whose rows must not be sent twice, if an old state may do that."""
    for model_plan in model_plans:
        for list_plan in model_plan.lists:
            once = model_plan.model.config.surface.upsert.once
            if list_plan.list_ref.removals_held and once and list_plan.upserts:
                name, rows = model_plan.model.name, format_count(list_plan.upserts, "row")
                problem = Problem(
                    f"{rows} may have been sent before, since the state may be too old, and must not be sent "
                    "twice. Nothing was sent.",
                    where=f"{model_plan.model.path} (model {name})",
                    hint=_NEXT_STEP,
                    models=(name,),
                )
                yield Violation(None, name, list_plan.list_ref.id, problem)
