"""Moves what the state has of a project to another name: its profile was renamed."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reverse_etl.errors import UsageError
from reverse_etl.parsing.suggestions import did_you_mean
from reverse_etl.state.lease import Lease
from reverse_etl.state.sql.schema import shared_tables_with
from reverse_etl.state.tables import StateScope, StateTables

if TYPE_CHECKING:
    from reverse_etl.state.store import State

# The other tables belong to runs or models of these. The leases are those of the processes that hold them.
_OF_PROJECTS: Final = tuple(table for table in shared_tables_with("project") if table != "lease")


def move_project(state: State, old_name: str) -> tuple[str, ...]:
    """Give all that the state has of another project to this one, and return the names of its models.

    One transaction, for all accounts; the records of the last run go along. Hold the lease of this project.
    Raises UsageError if the state has nothing of the other project, or sent models of both.
    """
    new_name, where = state.scope.project, f"reverse-etl state move --from-profile {old_name}"
    rows = state.tables.read("models", "account_id, project, model", "account_id, project, model")
    projects = {project for _, project, _ in rows}
    if old_name not in projects or old_name == new_name:
        other_projects = sorted(projects - {new_name})
        raise UsageError.of(
            f"The state has no other profile {old_name}.",
            where=where,
            hint=did_you_mean(old_name, other_projects)
            or f"It has {' and '.join(other_projects) or 'no other profile at all'}.",
        )
    if new_name in projects:
        raise UsageError.of(
            f"The state has rows of both profiles, {old_name} and {new_name}. Nothing shows which are right.",
            where=where,
            hint=f"Rename the profile back to {old_name}: its rows know which members it added. The rows of "
            f"{new_name} then do no harm.",
        )
    scopes = {StateScope(account, project) for account, project, _ in rows if project == old_name}
    with ExitStack() as leases:
        for scope in sorted(scopes, key=lambda scope: scope.key):
            other_tables = StateTables(state.tables.warehouse, scope, state.clock)
            leases.enter_context(Lease(other_tables).hold())
            if state.last_run_file is not None:  # before the rows: they must not be without it
                own_scope = replace(scope, project=new_name)
                replace(state.last_run_file, scope=own_scope).copy_from(scope)
        state.tables.commit(
            state.tables.update(table, {"project": new_name}, project=old_name) for table in _OF_PROJECTS
        )
    return tuple(sorted({model for _, project, model in rows if project == old_name}))
