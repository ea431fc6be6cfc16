"""Read back whether the rows whose requests prove nothing show that they are suppressed or unsuppressed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reverse_etl.delivery.concurrency import map_concurrently
from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.delivery.read_back import READ_BACK_SECONDS, wait_until_shown
from reverse_etl.delivery.suppressions.suppression_rules import suppression_time
from reverse_etl.domain.batched import batched
from reverse_etl.errors import FailureReason, KlaviyoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.delivery.list_delivery import ListDelivery
    from reverse_etl.delivery.suppressions.suppression_group import EmailResult
    from reverse_etl.delivery.suppressions.suppression_ownership import OwnershipRecorder
    from reverse_etl.delivery.suppressions.suppression_rules import Rule
    from reverse_etl.klaviyo.suppressions import EmailState
    from reverse_etl.surfaces.operations import ChangeSuppressions

_MAX_JOBS_SHOWN: Final = 5


@dataclass
class SuppressionReadBack:
    """The rows of a model that wait for a read-back, each span with its rule; its rows share a receipt.

    `is_worth_waiting`: it is not, once rows did not show in time.
    """

    delivery: ListDelivery
    operation: ChangeSuppressions
    ownership: OwnershipRecorder
    spans: list[tuple[Rule, list[EmailResult]]] = field(default_factory=list)
    is_worth_waiting: bool = True

    @property
    def row_count(self) -> int:
        """Return how many rows wait."""
        return sum(len(rows) for _, rows in self.spans)

    def wait(self) -> None:
        """Read until all rows show what was asked for, or the time is over. A failed read stops the model."""
        schedule = READ_BACK_SECONDS if self.is_worth_waiting else READ_BACK_SECONDS[:1]
        try:
            self.is_worth_waiting &= wait_until_shown(self.delivery.context, self._read, schedule)
        except KlaviyoError as error:
            self.delivery.counter.fail(FailureReason.of(error))

    def _open_results(self) -> Iterator[tuple[Rule, EmailResult]]:
        return ((rule, result) for rule, rows in self.spans for result in rows if result.is_open)

    def _read(self) -> bool:
        """Read the open rows once, and give those that show their outcome; return whether all do."""
        self.delivery.report_open_jobs(len({result.job_id for _, result in self._open_results()}))
        rules = {result.row.email: rule for rule, result in self._open_results()}
        shown: dict[str, EmailState | None] = {}
        klaviyo = self.delivery.context.klaviyo
        for part, states in map_concurrently(
            self.delivery.context,
            lambda part: (part, {state.email: state for state in klaviyo.find_email_states(part)}),
            batched(rules, self.operation.max_rows),
        ):
            shown |= {email: states.get(email) for email in part if rules[email].is_done(states.get(email))}
        for rule, rows in self.spans:
            for index, result in enumerate(rows):
                if result.is_open and result.row.email in shown:
                    suppressed_at = suppression_time(shown[result.row.email])
                    rows[index] = replace(result, outcome=rule.outcome_when_done, suppressed_at=suppressed_at)
                    self.ownership.record_shown(rows[index])
        self.ownership.flush()
        return len(shown) == len(rules)

    def read_job_statuses(self) -> dict[str, str]:
        """Return the status of the first jobs whose rows do not show. It proves nothing."""
        job_ids = dict.fromkeys(
            result.job_id
            for _, result in self._open_results()
            if result.outcome is Outcome.UNVERIFIED and result.job_id
        )
        statuses: dict[str, str] = {}
        klaviyo = self.delivery.context.klaviyo
        for job_id in [*job_ids][:_MAX_JOBS_SHOWN]:
            try:
                job = klaviyo.get_suppression_job(self.operation.job_endpoint, job_id)
            except KlaviyoError:
                return statuses  # the key may lack subscriptions:read, which nothing else needs
            statuses[job_id] = job.status_text if job else "not found"
        return statuses
