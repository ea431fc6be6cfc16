"""The newest run of a project, kept outside of the state: a state that lacks it was put back from a backup.

The file lies in the folder `.reverse_etl` beside profiles.yml, one for each account, project and target.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
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
    """The file that names the newest run of an account, project and target, in the folder of profiles.yml."""

    profiles_folder: Path
    scope: StateScope
    target: str

    @property
    def path(self) -> Path:
        """Return the path of the file; its name tells it from those of other accounts."""
        project, target = self.scope.project, self.target
        words = "_".join(re.sub("[^a-z0-9]+", "_", word.lower()) for word in (project, target))
        digest = hashlib.sha256("\0".join((*self.scope.key, target)).encode()).hexdigest()[:8]
        return self.profiles_folder / RECORDS_FOLDER / f"last_run_{words}_{digest}.json"

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

    def copy_from(self, scope: StateScope) -> None:
        """Take over the record of another project, readable or not, if there is one.

        Raises UsageError if it cannot be copied.
        """
        source = replace(self, scope=scope).path
        try:
            if source.exists():
                write_in_ignored_folder(self.path, source.read_bytes())
        except OSError as error:
            raise UsageError.of(
                f"The record of the last run cannot be copied: {error}.",
                where=format_location(source),
                hint="Let your user read it and write to its folder. Then run the command again.",
            ) from error
