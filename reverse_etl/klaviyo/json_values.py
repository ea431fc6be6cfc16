"""Convert warehouse values to JSON values, where orjson alone would be wrong or fail.

Numbers keep their digits: decimals of more than 15 significant digits and integers beyond 2^53 become text;
NaN and infinities are refused. Times are ISO 8601, in UTC if they have a zone. NULLs are left out, at any
depth.
"""

from __future__ import annotations

import json
import re
import struct
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any, Final, NoReturn, TypeAlias
from uuid import UUID

import orjson

Converter: TypeAlias = Callable[[Any], Any]

MAX_DIGITS: Final = 15
MAX_SAFE_INTEGER: Final = 2**53
_MAX_EXPONENT: Final = 290  # with 15 more digits, a double stays within its range
# Matches JSON text in which a number may have an exponent, or more digits than a double keeps.
_INEXACT_NUMBER: Final = re.compile(r"[\d.]{16}|\d[eE]")


_OUT_OF_RANGE: Final = "is a date or time outside of the years 1 to 9999"
_REAL: Final = struct.Struct("f")
_REAL_DIGITS: Final = 6  # any decimal of so many digits is kept by 32 bits, and nine tell all of them apart


class UnencodableValue(ValueError):  # noqa: N818 - names the value, not the error
    """A value cannot be sent. The text is the predicate of a sentence, and does not contain the value."""


def to_json_value(value: Any) -> Any:
    """Return a value that orjson encodes correctly; None stays None. Raises UnencodableValue."""
    if value is None:
        return None
    convert = _BY_TYPE.get(type(value))
    if convert is not None:
        return convert(value)
    for kind, fallback in _BY_TYPE.items():  # a subclass, such as an enum of text
        if isinstance(value, kind):
            return fallback(value)
    raise UnencodableValue(f"is of a type that cannot be sent ({type(value).__name__})")


def convert_integer(value: int) -> int | str:
    """Return an integer, or its text if it is beyond 2^53."""
    return value if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER else str(value)


def convert_decimal(value: Decimal | str) -> int | float | str:
    """Return a decimal as an integer if it is whole, as a float up to 15 digits, and as text otherwise.

    Trailing zeros are dropped: 1.50 is 1.5. The value may be the warehouse's text of a decimal, which is much
    faster to read. Raises UnencodableValue.
    """
    if isinstance(value, str):
        if len(value) <= MAX_DIGITS and isfinite(number := float(value)):
            return int(number) if number.is_integer() else number
        value = Decimal(value)
    if not value.is_finite():
        raise UnencodableValue("is not a finite number")
    _, digits, exponent = value.as_tuple()
    if len(digits) > MAX_DIGITS or not -_MAX_EXPONENT < int(exponent) < _MAX_EXPONENT:
        return _convert_long_decimal(value)
    number = float(value)
    whole = int(number)
    if whole != number:
        return number
    return whole if -MAX_SAFE_INTEGER <= whole <= MAX_SAFE_INTEGER else f"{value:f}"


def _convert_long_decimal(value: Decimal) -> int | float | str:
    if not value:
        return 0
    if not -_MAX_EXPONENT < value.adjusted() < _MAX_EXPONENT:
        return str(value)  # without the exponent, the text could fill the memory
    digits = f"{value:f}"
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    if len(digits.lstrip("-").replace(".", "").strip("0")) > MAX_DIGITS:
        return digits
    return float(digits) if "." in digits else convert_integer(int(digits))


def convert_float(value: float) -> float:
    """Return a float. Raises UnencodableValue for NaN and infinities, which orjson would write as null."""
    if isfinite(value):
        return value
    raise UnencodableValue("is not a finite number")


def convert_real(value: float) -> float:
    """Return a float of 32 bits as it prints: 1.1, not the 1.100000023841858 of a double."""
    value = convert_float(value)
    packed = _REAL.pack(value)
    for digits in range(_REAL_DIGITS, _REAL_DIGITS + 3):
        shorter = float(f"{value:.{digits}g}")
        if _REAL.pack(shorter) == packed:
            return shorter
    return value


def convert_date(value: date | str) -> date:
    """Return a date. DuckDB's client gives one outside of the years 1 to 9999 as text, not as ISO 8601."""
    if isinstance(value, str):
        raise UnencodableValue(_OUT_OF_RANGE)
    return value


def convert_time(value: time | str) -> time | str:
    """Return a time of day; one with a zone in UTC. 24:00:00 is given as text."""
    return value if isinstance(value, str) or value.tzinfo is None else format_time_of_day(value)


def convert_timestamp(value: datetime | str) -> datetime:
    """Return a timestamp in UTC if it has a zone, and unchanged otherwise."""
    if isinstance(value, str):
        raise UnencodableValue(_OUT_OF_RANGE)
    if value.tzinfo is None or value.tzinfo is UTC:
        return value
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise UnencodableValue(_OUT_OF_RANGE) from None


def format_time_of_day(value: time) -> str:
    """Return a time of day as ISO 8601, in UTC if it has an offset."""
    if value.tzinfo is None:
        return value.isoformat()
    return datetime.combine(date(2000, 1, 2), value).astimezone(UTC).timetz().isoformat()


def format_duration(value: timedelta) -> str:
    """Return a duration as ISO 8601.

    >>> format_duration(timedelta(days=1, hours=2, seconds=3.5))
    'P1DT2H3.5S'
    >>> format_duration(-timedelta(minutes=90))
    '-PT1H30M'
    """
    sign, length = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{length.microseconds:06}".rstrip("0").rstrip(".")
    days = f"{length.days}D" if length.days else ""
    parts = ((hours, f"{hours}H"), (minutes, f"{minutes}M"), (seconds or fraction, f"{seconds}{fraction}S"))
    clock = "".join(text for amount, text in parts if amount)
    return f"{sign}P{days}{'T' + clock if clock or not days else ''}{'' if clock or days else '0S'}"


def encode_base64(value: bytes) -> str:
    """Return bytes as base64 text."""
    return b64encode(value).decode("ascii")


def parse_json(value: Any) -> Any:
    """Return the value of a JSON text, converted by the rules above. Raises UnencodableValue.

    A number with a point or an exponent becomes a float if it has at most 15 digits, and text otherwise.
    """
    if not isinstance(value, str):
        return to_json_value(value)
    if _INEXACT_NUMBER.search(value) is None:
        with suppress(orjson.JSONDecodeError):  # the other parser says what is wrong
            parsed = orjson.loads(value)
            return to_json_value(parsed) if "null" in value else parsed
    try:
        return to_json_value(json.loads(value, parse_float=_parse_number, parse_constant=_reject_constant))
    except UnencodableValue:
        raise
    except (ValueError, RecursionError):
        raise UnencodableValue("is not valid JSON") from None


def _parse_number(text: str) -> float | str:
    significant = re.split("[eE]", text.lstrip("-"))[0].replace(".", "").strip("0")
    number = float(text)
    return number if len(significant) <= MAX_DIGITS and isfinite(number) else text


def _reject_constant(name: str) -> NoReturn:
    raise UnencodableValue(f"contains {name}, which is not valid JSON")


def to_text(value: Any) -> str | None:
    """Return a value as its JSON text without quotes; whole numbers have no fraction.

    >>> to_text(Decimal("12.50")), to_text(3.0), to_text(True)
    ('12.5', '3', 'true')
    """
    json_value = to_json_value(value)
    if json_value is None or isinstance(json_value, str):
        return json_value
    if isinstance(json_value, float) and json_value.is_integer():
        return str(int(json_value))
    return orjson.dumps(json_value).decode().strip('"')


def convert_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a struct or map with keys as text, without NULLs."""
    pairs = ((key, to_json_value(member)) for key, member in value.items())
    return {
        key if type(key) is str else to_text(key) or "": member for key, member in pairs if member is not None
    }


def _convert_sequence(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    return [converted for member in value if (converted := to_json_value(member)) is not None]


def _unchanged(value: Any) -> Any:
    return value


_BY_TYPE: Final[Mapping[type, Converter]] = {
    str: _unchanged,
    bool: _unchanged,
    int: convert_integer,
    float: convert_float,
    Decimal: convert_decimal,
    datetime: convert_timestamp,
    date: _unchanged,
    time: format_time_of_day,
    timedelta: format_duration,
    UUID: str,
    bytes: encode_base64,
    bytearray: encode_base64,
    memoryview: encode_base64,
    dict: convert_mapping,
    list: _convert_sequence,
    tuple: _convert_sequence,
}
