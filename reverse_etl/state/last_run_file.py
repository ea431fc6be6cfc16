"""The newest run of a project, kept outside of the state: a state that lacks it was put back from a backup.

The file lies in the folder `.reverse_etl` beside profiles.yml, one for each account, project and target.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from reverse_etl.errors import UsageError
from reverse_etl.files import RECORDS_FOLDER, write_in_ignored_folder
from reverse_etl.formatting import format_location

if TYPE_CHECKING:
    from pathlib import Path

    from reverse_etl.state.tables import StateScope

_VERSION: Final = 1


@dataclass(frozen=True)
class LastRunFile:
    """The file that names the newest run of an account, project and target."""

    path: Path

    @classmethod
    def of(cls, profiles_folder: Path, scope: StateScope, target: str) -> LastRunFile:
        """Return the file of a target; its name tells it from those of other accounts."""
        words = "_".join(re.sub("[^a-z0-9]+", "_", word.lower()) for word in (scope.project, target))
        digest = hashlib.sha256("\0".join((*scope.key, target)).encode()).hexdigest()[:8]
        return cls(profiles_folder / RECORDS_FOLDER / f"last_run_{words}_{digest}.json")

    def read(self) -> str | None:
        """Return the id of the newest run, or None if there is no file.

        Raises UsageError if the file cannot be read, or is of another version.
        """
        try:
            content = orjson.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            content = None
        match content:
            case {"version": version, "run_id": str(run_id)} if version == _VERSION:
                return run_id
        raise UsageError.of(
            "The record of the last run cannot be read, or is of another version.",
            where=format_location(self.path),
        )

    def write(self, run_id: str) -> None:
        """Record the newest run. Raises OSError."""
        write_in_ignored_folder(self.path, orjson.dumps({"version": _VERSION, "run_id": run_id}))
