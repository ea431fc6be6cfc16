"""Orphans: lists that a model has rows on but no longer owns. Their members are reported, never removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.state import State


def estimate_rows_by_list(applied: Mapping[str, int], uncertain: Mapping[str, int]) -> dict[str, int]:
    """Return a lower bound of a model's rows per list; a row may be both applied and uncertain."""
    list_ids = {**applied, **uncertain}
    return {list_id: max(applied.get(list_id, 0), uncertain.get(list_id, 0)) for list_id in list_ids}


@dataclass(frozen=True)
class Orphan:
    """A list that a model owned before, with the rows that the model has on it.

    `model_deleted` says that the model no longer exists; `owner` is the model that owns the list now, '' if
    none. `list_deleted` says that Klaviyo no longer has the list.
    """

    model: str
    list_id: str
    list_name: str
    rows: int
    model_deleted: bool = False
    owner: str = ""
    list_deleted: bool = False

    @property
    def _next_step(self) -> str:
        """Return what to do if another model owns the list now."""
        if self.model_deleted:
            return (
                f"If {self.owner} is the new name of the model: "
                f"reverse-etl state rename {self.model} {self.owner}. "
                f"To end this note: reverse-etl state forget {self.model}"
            )
        return (
            f"To let {self.owner} remove them: reverse-etl adopt --select {self.owner}. To end this note: "
            f"reverse-etl state forget {self.model} --list {self.list_id}"
        )

    def describe(self) -> str:
        """Return a note for the user, with the next step."""
        model = f"The deleted model {self.model}" if self.model_deleted else f"The model {self.model}"
        target = f"the list {self.list_name!r} ({self.list_id})"
        if self.list_deleted:
            return f"{model} owned {target} before. Klaviyo no longer has this list; a run forgets its rows."
        rows = format_count(self.rows, "row")
        if self.owner:
            return (
                f"{model} has {rows} on {target}, which {self.owner} owns now. These members stay even if "
                f"{self.owner} does not return them. {self._next_step}"
            )
        note = f"{model} has {rows} on {target} but no longer owns it. No run removes these members."
        if self.model_deleted:
            return (
                f"{note} If the model was renamed: reverse-etl state rename {self.model} NEW_NAME. If nobody "
                f"needs the list, delete it in Klaviyo. To end this note: "
                f"reverse-etl state forget {self.model}"
            )
        return (
            f"{note} If nobody needs the list, delete it in Klaviyo; to own it again, set "
            f"list_id='{self.list_id}' in {self.model}. To end this note: "
            f"reverse-etl state forget {self.model} --list {self.list_id}"
        )


def rename_warning(state: State) -> tuple[str, ...]:
    """Return a warning if this project has no state but other projects in the same state do."""
    other_projects = () if state.models.records() else state.models.other_projects()
    if not other_projects:
        return ()
    current_name, other_names = state.scope.project, " or ".join(other_projects)
    warning = (
        f"The state has no rows of the profile {current_name}, but rows of {other_names}. If you renamed the "
        "profile, every row counts as new, and members who left the model since the last run are never "
        f"removed. Before you run: reverse-etl state move --from-profile {other_projects[0]}"
    )
    return (warning,)
