"""Parameters that every session sets, so that the account's and the user's settings change no result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# The meaning of the model's SQL: types and dates. An output's own `session_parameters` may set them.
_MODEL_PARAMETERS: Final[Mapping[str, Any]] = {
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "DATE_INPUT_FORMAT": "AUTO",
    "TIME_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "TWO_DIGIT_CENTURY_START": 1970,
    "WEEK_START": 0,
    "WEEK_OF_YEAR_POLICY": 0,
    "DEFAULT_NULL_ORDERING": "LAST",
}
# The job relies on these: how values are written, and that every result is complete.
_JOB_PARAMETERS: Final[Mapping[str, Any]] = {
    "TIMEZONE": "UTC",
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "TIME_OUTPUT_FORMAT": "HH24:MI:SS.FF9",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9",
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9 TZHTZM",
    "TIMESTAMP_TZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9 TZHTZM",
    "BINARY_OUTPUT_FORMAT": "HEX",
    "GEOGRAPHY_OUTPUT_FORMAT": "GeoJSON",
    "GEOMETRY_OUTPUT_FORMAT": "GeoJSON",
    "STRICT_JSON_OUTPUT": True,  # without it a NULL in an ARRAY is printed as `undefined`
    "ROWS_PER_RESULTSET": 0,  # a limit of the user's would cut results without an error
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "ERROR_ON_NONDETERMINISTIC_MERGE": True,
    "AUTOCOMMIT": True,
    "LOCK_TIMEOUT": 600,
}


def session_parameters(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a session for an output's settings; the job's own can't be overridden."""
    own = {str(name).upper(): value for name, value in (settings.get("session_parameters") or {}).items()}
    tag = str(settings.get("query_tag") or "reverse_etl")
    return {**_MODEL_PARAMETERS, **own, **_JOB_PARAMETERS, "QUERY_TAG": tag}
