"""`reverse-etl debug --notify`: send a test message to each receiver of alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reverse_etl.alerts.message import build_test_message
from reverse_etl.alerts.receivers import find_receivers, send_message
from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.errors import Problem, UsageError
from reverse_etl.formatting import format_location

if TYPE_CHECKING:
    from reverse_etl.config.target import Target

_MISTAKE, _FAILED = 2, 4
_WIDTH: Final = 12  # of the column of names


def send_test_message(target: Target) -> int:
    """Send a message to each receiver and print what came of it; returns the exit code.

    Raises UsageError if the destination names no receiver.
    """
    notify = target.destination.notify
    receivers = [*find_receivers(notify)] if notify else []
    unset = target.destination.unset_receivers
    if not receivers and not unset:
        raise UsageError.of(
            f"The destination {target.name} has no urls and no webhooks in notify.",
            where=format_location(target.path),
            hint="Add notify: {urls: [...]} to it, as docs/alerts.md shows.",
        )
    message = build_test_message(target.profile, target.name)
    failures = 0
    for receiver in receivers:
        failure = send_message(receiver, message)
        failures += bool(failure)
        show.print_mapping({receiver.name: f"failed: {failure}" if failure else "sent"}, _WIDTH)
    problems = [*unset]
    if failures:
        hint = "Check the address of each that failed, and its key."
        problems.append(Problem("Not every alert could be sent.", format_location(target.path), hint))
    if not problems:
        return 0
    exit_code = _FAILED if failures else _MISTAKE
    terminal.print_problems(problems, exit_code)
    return exit_code
