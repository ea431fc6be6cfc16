"""Functions of Snowflake, and their replacements in DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.warehouse.sql_advice import SqlAdvice

if TYPE_CHECKING:
    from collections.abc import Mapping

# Functions of Snowflake that DuckDB lacks, and what to write there.
_FOREIGN_FUNCTIONS: Final[Mapping[str, str]] = {
    "array_construct": "list_value(...)",
    "array_size": "len(...)",
    "charindex": "instr(text, part)",
    "convert_timezone": "... at time zone 'UTC'",
    "dateadd": "... + interval 1 day",
    "div0": "a / nullif(b, 0)",
    "editdistance": "levenshtein(a, b)",
    "endswith": "ends_with(text, part)",
    "getdate": "now()",
    "iff": "a CASE expression, which both know",
    "nvl": "coalesce(a, b), which both know",
    "nvl2": "a CASE expression, which both know",
    "object_construct": "struct_pack(name := value)",
    "parse_json": "cast(... as json)",
    "regexp_like": "regexp_matches(text, pattern)",
    "sha2": "sha256(...)",
    "startswith": "starts_with(text, part)",
    "sysdate": "now()",
    "timestampadd": "... + interval 1 day",
    "to_boolean": "cast(... as boolean), which both know",
    "to_char": "strftime(time, format) or cast(... as varchar)",
    "to_date": "cast(... as date), which both know",
    "to_decimal": "cast(... as decimal(18, 2)), which both know",
    "to_double": "cast(... as double), which both know",
    "to_number": "cast(... as decimal(18, 2)), which both know",
    "to_timestamp_ntz": "cast(... as timestamp), which both know",
    "to_timestamp_tz": "cast(... as timestamptz)",
    "to_varchar": "cast(... as varchar), which both know",
    "try_parse_json": "try_cast(... as json)",
    "try_to_date": "try_cast(... as date), which both know",
    "try_to_decimal": "try_cast(... as decimal(18, 2)), which both know",
    "try_to_number": "try_cast(... as decimal(18, 2)), which both know",
    "try_to_timestamp": "try_cast(... as timestamp), which both know",
    "uuid_string": "uuid()",
    "zeroifnull": "coalesce(a, 0), which both know",
}

DUCKDB_ADVICE: Final = SqlAdvice(
    "DuckDB",
    "Snowflake",
    _FOREIGN_FUNCTIONS,
    unknown_function=r"Function with name \"?(\w+)\"? does not exist",
    unknown_table=r"Table with name \"?([\w.]+)\"? does not exist",
)
