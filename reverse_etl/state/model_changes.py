"""Renames and forgets models: what the state has of a model gets another owner, or is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.errors import UsageError
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.state.runs import last_lists_by_model
from reverse_etl.state.sql import model_changes as sql
from reverse_etl.state.sql.schema import shared_tables_with

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from reverse_etl.state.model_record import ModelRecord
    from reverse_etl.state.store import State
    from reverse_etl.warehouse.statement import Statement

_JOURNAL = "journal"  # it outlives what it tells of, unless a user forgets that
_OF_LISTS = tuple(table for table in shared_tables_with("project", "model", "list_id") if table != _JOURNAL)
_WITHOUT_LISTS = tuple(
    table for table in shared_tables_with("project", "model", without="list_id") if table != "models"
)
_COMPARISONS = "comparisons"  # after a change of a model's rows, they say nothing of them
_COMMAND = "reverse-etl state"


@dataclass(frozen=True)
class MovedRows:
    """The rows of a list that were renamed or forgotten."""

    list_id: str
    list_name: str
    rows: int


def rename_model(
    state: State, project_models: Collection[str], old_name: str, new_name: str
) -> tuple[MovedRows, ...]:
    """Give a deleted model's rows, lists and rejections to the model that continues it.

    If the new model was sent already, it keeps its own rows and gets the others. Hold the lease. Raises
    UsageError if the old model still exists, or the new one does not.
    """
    records = state.models.records()
    record = _require_record(records, old_name, "rename")
    if old_name in project_models:
        raise UsageError.of(
            f"The project still has the model {old_name}.",
            where=f"{_COMMAND} rename {old_name} {new_name}",
            hint=f"Rename its file to {new_name} first.",
        )
    if new_name not in project_models:
        raise UsageError.of(
            f"The project has no model {new_name}.",
            where=f"{_COMMAND} rename {old_name} {new_name}",
            hint=did_you_mean(new_name, sorted(project_models)),
        )
    moved = _moved_rows(state, record)
    if new_name in records:
        _require_settled(state, f"rename {old_name} {new_name}")
        _merge(state, record, records[new_name])
    else:
        state.tables.commit(_rename_statements(state, old_name, new_name))
    return moved


def forget_model(
    state: State, project_models: Collection[str], name: str, list_id: str | None = None
) -> tuple[MovedRows, ...]:
    """Delete all that the state has of a deleted model, or of a list that a model no longer owns.

    The members stay on their lists, and no run removes them. May be repeated. Hold the lease. Raises
    UsageError if the model still exists, or still owns the list.
    """
    record = _require_record(state.models.records(), name, "forget")
    command = f"forget {name}" + (f" --list {list_id}" if list_id else "")
    _require_settled(state, command)
    if list_id is None and name in project_models:
        raise UsageError.of(
            f"The project still has the model {name}. If it were forgotten, the next run would send all its "
            "rows as new and never remove those who left.",
            where=f"{_COMMAND} {command}",
            hint=f"To forget a list that it no longer owns: {_COMMAND} forget {name} --list LIST_ID",
        )
    moved = tuple(rows for rows in _moved_rows(state, record) if list_id in {None, rows.list_id})
    if list_id is not None:
        owned = last_lists_by_model(state.runs.run_lists()).get(name, frozenset())
        if list_id in owned and name in project_models:
            raise UsageError.of(
                f"The model {name} owns the list {list_id}.",
                where=f"{_COMMAND} {command}",
                hint="Give the model another list first. To send it all its rows again: run --full-refresh",
            )
        if not moved:
            lists_text = ", ".join(
                f"{rows.list_id} ({rows.list_name})" for rows in _moved_rows(state, record)
            )
            raise UsageError.of(
                f"The model {name} has no rows on the list {list_id}.",
                where=f"{_COMMAND} {command}",
                hint=f"It has rows on {lists_text or 'no list'}.",
            )
    state.tables.commit((*_delete_rows(state, record, list_id), _delete_journal(state, name, list_id)))
    if list_id is None:
        _delete_model(state, record)
    return moved


def forget_list(state: State, record: ModelRecord, list_id: str) -> None:
    """Delete what the state has of a model's list, but for the journal. May be repeated."""
    state.tables.commit(_delete_rows(state, record, list_id))


def _require_record(records: Mapping[str, ModelRecord], name: str, command: str) -> ModelRecord:
    if name not in records:
        raise UsageError.of(
            f"The state has no model {name}.",
            where=f"{_COMMAND} {command} {name}",
            hint=did_you_mean(name, sorted(records)) or "Nothing was sent by a model of this name.",
        )
    return records[name]


def _require_settled(state: State, command: str) -> None:
    """Raise UsageError if an import of an earlier run may be in progress: the result needs its rows."""
    if state.runs.unfinished() or state.receipts.open_receipts():
        raise UsageError.of(
            "An earlier run is not finished: the results of its imports are missing.",
            where=f"{_COMMAND} {command}",
            hint="Collect them first: reverse-etl run",
        )


def _moved_rows(state: State, record: ModelRecord) -> tuple[MovedRows, ...]:
    applied, uncertain = state.models.rows_by_list(record.table_key)
    names = {entry.id: entry.name for entry in state.lists.registered()}
    return tuple(
        MovedRows(list_id, names.get(list_id, ""), max(applied.get(list_id, 0), uncertain.get(list_id, 0)))
        for list_id in sorted({**applied, **uncertain})
    )


def _rename_statements(state: State, old_name: str, new_name: str) -> Iterator[Statement]:
    """Yield the statements that give a model another name. Its own tables keep their names."""
    tables, changes = state.tables, {"model": new_name}
    for table in ("models", _JOURNAL, *_OF_LISTS, *_WITHOUT_LISTS):
        yield tables.update(table, changes, **tables.in_scope, model=old_name)
    for table in ("run_lists", "receipts", "row_exceptions", "row_outcomes"):
        yield sql.rename_in_runs(tables.dialect, table, tables.scope.key, old_name, new_name)


def _merge(state: State, record: ModelRecord, new_record: ModelRecord) -> None:
    """Move the rows of a model to another one that has rows of its own, and delete the first model.

    A process may be killed between the statements: the same command then completes the work. Keys of events
    that either of them forgot stay forgotten: a longer horizon must not send these events again.
    """
    tables = state.tables
    source, target = (state.models.load_tables(model_record) for model_record in (record, new_record))
    moved = [
        sql.renumber_journal(tables.dialect, tables.scope.key, record.name, new_record.name),
        *(
            tables.update(table, {"model": new_record.name}, **tables.in_scope, model=record.name)
            for table in ("lists", _JOURNAL, *_WITHOUT_LISTS)
            if table != _COMPARISONS
        ),
        tables.delete(_COMPARISONS, **tables.in_scope, model=new_record.name),
    ]
    merged = sql.merge_rows(target, source) if source and target else ()
    consents = sql.merge_consents(tables.dialect, tables.scope.key, record.name, new_record.name)
    pruned = max(filter(None, (record.pruned_before, new_record.pruned_before)), default=None)
    keep_pruned = tables.update("models", {"pruned_before": pruned}, **tables.in_scope, model=new_record.name)
    tables.commit((*merged, *moved, *consents, keep_pruned, *_delete_rows(state, record)))
    _delete_model(state, record)


def _delete_rows(state: State, record: ModelRecord, list_id: str | None = None) -> Iterator[Statement]:
    """Yield the statements that delete the rows of a model or of one of its lists, but for the journal."""
    tables = state.tables
    of_list = {} if list_id is None else {"list_id": list_id}
    for table in _OF_LISTS:
        yield tables.delete(table, **tables.in_scope, model=record.name, **of_list)
    for table in (_COMPARISONS,) if list_id else _WITHOUT_LISTS:
        yield tables.delete(table, **tables.in_scope, model=record.name)
    for name in state.models.stored_tables(record):
        yield sql.delete_rows(tables.dialect, name, list_id)


def _delete_journal(state: State, name: str, list_id: str | None) -> Statement:
    of_list = {} if list_id is None else {"list_id": list_id}
    return state.tables.delete(_JOURNAL, **state.tables.in_scope, model=name, **of_list)


def _delete_model(state: State, record: ModelRecord) -> None:
    """Drop the tables of a model whose rows are deleted, then the model: it stays until all else is gone."""
    tables = state.tables
    tables.execute(
        *(sql.drop_table(tables.dialect, name) for name in state.models.stored_tables(record)),
        tables.delete("models", **tables.in_scope, model=record.name),
    )
