"""The gate behind dbt with what it reads: artifacts, the dbt package's table, the record of earlier runs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reverse_etl.dbt.evidence import Evidence
from reverse_etl.dbt.findings import GatedModel, GateInput, GateMode, GateOptions, TargetSchema
from reverse_etl.dbt.gate import GateVerdict, check_gate
from reverse_etl.dbt.record import write_record
from reverse_etl.errors import IncompleteFile, Problem, UsageError
from reverse_etl.planning.dbt_results import read_recorded_results, with_evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from reverse_etl.config.target import Target
    from reverse_etl.dbt.evidence import Invocation, RecordedResults
    from reverse_etl.dbt.project import DbtProject
    from reverse_etl.models.model import Model
    from reverse_etl.warehouse.interface import Warehouse


def collect_warnings(models: Sequence[Model], verdict: GateVerdict) -> tuple[Problem, ...]:
    """Return what is to be known of the models before a run: their own warnings, then those of the gate."""
    return (*(warning for model in models for warning in model.warnings), *verdict.warnings)


@dataclass(frozen=True)
class ProjectGate:
    """The gate of one target at one moment. Outside a dbt project `dbt_project` is None: nothing is known.

    The record is read at `old_record_path`, its earlier place, until there is one at `record_path`.
    Its methods raise UsageError if a dbt project has no results, IncompleteFile if a file is cut off, and
    WarehouseError if the dbt package's table cannot be read.
    """

    target: Target
    dbt_project: DbtProject | None
    record_path: Path
    old_record_path: Path
    now: datetime
    open_warehouse: Callable[[], AbstractContextManager[Warehouse]]

    def check(self, models: Sequence[Model], options: GateOptions) -> GateVerdict:
        """Return which models are held back. Changes nothing."""
        if options.mode is GateMode.OFF:
            return GateVerdict()
        return self._check(models, options, self._gather(models, options))

    def find_reasons(self, models: Sequence[Model]) -> Mapping[str, str]:
        """Return why a run with the default options would send nothing of models, by the model's name."""
        try:
            refusals = self.check(models, GateOptions()).refusals
        except (UsageError, IncompleteFile) as error:  # a run ends with it
            return {model.name: str(error) for model in models}
        return {
            name: problem.summary
            for problem in reversed(refusals)
            for name in problem.models or (model.name for model in models)
        }

    def check_and_remember(self, models: Sequence[Model], options: GateOptions) -> GateVerdict:
        """Return which models are held back, and keep what is known for later runs, whatever the verdict.

        With the dbt package its table remembers. If the record cannot be written, a warning says so.
        """
        if options.mode is GateMode.OFF:
            return GateVerdict()
        gate_input = self._gather(models, options)
        verdict = self._check(models, options, gate_input)
        if gate_input.recorded is None and gate_input.evidence.newest:
            try:
                write_record(self.record_path, self.target.name, gate_input.evidence)
            except OSError as error:
                problem = Problem(f"dbt's results cannot be remembered for the next run: {error}.")
                return replace(verdict, warnings=(*verdict.warnings, problem))
        return verdict

    def _gather(self, models: Sequence[Model], options: GateOptions) -> GateInput:
        output = self.target.output
        gate_input = GateInput(
            evidence=Evidence(),
            target_schema=TargetSchema(self.target.name, output.database, output.schema),
            now=self.now,
            dbt_exit_code=options.dbt_exit_code,
        )
        if self.dbt_project is None or not any(model.reads for model in models):
            return gate_input
        record_path = self.record_path if self.record_path.exists() else self.old_record_path
        return with_evidence(gate_input, self.dbt_project, self._read_recorded, record_path)

    def _read_recorded(self, invocations: Sequence[Invocation]) -> RecordedResults:
        with self.open_warehouse() as warehouse:
            return read_recorded_results(warehouse, self.target.output, invocations)

    def _check(self, models: Sequence[Model], options: GateOptions, gate_input: GateInput) -> GateVerdict:
        gated_models = [GatedModel(model.name, model.reads, model.config.max_age) for model in models]
        return check_gate(gated_models, gate_input, strict=options.mode is GateMode.STRICT)
