"""The gate: checks whether dbt built and tested what models read, and when.

The evidence comes from several dbt commands. A model passes if the evidence has no fault. Missing evidence is
a warning, and a strict gate refuses the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.dbt.command_rules import check_commands
from reverse_etl.dbt.findings import Weight
from reverse_etl.dbt.node_rules import NodeCheck
from reverse_etl.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.dbt.findings import GatedModel, GateFinding, GateInput


_IGNORE_HINT: Final = "To ignore what dbt says: --no-dbt-gate."


@dataclass(frozen=True)
class GateVerdict:
    """Why models are held back, and what else to say of what they read; each once, with all its models."""

    refusals: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def check_gate(models: Sequence[GatedModel], gate_input: GateInput, *, strict: bool = False) -> GateVerdict:
    """Return the gate's verdict on models, in their order.

    A model is held back where dbt ended before it wrote results, or its results were lost or are of another
    target; where what it reads, or what that is built from, failed, was skipped, is stale or was built
    without rows; where a test of severity error failed on what it reads or on a direct parent of that; and
    where something that it reads is too old. With `strict`, also where no result is known of what it reads.
    """
    models_by_finding: dict[GateFinding, list[str]] = {}
    for model in models:
        for finding in dict.fromkeys(_check_model(model, gate_input)):
            models_by_finding.setdefault(finding, []).append(model.model)
    blocking = {finding for finding in models_by_finding if _blocks(finding, strict=strict)}
    held = {model for finding in blocking for model in models_by_finding[finding]}
    others = "Other models are not held back. " if len(held) < len(models) else ""
    return GateVerdict(
        tuple(
            _make_problem(finding, models_by_finding[finding], f"{finding.hint} {others}{_IGNORE_HINT}")
            for finding in models_by_finding
            if finding in blocking
        ),
        tuple(
            _make_problem(finding, models_by_finding[finding], finding.hint)
            for finding in models_by_finding
            if finding not in blocking
        ),
    )


def format_warning(warning: Problem) -> str:
    """Return a warning as one text: what is so, of which models, and what to do."""
    where = f"({warning.where})" if warning.where else ""
    return " ".join(part for part in (warning.summary, where, warning.hint) if part)


def _check_model(model: GatedModel, gate_input: GateInput) -> Iterator[GateFinding]:
    check = NodeCheck(model, gate_input)
    if check.known_reads:
        whole = [*check_commands(gate_input)]
        yield from whole
        if whole:  # the results of the nodes would mislead
            return
    yield from check.check()


def _blocks(finding: GateFinding, *, strict: bool) -> bool:
    match finding.weight:
        case Weight.BLOCKS:
            return True
        case Weight.MISSING:
            return strict
        case Weight.NOTE:
            return False


def _make_problem(finding: GateFinding, models: Sequence[str], hint: str) -> Problem:
    return Problem(finding.summary, ", ".join(f"model {model}" for model in models), hint, tuple(models))
