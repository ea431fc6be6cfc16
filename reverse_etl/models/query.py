"""A model's SQL as sqlglot reads it: one SELECT, its columns, and what is wrong with them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from reverse_etl.domain.engine import Engine
from reverse_etl.warehouse.statement import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# sqlglot warns on the standard error of statements that it does not know; here they are findings.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Finding:
    """Something wrong with a query: what, what to do next, and its offset in the text."""

    what: str
    advice: str = ""
    offset: int | None = None


@dataclass(frozen=True)
class OutputColumn:
    """A column that comes out of a query, as the warehouse names it; `quoted` where the model quotes it."""

    name: str
    quoted: bool
    offset: int | None


@dataclass(frozen=True)
class Query:
    """A query that was read.

    `start` is the offset in the text at which `sql` begins; comments around it are left out.
    """

    sql: str
    start: int
    tree: exp.Query
    columns: tuple[OutputColumn, ...]
    findings: tuple[Finding, ...]


def read_query(text: str, warehouse: Engine) -> Query | Finding:
    """Return the one SELECT that `text` is, or why it cannot be read as one."""
    try:
        tokens = sqlglot.tokenize(text, dialect=warehouse)
        while tokens and _is_semicolon(tokens[-1]):
            tokens = tokens[:-1]
        if not tokens:
            return Finding("The model has no SQL.", "Write one SELECT below config().")
        trees = [tree for tree in sqlglot.parse(text, dialect=warehouse) if tree is not None]
    except TokenError:
        return Finding(
            "The SQL has a quote or a comment that is not closed.",
            "Inside text, a quote is written twice: 'it''s'.",
        )
    except ParseError as error:
        return _unreadable(text, error, warehouse)
    trees = [tree for tree in trees if not isinstance(tree, exp.Semicolon)]
    if len(trees) > 1:
        semicolon = next(index for index, token in enumerate(tokens) if _is_semicolon(token))
        return Finding(
            f"The model has {len(trees)} statements; a model is one SELECT.",
            "Keep the SELECT; what prepares it belongs into WITH or into dbt.",
            tokens[semicolon + 1].start,
        )
    tree = trees[0]
    if not isinstance(tree, exp.Query):
        return Finding(
            f"The model is {_kind(tree)}; a model is one SELECT.", "Write a SELECT.", tokens[0].start
        )
    columns, findings = _columns(tree, warehouse)
    return Query(text[tokens[0].start : tokens[-1].end + 1], tokens[0].start, tree, columns, findings)


def branches(query: exp.Expr) -> Iterator[exp.Select]:
    """Yield the outermost SELECTs of a query, from left to right: several where it is a UNION or the like."""
    match query:
        case exp.Select():
            yield query
        case exp.SetOperation():
            yield from branches(query.left)
            yield from branches(query.right)
        case exp.Subquery():
            yield from branches(query.this)
        case _:
            return


def offset_of(node: exp.Expr) -> int | None:
    """Return the offset of the first character known of a node, else that of the nearest node around it."""
    here: exp.Expr | None = node
    while here is not None:
        starts = [int(each.meta["start"]) for each in here.walk() if "start" in each.meta]
        if starts:
            return min(starts)
        here = here.parent
    return None


def _unreadable(text: str, error: ParseError, warehouse: Engine) -> Finding:
    first = error.errors[0] if error.errors else {}
    highlight = str(first.get("highlight") or "")
    before = str(first.get("description") or "").split(" but got <Token")[0].strip()
    unexpected = "Unexpected token" in before or not before
    reason = f"unexpected {highlight}" if unexpected else f"{before[:1].lower()}{before[1:]} near {highlight}"
    offset = None
    if first.get("line"):
        line_start = sum(len(line) + 1 for line in text.split("\n")[: first["line"] - 1])
        offset = max(line_start + first["col"] - len(highlight), 0)
    return Finding(
        f"The SQL cannot be read as {warehouse}'s: {reason}.",
        f"Look just before this place. If {warehouse} does take it, put it into a view and select from that.",
        offset,
    )


def _is_semicolon(token: sqlglot.Token) -> bool:
    return token.token_type is sqlglot.TokenType.SEMICOLON


def _kind(tree: exp.Expr) -> str:
    name = str(tree.this) if isinstance(tree, exp.Command) else tree.key
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name.upper()}"


def _columns(query: exp.Query, warehouse: Engine) -> tuple[tuple[OutputColumn, ...], tuple[Finding, ...]]:
    selects = list(branches(query))
    findings = [finding for select in selects for finding in _stars(select)]
    if any(union.args.get("by_name") for union in query.find_all(exp.SetOperation)):
        findings.append(
            Finding(
                "UNION BY NAME hides which columns come out.", "Write UNION ALL, the columns in one order."
            )
        )
    columns: list[OutputColumn] = []
    for number, projection in enumerate(selects[0].expressions, start=1):
        if is_star(projection):
            continue
        column = _named(projection, warehouse)
        if column is None:
            text = projection.sql(dialect=warehouse)
            findings.append(
                Finding(f"Column {number}, {text}, has no name.", "Add: as <name>", offset_of(projection))
            )
        else:
            columns.append(column)
    return tuple(columns), (*findings, *_names(columns))


def is_star(projection: exp.Expr) -> bool:
    """Return whether a projection stands for columns that only the warehouse knows."""
    return projection.is_star or projection.find(exp.Columns) is not None


def _stars(select: exp.Select) -> Iterator[Finding]:
    for projection in select.expressions:
        if is_star(projection):
            yield Finding(
                f"{projection.sql()} takes whatever columns there are, so a new one would be sent unasked.",
                "Name the columns.",
                offset_of(projection),
            )


def _named(projection: exp.Expr, warehouse: Engine) -> OutputColumn | None:
    match projection:
        case exp.Alias():
            identifier = projection.args["alias"]
        case exp.Column():
            identifier = projection.this
        case exp.Dot():
            identifier = projection.expression
        case _:
            return None
    if not isinstance(identifier, exp.Identifier):
        return None
    quoted = bool(identifier.args.get("quoted"))
    fold = warehouse is Engine.SNOWFLAKE and not quoted
    return OutputColumn(identifier.name.upper() if fold else identifier.name, quoted, offset_of(identifier))


def _names(columns: Sequence[OutputColumn]) -> Iterator[Finding]:
    seen: dict[str, OutputColumn] = {}
    for column in columns:
        folded = column.name.casefold()
        if folded in seen:
            yield Finding(
                f"Two columns are called {column.name}.",
                "Rename one: names are compared without case.",
                column.offset,
            )
        if folded.startswith(OURS):
            yield Finding(
                f"Column {column.name} begins with {OURS}, which is kept for reverse_etl's own columns.",
                "Give it another name.",
                column.offset,
            )
        seen[folded] = column
