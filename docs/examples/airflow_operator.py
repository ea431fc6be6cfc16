# ruff: noqa: INP001 - Airflow loads it from its plugins or DAGs folder
"""Airflow 3: an operator that sends models by the Python library.

>>> ReverseEtlOperator(  # doctest: +SKIP
...     task_id="vip_customers", project_dir="/srv/shop", target="prod", select=["vip_customers"], retries=3
... )
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.sdk import BaseOperator

from reverse_etl.errors import ReverseEtlError
from reverse_etl.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FAILED = 4  # the warehouse or Klaviyo failed: the one exit code after which a retry helps


class ReverseEtlOperator(BaseOperator):
    """Sends what changed in the selected models, and returns the rows by list and outcome."""

    template_fields = ("project_dir", "target", "select")

    def __init__(self, *, project_dir: str, target: str, select: Sequence[str] = (), **options: Any) -> None:
        """Keep the settings; Airflow renders them before it calls `execute`."""
        super().__init__(**options)
        self.project_dir, self.target, self.select = project_dir, target, select

    def execute(self, context: Mapping[str, Any]) -> dict[str, dict[str, int]]:
        """Run. Raises AirflowException if a retry helps, and AirflowFailException if it does not."""
        del context
        try:
            result = Project.load(self.project_dir, target=self.target).run(select=self.select)
        except ReverseEtlError as error:
            reasons = "; ".join(problem.summary for problem in error.problems)
            raise _failure(error.exit_code, reasons) from error
        if result.exit_code > 1:
            reasons = "; ".join(one.stop_reason for one in result.lists if one.stop_reason)
            raise _failure(result.exit_code, reasons)
        if result.exit_code:
            self.log.warning("Finished, but some rows need attention. Show them: reverse-etl status")
        return {
            one.list_plan.list_ref.label: {outcome.value: rows for outcome, rows in one.outcomes.items()}
            for one in result.lists
        }


def _failure(code: int, reasons: str) -> Exception:
    """Return what ends the task: an error that Airflow retries, where that helps, or one that it does not."""
    error = AirflowException if code == FAILED else AirflowFailException
    return error(f"reverse-etl ended with {code}: {reasons}")
