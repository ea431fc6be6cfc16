"""Warehouse values as JSON can carry them: what orjson alone would get wrong or refuse. Pure.

Numbers keep their digits: what a double can't hold exactly (decimals of more than 15 significant digits,
integers beyond 2^53) becomes text, and NaN and infinities are refused. Times are ISO 8601, those with a zone
in UTC. NULLs are left out, at any depth.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any, Final, NoReturn, TypeAlias
from uuid import UUID

import orjson

Converter: TypeAlias = Callable[[Any], Any]

MAX_DIGITS: Final = 15
MAX_SAFE_INTEGER: Final = 2**53
_MAX_EXPONENT: Final = 290  # a double with 15 digits more stays well within its range
# Where a number may have more digits than a double keeps, or an exponent.
_INEXACT_NUMBER: Final = re.compile(r"[\d.]{16}|\d[eE]")


class UnencodableValue(ValueError):  # noqa: N818 - it says of a value what it is
    """A value can't be sent; the text says why, as the end of a sentence, without the value."""


def to_json_value(value: Any) -> Any:
    """Return any value as orjson writes it right; None stays None. Raises Unfit."""
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
    """Return an integer, as text beyond 2^53."""
    return value if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER else str(value)


def convert_decimal(value: Decimal | str) -> int | float | str:
    """Return a decimal as an integer where it is one, as a number up to 15 significant digits, else as text.

    Zeros after the last digit are no part of the value: 1.50 is 1.5. It may be given as the text that a
    warehouse writes for it, which is read many times as fast.
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
        return str(value)  # written out, it could fill the memory
    digits = f"{value:f}"
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    if len(digits.lstrip("-").replace(".", "").strip("0")) > MAX_DIGITS:
        return digits
    return float(digits) if "." in digits else convert_integer(int(digits))


def convert_float(value: float) -> float:
    """Return a float. Raises Unfit for NaN and infinities, which orjson would write as null."""
    if isfinite(value):
        return value
    raise UnencodableValue("is not a finite number")


def convert_timestamp(value: datetime) -> datetime:
    """Return a time in UTC if it has a zone, else as it is."""
    if value.tzinfo is None or value.tzinfo is UTC:
        return value
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise UnencodableValue("is a time out of range") from None


def format_time_of_day(value: time) -> str:
    """Return a time of day as ISO 8601, in UTC if it has an offset."""
    if value.tzinfo is None:
        return value.isoformat()
    return datetime.combine(date(2000, 1, 2), value).astimezone(UTC).timetz().isoformat()


def format_duration(value: timedelta) -> str:
    """Return a length of time as ISO 8601.

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
    """Return what a text of JSON says, by the same rules; None for null. Raises Unfit for what is no JSON.

    Numbers with a point or an exponent stay as they are written where 15 digits are enough for them.
    """
    if not isinstance(value, str):
        return to_json_value(value)
    if _INEXACT_NUMBER.search(value) is None:
        try:
            parsed = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise UnencodableValue("is not valid JSON") from None
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
    raise UnencodableValue(f"holds {name}, which JSON does not have")


def to_text(value: Any) -> str | None:
    """Return a value as text, as JSON would show it but for quotes; whole numbers without a fraction.

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
    """Return a struct or map with its keys as text, without its NULLs."""
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
