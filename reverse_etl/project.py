"""The project as a library: `.plan()`, `.run()`, `.status()` and `.report()` return frozen results.

project = Project.load(Path("."), target="prod")
plan = project.plan(select=["tag:daily"])
result = project.run(select=["tag:daily"])
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from reverse_etl.clock import Clock, SystemClock
from reverse_etl.config.profiles import load_target
from reverse_etl.connections import Connections
from reverse_etl.dbt.gate import Evidence, Reader, doubt, gate, read_evidence
from reverse_etl.dbt.graph import Graph, read_graph
from reverse_etl.dbt.project import DbtProject, read_dbt_project
from reverse_etl.errors import GuardRefused, Problem
from reverse_etl.models.compile import compile_models
from reverse_etl.models.selection import select as choose
from reverse_etl.planning import planner as planning
from reverse_etl.planning.plan import Wish
from reverse_etl.planning.planner import Task, unknown_models
from reverse_etl.planning.saved_plan import refuse_elsewhere, refuse_other_account, stale
from reverse_etl.reconcile import operations as flow
from reverse_etl.report.dbt_artifacts import PACKAGE, Record
from reverse_etl.report.gather import gather
from reverse_etl.report.status import Status, status
from reverse_etl.run import run

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from reverse_etl.config.target import Target
    from reverse_etl.delivery.results import RunResult
    from reverse_etl.domain.events import Event, Tell
    from reverse_etl.klaviyo.endpoints import Endpoint, Tier
    from reverse_etl.klaviyo.messages import Observer
    from reverse_etl.models.model import Model
    from reverse_etl.planning.plan import Plan
    from reverse_etl.planning.saved_plan import SavedPlan
    from reverse_etl.reconcile.drift import Drift
    from reverse_etl.report.facts import Report

THREADS = 8
SAMPLE = 3  # changes of each list and kind that a plan shows


def _nobody(event: Event) -> None:
    del event


def _published(endpoint: Endpoint) -> Tier:
    return endpoint.tier


@dataclass(frozen=True)
class Project:
    """A project's folder with a target and its compiled models.

    `clock` is for tests and trials, and so is `tiers`: how many requests of each kind may go out, by default
    as many as Klaviyo allows.
    """

    folder: Path
    target: Target
    models: tuple[Model, ...]
    clock: Clock = field(default_factory=SystemClock)
    threads: int = THREADS
    tiers: Callable[[Endpoint], Tier] = _published
    dbt: DbtProject | None = None

    @classmethod
    def load(  # noqa: PLR0913 - dbt's flags
        cls,
        folder: Path | str = ".",
        *,
        target: str | None = None,
        profile: str | None = None,
        profiles_dir: Path | None = None,
        vars: Mapping[str, Any] | None = None,  # noqa: A002 - dbt's word
        threads: int | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """Read profiles.yml and compile every model.

        Raises UsageError or ModelError with everything that is wrong.
        """
        folder, environ = Path(folder), os.environ if environ is None else environ
        chosen = load_target(
            folder,
            profiles_dir=profiles_dir,
            profile=profile,
            target=target,
            environ=environ,
            vars=vars or {},
        )
        models = compile_models(folder, chosen, vars=vars or {}, environ=environ)
        dbt = read_dbt_project(folder, environ=environ, cli_vars=vars or {})
        return cls(folder, chosen, models, clock or SystemClock(), threads or THREADS, dbt=dbt)

    @property
    def connections(self) -> Connections:
        """Return the ways to what the target names."""
        return Connections(self.folder, self.target, self.clock, self.threads, self.tiers)

    def select(self, select: Sequence[str] = (), exclude: Sequence[str] = ()) -> tuple[Model, ...]:
        """Return the models that the selectors choose, as dbt's --select and --exclude do."""
        return choose(
            self.models, select, exclude, graph=lambda: read_graph(self.dbt.manifest) if self.dbt else Graph()
        )

    def gate(self, models: Sequence[Model]) -> tuple[Problem, ...]:
        """Return why models are held back by what dbt's last command left; nothing where all may run."""
        evidence = read_evidence(self.dbt.manifest) if self.dbt else Evidence()
        now = datetime.fromtimestamp(self.clock.now(), UTC)
        readers = [Reader(model.name, model.reads, model.config.max_age) for model in models]
        return gate(readers, evidence, target=self.target.name, now=now)

    def gate_doubt(self) -> str:
        """Return what is to be told where the gate has nothing to go by, though dbt ran; else ''."""
        return doubt(read_evidence(self.dbt.manifest)) if self.dbt else ""

    def plan(
        self,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        wish: Wish | None = None,
        tell: Tell = _nobody,
        observer: Observer | None = None,
    ) -> Plan:
        """Return what a run would do. Sends only GETs, and changes no table and no file that is kept.

        Without a key nothing is looked up at Klaviyo; `Plan.looked_up` says so.
        """
        task = self._task(select, exclude, replace(wish or Wish(), sample=SAMPLE))
        with (
            self.connections.klaviyo(dry=True, observer=observer) as klaviyo,
            self.connections.warehouse(read_only=True) as warehouse,
        ):
            unknown = "" if self.target.destination.own_sandbox else None  # '' is a new one, as a sandbox's
            account = klaviyo.account().id if klaviyo else unknown
            return planning.plan(warehouse, self.connections.state(warehouse, account), klaviyo, task, tell)

    def run(  # noqa: PLR0913 - the command line's flags
        self,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        wish: Wish | None = None,
        allow_removes: Collection[str] = (),
        strict: bool = False,
        dbt_gate: bool = True,
        tell: Tell = _nobody,
        observer: Observer | None = None,
    ) -> RunResult:
        """Make the lists what the models say. Raises GuardRefused before the first write of a dangerous plan.

        With `dbt_gate`, so it does where dbt did not build what a model reads, or its tests failed. May be
        killed at any moment and run again: it goes on from what is proved. Leaves a record in the shape of
        dbt's artifacts.
        """
        task = self._task(select, exclude, wish)
        unknown_models(allow_removes, self.models, "--allow-removes")
        how = _How(allow_removes, strict=strict, dbt_gate=dbt_gate, tell=tell, observer=observer)
        return self._recorded(task, how)

    def apply(
        self,
        saved: SavedPlan,
        *,
        strict: bool = False,
        tell: Tell = _nobody,
        observer: Observer | None = None,
    ) -> RunResult:
        """Carry out a saved plan: what it would have sent then is sent now, to the row, or nothing.

        Raises GuardRefused before the first write where a model or the plan is another one by now, and
        whatever `run` raises. What was applied can't be applied twice: the second time it is another plan.
        """
        refuse_elsewhere(saved, self.target)
        models = {model.name: model for model in self.models}
        there = tuple(models[name] for name in saved.names if name in models)
        how = _How(
            saved.allow_removes,
            strict=strict,
            dbt_gate=saved.dbt_gate,
            tell=tell,
            observer=observer,
            saved=saved,
        )
        return self._recorded(Task(self.target, there, self.models, saved.wish), how)

    def _recorded(self, task: Task, how: _How) -> RunResult:
        with self._record(task.selected) as record:
            if how.saved and (others := stale(how.saved, {each.name: each.checksum for each in self.models})):
                raise GuardRefused(*others)
            if how.dbt_gate and (held := self.gate(task.selected)):
                raise GuardRefused(*held)
            self.target.destination.need_key()
            record.result = self._run(task, how)
            return record.result

    def _task(self, select: Sequence[str], exclude: Sequence[str], wish: Wish | None) -> Task:
        wish = wish or Wish()
        unknown_models(wish.rekey, self.models, "--rekey")
        return Task(self.target, self.select(select, exclude), self.models, wish)

    def _run(self, task: Task, how: _How) -> RunResult:
        with self.connections.at(dry=False, begins=True, tell=how.tell, observer=how.observer) as at:
            if how.saved:
                refuse_other_account(how.saved, at.state.owner.account)
            return run(at, task, how.allow_removes, strict=how.strict, saved=how.saved)

    def _record(self, selected: Sequence[Model]) -> Record:
        """Return the record of a run."""
        name = self.dbt.name if self.dbt else self.target.profile
        return Record(self.artifacts, name, self.target, self.models, selected, self.clock)

    @property
    def artifacts(self) -> Path:
        """Return the folder of what a run leaves: in dbt's target folder, or in one of that name."""
        return (self.dbt.manifest.parent if self.dbt else self.folder / "target") / PACKAGE

    def reconcile(
        self,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        mend: bool = False,
        tell: Tell = _nobody,
        observer: Observer | None = None,
    ) -> tuple[Drift, ...]:
        """Read the lists of models back, and return how they differ from what was applied to them.

        Sends only GETs. With `mend`, the next run sends again what is missing; without, nothing changes.
        """
        models = self.select(select, exclude)
        work = flow.mend if mend else flow.reconcile
        with self.connections.at(dry=not mend, tell=tell, observer=observer) as at:
            return work(at, models, self.target.destination.lists)

    def adopt(
        self,
        select: Sequence[str],
        exclude: Sequence[str] = (),
        *,
        dry: bool = False,
        tell: Tell = _nobody,
        observer: Observer | None = None,
    ) -> tuple[Drift, ...]:
        """Let everybody on the lists of models count as put there by this job; the models decide who stays.

        Sends only GETs; with `dry` nothing changes. Returns how the lists differed.
        """
        models = self.select(select, exclude)
        work = flow.would_adopt if dry else flow.adopt
        with self.connections.at(dry=dry, tell=tell, observer=observer) as at:
            return work(at, models, self.target.destination.lists)

    def status(self, select: Sequence[str] = (), exclude: Sequence[str] = ()) -> Status:
        """Return where each list stands, from the state alone: Klaviyo is not asked, and nothing changes.

        Of the models that are chosen; without a choice also of those that are gone.
        """
        chosen = {model.name for model in self.select(select, exclude)} if select or exclude else None
        with self.connections.warehouse(read_only=True) as warehouse:
            found = status(self.connections.state(warehouse, None), [model.name for model in self.models])
        lists = (one for one in found.lists if chosen is None or one.model in chosen)
        return replace(found, lists=tuple(lists))

    def report(self, run_id: str | None = None) -> Report:
        """Return what is remembered of a run, by default the newest, from the state alone.

        Klaviyo is not asked, and nothing changes. E-mails and phones are in it: `hide` masks them. Raises
        UsageError where there is no such run.
        """
        sandbox, names = self.target.destination.sandbox, [model.name for model in self.models]
        with self.connections.warehouse(read_only=True) as warehouse:
            state = self.connections.state(warehouse, None)
            return gather(state, self.target.name, names, run_id, sandbox=sandbox)

    def retry(self, select: Sequence[str] = (), exclude: Sequence[str] = ()) -> dict[str, int]:
        """End the rejections that Klaviyo made, so that the next run sends these rows.

        Returns how many, by model.
        """
        models = self.select(select, exclude)
        with self.connections.warehouse(read_only=False) as warehouse:
            state = self.connections.state(warehouse, None)
            with state.lease():
                return {model.name: state.rejections.retry(model.name) for model in models}


@dataclass(frozen=True)
class _How:
    """How a run is to go."""

    allow_removes: Collection[str]
    strict: bool
    dbt_gate: bool
    tell: Tell
    observer: Observer | None
    saved: SavedPlan | None = None
