"""Klaviyo's filter language, and how many values one ask can hold.

From its guide 'API overview', section 'Filtering'. Pure.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from reverse_etl.domain.identifiers import IdentifierType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIST_FILTERABLE = (
    IdentifierType.EMAIL,
    IdentifierType.PHONE,
)  # a list can be filtered by no other identifier
MAX_VALUES = 100  # the largest page: more could not come back in one
MAX_BYTES = (
    6_000  # of the encoded values; a whole address then stays under the 8 KiB that servers commonly take
)


def any_of(field: str, values: Sequence[str]) -> str:
    """Return the filter for resources whose `field` is one of `values`, not yet percent-encoded."""
    return f"any({field},[{','.join(map(quote_value, values))}])"


def not_before(field: str, timestamp: datetime) -> str:
    """Return the filter for resources whose `field` is `timestamp` or later, to the second below."""
    return f"greater-or-equal({field},{timestamp.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ})"


def quote_value(value: str) -> str:
    r"""Return a text as the filter language writes it.

    >>> print(quote_value('say "hi"'))
    "say \"hi\""
    """
    text = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def batch_values(values: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield `values` in their order, in groups that one `any_of` can hold, by number and by bytes."""
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
