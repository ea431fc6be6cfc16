"""Facts that a warehouse knows of tables and views: enough to prove that nothing in them changed."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RelationName:
    """A table or view as a query names it. Parts that the query leaves out are ''.

    Parts are folded as the engine folds them: in Snowflake upper case unless quoted, in DuckDB lower case.
    """

    database: str
    schema: str
    name: str

    def __str__(self) -> str:
        """Return the parts that are known, with dots."""
        return ".".join(part for part in (self.database, self.schema, self.name) if part)


@dataclass(frozen=True)
class RelationFacts:
    """A table or view.

    `full_name` has all parts. `version` is another text as soon as a row of the table, or the view itself,
    may have changed; '' if that is not known. `view_sql` is the CREATE VIEW of a view, '' for a table.
    """

    full_name: RelationName
    version: str
    view_sql: str = field(default="", repr=False)
