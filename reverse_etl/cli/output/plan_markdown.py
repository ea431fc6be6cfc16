"""A plan as Markdown, for a pull request. Whatever may come from data is code: it is not read as Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.plan import list_detail_lines, new_lists_note, plan_cells, requests_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.config.target import Target
    from reverse_etl.planning.plan import Plan

_TEXT_COLUMNS = 2  # list and model


def print_plan_markdown(
    plan: Plan, target: Target, made_at: str, findings: Sequence[str] = (), *, show_values: bool
) -> None:
    """Print where the plan is for, a table of the lists, the requests, the changes of each list, and notes.

    `findings` are the notes that the plan itself does not have.
    """
    show.print_line(
        f"Plan of profile {_code(target.profile)}, target {_code(target.name)}, to "
        f"{_code(target.destination_id)}, made at {made_at}"
    )
    show.print_line("")
    for line in _plan_lines(plan, show_values=show_values):
        show.print_line(line)
    if notes := [*plan.notes, *findings]:
        show.print_line("\n### Notes")
        show.print_line("")
        for note in notes:
            show.print_line(f"- {_code(note)}")


def _plan_lines(plan: Plan, *, show_values: bool) -> Iterator[str]:
    headings, rows = plan_cells(plan)
    yield _table_row(headings)
    yield _table_row(["---"] * _TEXT_COLUMNS + ["--:"] * (len(headings) - _TEXT_COLUMNS))
    for row in rows:
        names = [_code(str(cell)).replace("|", "\\|") for cell in row[:_TEXT_COLUMNS]]
        yield _table_row([*names, *(f"{cell:,}" for cell in row[_TEXT_COLUMNS:])])
    if note := new_lists_note(plan):
        yield f"\n\\{note}"
    yield f"\n{requests_text(plan)}"
    for model_plan, list_plan in plan.list_plans():
        lines = [line.strip() for line in list_detail_lines(model_plan, list_plan, show_values=show_values)]
        stops = [f"stopped: {list_plan.stop_reason}"] if list_plan.stop_reason else []
        if stops or lines:
            yield f"\n### {_code(list_plan.list_ref.label)}, by {_code(model_plan.model.name)}"
            yield from _code_block([*stops, *lines], "diff")


def _table_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """Return a code span that no backtick in the text ends."""
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _code_block(lines: Sequence[str], language: str = "") -> Iterator[str]:
    """Yield the lines of a code block that no line inside ends."""
    shortest = 3
    fence = "`" * max(shortest, *(_longest_run(line) + 1 for line in lines))
    yield f"\n{fence}{language}"
    yield from lines
    yield fence


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
