"""Measure the job and write the table: `python benchmarks/run.py`, with `--long` on 10 million rows too.

The ratios that have a goal are also written to `ratios.json`, for the page of costs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import measure
import table

ROUNDS = 3
RESULTS = Path(__file__).parent / "results.md"
RATIOS = Path(__file__).parent / "ratios.json"


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="also runs on 10 million rows")
    long = parser.parse_args().long
    small, large, larger, huge = 100_000, 1_000_000, 3_000_000, 10_000_000
    measured = [measure.measure(rows, ROUNDS) for rows in (small, large, *([huge] if long else []))]
    peaks = [measure.peak(rows, "128MB") for rows in (small, large, larger, *([huge] if long else []))]
    firsts = [first for first, _ in measured]
    laters = [later for _, later in measured[1:]]
    text = table.page(firsts, laters, peaks, ROUNDS)
    RESULTS.write_text(text)
    RATIOS.write_text(json.dumps(table.ratios(firsts, laters, peaks), indent=2) + "\n")
    print(text)


if __name__ == "__main__":
    main()
