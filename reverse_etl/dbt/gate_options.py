"""The options of the gate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


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
