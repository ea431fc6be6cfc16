"""The project as a library: `.plan()`, `.run()`, `.status()` and `.report()` return frozen results.

project = Project.load(Path("."), target="prod")
plan = project.plan(select=["tag:daily"])
result = project.run(select=["tag:daily"])
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from reverse_etl.clock import Clock, SystemClock
from reverse_etl.config.profiles import load_target
from reverse_etl.dbt.findings import GateOptions
from reverse_etl.dbt.project import DbtProject, read_dbt_project
from reverse_etl.domain.progress import ignore_progress
from reverse_etl.files import RECORDS_FOLDER
from reverse_etl.models.model import Model
from reverse_etl.models.project_models import ProjectModels
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.plan_request import build_request, require_known_options
from reverse_etl.report.state_reader import StateReader

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from reverse_etl.config.target import Target
    from reverse_etl.connections import Connections
    from reverse_etl.dbt.gate import GateVerdict
    from reverse_etl.delivery.results import RunResult
    from reverse_etl.delivery.run_options import RunOptions
    from reverse_etl.domain.progress import ProgressHandler
    from reverse_etl.klaviyo.endpoints import Endpoint, RateLimit
    from reverse_etl.klaviyo.messages import RequestHook
    from reverse_etl.planning.plan import Plan
    from reverse_etl.planning.plan_request import PlanRequest
    from reverse_etl.planning.project_gate import ProjectGate
    from reverse_etl.planning.saved_plan import SavedPlan
    from reverse_etl.reconcile.drift import ListDifference
    from reverse_etl.report.dbt_artifacts import RunArtifacts
    from reverse_etl.report.explanation import Explanation
    from reverse_etl.report.held_rows import HeldRow
    from reverse_etl.state import State
    from reverse_etl.state.changes import StateChanges

SAMPLE_SIZE = 3  # changes that a plan shows, per list and operation


@dataclass(frozen=True)
class Project(StateReader):
    """A project folder with its target. Its models are compiled when they are first needed.

    `clock` and `rate_limit_for` are for tests: by default a run uses the system clock and Klaviyo's published
    rate limits. A run that fails sends no telemetry if `is_interrupted`.
    """

    folder: Path
    target: Target
    project_models: ProjectModels
    clock: Clock = field(default_factory=SystemClock)
    threads: int | None = None
    rate_limit_for: Callable[[Endpoint], RateLimit] = attrgetter("rate_limit")
    dbt_project: DbtProject | None = None
    is_interrupted: Callable[[], bool] = field(default=lambda: False)

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
        dbt_artifacts: Sequence[Path] = (),
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """Read profiles.yml and dbt_project.yml; no model is compiled yet.

        `dbt_artifacts` are folders, by default dbt's target. Raises UsageError with all problems found.
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
        dbt_project = read_dbt_project(
            folder, environ=environ, cli_vars=vars or {}, artifact_folders=dbt_artifacts
        )
        models = ProjectModels(folder, chosen, dbt_project, vars or {}, environ, dbt_artifacts)
        return cls(folder, chosen, models, clock or SystemClock(), threads, dbt_project=dbt_project)

    @property
    def models(self) -> tuple[Model, ...]:
        """Return all models. Raises ModelError with the problems of all models that do not compile."""
        return self.project_models.require_all()

    def open_stored_state(self) -> AbstractContextManager[State]:
        """Open the state to read it."""
        return self.connections.stored_state()

    @property
    def connections(self) -> Connections:
        """Return the connections of the target."""
        from reverse_etl.connections import Connections

        return Connections(self.folder, self.target, self.clock, self.threads, self.rate_limit_for)

    def select(self, select: Sequence[str] = (), exclude: Sequence[str] = ()) -> tuple[Model, ...]:
        """Return the models that match the selectors, with the semantics of dbt's --select and --exclude.

        Raises ModelError if one of them does not compile; the others need not.
        """
        return self.project_models.select(select, exclude)

    @property
    def dbt_gate(self) -> ProjectGate:
        """Return the gate behind dbt, as of now."""
        from reverse_etl.dbt.record import RECORD_FILE
        from reverse_etl.planning.project_gate import ProjectGate

        return ProjectGate(
            target=self.target,
            dbt_project=self.dbt_project,
            record_path=self.folder / RECORDS_FOLDER / RECORD_FILE,
            old_record_path=self.artifacts_folder / RECORD_FILE,
            now=datetime.fromtimestamp(self.clock.now(), UTC),
            open_warehouse=lambda: self.connections.warehouse(read_only=True),
        )

    def check_gate(self, models: Sequence[Model], options: GateOptions | None = None) -> GateVerdict:
        """Return which models the dbt gate stops, and what dbt's results lack.

        Raises UsageError if a dbt project has no results, and IncompleteFile if a file is cut off.
        """
        return self.dbt_gate.check(models, options or GateOptions())

    def plan(
        self,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        options: PlanOptions | None = None,
        on_progress: ProgressHandler = ignore_progress,
        on_request: RequestHook | None = None,
    ) -> Plan:
        """Return what a run would do. Sends only GETs and changes no persistent table and no file.

        Without a key it sends no requests at all, and `Plan.lists_looked_up` is False. `Plan.violations` are
        the guards that would stop lists.
        """
        from reverse_etl.planning.planner import build_plan

        options = options or PlanOptions()
        options = replace(options, sample_size=options.sample_size or SAMPLE_SIZE)
        request = self._build_request(select, exclude, options)
        with self.connections.planning(on_request) as (warehouse, state, klaviyo):
            return build_plan(warehouse, state, klaviyo, request, on_progress)

    def run(  # noqa: PLR0913 - the command line's flags
        self,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        options: PlanOptions | None = None,
        allow_removes: Collection[str] = (),
        strict: bool = False,
        gate: GateOptions | None = None,
        lease_timeout: float = 0.0,
        on_progress: ProgressHandler = ignore_progress,
        on_request: RequestHook | None = None,
    ) -> RunResult:
        """Plan, send what changed, and record the outcome of every row.

        A guard that trips stops its list; `options.allow` names the models that may pass, and `allow_removes`
        adds to it. The dbt gate leaves out models whose tables are not well built; `gate` configures it.
        Raises GuardRefused before the first write if guards stop all lists, or the gate all models. The run
        may be killed at any moment and run again: it continues from what is proved. It writes manifest.json
        and run_results.json in the format of dbt's artifacts. If another run holds the lease, it waits up to
        `lease_timeout` seconds.
        """
        from reverse_etl.delivery.run_options import RunOptions

        options = options or PlanOptions()
        if allow_removes:
            options = replace(options, allow=replace(options.allow, removes=allow_removes))
        run_options = RunOptions(
            strict=strict,
            gate=gate or GateOptions(),
            on_progress=on_progress,
            on_request=on_request,
            lease_timeout=lease_timeout,
        )
        return self._run(lambda: self._build_request(select, exclude, options), run_options)

    def apply(
        self,
        saved_plan: SavedPlan,
        *,
        strict: bool = False,
        lease_timeout: float = 0.0,
        on_progress: ProgressHandler = ignore_progress,
        on_request: RequestHook | None = None,
    ) -> RunResult:
        """Run exactly what a saved plan says, row by row, or nothing.

        Raises GuardRefused before the first write if a guard trips, or if a model or the plan has changed
        since it was saved, and everything that `run` raises. A plan can't be applied twice: after the first
        time the plan differs.
        """
        from reverse_etl.delivery.run_options import RunOptions

        run_options = RunOptions(
            strict=strict,
            gate=saved_plan.gate,
            on_progress=on_progress,
            on_request=on_request,
            saved_plan=saved_plan,
            lease_timeout=lease_timeout,
        )
        return self._run(lambda: self._build_saved_request(saved_plan), run_options)

    def _build_saved_request(self, saved_plan: SavedPlan) -> PlanRequest:
        from reverse_etl.planning.plan_drift import build_saved_request

        return build_saved_request(self.target, self.project_models, saved_plan)

    def _run(self, build_request: Callable[[], PlanRequest], options: RunOptions) -> RunResult:
        """Run what is requested, record its failure, and send the telemetry that variables ask for."""
        from reverse_etl.run import run_project
        from reverse_etl.telemetry.watch import record_run

        connections, is_interrupted = self.connections, self.is_interrupted
        with (
            record_run(self.target, options.on_progress, is_interrupted) as telemetry,
            connections.recording_failure(options.on_progress, is_interrupted) as attempt,
        ):
            options = replace(options, on_progress=telemetry.handle_progress, attempt=attempt)
            request = build_request()
            artifacts = self._make_run_artifacts(request.selected)
            telemetry.result = run_project(connections, self.dbt_gate, artifacts, request, options)
        return telemetry.result

    def require_selection(
        self, select: Sequence[str], exclude: Sequence[str], options: PlanOptions
    ) -> frozenset[str]:
        """Return the names of the selected models, which need not compile.

        Raises UsageError if a selector or an option names no model.
        """
        require_known_options(options, self.project_models.known)
        return self.project_models.select_names(select, exclude)

    def _build_request(
        self, select: Sequence[str], exclude: Sequence[str], options: PlanOptions
    ) -> PlanRequest:
        return build_request(self.target, self.project_models, options, select, exclude)

    def _make_run_artifacts(self, selected: Sequence[Model]) -> RunArtifacts:
        """Return the writer of the run's artifacts."""
        from reverse_etl.report.dbt_artifacts import RunArtifacts

        project_name = self.dbt_project.name if self.dbt_project else self.target.profile
        models = [model for model in self.project_models.all if isinstance(model, Model)]
        return RunArtifacts(self.artifacts_folder, project_name, self.target, models, selected, self.clock)

    @property
    def artifacts_folder(self) -> Path:
        """Return the folder for artifacts: `reverse_etl` in dbt's target folder, or in `target`."""
        return (self.dbt_project.target_path if self.dbt_project else self.folder / "target") / "reverse_etl"

    def explain(  # noqa: PLR0913 - the command line's flags
        self,
        text: str,
        select: Sequence[str] = (),
        *,
        lists: Collection[str] = (),
        ask_klaviyo: bool = False,
        on_progress: ProgressHandler = ignore_progress,
        on_request: RequestHook | None = None,
    ) -> Explanation:
        """Return what is known of one person: in the models, in the state, of the next run, and at Klaviyo.

        `text` is an e-mail, phone, external id or profile id; `lists` are names or ids. Makes a plan.
        """
        from reverse_etl.planning.planner import build_plan
        from reverse_etl.report.explain import add_shown, explain_person, find_deleted_models
        from reverse_etl.report.explanation import PersonSearch

        if ask_klaviyo:
            self.target.destination.require_key()
        request = self._build_request(select, (), PlanOptions(full_comparison=True))
        gate_reasons = self.dbt_gate.find_reasons(request.selected)
        with self.connections.planning(on_request) as (warehouse, state, klaviyo):
            plan = build_plan(warehouse, state, klaviyo, request, on_progress)
            deleted = [] if select else find_deleted_models(state, request.project_models)
            explanation = explain_person(warehouse, state, plan, PersonSearch(text, lists, deleted))
            explanation = explanation.with_gate_reasons(gate_reasons)
            return add_shown(klaviyo, plan, explanation) if ask_klaviyo and klaviyo else explanation

    @contextmanager
    def held_rows(
        self,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        on_progress: ProgressHandler = ignore_progress,
        on_request: RequestHook | None = None,
    ) -> Iterator[Iterator[HeldRow]]:
        """Make a plan, and yield the rows that a run keeps back, wholly or without an identifier."""
        from reverse_etl.planning.planner import build_plan
        from reverse_etl.report.held_search import find_held_rows

        request = self._build_request(select, exclude, PlanOptions(full_comparison=True))
        with self.connections.planning(on_request) as (warehouse, state, klaviyo):
            yield find_held_rows(
                warehouse, state, build_plan(warehouse, state, klaviyo, request, on_progress)
            )

    def reconcile(
        self,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        resend: bool = False,
        on_progress: ProgressHandler = ignore_progress,
        on_request: RequestHook | None = None,
    ) -> tuple[ListDifference, ...]:
        """Read the lists of models back, and return how they differ from the rows applied to them.

        Sends only GETs. With `resend`, the next run sends missing rows again; without it nothing changes.
        """
        from reverse_etl.reconcile import operations

        models, lists = self.select(select, exclude), self.target.destination.lists
        operation = operations.resend_missing if resend else operations.reconcile
        with self.connections.delivery_context(on_progress, on_request, dry_run=not resend) as context:
            return operation(context, models, lists)

    def adopt(
        self,
        select: Sequence[str],
        exclude: Sequence[str] = (),
        *,
        dry_run: bool = False,
        on_progress: ProgressHandler = ignore_progress,
        on_request: RequestHook | None = None,
    ) -> tuple[ListDifference, ...]:
        """Take ownership of all current members of the models' lists, so that later runs may remove them.

        Sends only GETs; with `dry_run` nothing changes. Returns how the lists differed from the models' rows.
        """
        from reverse_etl.reconcile import operations

        models, lists = self.select(select, exclude), self.target.destination.lists
        operation = operations.preview_adopt if dry_run else operations.adopt
        with self.connections.delivery_context(on_progress, on_request, dry_run=dry_run) as context:
            return operation(context, models, lists)

    def retry(
        self,
        select: Sequence[str] = (),
        exclude: Sequence[str] = (),
        *,
        unknown: bool = False,
        on_progress: ProgressHandler = ignore_progress,
    ) -> dict[str, int]:
        """Clear the rejections made by Klaviyo, so that the next run sends these rows again.

        With `unknown`, instead, those rows whose request must not be repeated and may have been carried out.
        Returns the number of rows by model.
        """
        from reverse_etl.state.retries import retry_rejected, retry_unknown

        models = self.select(select, exclude)
        with self.connections.locked_state(on_progress) as state:
            retry = retry_unknown if unknown else retry_rejected
            return {model.name: retry(state, model.name, model.config.surface) for model in models}

    @property
    def state_changes(self) -> StateChanges:
        """Return the changes of the state that a user may ask for."""
        from reverse_etl.state.changes import StateChanges

        target = self.connections
        return StateChanges(target.locked_state, target.move_state, lambda: self.project_models.names)
