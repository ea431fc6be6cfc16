"""Which conditions were reported, in a file: so that a condition that lasts is reported once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from reverse_etl.alerts.conditions import Subject
from reverse_etl.config.notify import AlertKind
from reverse_etl.files import RECORDS_FOLDER, write_in_ignored_folder

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_VERSION: Final = 1


@dataclass(frozen=True)
class AlertRecord:
    """The file of the conditions that were reported, one for each profile and target."""

    path: Path

    @classmethod
    def of(cls, profiles_folder: Path, profile: str, target: str) -> AlertRecord:
        """Return the record of a target."""
        words = "_".join(re.sub("[^A-Za-z0-9]+", "_", word) for word in (profile, target))
        return cls(profiles_folder / RECORDS_FOLDER / f"alerts_{words}.json")

    def read(self) -> frozenset[Subject]:
        """Return the conditions; none if there is no file that can be read: they are reported again."""
        try:
            content = orjson.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return frozenset()
        match content:
            case {"version": version, "reported": [*entries]} if version == _VERSION:
                return frozenset(subject for entry in entries if (subject := _parse_subject(entry)))
        return frozenset()

    def write(self, reported: Collection[Subject]) -> None:
        """Replace the conditions. Raises OSError."""
        entries = [[one.kind.value, one.model, one.list_name] for one in sorted(reported)]
        content = orjson.dumps({"version": _VERSION, "reported": entries}, option=orjson.OPT_INDENT_2)
        write_in_ignored_folder(self.path, content)


def _parse_subject(entry: object) -> Subject | None:
    match entry:
        case [str(kind), str(model), str(list_name)] if kind in set(AlertKind):
            return Subject(AlertKind(kind), model, list_name)
    return None
