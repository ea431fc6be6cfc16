"""Says whether a query returns the same rows as long as the tables that it reads do not change.

Only what is known to do so counts: a function or a form of SQL that is not listed here may depend on the
time, on chance, on the session or on something outside the warehouse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from reverse_etl.models.lint import function_name
from reverse_etl.warehouse.relation_facts import RelationName

if TYPE_CHECKING:
    from reverse_etl.domain.engine import Engine

_FORMS: Final = frozenset(
    {
        *("Select", "From", "Join", "Where", "Group", "Having", "Order", "Ordered", "Qualify", "Distinct"),
        *("With", "CTE", "Subquery", "Union", "Except", "Intersect", "Table", "TableAlias", "Values"),
        *("Identifier", "Column", "Alias", "Star", "Literal", "Boolean", "Null", "Paren", "Tuple", "Dot"),
        *("And", "Or", "Not", "EQ", "NEQ", "GT", "GTE", "LT", "LTE", "Is", "In", "Between", "Like", "ILike"),
        *("Escape", "NullSafeEQ", "NullSafeNEQ", "Exists", "Any", "All"),
        *("Add", "Sub", "Mul", "Div", "IntDiv", "Mod", "Neg", "DPipe"),
        *("Case", "If", "Cast", "TryCast", "DataType", "DataTypeParam", "Interval", "Var", "Window"),
        *("WindowSpec", "Filter", "Bracket", "Array", "JSONPath", "JSONPathRoot", "JSONPathKey"),
        *("JSONPathSubscript", "Collate", "AtTimeZone"),
    }
)
_FUNCTIONS: Final = frozenset(
    {
        *("Coalesce", "Nullif", "Greatest", "Least", "Abs", "Round", "Floor", "Ceil", "Sign", "Pow", "Sqrt"),
        *("Lower", "Upper", "Initcap", "Trim", "Length", "Concat", "ConcatWs", "Substring", "Left", "Right"),
        *("Replace", "Reverse", "Repeat", "Pad", "SplitPart", "Split", "StrPosition", "StartsWith"),
        *(
            "EndsWith",
            "Contains",
            "RegexpLike",
            "RegexpReplace",
            "RegexpExtract",
            "RegexpFullMatch",
            "Translate",
            "Chr",
        ),
        *("MD5", "SHA", "SHA2", "Hex", "ToChar", "JSONExtract", "JSONExtractScalar", "ParseJSON"),
        *("Count", "CountIf", "Sum", "Avg", "Min", "Max", "LogicalAnd", "LogicalOr", "ArgMax", "ArgMin"),
        *("RowNumber", "Rank", "DenseRank", "PercentRank", "Ntile", "Lag", "Lead", "FirstValue", "LastValue"),
        *("Date", "DateAdd", "DateSub", "DateDiff", "DateTrunc", "TimestampAdd", "TimestampSub"),
        *("TimestampDiff", "TimestampTrunc", "Extract", "Year", "Quarter", "Month", "Week", "Day", "Hour"),
        *("Minute", "Second", "DayOfWeek", "DayOfMonth", "DayOfYear", "LastDay", "TsOrDsAdd", "TsOrDsToDate"),
        *("TsOrDsDiff", "StrToTime", "StrToDate", "TimeToStr", "UnixToTime", "TimeToUnix"),
    }
)
_NAMED_FUNCTIONS: Final = frozenset({"nvl2", "zeroifnull", "nullifzero", "decode", "div0", "ltrim", "rtrim"})


@dataclass(frozen=True)
class NotRepeatable:
    """A part of a query that may return other rows although no table changed, or is not understood."""

    what: str


def read_repeatable(sql: str, engine: Engine) -> frozenset[RelationName] | NotRepeatable:
    """Return the tables that a query or a CREATE VIEW reads, or why it may not be repeatable."""
    try:
        trees = [tree for tree in sqlglot.parse(sql, dialect=engine) if tree is not None]
    except SqlglotError:
        return NotRepeatable("SQL that is not understood")
    trees = [tree for tree in trees if not isinstance(tree, exp.Semicolon)]
    tree = trees[0] if len(trees) == 1 else None
    if isinstance(tree, exp.Create) and tree.kind == "VIEW":
        tree = tree.expression
    if not isinstance(tree, exp.Query):
        return NotRepeatable("SQL that is not understood")
    for node in tree.walk():
        if (what := _find_unstable(node)) is not None:
            return NotRepeatable(what)
    try:
        tables = _find_tables(tree, engine)
    except SqlglotError:
        tables = None
    return NotRepeatable("SQL that is not understood") if tables is None else tables


def _find_unstable(node: exp.Expr) -> str | None:
    """Return what a node is that is not known to be repeatable, None if it is known."""
    kind = type(node).__name__
    if isinstance(node, exp.Table):
        allowed = {"this", "db", "catalog", "alias", "joins"}
        extra = [name for name, value in node.args.items() if value and name not in allowed]
        return None if isinstance(node.this, exp.Identifier) and not extra else f"the source {node}"
    if isinstance(node, exp.Column) and "$" in node.name:
        return f"the column {node.name}"
    if isinstance(node, exp.Limit | exp.Offset | exp.Fetch):
        return None if node.parent and node.parent.args.get("order") else "LIMIT without ORDER BY"
    if isinstance(node, exp.Anonymous):
        name = function_name(node)
        return None if name in _NAMED_FUNCTIONS else f"the function {name}()"
    if kind in _FORMS or kind in _FUNCTIONS:
        return None
    return f"the function {function_name(node)}()" if isinstance(node, exp.Func) else f"{node.key.upper()}"


def _find_tables(tree: exp.Query, engine: Engine) -> frozenset[RelationName] | None:
    """Return the tables of a query without its CTEs, None if it is not known which of its names are which."""
    names: set[RelationName] = set()
    seen: set[int] = set()
    for scope in traverse_scope(tree):
        for table in scope.tables:
            seen.add(id(table))
            is_cte = not table.db and isinstance(scope.sources.get(table.alias_or_name), Scope)
            if not is_cte:
                parts = [table.args.get(key) for key in ("catalog", "db", "this")]
                names.add(RelationName(*(_fold(part, engine) if part else "" for part in parts)))
    return frozenset(names) if seen == set(map(id, tree.find_all(exp.Table))) else None


def _fold(identifier: exp.Identifier, engine: Engine) -> str:
    if engine.folds_to_upper_case:
        return identifier.name if identifier.args.get("quoted") else identifier.name.upper()
    return identifier.name.casefold()
