"""Lists that a model drove once and drives no more: what is on them is shown, and never removed unasked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.state import State


def max_rows(applied: Mapping[str, int], uncertain: Mapping[str, int]) -> dict[str, int]:
    """Return at least how many rows a model has, or may have, on each list; some may be both."""
    list_ids = {**applied, **uncertain}
    return {list_id: max(applied.get(list_id, 0), uncertain.get(list_id, 0)) for list_id in list_ids}


@dataclass(frozen=True)
class Orphan:
    """A list that a model drove before, and the rows that it put there.

    `model_deleted` says that the model itself is no more; `owner` is the other model that drives the list
    now, '' where there is none. `list_deleted` says that Klaviyo has no such list any more: nothing is left
    to do then.
    """

    model: str
    list_id: str
    list_name: str
    rows: int
    model_deleted: bool = False
    owner: str = ""
    list_deleted: bool = False

    def describe(self) -> str:
        """Return what people are told of it, with the next step."""
        who = f"{self.model}, a model that is gone," if self.model_deleted else self.model
        drove = f"{who} drove the list {self.list_name!r} ({self.list_id}) before"
        if self.list_deleted:
            return f"{drove}; it is no longer in Klaviyo, and nothing is left to do."
        stays = f"what it put there ({format_count(self.rows, 'row')}) stays"
        if self.owner:
            return (
                f"{drove}, and {self.owner} drives it now: {stays}, whether {self.owner} wants it or not. "
                f"To let {self.owner} decide: reverse-etl adopt --select {self.owner}"
            )
        again = (
            f"bring the model {self.model} back"
            if self.model_deleted
            else f"name it in {self.model} again: list_id='{self.list_id}'"
        )
        return (
            f"{drove}: {stays}, and no run removes it. If nobody needs that list, delete it in Klaviyo; "
            f"to drive it again, {again}."
        )


def rename_warning(state: State) -> tuple[str, ...]:
    """Return what people are told of a project that never sent anything, where other projects did."""
    other_projects = () if state.models() else state.other_projects()
    if not other_projects:
        return ()
    current_name, other_names = state.scope.project, " or ".join(other_projects)
    warning = (
        f"Nothing was ever sent as {current_name}; what is kept was sent as {other_names}. If that is "
        "this project by its "
        "old name, give the profile that name again: under another, every row counts as new, and nobody who "
        "has left since is taken off."
    )
    return (warning,)
