"""The changes of a plan as CSV, one a record; docs/cli.md describes the columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from reverse_etl.cli.output.csv import print_record
from reverse_etl.cli.output.json import values_document
from reverse_etl.cli.output.plan import list_notes, rejection_lines, show_identity
from reverse_etl.domain.identifiers import IdentifierType, mask_identifiers
from reverse_etl.planning.replacements import merge_replacements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.planning.plan import Plan

_COLUMNS: Final = ("model", "list_id", "list", "operation", "row", "external_id", "changes", "on_list_before")


def print_plan_csv(plan: Plan, *, show_values: bool) -> None:
    """Print the changes that the plan holds; `changes` is a JSON object of the values before and after."""
    print_record(_COLUMNS)
    for model_plan, list_plan in plan.list_plans():
        for change in merge_replacements(list_plan.sample):
            before, after = (
                values_document(values, show_values=show_values) for values in (change.before, change.after)
            )
            identifiers = change.identifiers if show_values else mask_identifiers(change.identifiers)
            changed = {name: [before[name], after[name]] for name in after}
            print_record(
                (
                    model_plan.model.name,
                    "" if list_plan.list_ref.is_new else list_plan.list_ref.id,
                    list_plan.list_ref.name,
                    change.op,
                    show_identity(change.identity, show_values=show_values),
                    identifiers.get(IdentifierType.EXTERNAL_ID, ""),
                    json.dumps(changed, ensure_ascii=False, default=str) if changed else "",
                    "" if change.on_list_before is None else str(change.on_list_before).lower(),
                )
            )


def plan_notes(plan: Plan, *, show_values: bool) -> Iterator[str]:
    """Yield what the records do not say: rejections, what happens to people, and the plan's notes."""
    for model_plan, list_plan in plan.list_plans():
        lines = [
            *rejection_lines(list_plan, show_values=show_values),
            *list_notes(model_plan, list_plan),
        ]
        yield from (f"{list_plan.list_ref.label}, by {model_plan.model.name}: {line}" for line in lines)
    yield from plan.notes
