"""What commands print on stdout: tables for people, JSON for programs."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from reverse_etl.identifiers import IdentifierType, mask, split_identity
from reverse_etl.klaviyo import Endpoint
from reverse_etl.plan import Change, ListPlan, ModelPlan, Plan
from reverse_etl.run import RunResult, counts
from reverse_etl.sql.staging import RowProblem

_SIGNS = {"add": "+", "update": "~", "remove": "-", "held": "="}
_WHY = {
    RowProblem.NO_LIST: "no list named",
    RowProblem.NO_IDENTIFIER: "no usable identifier",
    RowProblem.EMAIL_TOO_LONG: "e-mail of more than 100 characters",
    RowProblem.EMAIL_MALFORMED: "malformed e-mail",
    RowProblem.PHONE_MALFORMED: "phone that is not E.164",
    RowProblem.DUPLICATE: "several different rows of one identity",
    RowProblem.IDENTITY_ELSEWHERE: "its identity is another row's identifier",
    RowProblem.SHARED: "an identifier that other rows carry too",
    RowProblem.STANDING: "refused by Klaviyo before, and unchanged since",
}
_WIDE = 160
_MINUTE = 60


def json_out(value: Any) -> None:
    """Print a value as JSON."""
    print(json.dumps(value, default=str, indent=2, ensure_ascii=False))


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]], *, words: int = 1) -> None:
    """Print a table: the first `words` columns are text, the others numbers."""
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for number, heading in enumerate(headings):
        shown.add_column(heading, justify="left" if number < words else "right", overflow="fold")
    for row in rows:
        shown.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row))
    console().print(shown)


def console() -> Console:
    """Return stdout, as wide as the terminal, or wide enough for a table in a file."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDE
    return Console(width=width, highlight=False, markup=False)


def plan(plan: Plan, *, show_values: bool) -> None:
    """Print a plan: a line per list, the requests, and for each list what is rejected and a sample of what changes."""
    plan_table(plan)
    for model, one in plan.lists():
        list_details(model, one, show_values=show_values)
    for note in plan.notes:
        console().print(f"\nnote: {note}")


def plan_table(plan: Plan) -> None:
    """Print a line per list, and the requests that the plan takes."""
    headings = (
        "list",
        "model",
        "rows",
        "before",
        "adds",
        "updates",
        "removes",
        "held",
        "rejected",
        "unchanged",
    )
    rows = [
        (
            (one.list.name or "(profiles)") + (" *" if one.list.new else ""),
            model.model.name,
            one.desired,
            one.known,
            one.adds,
            one.updates,
            one.removes,
            one.held,
            one.rejections,
            one.unchanged,
        )
        for model, one in plan.lists()
    ]
    table(headings, rows, words=2)
    if any(one.list.new for _, one in plan.lists()):
        console().print("* will be created" if plan.looked_up else "* not known yet")
    console().print(f"\n{_requests(plan)}")


def list_details(model: ModelPlan, one: ListPlan, *, show_values: bool) -> None:
    """Print why rows of a list are rejected, and a sample of what changes; nothing where there is neither."""
    lines = [
        *_rejections(one),
        *_omitted(model, one),
        *(_change(change, show_values=show_values) for change in one.sample),
    ]
    if lines:
        console().print(f"\n{one.list.name or '(profiles)'}, by {model.model.name}")
        for line in lines:
            console().print(line)


def _requests(plan: Plan) -> str:
    requests = plan.requests()
    if not requests:
        return "Nothing to send."
    names = {
        Endpoint.START_IMPORT: "imports",
        Endpoint.LIST_PROFILES: "look-ups on lists",
        Endpoint.PROFILES: "look-ups of profiles",
        Endpoint.ADD_TO_LIST: "additions",
        Endpoint.REMOVE_FROM_LIST: "removals",
        Endpoint.CREATE_LIST: "new lists",
    }
    parts = ", ".join(f"{number:,} {names[endpoint]}" for endpoint, number in requests.items())
    return f"About {sum(requests.values()):,} requests ({parts}): {_time(plan.seconds())} at Klaviyo's limits, and what its jobs take."


def _time(seconds: float) -> str:
    if seconds < 1:
        return "under 1 s"
    return f"{seconds:.0f} s" if seconds < 2 * _MINUTE else f"{seconds / _MINUTE:.0f} min"


def _omitted(model: ModelPlan, one: ListPlan) -> list[str]:
    if one is not model.lists[0]:
        return []
    return [
        f"  {rows:,} rows go without a {kind} that other rows carry too"
        for kind, rows in model.omitted.items()
    ]


def _rejections(one: ListPlan) -> list[str]:
    return [
        f"  {rejected.rows:,} rejected: {_WHY.get(rejected.problem, rejected.problem)}"
        + (f" ({rejected.new:,} new)" if 0 < rejected.new < rejected.rows else "")
        for rejected in one.rejected
    ]


def _change(change: Change, *, show_values: bool) -> str:
    who = split_identity(change.identity)[1] if show_values else mask(change.identity)
    if change.op != "update":
        return f"  {_SIGNS[change.op]} {who}"
    moved = ", ".join(
        f"{name}: {_value(name, change.before[name], show_values)} -> {_value(name, change.after[name], show_values)}"
        for name in change.after
    )
    return f"  ~ {who}   {moved or 'sent again'}"


def _value(name: str, value: Any, show_values: bool) -> str:  # noqa: FBT001 - one caller, above
    """Return a value as people read it; identifiers masked unless they may be shown."""
    if name in set(IdentifierType) and value is not None and not show_values:
        return mask(f"{name}:{value}")
    return repr(value) if isinstance(value, str) else "nothing" if value is None else str(value)


def plan_json(plan: Plan, *, show_values: bool) -> dict[str, Any]:
    """Return a plan as plain values."""
    return {
        "looked_up": plan.looked_up,
        "lists": [_list_json(model, one, show_values=show_values) for model, one in plan.lists()],
        "requests": {endpoint.name.lower(): number for endpoint, number in plan.requests().items()},
        "seconds_at_limits": round(plan.seconds(), 1),
        "notes": list(plan.notes),
    }


def _list_json(model: ModelPlan, one: ListPlan, *, show_values: bool) -> dict[str, Any]:
    return {
        "model": model.model.name,
        "list": one.list.name,
        "list_id": None if one.list.new else one.list.id,
        "staged": model.staged,
        "repeated": model.repeated,
        "omitted_identifiers": {IdentifierType(kind).value: rows for kind, rows in model.omitted.items()},
        "desired": one.desired,
        "known": one.known,
        "adds": one.adds,
        "updates": one.updates,
        "removes": one.removes,
        "held": one.held,
        "unchanged": one.unchanged,
        "rejected": [{"problem": r.problem, "rows": r.rows, "new": r.new} for r in one.rejected],
        "sample": [
            {
                "op": change.op,
                "identity": change.identity if show_values else mask(change.identity),
                "before": _values(change.before, show_values=show_values),
                "after": _values(change.after, show_values=show_values),
            }
            for change in one.sample
        ],
    }


def _values(values: Mapping[str, Any], *, show_values: bool) -> dict[str, Any]:
    hidden = set() if show_values else set(IdentifierType)
    return {
        name: mask(f"{name}:{value}") if name in hidden and value is not None else value
        for name, value in values.items()
    }


def result(result: RunResult) -> None:
    """Print what a run did: a line per list."""
    headings = (
        "list",
        "model",
        "applied",
        "removed",
        "superseded",
        "gone",
        "rejected",
        "held",
        "accepted",
        "unknown",
        "not sent",
    )
    rows = []
    for one in result.lists:
        ends = counts(one)
        rows.append(
            (
                one.plan.list.name or "(profiles)",
                one.model,
                ends["applied"],
                ends["removed"],
                ends["superseded"],
                ends["gone"],
                ends["rejected"] + ends["rejected_by_checks"],
                ends["held"] + ends["held_back"],
                ends["accepted"],
                ends["unknown"],
                ends["not_sent"],
            )
        )
    table(headings, rows, words=2)
    for one in result.lists:
        if one.reason:
            console().print(f"{one.plan.list.name or one.model} stopped: {one.reason}")


def result_json(result: RunResult) -> dict[str, Any]:
    """Return what a run did as plain values."""
    return {
        "run_id": result.run_id,
        "exit_code": result.exit_code,
        "lists": [
            {
                "model": one.model,
                "list": one.plan.list.name,
                "list_id": one.plan.list.id,
                **counts(one),
                "stopped": one.reason,
            }
            for one in result.lists
        ],
    }


def mapping(values: Mapping[str, Any]) -> None:
    """Print names and values, one a line."""
    width = max(len(name) for name in values)
    for name, value in values.items():
        console().print(f"{name:<{width}}  {value}")
