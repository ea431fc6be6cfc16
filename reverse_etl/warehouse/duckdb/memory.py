"""The number of rows that a session can sort at once in its memory."""

from __future__ import annotations

_BYTES_PER_ROW = 1_280  # the memory of one of the wide rows that are sorted at once
_MAX_SORT_ROWS = 500_000  # with more, the first row takes long to arrive
MIN_SORT_ROWS = 10_000  # each part reads the staged rows again
_MEMORY_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")  # in DuckDB's form


def max_rows_in_memory(memory_limit: str) -> int:
    """Return how many wide rows to sort at once under a memory limit in DuckDB's form.

    Sorted rows stay in memory until the last one is read. Each further part reads the staged rows again.

    >>> [max_rows_in_memory(limit) for limit in ("61.0 MiB", "122.0 MiB", "18.8 GiB", "16383.9 PiB")]
    [49971, 99942, 500000, 500000]
    """
    number, _, unit = memory_limit.partition(" ")
    limit = float(number) * 1024 ** _MEMORY_UNITS.index(unit)
    return max(MIN_SORT_ROWS, min(int(limit / _BYTES_PER_ROW), _MAX_SORT_ROWS))
