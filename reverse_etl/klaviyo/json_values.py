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

MOST_DIGITS: Final = 15
MOST_INTEGER: Final = 2**53
_MOST_EXPONENT: Final = 290  # a double with 15 digits more stays well within its range
# Where a number may have more digits than a double keeps, or an exponent.
_DELICATE: Final = re.compile(r"[\d.]{16}|\d[eE]")


class Unfit(ValueError):  # noqa: N818 - it says of a value what it is
    """A value can't be sent; the text says why, as the end of a sentence, without the value."""


def plain(value: Any) -> Any:
    """Return any value as orjson writes it right; None stays None. Raises Unfit."""
    if value is None:
        return None
    convert = _BY_TYPE.get(type(value))
    if convert is not None:
        return convert(value)
    for kind, fallback in _BY_TYPE.items():  # a subclass, such as an enum of text
        if isinstance(value, kind):
            return fallback(value)
    raise Unfit(f"is of a type that cannot be sent ({type(value).__name__})")


def integer(value: int) -> int | str:
    """Return an integer, as text beyond 2^53."""
    return value if -MOST_INTEGER <= value <= MOST_INTEGER else str(value)


def decimal(value: Decimal | str) -> int | float | str:
    """Return a decimal as an integer where it is one, as a number up to 15 significant digits, else as text.

    Zeros after the last digit are no part of the value: 1.50 is 1.5. It may be given as the text that a
    warehouse writes for it, which is read many times as fast.
    """
    if isinstance(value, str):
        if len(value) <= MOST_DIGITS and isfinite(number := float(value)):
            return int(number) if number.is_integer() else number
        value = Decimal(value)
    if not value.is_finite():
        raise Unfit("is not a finite number")
    _, digits, exponent = value.as_tuple()
    if len(digits) > MOST_DIGITS or not -_MOST_EXPONENT < int(exponent) < _MOST_EXPONENT:
        return _long_decimal(value)
    number = float(value)
    whole = int(number)
    if whole != number:
        return number
    return whole if -MOST_INTEGER <= whole <= MOST_INTEGER else f"{value:f}"


def _long_decimal(value: Decimal) -> int | float | str:
    if not value:
        return 0
    if not -_MOST_EXPONENT < value.adjusted() < _MOST_EXPONENT:
        return str(value)  # written out, it could fill the memory
    digits = f"{value:f}"
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    if len(digits.lstrip("-").replace(".", "").strip("0")) > MOST_DIGITS:
        return digits
    return float(digits) if "." in digits else integer(int(digits))


def real(value: float) -> float:
    """Return a float. Raises Unfit for NaN and infinities, which orjson would write as null."""
    if isfinite(value):
        return value
    raise Unfit("is not a finite number")


def instant(value: datetime) -> datetime:
    """Return a time in UTC if it has a zone, else as it is."""
    if value.tzinfo is None or value.tzinfo is UTC:
        return value
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise Unfit("is a time out of range") from None


def moment_of_day(value: time) -> str:
    """Return a time of day as ISO 8601, in UTC if it has an offset."""
    if value.tzinfo is None:
        return value.isoformat()
    return datetime.combine(date(2000, 1, 2), value).astimezone(UTC).timetz().isoformat()


def span(value: timedelta) -> str:
    """Return a length of time as ISO 8601.

    >>> span(timedelta(days=1, hours=2, seconds=3.5))
    'P1DT2H3.5S'
    >>> span(-timedelta(minutes=90))
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


def base64_text(value: bytes) -> str:
    """Return bytes as base64 text."""
    return b64encode(value).decode("ascii")


def from_json(value: Any) -> Any:
    """Return what a text of JSON says, by the same rules; None for null. Raises Unfit for what is no JSON.

    Numbers with a point or an exponent stay as they are written where 15 digits are enough for them.
    """
    if not isinstance(value, str):
        return plain(value)
    if _DELICATE.search(value) is None:
        try:
            found = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise Unfit("is not valid JSON") from None
        return plain(found) if "null" in value else found
    try:
        return plain(json.loads(value, parse_float=_json_number, parse_constant=_no_constant))
    except Unfit:
        raise
    except (ValueError, RecursionError):
        raise Unfit("is not valid JSON") from None


def _json_number(text: str) -> float | str:
    significant = re.split("[eE]", text.lstrip("-"))[0].replace(".", "").strip("0")
    number = float(text)
    return number if len(significant) <= MOST_DIGITS and isfinite(number) else text


def _no_constant(name: str) -> NoReturn:
    raise Unfit(f"holds {name}, which JSON does not have")


def text(value: Any) -> str | None:
    """Return a value as text, as JSON would show it but for quotes; whole numbers without a fraction.

    >>> text(Decimal("12.50")), text(3.0), text(True)
    ('12.5', '3', 'true')
    """
    found = plain(value)
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, float) and found.is_integer():
        return str(int(found))
    return orjson.dumps(found).decode().strip('"')


def nested(value: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a struct or map with its keys as text, without its NULLs."""
    pairs = ((key, plain(member)) for key, member in value.items())
    return {
        key if type(key) is str else text(key) or "": member for key, member in pairs if member is not None
    }


def _sequence(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    return [found for member in value if (found := plain(member)) is not None]


def _same(value: Any) -> Any:
    return value


_BY_TYPE: Final[Mapping[type, Converter]] = {
    str: _same,
    bool: _same,
    int: integer,
    float: real,
    Decimal: decimal,
    datetime: instant,
    date: _same,
    time: moment_of_day,
    timedelta: span,
    UUID: str,
    bytes: base64_text,
    bytearray: base64_text,
    memoryview: base64_text,
    dict: nested,
    list: _sequence,
    tuple: _sequence,
}
