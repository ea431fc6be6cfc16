"""Caches what fakesnow computes from a statement's text alone: most of the stand-in's time.

fakesnow reads a statement twice, then changes its tree some seventy times before it is DuckDB's SQL. The
job sends the same statements again, with other values. The stand-in's Python runs it: it has fakesnow.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, cast

from sqlglot import exp

server: Any = importlib.import_module("fakesnow.server")
stage: Any = importlib.import_module("fakesnow.transforms.stage")
cursors = importlib.import_module("fakesnow.cursor")
Cursor, Tree = cursors.FakeSnowflakeCursor, cast("Any", exp.Expression)
execute, run, describe = Cursor.execute, Cursor._execute, Cursor._describe_last_sql

_UNICODE = re.compile(r"(?<!\\)\\u([0-9a-f]{4})")
_STATUS = re.compile(r"SELECT (?:'[^']*'|\d+) as '[^']*'(?:, \d+ as '[^']*')*")
_DATABASE = re.compile(r"SHOP_\d+_[0-9A-F]{4}")  # as `new_database` names it
_ROWS = (exp.Select, exp.SetOperation, exp.Insert, exp.Update, exp.Delete, exp.Merge)
_COUNTING = (exp.AutoIncrementColumnConstraint, exp.GeneratedAsIdentityColumnConstraint)
_BOUNDS = (exp.Transaction, exp.Commit, exp.Rollback)


@dataclass(frozen=True)
class Translation:
    """A statement as trees of DuckDB's, their texts, and each place in them that names the database."""

    trees: list[Any]
    texts: list[str]
    names: list[Any]
    database: str
    have_values: list[bool]

    def of(self, database: str) -> list[tuple[Any, bool]]:
        """Return the trees with the name of a database, and whether they take values.

        Their texts are not generated again.
        """
        for name in self.names:
            name.set("this", database)
        for tree, text in zip(self.trees, self.texts, strict=True):
            tree.sql = partial(_give, text.replace(self.database, database))
        return [*zip(self.trees, self.have_values, strict=True)]


def _give(text: str, **_: Any) -> str:
    return text


def _nothing(*_: Any) -> None:
    return None


parse_one = server.parse_one


def transform(tree: Any, change: Any, *values: Any, copy: bool = True, **named: Any) -> Any:
    """Return a tree with each node changed, as sqlglot's `Expression.transform`, without its generators."""
    root = None
    nodes = [tree.copy() if copy else tree]
    while nodes:
        node = nodes.pop()
        parent, key, index = node.parent, node.arg_key, node.index
        changed = change(node, *values, **named)
        if root is None:
            root = changed
        elif parent and key and changed is not node:
            parent.set(key, changed, index)
        if changed is not node:
            continue
        for child in reversed(node.args.values()):
            if isinstance(child, exp.Expr):
                nodes.append(child)
            elif isinstance(child, list):
                nodes += [each for each in reversed(child) if isinstance(each, exp.Expr)]
    assert root
    return root


def decoded(command: str) -> str:
    """Return a statement with the characters that its literals write in hexadecimal, which fakesnow keeps."""
    return _UNICODE.sub(lambda match: chr(int(match[1], 16)), command)


def parsed(command: str) -> Any:
    """Return the tree of a statement, read once for all databases: it tells kind and placeholders alone."""
    return parsed_once(_DATABASE.sub("SHOP", command))


@lru_cache(maxsize=2000)
def parsed_once(command: str) -> Any:
    """Return the tree of a statement, read once."""
    return parse_one(decoded(command))


translated: dict[tuple[Any, ...], Translation] = {}
described: dict[str, list[Any]] = {}


def depends_on_its_text_alone(command: str) -> bool:
    """Return whether a statement is the same SQL of DuckDB in every database, in schemas of one name.

    A column that counts by itself gets a sequence of its own, and a name may be given as a value.
    """
    tree = parsed(command)
    if isinstance(tree, exp.Create):
        return tree.kind == "TABLE" and not tree.find(*_COUNTING)
    if isinstance(tree, exp.Drop):
        return tree.kind == "TABLE"
    return isinstance(tree, (*_ROWS, *_BOUNDS)) and "IDENTIFIER(" not in command.upper()


def execute_translated(cursor: Any, command: str, *, binding_params: Any = None, server: bool = False) -> Any:
    """Execute a statement; what was translated before, in whatever database, is not translated again."""
    command = decoded(command)
    session = cursor._conn
    if not server or not session.database or session.variables._variables or isinstance(binding_params, dict):
        return execute(cursor, command, binding_params=binding_params, server=server)
    bare = command.replace(session.database, "")
    asked = (bare, session._schema, session.database_set, session.schema_set)
    if asked in translated:
        values = [*binding_params] if binding_params else None
        for tree, has_values in translated[asked].of(session.database):
            run(cursor, tree, values if has_values else None)
        return cursor
    database, cursor._translated = session.database, []
    execute(cursor, command, binding_params=binding_params, server=True)
    if depends_on_its_text_alone(command):
        keep(asked, cursor._translated, database)
    return cursor


def keep(asked: tuple[Any, ...], trees: list[Any], database: str) -> None:
    """Keep a translation, unless its text has the database otherwise than as a name."""
    beside = [tree.args["table_comment"][0] for tree in trees if "table_comment" in tree.args]
    named, noted = (
        [name for tree in each for name in tree.find_all(exp.Identifier) if name.name == database]
        for each in (trees, beside)
    )
    texts = [tree.sql(dialect="duckdb") for tree in trees]  # which `run_and_keep` has generated
    if sum(text.count(database) for text in texts) == len(named):
        have_values = [tree.find(exp.Placeholder) is not None for tree in trees]
        translated[asked] = Translation(trees, texts, named + noted, database, have_values)


def run_and_keep(cursor: Any, tree: Any, params: Any = None) -> None:
    """Run a statement that is translated, and keep it and its text for `execute_translated`."""
    if hasattr(cursor, "_translated"):
        tree.sql = partial(_give, tree.sql(dialect="duckdb"))
    run(cursor, tree, params)
    if hasattr(cursor, "_translated"):
        cursor._translated.append(tree)


def describe_once(cursor: Any) -> Any:
    """Describe the last result; what only says how a statement ended is described once.

    fakesnow would read the statement again, though it is DuckDB's already.
    """
    sql = cursor._last_sql
    if cursor._last_params is not None or not _STATUS.fullmatch(sql):
        return cursor._duck_conn.execute(f"DESCRIBE {sql}", cursor._last_params).fetchall()
    if sql not in described:
        described[sql] = describe(cursor)
    return [*described[sql]]


def translate_once() -> None:
    """Let fakesnow's server work out from a statement's text only what it has not worked out yet."""
    server.parse_one = parsed
    Tree.transform = transform
    stage.TableStages.record_temporary_table = (
        _nothing  # for the files of a temporary table; the job loads none
    )
    Cursor.execute, Cursor._execute, Cursor._describe_last_sql = (
        execute_translated,
        run_and_keep,
        describe_once,
    )
