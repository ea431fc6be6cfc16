"""The options of the gate, and the values that its rules take and give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from reverse_etl.dbt.evidence import Evidence, Invocation, RecordedResults


class GateMode(Enum):
    """Whether the gate is asked, and whether it refuses what it knows nothing of."""

    OFF = auto()
    ON = auto()
    STRICT = auto()


@dataclass(frozen=True)
class GateOptions:
    """The options of the gate. `dbt_exit_code` is that of the dbt command before this run, if given."""

    mode: GateMode = GateMode.ON
    dbt_exit_code: int | None = None


class Weight(Enum):
    """The effect of a finding: it stops the model, only with --strict-gate, or is only reported."""

    BLOCKS = auto()
    MISSING = auto()
    NOTE = auto()


@dataclass(frozen=True)
class GateFinding:
    """A finding of a rule: what happened, and what to do next."""

    summary: str
    hint: str
    weight: Weight = Weight.BLOCKS


@dataclass(frozen=True)
class GatedModel:
    """A model as the gate sees it: what it reads by dbt's unique ids, and how old that may be, in seconds."""

    model: str
    reads: tuple[str, ...]
    max_age: int | None = None


@dataclass(frozen=True)
class TargetSchema:
    """Where this run's target reads: the target's name, and its database and schema in the warehouse."""

    target: str
    database: str
    schema: str


@dataclass(frozen=True)
class GateInput:
    """The input of the gate's rules.

    `invocations` are those of the artifacts. `recorded` is None without the dbt package. `dbt_exit_code` is
    that of the dbt command before this run, None if not given.
    """

    evidence: Evidence
    target_schema: TargetSchema
    now: datetime
    invocations: tuple[Invocation, ...] = ()
    recorded: RecordedResults | None = None
    dbt_exit_code: int | None = None


def format_utc(time: datetime) -> str:
    """Return a time as messages show it."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def format_command(command: str) -> str:
    """Return a dbt command as messages show it."""
    words = {"generate": "docs generate", "freshness": "source freshness"}
    return f"`dbt {words.get(command, command)}`" if command else "a dbt command without a name"
