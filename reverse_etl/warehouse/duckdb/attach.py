"""Statements that give a session its secrets and its databases. They may hold secrets: nothing shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reverse_etl.warehouse.statement import quote_identifier, quote_literal

if TYPE_CHECKING:
    from reverse_etl.config.duckdb_output import Attachment


def attach_sql(database: Attachment, *, writable: bool = False) -> str:
    """Return the statement that attaches a database, read-only unless `writable`."""
    options = [
        *([] if writable else ["READ_ONLY"]),
        *([f"TYPE {quote_identifier(database.type)}"] if database.type else []),
        *([f"SECRET {quote_identifier(database.secret)}"] if database.secret else []),
        *(option for key, value in database.options if (option := _option_sql(key, value))),
    ]
    suffix = f" ({', '.join(options)})" if options else ""
    return f"ATTACH {quote_literal(database.path)} AS {quote_identifier(database.name)}{suffix}"


def create_secret_sql(secret: Mapping[str, Any], number: int) -> str:
    """Return the statement that creates a secret of the output for this session alone, as dbt-duckdb does."""
    name = quote_identifier(str(secret.get("name") or f"_dbt_secret_{number}"))
    values = [
        f"{quote_identifier(str(key))} {_value_sql(value)}"
        for key, value in secret.items()
        if value is not None and key not in {"name", "persistent"}
    ]
    return f"CREATE OR REPLACE TEMPORARY SECRET {name} ({', '.join(values)})"


def _option_sql(key: str, value: Any) -> str:
    """Return an option of ATTACH, or '' for one that is not set."""
    if value is None or value is False:
        return ""
    if value is True:
        return quote_identifier(key)
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]  # dbt-duckdb takes a text with or without quotes
    return f"{quote_identifier(key)} {_value_sql(value)}"


def _value_sql(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{quote_literal(str(key))}: {quote_literal(str(item))}" for key, item in value.items())
        return f"MAP {{{', '.join(pairs)}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(quote_literal(str(item)) for item in value)}]"
    return str(value) if isinstance(value, int | float) else quote_literal(str(value))
