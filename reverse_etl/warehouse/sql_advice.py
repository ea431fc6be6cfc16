"""Advice for SQL that the warehouse refuses: foreign functions, unbuilt tables, names without quotes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True)
class SqlAdvice:
    """The advice for SQL that a warehouse refuses.

    `foreign_functions` are those that only the warehouse called `other_name` has, each with what to write
    instead. The patterns find the name in the warehouse's messages.
    """

    name: str
    other_name: str
    foreign_functions: Mapping[str, str]
    unknown_function: str
    unknown_table: str


def suggest_fix(advice: SqlAdvice, reads: Collection[str], message: str) -> str:
    """Return the likely fix for a query that the warehouse refused, with a space at its end, or ''.

    `reads` are the dbt nodes that the model reads: unique ids, or bare names without a manifest.
    """
    name = _find_name(advice.unknown_function, message)
    replacement = advice.foreign_functions.get(name.casefold())
    if replacement:
        return f"{name} is a function of {advice.other_name}. In {advice.name}, write {replacement}. "
    table = _find_name(advice.unknown_table, message).split(".")[-1].casefold()
    built_by_dbt = {node.split(".")[-1].casefold(): node for node in reads}
    if table in built_by_dbt:
        return f"dbt has not built {table} in this target yet: dbt build --select {table}. "
    return _suggest_quotes(message)


def _suggest_quotes(message: str) -> str:
    """Return how to select a column such as "E-Mail", whose name is only valid in quotes; '' if it is none.

    Reads DuckDB's message, which names the columns that are like the unknown one.
    """
    unknown = _squeeze(_find_name(r"Referenced column \"([^\"]+)\" not found", message))
    for column in re.findall(r"\"([^\"]+)\"", message.partition("Candidate bindings: ")[2]):
        if unknown and not re.fullmatch(r"\w+", column) and _squeeze(column).startswith(unknown):
            alias = "email" if _squeeze(column) == "email" else re.sub(r"\W+", "_", column.casefold())
            return (
                f'The column is called "{column}". Write it in quotes, with a name: "{column}" as {alias}. '
            )
    return ""


def _squeeze(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _find_name(pattern: str, message: str) -> str:
    match = re.search(pattern, message)
    return match.group(1).replace('"', "") if match else ""
