"""Keep which suppressions a model's requests made: only these are undone when their rows leave."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reverse_etl.delivery.outcomes import UNPROVED_STATES, Outcome
from reverse_etl.delivery.suppressions.suppression_rules import may_be_own
from reverse_etl.state.own_suppressions import OwnSuppression
from reverse_etl.state.tables import ROWS_PER_STATEMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reverse_etl.delivery.suppressions.suppression_group import EmailResult
    from reverse_etl.delivery.suppressions.suppression_rules import UnsuppressRule
    from reverse_etl.state.own_suppressions import OwnSuppressions


@dataclass
class OwnershipRecorder:
    """Records the suppressions of one model, a thousand at a time.

    `pending` are those that Klaviyo did not show yet when the run began.
    """

    own: OwnSuppressions
    model: str
    pending: Mapping[str, OwnSuppression]
    unsaved: list[OwnSuppression] = field(default_factory=list)

    def record_sent(self, results: Sequence[EmailResult]) -> None:
        """Record the suppressions that were asked for, and earlier ones that show only now."""
        self._add(
            OwnSuppression(result.row.identity, result.asked_at)
            for result in results
            if result.outcome is Outcome.UNVERIFIED and result.asked_at
        )
        self._add(
            replace(entry, suppressed_at=result.suppressed_at)
            for result in results
            if (entry := self.pending.get(result.row.identity)) is not None
            and result.outcome is Outcome.APPLIED
            and result.suppressed_at is not None
            and may_be_own(entry, result.suppressed_at)
        )

    def record_shown(self, result: EmailResult) -> None:
        """Record the time of a suppression that the model's request made."""
        if result.suppressed_at and result.asked_at:
            self._add([OwnSuppression(result.row.identity, result.asked_at, result.suppressed_at)])

    def release(self, rule: UnsuppressRule, results: Sequence[EmailResult]) -> None:
        """Forget the suppressions of rows that left, or hand them to the model that still has the row."""
        left = [result for result in results if result.outcome not in {*UNPROVED_STATES, Outcome.REJECTED}]
        for result in left:
            entry = rule.own.get(result.row.identity)
            if result.outcome is Outcome.REPLACED and entry is not None:
                self.own.record(rule.other_models[result.row.identity], [entry])
        self.own.delete(self.model, [result.row.identity for result in left])

    def flush(self) -> None:
        """Store what is not stored yet."""
        self.own.record(self.model, self.unsaved)
        self.unsaved = []

    def _add(self, entries: Iterable[OwnSuppression]) -> None:
        self.unsaved += entries
        if len(self.unsaved) >= ROWS_PER_STATEMENT:
            self.flush()
