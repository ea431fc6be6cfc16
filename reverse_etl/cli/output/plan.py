"""A plan as text: a line per list, the requests, and a sample of the changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.cli.output import tables as show
from reverse_etl.domain.deltas import Op
from reverse_etl.domain.identifiers import (
    KEY_PREFIX,
    IdentifierType,
    format_person,
    mask_identifier,
    mask_identity,
    mask_person,
    mask_value,
    row_key_text,
)
from reverse_etl.formatting import format_count
from reverse_etl.klaviyo.endpoints import AnyEndpoint, Endpoint
from reverse_etl.parsing.durations import format_duration
from reverse_etl.planning.guards import exempt_notes
from reverse_etl.planning.list_plan import LEFT_IN_PLACE
from reverse_etl.planning.replacements import REPLACE, merge_replacements
from reverse_etl.report.figures import PLAN_COLUMNS, figure_table

if TYPE_CHECKING:
    from reverse_etl.domain.rejections import RejectedRows
    from reverse_etl.planning.list_plan import Change, ListPlan
    from reverse_etl.planning.plan import ModelPlan, Plan
    from reverse_etl.planning.row_comparison import RowComparison

_SIGNS = {"add": "+", "update": "~", "remove": "-", "held": "=", LEFT_IN_PLACE: "="}
_CLEAR_EFFECT = "a cleared value is gone from Klaviyo; it comes back only if the model has it again"
_IDENTIFIER_NAMES = {
    IdentifierType.EMAIL: "e-mail",
    IdentifierType.PHONE: "phone",
    IdentifierType.EXTERNAL_ID: "external id",
    IdentifierType.PROFILE_ID: "profile id",
}
_MINUTE = 60
_FIRST_ROWS = 10  # enough to see a flow start, few enough to write to each person
_SHOW_SECONDS_BELOW = 2 * _MINUTE


def show_plan(plan: Plan, *, show_values: bool) -> None:
    """Print a plan: a line per list, the requests, and the rejections and changes of each list."""
    show_plan_table(plan)
    for model_plan, list_plan in plan.list_plans():
        show_list_details(model_plan, list_plan, show_values=show_values)
    for note in plan.notes:
        show.print_line(f"\nNote: {note}")


def show_plan_table(plan: Plan) -> None:
    """Print a line per list, and the requests that the plan takes."""
    headings, rows = plan_cells(plan)
    show.print_table(headings, rows, text_columns=2)
    if note := new_lists_note(plan):
        show.print_line(note)
    show.print_line(f"\n{requests_text(plan)}")


def plan_cells(plan: Plan) -> tuple[list[str], list[list[str | int]]]:
    """Return the headings of a plan's table, and the cells of each list: its label, its model and figures."""
    planned = [*plan.list_plans()]
    headings, figures = figure_table(PLAN_COLUMNS, [_shown_figures(list_plan) for _, list_plan in planned])
    rows: list[list[str | int]] = [
        [_mark_new(list_plan), model_plan.model.name, *numbers]
        for (model_plan, list_plan), numbers in zip(planned, figures, strict=True)
    ]
    return ["list", "model", *headings], rows


def _shown_figures(list_plan: ListPlan) -> dict[str, int]:
    """Return the figures of a list, with the people who opted out apart from the rejected rows."""
    figures = list_plan.figures()
    opted_out = list_plan.opted_out_before
    return figures | {"rejected_by_check": figures["rejected_by_check"] - opted_out, "opted_out": opted_out}


def _mark_new(list_plan: ListPlan) -> str:
    return list_plan.list_ref.label + (" *" if list_plan.list_ref.is_new else "")


def new_lists_note(plan: Plan) -> str:
    """Return what the star behind a list means; '' if none has one."""
    if not any(list_plan.list_ref.is_new for _, list_plan in plan.list_plans()):
        return ""
    return "* will be created" if plan.lists_looked_up else "* assumed new; Klaviyo was not asked"


def show_list_details(model_plan: ModelPlan, list_plan: ListPlan, *, show_values: bool) -> None:
    """Print why rows of a list are rejected, and some of the changes, if there are any."""
    if lines := list_detail_lines(model_plan, list_plan, show_values=show_values):
        show.print_line(f"\n{list_plan.list_ref.label}, by {model_plan.model.name}")
        for line in lines:
            show.print_line(line)


def list_detail_lines(model_plan: ModelPlan, list_plan: ListPlan, *, show_values: bool) -> list[str]:
    """Return why rows of a list are rejected, what happens to people, and some of the changes."""
    return [
        *(f"  {line}" for line in rejection_lines(list_plan, show_values=show_values)),
        *(f"  {note}" for note in list_notes(model_plan, list_plan)),
        *_change_lines(list_plan, show_values=show_values),
    ]


def list_notes(model_plan: ModelPlan, list_plan: ListPlan) -> list[str]:
    """Return what to know of a list beside figures and rows, such as what happens to people.

    Every format of a plan has these sentences.
    """
    return [
        *_model_notes(model_plan, list_plan),
        *_list_read_notes(list_plan),
        *exempt_notes(model_plan, list_plan),
        *_first_load_notes(model_plan, list_plan),
        *([again] if (again := added_again_text(list_plan)) else []),
        *([list_plan.new_profiles.describe(list_plan.adds)] if list_plan.new_profiles else []),
        *_effect_notes(model_plan, list_plan),
        *_event_notes(model_plan, list_plan),
    ]


def _event_notes(model_plan: ModelPlan, list_plan: ListPlan) -> list[str]:
    if model_plan.events is None:
        return []
    from reverse_etl.cli.output.event_plan import event_notes  # noqa: PLC0415 - few plans have events

    return event_notes(model_plan, list_plan)


def _change_lines(list_plan: ListPlan, *, show_values: bool) -> list[str]:
    """Return the changes of the sample, and how to tell people apart whose lines are the same."""
    changes = [
        _format_change(list_plan, change, show_values=show_values)
        for change in merge_replacements(list_plan.sample)
    ]
    look_alike = len({*changes}) < len(changes)
    return [
        *changes,
        *_other_changes_lines(list_plan),
        *(
            ["  lines that look alike are different rows; --show-values shows their values"]
            if look_alike
            else []
        ),
    ]


def _other_changes_lines(list_plan: ListPlan) -> list[str]:
    """Return how many changes the sample leaves out, if it shows any."""
    others = list_plan.upserts + list_plan.leaving + list_plan.held_at_plan - len(list_plan.sample)
    return [f"  … and {others:,} more (--rows all)"] if list_plan.sample and others else []


def requests_text(plan: Plan) -> str:
    """Return how many requests the plan takes, of which kinds, and how long."""
    requests = plan.estimate_requests()
    if not requests:
        return "Nothing to send."
    names: dict[AnyEndpoint, tuple[str, str]] = {
        Endpoint.START_IMPORT: ("import", "imports"),
        Endpoint.LIST_PROFILES: ("list look-up", "list look-ups"),
        Endpoint.PROFILES: ("profile look-up", "profile look-ups"),
        Endpoint.UPDATE_PROFILE: ("change of a profile by id", "changes of profiles by id"),
        Endpoint.IMPORT_PROFILE: ("change of a profile by identifier", "changes of profiles by identifier"),
        Endpoint.ADD_TO_LIST: ("addition", "additions"),
        Endpoint.REMOVE_FROM_LIST: ("removal", "removals"),
        Endpoint.CREATE_LIST: ("new list", "new lists"),
        Endpoint.SUPPRESS: ("suppression job", "suppression jobs"),
        Endpoint.DELETE_PROFILE: ("deletion", "deletions"),
        Endpoint.UNSUPPRESS: ("unsuppression job", "unsuppression jobs"),
        Endpoint.CREATE_EVENTS: ("request with events", "requests with events"),
        Endpoint.SUBSCRIBE: ("subscribing request", "subscribing requests"),
        Endpoint.UNSUBSCRIBE: ("unsubscribing request", "unsubscribing requests"),
    }
    parts = ", ".join(
        format_count(number, *names[endpoint])
        if endpoint in names
        else f"{number:,} {endpoint.method} {endpoint.template}"
        for endpoint, number in requests.items()
    )
    list_reads = (
        f" Reading lists may take up to {format_count(plan.max_list_reads(), 'request')} more."
        if plan.max_list_reads()
        else ""
    )
    return (
        f"About {format_count(sum(requests.values()), 'request')} ({parts}): "
        f"{_format_duration(plan.estimate_seconds())} at Klaviyo's rate limits, plus its processing "
        f"time.{list_reads}"
    )


def _format_duration(seconds: float) -> str:
    if seconds < 1:
        return "about 1 s"
    return f"{seconds:.0f} s" if seconds < _SHOW_SECONDS_BELOW else f"{seconds / _MINUTE:.0f} min"


def _model_notes(model_plan: ModelPlan, list_plan: ListPlan) -> list[str]:
    """Return the lines about all rows of a model, printed once, with its first list."""
    if list_plan is not model_plan.lists[0]:
        return []
    repeated = format_count(model_plan.duplicate_rows, "row repeats another", "rows repeat others")
    return [
        *([f"{repeated} in every column; equal rows count once"] if model_plan.duplicate_rows else []),
        *(
            f"{format_count(shared, 'row is', 'rows are')} sent without {_IDENTIFIER_NAMES[kind]}, which "
            "other rows share"
            for kind, rows in model_plan.omitted_identifiers.items()
            if (shared := rows - model_plan.claimed_identifiers.get(kind, 0))
        ),
        *(
            f"{format_count(rows, 'row is', 'rows are')} sent without {_IDENTIFIER_NAMES[kind]}, which "
            "Klaviyo has of another row's person: see reverse-etl status --held"
            for kind, rows in model_plan.claimed_identifiers.items()
        ),
        *([comparison_text(model_plan.comparison)] if model_plan.comparison else []),
        *([f"not skipped: {model_plan.read_reason}"] if model_plan.read_reason else []),
    ]


def comparison_text(comparison: RowComparison) -> str:
    """Return which rows of a model with `updated_at` were compared, and when all of them were."""
    age = comparison.last_full_age
    last = "not known" if age is None else f"{format_duration(age)} ago"
    rows = format_count(comparison.compared_rows or 0, "row")
    compared = "all rows" if comparison.is_full else f"{rows} by updated_at"
    return f"compared: {compared}; last full comparison: {last}"


def _list_read_notes(list_plan: ListPlan) -> list[str]:
    if not list_plan.max_list_reads:
        return []
    removes_text = format_count(list_plan.removes_without_contact, "remove was", "removes were")
    list_read_text = f"the list is read, up to {format_count(list_plan.max_list_reads, 'request')} more"
    return [f"{removes_text} sent without e-mail and phone; if Klaviyo has none either, {list_read_text}"]


def _first_load_notes(model_plan: ModelPlan, list_plan: ListPlan) -> list[str]:
    """Return what a first load starts at Klaviyo, and how to try it with a few rows; guards let it pass."""
    model = model_plan.model.name
    if not (model_plan.model.owns_members and list_plan.first_load and list_plan.adds) or list_plan.deferred:
        return []
    everybody = f"all {list_plan.adds:,}" if list_plan.adds > 1 else "this person"
    few = f"to send a few first: reverse-etl run --select {model} --limit {_FIRST_ROWS}"
    return [
        f"first load: flows that start when somebody joins this list will start for {everybody}",
        *([few] if list_plan.adds > _FIRST_ROWS else []),
    ]


def added_again_text(list_plan: ListPlan) -> str:
    """Return that flows may start again for people who were on the list before, as far as it is known."""
    flows = "a flow triggered by this list starts again for them if its settings allow re-entry"
    if list_plan.added_again:
        people = format_count(list_plan.added_again, "add was", "adds were")
        return f"{people} on this list before, and removed by a run: {flows}"
    if list_plan.removed_before and list_plan.adds:
        runs = list_plan.removed_before
        rows = format_count(sum(removed for _, removed in runs), "row")
        who = f"{len(runs):,} runs since {runs[-1][0]}" if len(runs) > 1 else f"run {runs[0][0]}"
        return f"{who} removed {rows} from this list. If the adds are these people, {flows}"
    return ""


def _effect_notes(model_plan: ModelPlan, list_plan: ListPlan) -> list[str]:
    """Return what happens to people, in words."""
    surface = model_plan.model.config.surface
    return [
        *([surface.upsert_effect] if surface.upsert_effect and list_plan.upserts else []),
        *([_CLEAR_EFFECT] if list_plan.clears else []),
        *([surface.remove_effect] if surface.remove_effect and list_plan.removes else []),
    ]


def rejection_lines(list_plan: ListPlan, *, show_values: bool) -> list[str]:
    """Return why rows are not sent, each with one of them."""
    return [
        f"{rejected.rows:,} {'not subscribed' if rejected.reason.is_opt_out else 'rejected'}: "
        + rejected.reason.describe()
        + describe_example(rejected, show_values=show_values)
        + (f" ({rejected.new_rows:,} new)" if 0 < rejected.new_rows < rejected.rows else "")
        for rejected in list_plan.check_rejections
    ]


def _hold_reason(list_plan: ListPlan, change: Change) -> str:
    if list_plan.list_ref.removals_held:
        return "the state may be too old (see the note)"
    if change.identity.startswith(KEY_PREFIX):
        return "an earlier run may have removed it; to send it again: reverse-etl retry --unknown"
    if not list_plan.held_by_stops:
        return "a rejected row may be the same person"
    rejected = ", or a rejected row," if list_plan.held_at_plan > list_plan.held_by_stops else ""
    return f"a person on a stopped list{rejected} may be the same person"


def _stay_note(list_plan: ListPlan, change: Change) -> str:
    """Return why a row that left is not removed; '' for other changes."""
    if change.op == LEFT_IN_PLACE:
        return "   left in place: nothing is sent for it"
    return f"   not removed: {_hold_reason(list_plan, change)}" if change.op == "held" else ""


def _format_change(list_plan: ListPlan, change: Change, *, show_values: bool) -> str:
    identity = (
        row_key_text(change.identity) if show_values else mask_person(change.identity, change.identifiers)
    )
    again = "   on this list before" if change.on_list_before else ""
    if change.op not in {Op.UPDATE, REPLACE}:
        return f"  {_SIGNS[change.op]} {identity}{again}{_stay_note(list_plan, change)}"
    values = [(name, change.before[name], change.after[name]) for name in change.after]
    changed_values = ", ".join(
        f"{name}: {format_value(name, before, show_values)} -> {format_value(name, after, show_values)}"
        for name, before, after in values
    )
    left = "a row left in place" if list_plan.left_in_place else "a remove"
    note = f"; one person, counted as an add and {left}" if change.op == REPLACE else ""
    return f"  ~ {identity}   {changed_values or 'sent again'}{note}{again}"


def show_identity(identity: str, *, show_values: bool) -> str:
    """Return the value of an identity, masked unless it may be shown."""
    return row_key_text(identity) if show_values else mask_identity(identity)


def describe_example(rejected: RejectedRows, *, show_values: bool) -> str:
    """Return which row is rejected, or one of them; '' if it has no identity."""
    if not rejected.example:
        return ""
    show_person = format_person if show_values else mask_person
    person = show_person(rejected.example, rejected.identifiers)
    return f", such as {person}" if rejected.rows > 1 else f": {person}"


def format_value(name: str, value: Any, show_values: bool) -> str:  # noqa: FBT001 - after the value
    """Return a value as text, with e-mails and phones masked unless `show_values`."""
    if name in set(IdentifierType) and value is not None and not show_values:
        return mask_identifier(IdentifierType(name), str(value))
    value = value if show_values else mask_value(value)
    return repr(value) if isinstance(value, str) else "NULL" if value is None else str(value)
