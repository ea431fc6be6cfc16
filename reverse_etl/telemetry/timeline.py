"""The timeline of a run: spans of it, its models, their lists and phases, without personal data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reverse_etl.domain.progress import (
    ClearProgress,
    JobProgress,
    ListDone,
    ModelStaged,
    Progress,
    RemoveProgress,
    SendProgress,
)
from reverse_etl.errors import ReverseEtlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reverse_etl.delivery.results import RunResult

FAILED_EXIT_CODES: Final = range(2, 256)
_PHASES: Final = {
    SendProgress: "send",
    JobProgress: "wait for jobs",
    ClearProgress: "clear",
    RemoveProgress: "remove",
}


@dataclass
class Span:
    """A named time, in seconds since the epoch. `rows` counts rows by outcome."""

    name: str
    start: float
    end: float
    attributes: dict[str, str | int] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    children: dict[str, Span] = field(default_factory=dict)

    def child(self, name: str, start: float, end: float) -> Span:
        """Return the child of a name, which lasts until `end` from now on; a new one begins at `start`."""
        span = self.children.setdefault(name, Span(name, start, end))
        span.end = max(span.end, end)
        return span

    def walk(self) -> Iterator[Span]:
        """Yield this span and all below it."""
        yield self
        for child in self.children.values():
            yield from child.walk()


class RunTimeline:
    """Records what a run reports, as spans. `now` returns seconds since the epoch."""

    def __init__(self, now: Callable[[], float], **attributes: str) -> None:
        self._now = now
        started = now()
        self.run = Span("reverse_etl.run", started, started, dict(attributes))

    def record(self, progress: Progress) -> None:
        """Take a progress of the run."""
        now = self._now()
        match progress:
            case ModelStaged():
                model = self._find_model(progress.model, now - progress.seconds, now)
                model.attributes["reverse_etl.staged_rows"] = progress.rows
                model.child("stage", now - progress.seconds, now)
            case SendProgress() | JobProgress() | ClearProgress() | RemoveProgress():
                listed = self._find_list(progress.model, progress.list, now)
                listed.child(_PHASES[type(progress)], listed.end if listed.children else listed.start, now)
                listed.end = now
            case ListDone():
                listed = self._find_list(progress.model, progress.list, now)
                listed.rows = {name: rows for name, rows in progress.counts.items() if rows}
                listed.attributes |= {f"reverse_etl.rows.{name}": rows for name, rows in listed.rows.items()}
                listed.attributes["reverse_etl.stopped"] = int(bool(progress.stop_reason))
            case _:
                pass

    def fail(self, exit_code: int, error: Exception) -> Span:
        """End a run that raised an error, and return its span. A model that the error names failed."""
        run, now = self.finish(exit_code, None), self.run.end
        if isinstance(error, ReverseEtlError):
            run.attributes["reverse_etl.cause"] = error.cause_code
            if error.run_id:
                run.attributes["reverse_etl.run_id"] = error.run_id
            for name in sorted({name for problem in error.problems for name in problem.models}):
                self._find_model(name, run.start, now).attributes["reverse_etl.stopped"] = 1
        return run

    def finish(self, exit_code: int, result: RunResult | None) -> Span:
        """End the run and return its span."""
        self.run.end = self._now()
        self.run.attributes["reverse_etl.exit_code"] = exit_code
        if result is not None:
            self.run.attributes["reverse_etl.run_id"] = result.run_id
            self._record_stops(result)
        return self.run

    def _record_stops(self, result: RunResult) -> None:
        """Record of each model whether a list of it stopped: one with nothing to send reports nothing."""
        for list_result in result.lists:
            model = self.run.children.get(f"model {list_result.model}")
            if model is not None:
                earlier = model.attributes.get("reverse_etl.stopped", 0)
                model.attributes["reverse_etl.stopped"] = int(earlier or list_result.stop_cause is not None)

    def _find_model(self, name: str, start: float, now: float) -> Span:
        model = self.run.child(f"model {name}", start, now)
        model.attributes["reverse_etl.model"] = name
        return model

    def _find_list(self, model_name: str, name: str, now: float) -> Span:
        model = self._find_model(model_name, now, now)
        staged = model.children.get("stage")
        started = max((span.end for span in model.children.values()), default=staged.end if staged else now)
        listed = model.child(f"list {name}" if name else "rows", started, now)
        listed.attributes |= {"reverse_etl.model": model_name, "reverse_etl.list": name}
        return listed
