"""Find aggregates whose result may change from run to run although no row changed.

They are allowed, and warned of: a row is sent again whenever such a value differs. Whether a column of a
table holds floating-point numbers is not known here, so a sum of them is found only where the SQL says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlglot import exp

from reverse_etl.models.lint import find_output_names, function_name
from reverse_etl.models.parsed_query import Finding, Query
from reverse_etl.models.query import find_offset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.domain.engine import Engine

_PICKS: Final = (exp.AnyValue, exp.First, exp.Last)
_PICK_NAMES: Final = frozenset({"arbitrary"})
_WINDOW_PICKS: Final = (exp.FirstValue, exp.LastValue, exp.NthValue, exp.RowNumber, exp.Lag, exp.Lead)
_COLLECTIONS: Final = (exp.ArrayAgg, exp.GroupConcat, exp.ObjectAgg, exp.ArrayUniqueAgg, exp.ArrayUnionAgg)
_COLLECTION_NAMES: Final = frozenset({"json_group_array", "json_group_object", "array_unique_agg"})
_SORTS: Final = frozenset({"list_sort", "array_sort", "sort_array"})
_SUMS: Final = (
    exp.Sum, exp.Avg, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop,
)  # fmt: skip
_SUM_NAMES: Final = frozenset({"product"})
_FLOATS: Final = (exp.DataType.Type.FLOAT, exp.DataType.Type.DOUBLE)
_ROUNDING: Final = (exp.Round, exp.Floor, exp.Ceil)


def find_unstable_aggregates(query: Query, engine: Engine) -> Iterator[Finding]:
    """Yield a warning for each aggregate that reaches a column, in the order of the query's text."""
    findings: list[Finding] = []
    for node in query.tree.find_all(exp.Func):
        explained = _explain(node, engine)
        names = find_output_names(node, query.tree) if explained else []
        if explained and names:
            cause, hint = explained
            findings.append(
                Finding(
                    f"Column {', '.join(names)} may change from run to run although the data did not, so "
                    f"that rows are sent again: {cause}.",
                    hint,
                    find_offset(node),
                )
            )
    yield from sorted(findings, key=lambda finding: finding.offset or 0)


def _explain(node: exp.Func, engine: Engine) -> tuple[str, str] | None:
    """Return why the result of a function may change, and what to write instead; None if it may not."""
    name = function_name(node)
    if isinstance(node, _PICKS) or name in _PICK_NAMES:
        return None if _is_ordered(node) else (f"{name}() takes any of the values", "Use min() or max().")
    if isinstance(node, _WINDOW_PICKS):
        window = node.find_ancestor(exp.Window, exp.Select)
        if not isinstance(window, exp.Window) or window.args.get("order"):
            return None
        return f"the window of {name}() has no order", "Add ORDER BY a unique key to it."
    if isinstance(node, _COLLECTIONS) or name in _COLLECTION_NAMES:
        return None if _is_ordered(node) else _explain_collection(node, name, engine)
    if (isinstance(node, _SUMS) or name in _SUM_NAMES) and _is_of_floats(node) and not _is_rounded(node):
        return (
            f"{name}() adds floating-point numbers in any order, which changes the last digits",
            "Cast the values to DECIMAL before, or round the result.",
        )
    return None


def _explain_collection(node: exp.Func, name: str, engine: Engine) -> tuple[str, str]:
    if isinstance(node, exp.ObjectAgg):
        return f"{name}() takes its pairs in any order", "Build the object from columns, or in a dbt table."
    return f"{name}() has no order", engine.aggregate_order_hint


def _is_ordered(node: exp.Func) -> bool:
    """Return whether an aggregate says its order: inside, in WITHIN GROUP, in its window, or around it."""
    if node.find(exp.Order) is not None:
        return True
    around = node.parent
    while isinstance(around, exp.IgnoreNulls | exp.RespectNulls | exp.Filter | exp.Distinct):
        around = around.parent
    match around:
        case exp.WithinGroup():
            return True
        case exp.Window():
            return around.args.get("order") is not None
        case exp.Func():
            return function_name(around) in _SORTS
        case _:
            return False


def _is_of_floats(node: exp.Func) -> bool:
    """Return whether the SQL says that the values are floating-point numbers, and leaves them so."""
    for value in node.walk():
        if isinstance(value, exp.Cast | exp.TryCast):
            if value.to.is_type(*_FLOATS):
                return not _is_rounded(value, until=node)
        elif isinstance(value, exp.ToDouble) or (
            isinstance(value, exp.Literal) and not value.is_string and "e" in str(value.this).lower()
        ):
            return not _is_rounded(value, until=node)
    return False


def _is_rounded(node: exp.Expr, until: exp.Expr | None = None) -> bool:
    """Return whether a value is rounded, or cast to an exact type, before it reaches `until`."""
    around = node.parent
    while around is not None and around is not until and not isinstance(around, exp.Select):
        if isinstance(around, _ROUNDING):
            return True
        if isinstance(around, exp.Cast | exp.TryCast) and not around.to.is_type(*_FLOATS):
            return True
        around = around.parent
    return False
