"""Watches a run: pings at its start and end, and sends a message if what is wrong has changed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reverse_etl.alerts.conditions import end_of_error, end_of_result
from reverse_etl.alerts.decisions import decide_message
from reverse_etl.alerts.message import build_message
from reverse_etl.alerts.receivers import find_receivers, send_message, send_ping
from reverse_etl.alerts.record import AlertRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from reverse_etl.alerts.conditions import RunEnd
    from reverse_etl.alerts.decisions import MessageDecision, Reported
    from reverse_etl.config.notify import Notify
    from reverse_etl.config.target import Target
    from reverse_etl.delivery.results import RunResult

_SUCCESS_EXIT_CODES: Final = frozenset({0, 1})  # rows that need attention are no failure of the job


@dataclass
class RunWatch:
    """A watched run, and how it ended."""

    end: RunEnd | None = None

    def record_result(self, result: RunResult, *, strict: bool) -> None:
        """Take the result of the run."""
        self.end = end_of_result(result, strict=strict)


@dataclass(frozen=True)
class WatchedModels:
    """The names of the models that a run selects, and of all models of the project."""

    selected: Collection[str]
    known: Collection[str]


@contextmanager
def watch_run(
    target: Target,
    models: WatchedModels,
    on_warning: Callable[[str], None],
    is_interrupted: Callable[[], bool],
) -> Iterator[RunWatch]:
    """Report how the run inside ends. Never changes how it ends: a message that can't be sent is a warning.

    So is a receiver whose variable is not set, before the run. An interruption sends nothing: the pings stop,
    and that is what a dead man's switch is for.
    """
    watch, notify = RunWatch(), target.destination.notify
    for problem in target.destination.unset_receivers:
        on_warning(
            f"{problem.where}: {problem.summary} This run sends no alert there. {problem.hint}".strip()
        )
    if notify is None:
        yield watch
        return
    alerts = _RunAlerts(notify, target, models, on_warning)
    alerts.ping(notify.ping.start)
    try:
        yield watch
    except Exception as error:
        if not is_interrupted():
            alerts.report(end_of_error(error, models.selected))
        raise
    if watch.end:
        alerts.report(watch.end)


@dataclass(frozen=True)
class _RunAlerts:
    notify: Notify
    target: Target
    models: WatchedModels
    on_warning: Callable[[str], None]

    def report(self, end: RunEnd) -> None:
        """Ping, and send a message if what is wrong has changed since the last one."""
        record = AlertRecord.of(self.target.path.parent, self.target.profile, self.target.name)
        reported = record.read()
        decision = decide_message(end, reported, self.notify.kinds, self.models.known)
        after = decision.if_sent if self._send(decision, end) else decision.if_unsent
        if after != reported:
            self._write(record, after)
        ping = self.notify.ping
        self.ping(ping.success if end.exit_code in _SUCCESS_EXIT_CODES else ping.failure)

    def _send(self, decision: MessageDecision, end: RunEnd) -> bool:
        """Send a message, if there is one; returns whether a receiver took it, or none was needed."""
        receivers = [*find_receivers(self.notify)]
        if decision.kind is None:
            return True
        if not receivers:
            return not self.target.destination.unset_receivers
        message = build_message(decision, end, self.target.profile, self.target.name)
        failures = [(receiver.name, send_message(receiver, message)) for receiver in receivers]
        for name, failure in failures:
            if failure:
                self.on_warning(f"The alert to {name} could not be sent: {failure}.")
        return any(not failure for _, failure in failures)

    def ping(self, url: str) -> None:
        """Call an address, if there is one."""
        if url and (failure := send_ping(url)):
            self.on_warning(f"A ping could not be sent: {failure}.")

    def _write(self, record: AlertRecord, reported: Reported) -> None:
        try:
            record.write(reported)
        except OSError as error:
            self.on_warning(f"The record of alerts could not be written: {error.strerror}.")
