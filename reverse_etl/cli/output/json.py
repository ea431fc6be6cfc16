"""The JSON documents of `plan` and `run`. A key means the same in both; docs/cli.md describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reverse_etl.cli.output.plan import list_notes
from reverse_etl.delivery.results import collect_figures
from reverse_etl.domain.identifiers import (
    IdentifierType,
    mask_identifier,
    mask_identifiers,
    mask_identity,
    mask_value,
)
from reverse_etl.domain.timestamps import format_timestamp
from reverse_etl.klaviyo.endpoints import AnyEndpoint, CustomEndpoint, Endpoint
from reverse_etl.planning.replacements import merge_replacements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.delivery.results import ListResult, RunResult
    from reverse_etl.domain.rejections import RejectedRows
    from reverse_etl.errors import Problem
    from reverse_etl.planning.event_facts import EventPlan
    from reverse_etl.planning.list_plan import Change, ListPlan
    from reverse_etl.planning.plan import ModelPlan, Plan
    from reverse_etl.planning.profile_forecast import NewProfiles

REQUESTS: Final[Mapping[Endpoint, str]] = {
    Endpoint.ACCOUNTS: "accounts",
    Endpoint.LISTS: "lists",
    Endpoint.LIST: "list",
    Endpoint.CREATE_LIST: "create_list",
    Endpoint.LIST_PROFILES: "list_profiles",
    Endpoint.ADD_TO_LIST: "add_to_list",
    Endpoint.REMOVE_FROM_LIST: "remove_from_list",
    Endpoint.PROFILES: "profiles",
    Endpoint.UPDATE_PROFILE: "update_profile",
    Endpoint.IMPORT_PROFILE: "import_profile",
    Endpoint.START_IMPORT: "start_import",
    Endpoint.IMPORTS: "imports",
    Endpoint.IMPORT: "import",
    Endpoint.IMPORT_LISTS: "import_lists",
    Endpoint.IMPORT_ERRORS: "import_errors",
    Endpoint.SUPPRESS: "suppress",
    Endpoint.SUPPRESSION: "suppression",
    Endpoint.DELETE_PROFILE: "delete_profile",
    Endpoint.UNSUPPRESS: "unsuppress",
    Endpoint.UNSUPPRESSION: "unsuppression",
    Endpoint.CREATE_EVENTS: "create_events",
    Endpoint.CREATE_EVENT: "create_event",
    Endpoint.METRICS: "metrics",
    Endpoint.SUBSCRIBE: "subscribe",
    Endpoint.UNSUBSCRIBE: "unsubscribe",
}


def _request_key(endpoint: AnyEndpoint) -> str:
    match endpoint:
        case Endpoint():
            return REQUESTS[endpoint]
        case CustomEndpoint():
            return f"{endpoint.method} {endpoint.template}"


def plan_document(plan: Plan, refusals: Sequence[Problem] = (), *, show_values: bool) -> dict[str, Any]:
    """Return a plan as plain values; identifiers are masked unless they may be shown.

    `refusals` are why the dbt gate would hold models back.
    """
    return {
        "lists_looked_up": plan.lists_looked_up,
        "unfinished_runs": plan.unfinished_runs,
        "models": [_model_document(model_plan) for model_plan in plan.models],
        "lists": [
            {
                **_list_document(model_plan.model.name, list_plan, list_plan.figures()),
                "first_load": list_plan.first_load,
                "new_profiles": _new_profiles_document(list_plan.new_profiles),
                "added_again": list_plan.added_again,
                "stop_reason": list_plan.stop_reason,
                "notes": list_notes(model_plan, list_plan),
                "sample": [
                    _change_document(change, show_values=show_values)
                    for change in merge_replacements(list_plan.sample)
                ],
                "rejected_sample": [
                    _rejected_document(rejected, rejected.example, show_values=show_values)
                    for rejected in list_plan.check_rejections
                    if rejected.example
                ],
            }
            for model_plan, list_plan in plan.list_plans()
        ],
        "requests": {_request_key(endpoint): number for endpoint, number in plan.estimate_requests().items()},
        "max_list_reads": plan.max_list_reads(),
        "seconds_at_limits": round(plan.estimate_seconds(), 1),
        "held_by_dbt_gate": _held_models(refusals),
        "notes": list(plan.notes),
    }


def _new_profiles_document(new_profiles: NewProfiles | None) -> dict[str, int] | None:
    if new_profiles is None:
        return None
    return {
        "least": new_profiles.least,
        "most": new_profiles.most,
        "looked_up": new_profiles.looked_up,
        "sent_before": new_profiles.sent_before,
    }


def result_document(result: RunResult) -> dict[str, Any]:
    """Return what a run did as plain values."""
    return {
        "run_id": result.run_id,
        "exit_code": result.exit_code,
        "models": [_model_document(model_plan) for model_plan in result.plan.models],
        "lists": [_list_result_document(list_result) for list_result in result.lists],
        "held_by_dbt_gate": _held_models(result.gate_problems),
        "notes": list(result.plan.new_notes),
    }


def _held_models(refusals: Sequence[Problem]) -> list[dict[str, str]]:
    return [{"model": name, "reason": problem.summary} for problem in refusals for name in problem.models]


def _model_document(model_plan: ModelPlan) -> dict[str, Any]:
    return {
        "model": model_plan.model.name,
        "staged_rows": model_plan.staged_rows,
        "duplicate_rows": model_plan.duplicate_rows,
        "omitted_identifiers": {
            IdentifierType(kind).value: rows for kind, rows in model_plan.omitted_identifiers.items()
        },
        "orphaned_rows": dict(model_plan.orphaned_rows),
        **_comparison_document(model_plan),
        **_skip_document(model_plan),
        **({"event_plan": _events_document(model_plan.events)} if model_plan.events else {}),
    }


def _comparison_document(model_plan: ModelPlan) -> dict[str, Any]:
    """Return how the rows of a model with `updated_at` were compared; {} for other models."""
    comparison = model_plan.comparison
    if comparison is None:
        return {}
    rows = model_plan.staged_rows if comparison.is_full else comparison.compared_rows
    return {
        "comparison": {
            "full": comparison.is_full,
            "compared_rows": rows,
            "last_full_at": comparison.last_full_at,
        }
    }


def _skip_document(model_plan: ModelPlan) -> dict[str, Any]:
    """Return since which comparison a model is skipped, or why it was read; {} if models are not skipped."""
    if skipped := model_plan.skipped:
        return {"skipped": skipped.to_json()}
    return {"read_reason": model_plan.read_reason} if model_plan.read_reason else {}


def _events_document(events: EventPlan) -> dict[str, Any]:
    return {
        "cutoff": format_timestamp(events.cutoff),
        "old_rows": events.old_rows,
        "backfilled": events.backfilled,
        "busy_days": events.busy_days,
        "most_per_day": events.most_per_day,
        "oldest": format_timestamp(events.oldest) if events.oldest else None,
        "live_since": format_timestamp(events.live_since) if events.live_since else None,
    }


def _list_document(model: str, list_plan: ListPlan, figures: Mapping[str, int]) -> dict[str, Any]:
    return {
        "model": model,
        "list": list_plan.list_ref.name,
        "list_id": None if list_plan.list_ref.is_new else list_plan.list_ref.id,
        **figures,
        "check_rejections": [
            {"code": rejected.reason.code, "rows": rejected.rows, "new_rows": rejected.new_rows}
            | ({"column": rejected.reason.detail} if rejected.reason.detail else {})
            | ({"refusal": rejected.reason.field} if rejected.reason.field else {})
            for rejected in list_plan.check_rejections
        ],
    }


def _list_result_document(list_result: ListResult) -> dict[str, Any]:
    return {
        **_list_document(list_result.model, list_result.list_plan, collect_figures(list_result)),
        "stop_cause": list_result.stop_cause,
        "stop_reason": list_result.stop_reason,
    }


def _rejected_document(rejected: RejectedRows, example: str, *, show_values: bool) -> dict[str, Any]:
    return {
        "code": rejected.reason.code,
        "identity": _identity_text(example, show_values=show_values),
        "identifiers": _identifiers_document(rejected.identifiers, show_values=show_values),
    }


def _change_document(change: Change, *, show_values: bool) -> dict[str, Any]:
    return {
        "op": change.op,
        "identity": _identity_text(change.identity, show_values=show_values),
        **({"replaces": _identity_text(change.replaces, show_values=show_values)} if change.replaces else {}),
        "identifiers": _identifiers_document(change.identifiers, show_values=show_values),
        "before": values_document(change.before, show_values=show_values),
        "after": values_document(change.after, show_values=show_values),
        **({} if change.on_list_before is None else {"on_list_before": change.on_list_before}),
    }


def _identifiers_document(identifiers: Mapping[str, str], *, show_values: bool) -> dict[str, str]:
    return dict(identifiers) if show_values else mask_identifiers(identifiers)


def _identity_text(identity: str, *, show_values: bool) -> str:
    return identity if show_values else mask_identity(identity)


def values_document(values: Mapping[str, Any], *, show_values: bool) -> dict[str, Any]:
    """Return the values of a change, with e-mails and phones masked unless `show_values`."""
    if show_values:
        return dict(values)
    return {
        name: mask_identifier(IdentifierType(name), str(value))
        if name in set(IdentifierType) and value is not None
        else mask_value(value)
        for name, value in values.items()
    }
