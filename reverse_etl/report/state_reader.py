"""Reads from a project's state alone: its status, its runs, their reports and the rejected rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from reverse_etl.config.target import Target
    from reverse_etl.models.project_models import ProjectModels
    from reverse_etl.report.facts import Report, ReportedRun
    from reverse_etl.report.rejected_rows import ListedRejection
    from reverse_etl.report.status import Status
    from reverse_etl.state import State


class StateReader(ABC):
    """The part of a project that only reads its state: no request to Klaviyo, and nothing changes."""

    target: Target
    project_models: ProjectModels

    @abstractmethod
    def open_stored_state(self) -> AbstractContextManager[State]:
        """Open the state to read it."""

    def status(self, select: Sequence[str] = (), exclude: Sequence[str] = ()) -> Status:
        """Return the status of each list, from the state only: no request to Klaviyo, and nothing changes.

        With selectors, the lists of the selected models; without, also the lists of deleted models. No model
        needs to compile.
        """
        from reverse_etl.report.status import load_status

        with self.open_stored_state() as state:
            return load_status(state, self.project_models.known_names, self._select_names(select, exclude))

    def rejected_rows(
        self, select: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> Iterator[ListedRejection]:
        """Return the rows that are rejected now; the state is open while they are iterated over."""
        from reverse_etl.report.rejected_rows import load_rejected_rows

        return load_rejected_rows(self.open_stored_state, self._select_names(select, exclude))

    def report(self, run_id: str | None = None) -> Report:
        """Return the report of a run, by default of the newest, from the state only.

        Sends no request and changes nothing. The report contains e-mails and phones: `mask_report` masks
        them. Raises UsageError if there is no such run.
        """
        from reverse_etl.report.gather import build_report
        from reverse_etl.report.status import load_status

        sandbox, names = self.target.destination.sandbox, self.project_models.known_names
        with self.open_stored_state() as state:
            status = load_status(state, names)
            return build_report(state, status, self.target.name, run_id, sandbox=sandbox)

    def reports(self, limit: int) -> tuple[Report, ...]:
        """Return the reports of the newest runs, newest first; see `report`.

        Raises UsageError if no run is recorded.
        """
        from reverse_etl.report.gather import build_report
        from reverse_etl.report.status import load_status

        sandbox, names = self.target.destination.sandbox, self.project_models.known_names
        with self.open_stored_state() as state:
            status = load_status(state, names)
            run_ids = (None, *(run.run_id for run in status.runs[1:limit]))
            return tuple(
                build_report(state, status, self.target.name, run_id, sandbox=sandbox) for run_id in run_ids
            )

    def history(self) -> tuple[ReportedRun, ...]:
        """Return the runs with what each did to each list, newest first, from the state only."""
        from reverse_etl.report.gather import load_history

        with self.open_stored_state() as state:
            return load_history(state)

    def _select_names(self, select: Sequence[str], exclude: Sequence[str]) -> frozenset[str] | None:
        return self.project_models.select_names(select, exclude) if select or exclude else None
