"""Ask a test account what the documentation leaves open, and print a table: `make probe-klaviyo ENV=...`.

It makes some temporary people and lists and deletes them in the end. Events and their metric stay, because
Klaviyo deletes neither.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from reverse_etl.clock import SystemClock
from reverse_etl.formatting import escape_unsafe
from tests.live.account import LiveAccount, RefusedError, SettingsError, read_settings
from tests.live.questions import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def probe(
    account: LiveAccount, questions: Mapping[str, Callable[[LiveAccount], str]] = QUESTIONS
) -> Iterator[tuple[str, str]]:
    """Yield (question, answer). One that can't be asked has the reason as its answer, and stops no other."""
    for title, ask in questions.items():
        try:
            yield title, ask(account)
        except (RefusedError, TimeoutError, requests.RequestException, KeyError) as error:
            yield title, f"no answer: {error}"


def main(path: Path) -> int:
    """Print the answers of the account whose settings a file has. Returns the exit code."""
    try:
        account = LiveAccount(read_settings(path), SystemClock())
    except (OSError, SettingsError, RefusedError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        width = max(map(len, QUESTIONS))
        for title, answer in probe(account):
            print(escape_unsafe(f"{title:{width}}  {answer}"), flush=True)
    finally:
        account.close()
        print(f"\nThe metric {'retl probe'!r} and its events stay: Klaviyo deletes neither.")
        for left in account.left:
            print(escape_unsafe(f"Not deleted: {left}."), file=sys.stderr)
    return 1 if account.left else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
