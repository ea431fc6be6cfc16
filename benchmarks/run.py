"""Measure the job and write the table: `python benchmarks/run.py`, with `--long` on 10 million rows too."""

from __future__ import annotations

import argparse
from pathlib import Path

import measure
import table

ROUNDS = 3
RESULTS = Path(__file__).parent / "results.md"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="also runs on 10 million rows")
    long = parser.parse_args().long
    small, large, larger, huge = 100_000, 1_000_000, 3_000_000, 10_000_000
    limits = (("64MB", small), ("64MB", large), ("128MB", large), ("128MB", larger))
    measured = [measure.measure(small, ROUNDS), measure.measure(large, ROUNDS)]
    peaks = [measure.peak(rows, limit) for limit, rows in limits]
    if long:
        measured.append(measure.measure(huge, ROUNDS))
    firsts = [first for first, _ in measured]
    laters = [later for _, later in measured[1:]]
    text = table.page(firsts, laters, peaks, ROUNDS)
    RESULTS.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
