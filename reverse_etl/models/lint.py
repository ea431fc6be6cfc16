"""What a model's SQL may not do: write, read from outside, or give something else each time it is run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from reverse_etl.models.query import Finding, Query, branches, offset_of

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


def lint(query: Query, warehouse: Engine) -> tuple[Finding, ...]:
    """Return what the query may not do, in the order of the text."""
    findings = [
        *_writes(query),
        *_sources(query.tree),
        *_functions(query.tree),
        *_random(query.tree, warehouse),
        *_any_rows(query.tree),
        *_clocks(query.tree, warehouse),
    ]
    return tuple(sorted(findings, key=lambda finding: finding.offset or 0))


def _writes(query: Query) -> Iterator[Finding]:
    for node in query.tree.find_all(*_WRITES):
        name = "FOR UPDATE" if isinstance(node, exp.Lock) else node.key.upper()
        inside = offset_of(node)
        end = len(query.sql) if inside is None else inside - query.start
        word = query.sql.upper().rfind(name, 0, end)
        offset = inside if word < 0 else query.start + word
        yield Finding(f"The model has {name} in it; a model only reads.", "Take it out.", offset)


def _sources(tree: exp.Expr) -> Iterator[Finding]:
    for node in tree.find_all(exp.Table, exp.TableFromRows, exp.Lateral):
        source = node.this
        if isinstance(source, exp.Identifier):
            if not node.args.get("db") and _FILE.search(source.name):
                yield _outside(f"the file {source.name}", node)
        elif isinstance(source, exp.Func):
            name = _name(source)
            if not isinstance(source, _TABLE_NODES) and name not in _TABLE_FUNCTIONS:
                yield _outside(f"{name}()", node)
        elif not isinstance(source, exp.Query | exp.Values | exp.Unnest | exp.Table):
            yield _outside(str(source), node)


def _outside(what: str, node: exp.Expr) -> Finding:
    return Finding(
        f"The model reads {what}; a model reads tables and views of the warehouse.",
        "Load it with dbt, as a seed or a source, and read that with ref() or source().",
        offset_of(node),
    )


def _functions(tree: exp.Expr) -> Iterator[Finding]:
    for node in tree.find_all(exp.Func):
        name = _name(node)
        if (name in _FORBIDDEN or name.startswith("system$")) and not isinstance(node.parent, exp.Table):
            yield Finding(
                f"The model calls {name}(), which reaches outside the warehouse's tables.",
                "Take it out; values from outside come in by var() or env_var().",
                offset_of(node),
            )


def _random(tree: exp.Expr, warehouse: Engine) -> Iterator[Finding]:
    for node in tree.walk():
        sample = isinstance(node, exp.TableSample) and not node.args.get("seed")
        if sample or isinstance(node, _RANDOM_NODES) or (_is_call(node) and _name(node) in _RANDOM):
            what = "A sample" if sample else _call(node, warehouse)
            yield Finding(
                f"{what} gives something else on every run, so people would come and go at random.",
                "Take it out; to choose a part of the people, compare a hash of their key.",
                offset_of(node),
            )


def _any_rows(tree: exp.Expr) -> Iterator[Finding]:
    for node in tree.find_all(exp.Limit, exp.Fetch):
        query = node.parent
        if query is not None and not query.args.get("order") and not isinstance(query.parent, exp.Exists):
            yield Finding(
                "LIMIT without ORDER BY gives other rows on every run: people would come and go at random.",
                "Order by a key of the people. To send only some at first: reverse-etl run --limit.",
                offset_of(query),
            )


def _clocks(tree: exp.Query, warehouse: Engine) -> Iterator[Finding]:
    outermost = set(map(id, branches(tree)))
    for node in tree.walk():
        if _is_clock(node) and not _by_day(node) and _comes_out(node, tree, outermost):
            yield Finding(
                f"{_call(node, warehouse)} in a column changes every run, so every run would send all rows.",
                "Use current_date, which changes once a day, or a column of the table; "
                "in WHERE the time of day is fine.",
                offset_of(node),
            )


def _is_clock(node: exp.Expr) -> bool:
    return isinstance(node, _CLOCK_NODES) or (_is_call(node) and _name(node) in _CLOCKS)


def _by_day(node: exp.Expr) -> bool:
    """Return whether a moment is at once made into a day, which changes no more often than current_date."""
    parent = node.parent
    if isinstance(parent, exp.Cast):
        return bool(parent.to.is_type(exp.DataType.Type.DATE))
    unit = parent.args.get("unit") if parent is not None else None
    return (
        isinstance(parent, exp.DateTrunc | exp.TimestampTrunc)
        and unit is not None
        and unit.name.upper() in _DAYS
    )


def _comes_out(node: exp.Expr, tree: exp.Expr, outermost: set[int]) -> bool:
    """Return whether what a node gives can reach a column of the outermost SELECT.

    Names are followed without regard to the tables that they belong to: rather one model too many is
    refused.
    """
    waiting = [node]
    seen: set[str] = set()
    while waiting:
        found = _projection(waiting.pop(), outermost)
        if found is None:
            continue
        select, names = found
        if id(select) in outermost:
            return True
        for name in names - seen:
            seen.add(name)
            waiting += [column for column in tree.find_all(exp.Column) if column.name.casefold() == name]
    return False


def _projection(node: exp.Expr, outermost: set[int]) -> tuple[exp.Select, set[str]] | None:
    """Return the SELECT that gives out a node's value, and its names there; None where it only filters."""
    child, parent = node, node.parent
    while parent is not None:
        if isinstance(parent, exp.Select):
            if child.arg_key != "expressions":
                return None
            if id(parent) in outermost:
                return parent, set()
            names = _names_outside(parent, child)
            if names is not None:
                return parent, names
        child, parent = parent, parent.parent
    return None


def _names_outside(select: exp.Select, projection: exp.Expr) -> set[str] | None:
    """Return the names of a projection where its SELECT is read as a table, else None: it is a value."""
    names = {projection.alias_or_name.casefold()}
    index = select.expressions.index(projection)
    around: exp.Expr | None = select.parent
    while isinstance(around, exp.Subquery | exp.SetOperation):
        columns = {each.casefold() for each in around.alias_column_names}
        if columns or isinstance(around.parent, exp.From | exp.Join | exp.Lateral):
            return columns or names
        if isinstance(around, exp.SetOperation):  # its columns are called as those of its first SELECT
            names |= {each.expressions[index].alias_or_name.casefold() for each in _first(around, index)}
        around = around.parent
    if isinstance(around, exp.CTE):
        return {each.casefold() for each in around.alias_column_names} or names
    return None


def _first(query: exp.Expr, index: int) -> list[exp.Select]:
    return [select for select in branches(query) if index < len(select.expressions)][:1]


def _is_call(node: exp.Expr) -> bool:
    return isinstance(node, exp.Func)


def _name(node: exp.Func | exp.Expr) -> str:
    if isinstance(node, exp.DynamicIdentifier):
        return "identifier"
    name = node.name if isinstance(node, exp.Anonymous) else getattr(node, "sql_name", lambda: node.key)()
    return str(name).lower()


def _call(node: exp.Expr, warehouse: Engine) -> str:
    return f"{_name(node)}()" if isinstance(node, exp.Anonymous) else node.sql(dialect=warehouse).lower()
