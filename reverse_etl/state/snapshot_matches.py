"""When each model's rows last equalled the snapshot, and what it read, so that it need not be read again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.state.tables import reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.state.tables import StateTables
    from reverse_etl.warehouse.statement import Statement

_NO_MODEL: Final = ""  # the row of the table that is of all models


@dataclass(frozen=True)
class ModelSources:
    """The tables, views and settings that a model's rows depend on, as they were before the rows were read.

    `fingerprint` changes with the compiled SQL, the variables, the config, the output and this program.
    `versions` has the version of each table and view, by its full name, and those of the model's tables in
    the state.
    """

    fingerprint: str
    versions: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class LastComparison:
    """Why a model is skipped: the run that last compared all of its rows, and when."""

    run_id: str
    compared_at: str

    def describe(self) -> str:
        """Return why the model is skipped, for people."""
        time = self.compared_at[:16].replace("T", " ")
        return f"nothing it reads has changed since run {self.run_id} at {time} UTC"

    def to_json(self) -> dict[str, str]:
        """Return the comparison as JSON has it, in the state too."""
        return {"run_id": self.run_id, "compared_at": self.compared_at}


@dataclass(frozen=True)
class SnapshotMatch:
    """A full comparison in which all rows of a model equalled the snapshot, and nothing was open.

    It was made by the run `run_id` at `compared_at`. `rows` counts the rows by the name of their list, ''
    for a model with one; `snapshot_rows` counts them by list id.
    """

    run_id: str
    compared_at: str
    sources: ModelSources
    rows: Mapping[str, int]
    snapshot_rows: Mapping[str, int]


@dataclass(frozen=True)
class SnapshotMatches:
    """The comparisons of one account and project that still hold. One row, which each run replaces.

    They hold only for the run after the one that stored them: what no run did, such as `adopt`, deletes them.
    """

    state_tables: StateTables
    _changed_models: set[str] = field(default_factory=set, compare=False)

    @reading("comparisons")
    def load(self, newest_run_id: str) -> Mapping[str, SnapshotMatch]:
        """Return the comparisons by model; none if another run than the newest one stored them."""
        tables = self.state_tables
        rows = tables.read("comparisons", "evidence", "model", **tables.in_scope, model=_NO_MODEL)
        if not rows or not rows[0][0]:
            return {}
        content = orjson.loads(rows[0][0])
        if content["run_id"] != newest_run_id:
            return {}
        return {name: _from_json(entry) for name, entry in content["models"].items()}

    def record(self, run_id: str, matches: Mapping[str, SnapshotMatch]) -> None:
        """Replace the comparisons, at the end of a run that settled. May be repeated.

        Those of models whose rows `mark_changed` names hold no more.
        """
        tables = self.state_tables
        models = {
            name: _to_json(entry)
            for name, entry in sorted(matches.items())
            if name not in self._changed_models
        }
        evidence = orjson.dumps({"run_id": run_id, "models": models}).decode()
        now = tables.now()
        row = (*tables.scope.key, _NO_MODEL, "", now, now, evidence)
        tables.commit((self._delete(), *tables.insert("comparisons", [row])))

    def mark_changed(self, model: str) -> None:
        """Let the comparison of a model hold no more: this run changed rows without a plan of it."""
        self._changed_models.add(model)

    def forget(self) -> None:
        """Delete the comparisons: something changed rows of the state, or will. May be repeated."""
        self.state_tables.execute(self._delete())

    def _delete(self) -> Statement:
        return self.state_tables.delete("comparisons", **self.state_tables.in_scope, model=_NO_MODEL)


def _to_json(entry: SnapshotMatch) -> dict[str, Any]:
    return {
        "run_id": entry.run_id,
        "compared_at": entry.compared_at,
        "sources": {"fingerprint": entry.sources.fingerprint, "versions": dict(entry.sources.versions)},
        "rows": dict(entry.rows),
        "snapshot_rows": dict(entry.snapshot_rows),
    }


def _from_json(entry: Mapping[str, Any]) -> SnapshotMatch:
    return SnapshotMatch(**{**entry, "sources": ModelSources(**entry["sources"])})
