"""What `plan` and `run` print with --json. A key means the same in both; docs/cli.md says what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reverse_etl.delivery.results import counts
from reverse_etl.domain.identifiers import IdentifierType, mask, masked_value
from reverse_etl.klaviyo.endpoints import Endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.delivery.results import ListResult, RunResult
    from reverse_etl.planning.plan import Change, ListPlan, ModelPlan, Plan

REQUESTS: Final[Mapping[Endpoint, str]] = {
    Endpoint.ACCOUNTS: "accounts",
    Endpoint.LISTS: "lists",
    Endpoint.LIST: "list",
    Endpoint.CREATE_LIST: "create_list",
    Endpoint.LIST_PROFILES: "list_profiles",
    Endpoint.ADD_TO_LIST: "add_to_list",
    Endpoint.REMOVE_FROM_LIST: "remove_from_list",
    Endpoint.PROFILES: "profiles",
    Endpoint.START_IMPORT: "start_import",
    Endpoint.IMPORTS: "imports",
    Endpoint.IMPORT: "import",
    Endpoint.IMPORT_ERRORS: "import_errors",
}


def plan_document(plan: Plan, *, show_values: bool) -> dict[str, Any]:
    """Return a plan as plain values; identifiers are masked unless they may be shown."""
    return {
        "looked_up": plan.looked_up,
        "unsettled_runs": plan.unsettled,
        "models": [_model(model) for model in plan.models],
        "lists": [
            {
                **_list(model.model.name, one, one.figures()),
                "sample": [_change(change, show_values=show_values) for change in one.sample],
            }
            for model, one in plan.lists()
        ],
        "requests": {REQUESTS[endpoint]: number for endpoint, number in plan.requests().items()},
        "requests_to_read_lists": plan.pages(),
        "seconds_at_limits": round(plan.seconds(), 1),
        "notes": list(plan.notes),
    }


def result_document(result: RunResult) -> dict[str, Any]:
    """Return what a run did as plain values."""
    return {
        "run_id": result.run_id,
        "exit_code": result.exit_code,
        "models": [_model(model) for model in result.plan.models],
        "lists": [_ended(one) for one in result.lists],
        "notes": list(result.plan.news),
    }


def _model(plan: ModelPlan) -> dict[str, Any]:
    return {
        "model": plan.model.name,
        "staged": plan.staged,
        "repeated": plan.repeated,
        "omitted_identifiers": {IdentifierType(kind).value: rows for kind, rows in plan.omitted.items()},
        "left_behind": dict(plan.orphans),
    }


def _list(model: str, one: ListPlan, figures: Mapping[str, int]) -> dict[str, Any]:
    return {
        "model": model,
        "list": one.list.name,
        "list_id": None if one.list.new else one.list.id,
        **figures,
        "reasons": [{"problem": r.problem, "rows": r.rows, "new": r.new} for r in one.rejected],
    }


def _ended(one: ListResult) -> dict[str, Any]:
    return {**_list(one.model, one.plan, counts(one)), "stopped": one.reason}


def _change(change: Change, *, show_values: bool) -> dict[str, Any]:
    return {
        "op": change.op,
        "identity": change.identity if show_values else mask(change.identity),
        "before": _values(change.before, show_values=show_values),
        "after": _values(change.after, show_values=show_values),
    }


def _values(values: Mapping[str, Any], *, show_values: bool) -> dict[str, Any]:
    if show_values:
        return dict(values)
    return {
        name: mask(f"{name}:{value}")
        if name in set(IdentifierType) and value is not None
        else masked_value(value)
        for name, value in values.items()
    }
