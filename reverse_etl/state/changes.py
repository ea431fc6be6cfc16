"""Changes of the state that a user asks for: models are renamed or forgotten, an older state is trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.domain.progress import ignore_progress
from reverse_etl.state.model_changes import MovedRows, forget_model, rename_model
from reverse_etl.state.project_move import move_project
from reverse_etl.state.restored_state import trust_state

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextlib import AbstractContextManager

    from reverse_etl.domain.progress import ProgressHandler
    from reverse_etl.state.store import State


@dataclass(frozen=True)
class StateChanges:
    """The changes of a project's state; each holds the lease of its runs.

    `open_state` opens the state for changes. `move_from` moves a state from another place to where the
    target has it, and returns that place. `find_models` returns the names of the project's models.
    """

    open_state: Callable[[ProgressHandler], AbstractContextManager[State]]
    move_from: Callable[[str], str]
    find_models: Callable[[], Collection[str]]

    def rename(
        self, old_name: str, new_name: str, *, on_progress: ProgressHandler = ignore_progress
    ) -> tuple[MovedRows, ...]:
        """Give the rows of a model that was renamed to its new name; see `rename_model`."""
        names = self.find_models()
        with self.open_state(on_progress) as state:
            return rename_model(state, names, old_name, new_name)

    def forget(
        self, name: str, list_id: str | None = None, *, on_progress: ProgressHandler = ignore_progress
    ) -> tuple[MovedRows, ...]:
        """Delete a model, or one of its lists, from the state; see `forget_model`."""
        names = self.find_models()
        with self.open_state(on_progress) as state:
            return forget_model(state, names, name, list_id)

    def move_from_project(
        self, old_name: str, *, on_progress: ProgressHandler = ignore_progress
    ) -> tuple[str, ...]:
        """Let this project continue another one, since its profile was renamed; see `move_project`."""
        with self.open_state(on_progress) as state:
            return move_project(state, old_name)

    def trust(self, *, on_progress: ProgressHandler = ignore_progress) -> int:
        """Let later runs remove members again although the state may be an older one.

        Returns how many holds end. Signs of an older state that came before no longer count.
        """
        with self.open_state(on_progress) as state:
            return trust_state(state)
