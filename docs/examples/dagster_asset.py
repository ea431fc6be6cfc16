# ruff: noqa: INP001 - a Dagster code location
"""Dagster: a list as an asset, by the Python library. Load it with `dagster dev -f dagster_asset.py`."""

from __future__ import annotations

from dagster import AssetExecutionContext, Definitions, Failure, MaterializeResult, RetryRequested, asset

from reverse_etl.errors import ReverseEtlError
from reverse_etl.project import Project

PROJECT, TARGET = "/srv/shop", "prod"
FAILED = 4  # the warehouse or Klaviyo failed: the one exit code after which a retry helps


@asset(deps=["customers"])
def vip_customers(context: AssetExecutionContext) -> MaterializeResult:
    """Send what changed. The asset's metadata are the rows by list and outcome."""
    try:
        result = Project.load(PROJECT, target=TARGET).run(select=["vip_customers"])
    except ReverseEtlError as error:
        raise _failure(error.exit_code, "; ".join(problem.summary for problem in error.problems)) from error
    reasons = [one.stop_reason for one in result.lists if one.stop_reason]
    if result.exit_code > 1:
        raise _failure(result.exit_code, "; ".join(reasons))
    if result.exit_code:
        context.log.warning("Finished, but some rows need attention. Show them: reverse-etl status")
    return MaterializeResult(
        metadata={
            f"{one.list_plan.list_ref.label}: {outcome}": rows
            for one in result.lists
            for outcome, rows in one.outcomes.items()
        }
    )


def _failure(code: int, reasons: str) -> Failure | RetryRequested:
    """Return what ends the asset: a retry where one helps, and otherwise a failure."""
    if code == FAILED:
        return RetryRequested(max_retries=3, seconds_to_wait=900)
    return Failure(f"reverse-etl ended with {code}: {reasons}", allow_retries=False)


definitions = Definitions(assets=[vip_customers])
