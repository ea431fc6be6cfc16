"""A plan on stdout: a line per list, the requests, and a sample of what changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.cli.output import tables as show
from reverse_etl.domain.identifiers import IdentifierType, mask, masked_value, split_identity
from reverse_etl.domain.rejections import WHY, RowProblem
from reverse_etl.formatting import counted
from reverse_etl.klaviyo.endpoints import Endpoint

if TYPE_CHECKING:
    from reverse_etl.planning.plan import Change, ListPlan, ModelPlan, Plan

_SIGNS = {"add": "+", "update": "~", "remove": "-", "held": "="}
_HEADINGS = (
    "list",
    "model",
    "rows",
    "before",
    "adds",
    "updates",
    "removes",
    "deferred",
    "held",
    "rejected",
    "unchanged",
)
_RARE = {"deferred"}  # shown where there are any
_NAMED = {
    IdentifierType.EMAIL: "e-mail",
    IdentifierType.PHONE: "phone",
    IdentifierType.EXTERNAL_ID: "external id",
    IdentifierType.PROFILE_ID: "profile id",
}
_MINUTE = 60
_FEW_MINUTES = 2 * _MINUTE


def show_plan(plan: Plan, *, show_values: bool) -> None:
    """Print a plan: a line per list, the requests, and for each list what is rejected and what changes."""
    plan_table(plan)
    for model, one in plan.lists():
        list_details(model, one, show_values=show_values)
    for note in plan.notes:
        show.line(f"\nNote: {note}")


def plan_table(plan: Plan) -> None:
    """Print a line per list, and the requests that the plan takes."""
    rows = [_cells(model, one) for model, one in plan.lists()]
    shown = [name for name in _HEADINGS if name not in _RARE or any(row[name] for row in rows)]
    show.table(shown, [[row[name] for name in shown] for row in rows], words=2)
    if any(one.list.new for _, one in plan.lists()):
        show.line("* will be created" if plan.looked_up else "* taken as new: lists were not looked up")
    show.line(f"\n{_requests(plan)}")


def _cells(model: ModelPlan, one: ListPlan) -> dict[str, str | int]:
    return {
        "list": (one.list.name or "(profiles)") + (" *" if one.list.new else ""),
        "model": model.model.name,
        "rows": one.desired,
        "before": one.known,
        "adds": one.adds,
        "updates": one.updates,
        "removes": one.removes,
        "deferred": one.deferred,
        "held": one.held,
        "rejected": one.rejections,
        "unchanged": one.unchanged,
    }


def list_details(model: ModelPlan, one: ListPlan, *, show_values: bool) -> None:
    """Print why rows of a list are rejected, and a sample of what changes; nothing where there is neither."""
    lines = [
        *_rejections(one),
        *_of_all_lists(model, one),
        *_reading(one),
        *(_change(change, show_values=show_values) for change in one.sample),
    ]
    if lines:
        show.line(f"\n{one.list.name or '(profiles)'}, by {model.model.name}")
        for line in lines:
            show.line(line)


def _requests(plan: Plan) -> str:
    requests = plan.requests()
    if not requests:
        return "Nothing to send."
    names = {
        Endpoint.START_IMPORT: ("import", "imports"),
        Endpoint.LIST_PROFILES: ("look-up on a list", "look-ups on lists"),
        Endpoint.PROFILES: ("look-up of profiles", "look-ups of profiles"),
        Endpoint.ADD_TO_LIST: ("addition", "additions"),
        Endpoint.REMOVE_FROM_LIST: ("removal", "removals"),
        Endpoint.CREATE_LIST: ("new list", "new lists"),
    }
    parts = ", ".join(counted(number, *names[endpoint]) for endpoint, number in requests.items())
    more = f" To read lists may take up to {plan.pages():,} more." if plan.pages() else ""
    return (
        f"About {counted(sum(requests.values()), 'request')} ({parts}): "
        f"{_time(plan.seconds())} at Klaviyo's limits, and what its jobs take.{more}"
    )


def _time(seconds: float) -> str:
    if seconds < 1:
        return "under 1 s"
    return f"{seconds:.0f} s" if seconds < _FEW_MINUTES else f"{seconds / _MINUTE:.0f} min"


def _of_all_lists(model: ModelPlan, one: ListPlan) -> list[str]:
    """Return what is known of the model's rows together, under the first of its lists."""
    if one is not model.lists[0]:
        return []
    repeated = counted(model.repeated, "row repeats another", "rows repeat others")
    return [
        *([f"  {repeated} in every column: equal rows count once"] if model.repeated else []),
        *(
            f"  {counted(rows, 'row goes', 'rows go')} without the {_NAMED[kind]} that other rows carry too"
            for kind, rows in model.omitted.items()
        ),
    ]


def _reading(one: ListPlan) -> list[str]:
    if not one.pages:
        return []
    gone = counted(one.nameless, "remove was", "removes were")
    reading = f"the list is read, up to {counted(one.pages, 'request')} more"
    return [f"  {gone} sent without e-mail and phone: where Klaviyo knows none either, {reading}"]


def _rejections(one: ListPlan) -> list[str]:
    return [
        f"  {rejected.rows:,} rejected: {WHY[RowProblem(rejected.problem)]}"
        + (f" ({rejected.new:,} new)" if 0 < rejected.new < rejected.rows else "")
        for rejected in one.rejected
    ]


def _change(change: Change, *, show_values: bool) -> str:
    who = split_identity(change.identity)[1] if show_values else mask(change.identity)
    if change.op != "update":
        held = "   not removed: a rejected row may be the same person" if change.op == "held" else ""
        return f"  {_SIGNS[change.op]} {who}{held}"
    values = [(name, change.before[name], change.after[name]) for name in change.after]
    moved = ", ".join(
        f"{name}: {_value(name, before, show_values)} -> {_value(name, after, show_values)}"
        for name, before, after in values
    )
    return f"  ~ {who}   {moved or 'sent again'}"


def _value(name: str, value: Any, show_values: bool) -> str:  # noqa: FBT001 - one caller, above
    """Return a value as people read it; e-mails and phones masked unless they may be shown."""
    if name in set(IdentifierType) and value is not None and not show_values:
        return mask(f"{name}:{value}")
    value = value if show_values else masked_value(value)
    return repr(value) if isinstance(value, str) else "nothing" if value is None else str(value)
