"""Advice for SQL that the warehouse refuses: functions of the other warehouse, tables that are not built."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, assert_never

from reverse_etl.domain.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

# Functions of Snowflake that DuckDB lacks, and what to write there.
_IN_DUCKDB: Final[Mapping[str, str]] = {
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
# Functions of DuckDB that Snowflake lacks, and what to write there.
_IN_SNOWFLAKE: Final[Mapping[str, str]] = {
    "arg_max": "max_by(a, b)",
    "arg_min": "min_by(a, b)",
    "ends_with": "endswith(text, part)",
    "epoch": "date_part(epoch_second, time)",
    "epoch_ms": "date_part(epoch_millisecond, time)",
    "gen_random_uuid": "uuid_string()",
    "if": "a CASE expression, which both know",
    "instr": "position(part, text)",
    "json_extract_string": "json:path::varchar",
    "json_object": "object_construct(name, value)",
    "len": "length(text) or array_size(array)",
    "levenshtein": "editdistance(a, b)",
    "list": "array_agg(...)",
    "list_contains": "array_contains(value, array)",
    "list_distinct": "array_distinct(...)",
    "list_value": "array_construct(...)",
    "make_date": "date_from_parts(year, month, day)",
    "now": "current_timestamp(), which both know as current_timestamp",
    "quantile_cont": "percentile_cont(0.5) within group (order by ...)",
    "regexp_matches": "regexp_like(text, pattern)",
    "sha256": "sha2(...)",
    "starts_with": "startswith(text, part)",
    "str_split": "split(text, separator)",
    "strftime": "to_char(time, format)",
    "string_agg": "listagg(text, separator) within group (order by ...)",
    "string_split": "split(text, separator)",
    "strptime": "to_timestamp(text, format)",
    "struct_pack": "object_construct(name, value)",
    "today": "current_date(), which both know as current_date",
    "unnest": "lateral flatten(input => ...)",
    "uuid": "uuid_string()",
}


def suggest_fix(engine: Engine, reads: Collection[str], message: str) -> str:
    """Return the likely fix for a query that the warehouse refused, with a space at its end, or ''.

    `reads` are the dbt nodes that the model reads: unique ids, or bare names without a manifest.
    """
    name = _find_name(_UNKNOWN_FUNCTION[engine], message)
    replacement = foreign_functions(engine).get(name.casefold())
    if replacement:
        return f"{name} is a function of {_OTHER_ENGINE[engine]}. In {_LABELS[engine]}, write {replacement}. "
    table = _find_name(_UNKNOWN_TABLE[engine], message).split(".")[-1].casefold()
    built_by_dbt = {node.split(".")[-1].casefold(): node for node in reads}
    if table in built_by_dbt:
        return f"dbt has not built {table} in this target yet: dbt build --select {table}. "
    return ""


def foreign_functions(engine: Engine) -> Mapping[str, str]:
    """Return the functions that only the other warehouse has, each with what to write instead."""
    match engine:
        case Engine.DUCKDB:
            return _IN_DUCKDB
        case Engine.SNOWFLAKE:
            return _IN_SNOWFLAKE
        case _:
            assert_never(engine)


_LABELS: Final = {Engine.DUCKDB: "DuckDB", Engine.SNOWFLAKE: "Snowflake"}
_OTHER_ENGINE: Final = {Engine.DUCKDB: "Snowflake", Engine.SNOWFLAKE: "DuckDB"}
_UNKNOWN_FUNCTION: Final = {
    Engine.DUCKDB: r"Function with name \"?(\w+)\"? does not exist",
    Engine.SNOWFLAKE: r"(?i)unknown (?:user-defined )?(?:table )?function:? \"?(\w+)",
}
_UNKNOWN_TABLE: Final = {
    Engine.DUCKDB: r"Table with name \"?([\w.]+)\"? does not exist",
    Engine.SNOWFLAKE: r"(?i)(?:object|table|view) '?\"?([\w.\"]+?)\"?'? does not exist",
}


def _find_name(pattern: str, message: str) -> str:
    found = re.search(pattern, message)
    return found.group(1).replace('"', "") if found else ""
