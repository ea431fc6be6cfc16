"""Parse a model's SQL with sqlglot: one SELECT, its output columns, and findings about them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from reverse_etl.models.parsed_query import Finding, OutputColumn, Query
from reverse_etl.warehouse.dialect import RESERVED_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.domain.engine import Engine

# sqlglot logs a warning for unknown statements; here they become findings.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


def read_query(text: str, engine: Engine) -> Query | Finding:
    """Return the single SELECT in `text`, or a finding that says why there is none."""
    try:
        tokens = sqlglot.tokenize(text, dialect=engine)
        while tokens and _is_semicolon(tokens[-1]):
            tokens = tokens[:-1]
        if not tokens:
            return Finding("The model has no SQL.", "Write a SELECT below config().")
        trees = [tree for tree in sqlglot.parse(text, dialect=engine) if tree is not None]
    except TokenError:
        return Finding(
            "The SQL has a quote or a comment that is not closed.",
            "Close it. Inside a text, write a quote twice: 'it''s'.",
        )
    except ParseError as error:
        return _parse_error_finding(text, error, engine)
    trees = [tree for tree in trees if not isinstance(tree, exp.Semicolon)]
    if len(trees) > 1:
        semicolon = next(index for index, token in enumerate(tokens) if _is_semicolon(token))
        return Finding(
            f"The model has {len(trees)} statements; a model is one SELECT.",
            "Keep the SELECT. Move the other statements into WITH or into a dbt model.",
            tokens[semicolon + 1].start,
        )
    tree = trees[0]
    if not isinstance(tree, exp.Query):
        return Finding(
            f"The model is {_describe_statement(tree)}; a model is one SELECT.",
            "Write a SELECT.",
            tokens[0].start,
        )
    columns, findings = _output_columns(tree, engine)
    return Query(text[tokens[0].start : tokens[-1].end + 1], tokens[0].start, tree, columns, findings)


def outermost_selects(query: exp.Expr) -> Iterator[exp.Select]:
    """Yield the outermost SELECTs of a query, from left to right; a UNION has several."""
    match query:
        case exp.Select():
            yield query
        case exp.SetOperation():
            yield from outermost_selects(query.left)
            yield from outermost_selects(query.right)
        case exp.Subquery():
            yield from outermost_selects(query.this)
        case _:
            return


def find_offset(node: exp.Expr) -> int | None:
    """Return the offset of the first known character of a node or of its nearest ancestor."""
    here: exp.Expr | None = node
    while here is not None:
        starts = [int(descendant.meta["start"]) for descendant in here.walk() if "start" in descendant.meta]
        if starts:
            return min(starts)
        here = here.parent
    return None


def _parse_error_finding(text: str, error: ParseError, engine: Engine) -> Finding:
    details = error.errors[0] if error.errors else {}
    highlight = str(details.get("highlight") or "")
    description = str(details.get("description") or "").split(" but got <Token")[0].strip()
    unexpected = "Unexpected token" in description or not description
    reason = (
        f"unexpected {highlight}"
        if unexpected
        else f"{description[:1].lower()}{description[1:]} near {highlight}"
    )
    offset = None
    if details.get("line"):
        line_start = sum(len(line) + 1 for line in text.split("\n")[: details["line"] - 1])
        offset = max(line_start + details["col"] - len(highlight), 0)
    return Finding(
        f"The SQL cannot be parsed as {engine} SQL: {reason}.",
        f"Check the SQL just before this place. If {engine} accepts it, move it into a view and select "
        "from that.",
        offset,
    )


def _is_semicolon(token: sqlglot.Token) -> bool:
    return token.token_type is sqlglot.TokenType.SEMICOLON


def _describe_statement(tree: exp.Expr) -> str:
    name = str(tree.this) if isinstance(tree, exp.Command) else tree.key
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name.upper()}"


def _output_columns(query: exp.Query, engine: Engine) -> tuple[tuple[OutputColumn, ...], tuple[Finding, ...]]:
    selects = list(outermost_selects(query))
    findings = [finding for select in selects for finding in _find_stars(select)]
    if any(union.args.get("by_name") for union in query.find_all(exp.SetOperation)):
        findings.append(
            Finding(
                "UNION BY NAME hides the order of the columns.",
                "Write UNION ALL, with the columns in the same order.",
            )
        )
    columns: list[OutputColumn] = []
    for number, projection in enumerate(selects[0].expressions, start=1):
        if is_star(projection):
            continue
        column = _to_output_column(projection, engine)
        if column is None:
            text = projection.sql(dialect=engine)
            findings.append(
                Finding(f"Column {number}, {text}, has no name.", "Add: as <name>", find_offset(projection))
            )
        else:
            columns.append(column)
    return tuple(columns), (*findings, *_check_names(columns))


def is_star(projection: exp.Expr) -> bool:
    """Return whether a projection is a star, whose columns only the warehouse knows."""
    return projection.is_star or projection.find(exp.Columns) is not None


def _find_stars(select: exp.Select) -> Iterator[Finding]:
    for projection in select.expressions:
        if is_star(projection):
            yield Finding(
                f"{projection.sql()} selects all columns, so a new column would be sent without notice.",
                "List the columns.",
                find_offset(projection),
            )


def _to_output_column(projection: exp.Expr, engine: Engine) -> OutputColumn | None:
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
    fold = engine.folds_to_upper_case and not quoted
    return OutputColumn(identifier.name.upper() if fold else identifier.name, quoted, find_offset(identifier))


def _check_names(columns: Sequence[OutputColumn]) -> Iterator[Finding]:
    seen: dict[str, OutputColumn] = {}
    for column in columns:
        folded = column.name.casefold()
        if folded in seen:
            yield Finding(
                f"Two columns have the name {column.name}.",
                "Rename one: names are compared without regard to case.",
                column.offset,
            )
        if folded.startswith(RESERVED_PREFIX):
            yield Finding(
                f"Column {column.name} begins with {RESERVED_PREFIX}, which is reserved for reverse-etl.",
                "Rename it.",
                column.offset,
            )
        seen[folded] = column
