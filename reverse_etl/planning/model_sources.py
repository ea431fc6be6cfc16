"""Finds out what models read, and what shows whether it changes: tables, and views down to their tables."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl import __version__
from reverse_etl.models.repeatable_sql import NotRepeatable, read_repeatable
from reverse_etl.state.snapshot_matches import ModelSources
from reverse_etl.surfaces.interface import DiffKind
from reverse_etl.warehouse.relation_facts import RelationName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reverse_etl.config.target import Output
    from reverse_etl.models.model import Model
    from reverse_etl.state import ModelRecord, State
    from reverse_etl.surfaces.interface import Surface
    from reverse_etl.warehouse.interface import Warehouse
    from reverse_etl.warehouse.relation_facts import RelationFacts

_MAX_DEPTH: Final = 20  # views on views
# The settings of an output that change what SQL means or which tables a name means. None is a secret.
_OUTPUT_SETTINGS: Final = ("type", "path", "database", "schema", "role", "session_parameters", "settings")


@dataclass(frozen=True)
class SourceReader:
    """Reads what models depend on, level by level of views, for all models together."""

    warehouse: Warehouse
    state: State
    output: Output

    def read(self, models: Sequence[Model]) -> Iterator[tuple[Model, ModelSources | str]]:
        """Yield each model with its sources, or with why they are not known."""
        records = self.state.models.records()
        tables: dict[str, frozenset[RelationName]] = {}
        reasons: dict[str, str] = {}
        for model in models:
            reason = _find_reason_to_read(model, records.get(model.name))
            names = read_repeatable(model.sql, self.output.type) if not reason else frozenset()
            if isinstance(names, NotRepeatable):
                reason = f"it has {names.what}"
            else:
                tables[model.name] = names
            if reason:
                reasons[model.name] = reason
        candidates = [model for model in models if model.name not in reasons]
        facts = self._read_facts({name for model in candidates for name in tables[model.name]})
        states = self._read_state_versions(candidates, records)
        for model in models:
            if model.name in reasons:
                yield model, reasons[model.name]
                continue
            versions = collect_versions(tables[model.name], facts, self.output)
            state_versions = states.get(model.name) if states is not None else None
            if isinstance(versions, str):
                yield model, versions
            elif state_versions is None:
                yield model, "changes of its tables in the state are not known"
            else:
                fingerprint = _compute_fingerprint(model, records[model.name], self.output)
                yield model, ModelSources(fingerprint, {**versions, **state_versions})

    def _read_facts(self, names: Iterable[RelationName]) -> dict[RelationName, RelationFacts]:
        """Return the facts of tables and views, and of those below the views."""
        facts: dict[RelationName, RelationFacts] = {}
        waiting = {*names}
        for _ in range(_MAX_DEPTH):
            level = self.warehouse.read_relation_facts(sorted(waiting, key=str)) if waiting else {}
            facts |= level
            below = {
                name
                for relation in level.values()
                if relation.view_sql
                for name in read_view(relation, self.output) or ()
            }
            waiting = below - facts.keys()
            if not waiting:
                break
        return facts

    def _read_state_versions(
        self, models: Sequence[Model], records: Mapping[str, ModelRecord]
    ) -> Mapping[str, Mapping[str, str]] | None:
        """Return the version of each model's snapshot, by model; None if they are not known."""
        names = [f"snapshot_{records[model.name].table_key}" for model in models]
        versions = self.warehouse.read_state_versions([*map(self.warehouse.dialect.state_table, names)])
        if versions is None:
            return None
        return {
            model.name: {name: version} if version else {}
            for model, name, version in zip(models, names, versions, strict=True)
        }


def read_view(relation: RelationFacts, output: Output) -> frozenset[RelationName] | None:
    """Return the tables below a view, in its schema if they name none; None if it is not repeatable."""
    names = read_repeatable(relation.view_sql, output.type)
    if isinstance(names, NotRepeatable):
        return None
    full = relation.full_name
    return frozenset(
        RelationName(name.database or full.database, name.schema or full.schema, name.name) for name in names
    )


def collect_versions(
    names: Iterable[RelationName], facts: Mapping[RelationName, RelationFacts], output: Output
) -> dict[str, str] | str:
    """Return the version of each table and view that is read, by its full name; or why one is not known."""
    versions: dict[str, str] = {}
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        relation = facts.get(name)
        if relation is None or not relation.version:
            return f"it is not known whether {name} has changed"
        full_name = str(relation.full_name)
        if full_name in versions:
            continue
        view_digest = hashlib.sha256(relation.view_sql.encode()).hexdigest() if relation.view_sql else ""
        versions[full_name] = " ".join(filter(None, (relation.version, view_digest)))
        if relation.view_sql:
            below = read_view(relation, output)
            if below is None:
                return f"the view {name} may return other rows although nothing changed"
            waiting += below
    return versions


def _find_reason_to_read(model: Model, record: ModelRecord | None) -> str:
    """Return why a model is always read, '' if it may be skipped."""
    if record is None or record.checksum != model.checksum:
        return "it was never sent as it is now"
    if model.state_reads:
        return "it reads tables of the state"
    if not depends_on_rows_alone(model.config.surface):
        return "its surface decides by the time, or about other models' people"
    return ""


def depends_on_rows_alone(surface: Surface) -> bool:
    """Return whether unchanged rows of a surface need nothing, and no other model needs them read.

    That is not so where the time decides, as for events, and for models that suppress, unsubscribe, subscribe
    or delete people: other models look among their rows.
    """
    remove = surface.remove
    return not (
        surface.diff is not DiffKind.STATE
        or surface.event_rules is not None
        or surface.columns.past_times
        or surface.described_by_model
        or surface.upsert.once
        or surface.upsert.changes_known_people
        or surface.asks_for_consent
        or surface.suppresses_people
        or surface.deletes_people
        or (remove is not None and remove.unsubscribes)
    )


def _compute_fingerprint(model: Model, record: ModelRecord, output: Output) -> str:
    settings: dict[str, Any] = {key: output.settings.get(key) for key in _OUTPUT_SETTINGS}
    content = [__version__, model.checksum, model.query, record.table_key, record.identifiers, settings]
    return hashlib.sha256(orjson.dumps(content, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()
