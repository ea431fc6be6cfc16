"""How old the tables are that a model reads, and which age is too old. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reverse_etl.dbt.evidence import Evidence

REFUSED_AGE: Final = timedelta(days=30)
_LEAST_EXPECTED: Final = timedelta(hours=36)
_EXPECTED_ONCE_KNOWN: Final = timedelta(days=8)  # a weekly build, and a day
_MISSED: Final = 3  # intervals between builds


class Age(Enum):
    """How the gate rates the age of a table of a model without `max_age`."""

    USUAL = auto()
    UNUSUAL = auto()
    REFUSED = auto()


@dataclass(frozen=True)
class TableAge:
    """The age of one table: the time of its newest build, and how often it is usually built, if known."""

    unique_id: str
    built_at: datetime
    interval: timedelta | None

    def classify(self, now: datetime) -> Age:
        """Return what the age means at a moment."""
        age = now - self.built_at
        if age >= REFUSED_AGE:
            return Age.REFUSED
        expected = max(_MISSED * self.interval, _LEAST_EXPECTED) if self.interval else _EXPECTED_ONCE_KNOWN
        return Age.UNUSUAL if age > expected else Age.USUAL


def find_table_age(evidence: Evidence, unique_id: str) -> TableAge | None:
    """Return the age of a table that dbt rebuilds regularly, None of others and where no build is known.

    Seeds and snapshots change when somebody changes them, and a source is not dbt's to build.
    """
    node = evidence.graph.nodes.get(unique_id)
    times = evidence.builds.get(unique_id)
    if node is None or node.resource_type != "model" or not times:
        return None
    return TableAge(unique_id, times[0], compute_usual_interval(times))


def compute_usual_interval(times: Sequence[datetime]) -> timedelta | None:
    """Return the median time between builds, None where fewer than three builds are known.

    `times` are newest first. A table built every day, and twice on one, is built every day.
    """
    gaps = [(later - earlier).total_seconds() for later, earlier in pairwise(times)]
    return timedelta(seconds=median(gaps)) if len(gaps) > 1 else None
