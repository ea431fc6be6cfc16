"""Maps DuckDB's types to kinds of values."""

from __future__ import annotations

from reverse_etl.domain.columns import Column, ColumnKind


def to_column(name: str, type_: str) -> Column:
    """Return a column with its kind.

    Types that only exist inside a database (ENUM) and all kinds of text are stored as VARCHAR.
    """
    kind = column_kind(type_)
    return Column(name, kind, "VARCHAR" if kind is ColumnKind.TEXT else type_)


def column_kind(type_: str) -> ColumnKind:
    """Return the kind of a DuckDB type ("Data Types" in DuckDB's SQL introduction)."""
    if type_.endswith("]") or type_.startswith(("STRUCT", "MAP", "UNION")):
        return ColumnKind.NESTED
    return _KINDS_BY_TYPE.get(type_.partition("(")[0], ColumnKind.TEXT)


_KINDS_BY_TYPE = {
    **dict.fromkeys(
        (
            "TINYINT",
            "SMALLINT",
            "INTEGER",
            "BIGINT",
            "HUGEINT",
            "UTINYINT",
            "USMALLINT",
            "UINTEGER",
            "UBIGINT",
            "UHUGEINT",
            "BIGNUM",
        ),
        ColumnKind.INTEGER,
    ),
    "DECIMAL": ColumnKind.DECIMAL,
    "FLOAT": ColumnKind.REAL,
    "DOUBLE": ColumnKind.FLOAT,
    "BOOLEAN": ColumnKind.BOOLEAN,
    "DATE": ColumnKind.DATE,
    "TIME": ColumnKind.TIME,
    "TIME WITH TIME ZONE": ColumnKind.TIME,
    "TIMESTAMP": ColumnKind.TIMESTAMP,
    "TIMESTAMP_S": ColumnKind.TIMESTAMP,
    "TIMESTAMP_MS": ColumnKind.TIMESTAMP,
    "TIMESTAMP_NS": ColumnKind.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": ColumnKind.TIMESTAMP_TZ,
    "BLOB": ColumnKind.BINARY,
    "JSON": ColumnKind.JSON,
}
