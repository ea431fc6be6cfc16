"""The conditions that were reported, in a file: so that a condition that lasts is reported once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from reverse_etl.alerts.conditions import Reported, Subject
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
        digest = hashlib.sha256(f"{profile}\0{target}".encode(errors="surrogatepass")).hexdigest()[:8]
        return cls(profiles_folder / RECORDS_FOLDER / f"alerts_{words}_{digest}.json")

    def read(self) -> Reported:
        """Return the conditions; none if there is no file that can be read: they are reported again."""
        try:
            content = orjson.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return Reported()
        match content:
            case {"version": version, "sent": [*sent], "unsent": [*unsent]} if version == _VERSION:
                return Reported(_parse_subjects(sent), _parse_subjects(unsent))
        return Reported()

    def write(self, reported: Reported) -> None:
        """Replace the conditions. Raises OSError."""
        content = {
            "version": _VERSION,
            "sent": _subjects_document(reported.sent),
            "unsent": _subjects_document(reported.unsent),
        }
        write_in_ignored_folder(self.path, orjson.dumps(content, option=orjson.OPT_INDENT_2))


def _subjects_document(subjects: Collection[Subject]) -> list[list[str]]:
    return [[subject.kind.value, subject.model, subject.list_name] for subject in sorted(subjects)]


def _parse_subjects(entries: Collection[object]) -> frozenset[Subject]:
    return frozenset(subject for entry in entries if (subject := _parse_subject(entry)))


def _parse_subject(entry: object) -> Subject | None:
    match entry:
        case [str(kind), str(model), str(list_name)] if kind in set(AlertKind):
            return Subject(AlertKind(kind), model, list_name)
    return None
