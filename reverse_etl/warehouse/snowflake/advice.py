"""Functions of DuckDB, and their replacements in Snowflake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.warehouse.sql_advice import SqlAdvice

if TYPE_CHECKING:
    from collections.abc import Mapping

# Functions of DuckDB that Snowflake lacks, and what to write there.
_FOREIGN_FUNCTIONS: Final[Mapping[str, str]] = {
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

SNOWFLAKE_ADVICE: Final = SqlAdvice(
    "Snowflake",
    "DuckDB",
    _FOREIGN_FUNCTIONS,
    unknown_function=r"(?i)unknown (?:user-defined )?(?:table )?function:? \"?(\w+)",
    unknown_table=r"(?i)(?:object|table|view) '?\"?([\w.\"]+?)\"?'? does not exist",
)
