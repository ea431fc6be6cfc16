"""Find what a model's SQL must not do: write, read external data, or change its result on every run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from reverse_etl.models.parsed_query import Finding, Query
from reverse_etl.models.query import find_offset, outermost_selects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.domain.engine import Engine

_WRITES: Final = (
    exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Alter, exp.TruncateTable,
    exp.Copy, exp.Command, exp.Into, exp.Lock,
)  # fmt: skip
_TABLE_FUNCTIONS: Final = frozenset(
    [
        "unnest",
        "generate_series",
        "range",
        "flatten",
        "explode",
        "generator",
        "split_to_table",
        "strtok_split_to_table",
        "json_each",
        "json_tree",
    ]
)
_TABLE_NODES: Final = (exp.Unnest, exp.GenerateSeries, exp.Explode, exp.Generator)
_FORBIDDEN: Final = frozenset(
    [
        "getenv",
        "current_setting",
        "query",
        "query_table",
        "read_text",
        "read_blob",
        "which_secret",
        "setseed",
        "write_log",
        "get_presigned_url",
        "build_scoped_file_url",
        "build_stage_file_url",
    ]
)
_FILE = re.compile(
    r"[/\\*]|\.(csv|tsv|txt|parquet|json|jsonl|ndjson|xlsx|arrow|db|duckdb|gz|zst)$", re.IGNORECASE
)
_CLOCK_NODES: Final = tuple(
    getattr(exp, name)
    for name in [
        "CurrentTimestamp",
        "CurrentTimestampLTZ",
        "CurrentDatetime",
        "CurrentTime",
        "Localtime",
        "Localtimestamp",
        "Systimestamp",
        "UtcTime",
        "UtcTimestamp",
    ]
    if hasattr(exp, name)
)
_CLOCKS: Final = frozenset(
    [
        "now",
        "transaction_timestamp",
        "statement_timestamp",
        "clock_timestamp",
        "get_current_timestamp",
        "get_current_time",
        "current_localtimestamp",
        "current_localtime",
    ]
)
_RANDOM_NODES: Final = tuple(
    getattr(exp, name) for name in ("Rand", "Randn", "Randstr", "Uuid") if hasattr(exp, name)
)
_RANDOM: Final = frozenset(
    ["random", "uuidv4", "uuidv7", "gen_random_uuid", "uuid_string", "nextval", "randstr", "txid_current"]
)
_DAYS: Final = frozenset({"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"})


def lint_query(query: Query, engine: Engine) -> tuple[Finding, ...]:
    """Return the findings of a query, in the order of its text."""
    findings = [
        *_find_writes(query),
        *_find_outside_sources(query.tree),
        *_find_forbidden_functions(query.tree),
        *_find_randomness(query.tree, engine),
        *_find_unordered_limits(query.tree),
        *_find_clock_columns(query.tree, engine),
    ]
    return tuple(sorted(findings, key=lambda finding: finding.offset or 0))


def _find_writes(query: Query) -> Iterator[Finding]:
    for node in query.tree.find_all(*_WRITES):
        name = "FOR UPDATE" if isinstance(node, exp.Lock) else node.key.upper()
        inside = find_offset(node)
        end = len(query.sql) if inside is None else inside - query.start
        word = query.sql.upper().rfind(name, 0, end)
        offset = inside if word < 0 else query.start + word
        yield Finding(f"The model contains {name}; a model only reads.", "Remove it.", offset)


def _find_outside_sources(tree: exp.Expr) -> Iterator[Finding]:
    for node in tree.find_all(exp.Table, exp.TableFromRows, exp.Lateral):
        source = node.this
        if isinstance(source, exp.Identifier):
            if not node.args.get("db") and _FILE.search(source.name):
                yield _outside_finding(f"the file {source.name}", node)
        elif isinstance(source, exp.Func):
            name = function_name(source)
            if not isinstance(source, _TABLE_NODES) and name not in _TABLE_FUNCTIONS:
                yield _outside_finding(f"{name}()", node)
        elif not isinstance(source, exp.Query | exp.Values | exp.Unnest | exp.Table):
            yield _outside_finding(str(source), node)


def _outside_finding(source_text: str, node: exp.Expr) -> Finding:
    return Finding(
        f"The model reads {source_text}; a model reads only tables and views of the warehouse.",
        "Load the data with dbt, as a seed or a source, and select from it with ref() or source().",
        find_offset(node),
    )


def _find_forbidden_functions(tree: exp.Expr) -> Iterator[Finding]:
    for node in tree.find_all(exp.Func):
        name = function_name(node)
        if (name in _FORBIDDEN or name.startswith("system$")) and not isinstance(node.parent, exp.Table):
            yield Finding(
                f"The model calls {name}(), which reads data outside the warehouse's tables.",
                "Remove it, or pass the value with var() or env_var().",
                find_offset(node),
            )


def _find_randomness(tree: exp.Expr, engine: Engine) -> Iterator[Finding]:
    for node in tree.walk():
        sample = isinstance(node, exp.TableSample) and not node.args.get("seed")
        if sample or isinstance(node, _RANDOM_NODES) or (_is_call(node) and function_name(node) in _RANDOM):
            call_text = "A sample" if sample else _function_text(node, engine)
            yield Finding(
                f"{call_text} has another result on every run, so rows would be added and removed at random.",
                "Remove it. To select a fixed share of the rows, compare a hash of their key.",
                find_offset(node),
            )


def _find_unordered_limits(tree: exp.Expr) -> Iterator[Finding]:
    for node in tree.find_all(exp.Limit, exp.Fetch):
        query = node.parent
        if query is not None and not query.args.get("order") and not isinstance(query.parent, exp.Exists):
            yield Finding(
                "LIMIT without ORDER BY selects other rows on every run, so rows would be added and removed "
                "at random.",
                "Order by a unique key. To send only some rows at first: reverse-etl run --limit",
                find_offset(query),
            )


def _find_clock_columns(tree: exp.Query, engine: Engine) -> Iterator[Finding]:
    for node in tree.walk():
        if _is_clock(node) and not _is_truncated_to_day(node) and find_output_names(node, tree):
            yield Finding(
                f"A column depends on {_function_text(node, engine)}, so every run would send all rows.",
                "Use a column of the table, or current_date, which changes once a day. In WHERE, the time of "
                "day is allowed.",
                find_offset(node),
            )


def _is_clock(node: exp.Expr) -> bool:
    return isinstance(node, _CLOCK_NODES) or (_is_call(node) and function_name(node) in _CLOCKS)


def _is_truncated_to_day(node: exp.Expr) -> bool:
    """Return whether a timestamp is directly truncated to a day or longer, as stable as current_date."""
    parent = node.parent
    if isinstance(parent, exp.Cast):
        return bool(parent.to.is_type(exp.DataType.Type.DATE))
    unit = parent.args.get("unit") if parent is not None else None
    return (
        isinstance(parent, exp.DateTrunc | exp.TimestampTrunc)
        and unit is not None
        and unit.name.upper() in _DAYS
    )


def find_output_names(node: exp.Expr, tree: exp.Expr) -> list[str]:
    """Return the columns of the outermost SELECT that the value of a node can reach, in order of discovery.

    Columns are followed by name, whatever table they belong to, so some are found that it does not reach.
    """
    outermost = set(map(id, outermost_selects(tree)))
    waiting = [node]
    seen: set[str] = set()
    output_names: dict[str, None] = {}
    while waiting:
        projection = _find_projection(waiting.pop(), outermost)
        if projection is None:
            continue
        select, names = projection
        if id(select) in outermost:
            output_names |= dict.fromkeys(names)
            continue
        for name in names - seen:
            seen.add(name)
            waiting += [column for column in tree.find_all(exp.Column) if column.name.casefold() == name]
    return list(output_names)


def _find_projection(node: exp.Expr, outermost: set[int]) -> tuple[exp.Select, set[str]] | None:
    """Return the SELECT that returns a node's value, and its column names, or None if it only filters."""
    child, parent = node, node.parent
    while parent is not None:
        if isinstance(parent, exp.Select):
            if child.arg_key != "expressions":
                return None
            if id(parent) in outermost:
                return parent, {child.alias_or_name.casefold()}
            names = _find_outside_names(parent, child)
            if names is not None:
                return parent, names
        child, parent = parent, parent.parent
    return None


def _find_outside_names(select: exp.Select, projection: exp.Expr) -> set[str] | None:
    """Return the names of a projection if its SELECT is read as a table, or None if it is a scalar."""
    names = {projection.alias_or_name.casefold()}
    index = select.expressions.index(projection)
    around: exp.Expr | None = select.parent
    while isinstance(around, exp.Subquery | exp.SetOperation):
        columns = {item.casefold() for item in around.alias_column_names}
        if columns or isinstance(around.parent, exp.From | exp.Join | exp.Lateral):
            return columns or names
        if isinstance(around, exp.SetOperation):  # its columns have the names of its first SELECT
            names |= {
                item.expressions[index].alias_or_name.casefold() for item in _first_select(around, index)
            }
        around = around.parent
    if isinstance(around, exp.CTE):
        return {item.casefold() for item in around.alias_column_names} or names
    return None


def _first_select(query: exp.Expr, index: int) -> list[exp.Select]:
    return [select for select in outermost_selects(query) if index < len(select.expressions)][:1]


def _is_call(node: exp.Expr) -> bool:
    return isinstance(node, exp.Func)


def function_name(node: exp.Func | exp.Expr) -> str:
    """Return the name of a called function in lower case."""
    if isinstance(node, exp.DynamicIdentifier):
        return "identifier"
    name = node.name if isinstance(node, exp.Anonymous) else getattr(node, "sql_name", lambda: node.key)()
    return str(name).lower()


def _function_text(node: exp.Expr, engine: Engine) -> str:
    return f"{function_name(node)}()" if isinstance(node, exp.Anonymous) else node.sql(dialect=engine).lower()
