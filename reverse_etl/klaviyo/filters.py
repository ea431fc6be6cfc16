"""Klaviyo's filter language. Source: guide 'API overview', section 'Filtering'."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from reverse_etl.domain.identifiers import IdentifierType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIST_FILTERABLE = (IdentifierType.EMAIL, IdentifierType.PHONE)  # the only filters for members of a list
MAX_VALUES = 100  # the maximum page size, so that all results fit on one page
MAX_BYTES = 6_000  # of the encoded values: keeps the URL below 8 KiB, a common limit of servers


def any_of(field: str, values: Sequence[str]) -> str:
    """Return the filter for resources whose `field` is one of `values`, without percent-encoding."""
    return f"any({field},[{','.join(map(quote_value, values))}])"


def not_before(field: str, timestamp: datetime) -> str:
    """Return the filter for resources whose `field` is `timestamp`, rounded down to a second, or later."""
    return f"greater-or-equal({field},{timestamp.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ})"


def quote_value(value: str) -> str:
    r"""Return a text as a quoted value of the filter language.

    >>> print(quote_value('say "hi"'))
    "say \"hi\""
    """
    text = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def batch_values(values: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield `values` in order, in groups that fit into one `any_of` by number and by bytes."""
    group: list[str] = []
    room = MAX_BYTES
    for value in values:
        size = len(quote(quote_value(value) + ",", safe=""))
        if group and (len(group) == MAX_VALUES or size > room):
            yield tuple(group)
            group, room = [], MAX_BYTES
        group.append(value)
        room -= size
    if group:
        yield tuple(group)
