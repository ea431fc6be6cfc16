"""Numbers as people read them."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun, with commas in thousands: `1 row`, `2,000 rows`, `2 boxes`.

    >>> counted(1, "row"), counted(2000, "row"), counted(0, "box", "boxes")
    ('1 row', '2,000 rows', '0 boxes')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
