"""Writing the record of a run, whatever becomes of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import orjson

from reverse_etl.errors import UsageError
from reverse_etl.files import put
from reverse_etl.moments import moment
from reverse_etl.records.shape import Told, manifest, refused_results, run_results

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reverse_etl.clock import Clock
    from reverse_etl.models.model import Model
    from reverse_etl.run import RunResult
    from reverse_etl.target import Target


@dataclass
class Record:
    """Around a run: writes manifest.json and run_results.json to `folder` when it has ended or failed.

    Give it the `result` before it ends. A run that was not started, since something about it is wrong, leaves
    what an earlier one wrote. Each file is replaced as a whole. Where the folder cannot be written the run
    goes on all the same: its lists are what counts.
    """

    folder: Path
    project: str
    target: Target
    models: Sequence[Model]
    selected: Sequence[Model]
    clock: Clock
    result: RunResult | None = None
    _began: float = 0.0

    def __enter__(self) -> Self:
        self._began = self.clock.now()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, UsageError):
            return
        told = self._told()
        results = (
            run_results(self.selected, self.result, told)
            if self.result is not None
            else refused_results(self.selected, error or RuntimeError(), told)
        )
        with suppress(OSError):
            put(self.folder / "manifest.json", _json(manifest(self.models, told)))
            put(self.folder / "run_results.json", _json(results))

    def _told(self) -> Told:
        ended = self.clock.now()
        return Told(
            project=self.project,
            adapter=str(self.target.output.type),
            target=self.target.name,
            run_id=self.result.run_id if self.result else "",
            began=moment(self._began),
            ended=moment(ended),
            seconds=ended - self._began,
        )


def _json(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)
