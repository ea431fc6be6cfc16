"""The file of what was reported: so that a condition that lasts is reported once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from reverse_etl.alerts.conditions import Cause, Subject
from reverse_etl.alerts.decisions import Reported, ReportedCause
from reverse_etl.config.notify import AlertKind
from reverse_etl.files import RECORDS_FOLDER, write_in_ignored_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

_VERSION: Final = 2
_VERSION_WITHOUT_CAUSES: Final = 1  # also without held rows


@dataclass(frozen=True)
class AlertRecord:
    """The file of what was reported, one for each profile and target."""

    path: Path

    @classmethod
    def of(cls, profiles_folder: Path, profile: str, target: str) -> AlertRecord:
        """Return the record of a target."""
        words = "_".join(re.sub("[^A-Za-z0-9]+", "_", word) for word in (profile, target))
        digest = hashlib.sha256(f"{profile}\0{target}".encode(errors="surrogatepass")).hexdigest()[:8]
        return cls(profiles_folder / RECORDS_FOLDER / f"alerts_{words}_{digest}.json")

    def read(self) -> Reported:
        """Return what was reported; nothing without a file that can be read: then it is reported again."""
        try:
            content = orjson.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return Reported()
        match content:
            case {"version": version, "sent": [*sent], "unsent": [*unsent], **others} if version in {
                _VERSION,
                _VERSION_WITHOUT_CAUSES,
            }:
                return Reported(
                    _parse_causes(sent), _parse_causes(unsent), _parse_held_rows(others.get("held_rows"))
                )
        return Reported()

    def write(self, reported: Reported) -> None:
        """Replace what was reported. Raises OSError."""
        content = {
            "version": _VERSION,
            "sent": _causes_document(reported.sent),
            "unsent": _causes_document(reported.unsent),
            "held_rows": _held_rows_document(reported.held_rows),
        }
        write_in_ignored_folder(self.path, orjson.dumps(content, option=orjson.OPT_INDENT_2))


def _causes_document(causes: Collection[ReportedCause]) -> list[list[str]]:
    return sorted([*_subject_document(reported.subject), reported.cause or ""] for reported in causes)


def _held_rows_document(held_rows: Mapping[Subject, int]) -> list[list[str | int]]:
    return [[*_subject_document(subject), held_rows[subject]] for subject in sorted(held_rows)]


def _subject_document(subject: Subject) -> list[str]:
    return [subject.kind.value, subject.model, subject.list_name]


def _parse_causes(entries: Collection[object]) -> frozenset[ReportedCause]:
    return frozenset(reported for entry in entries if (reported := _parse_cause(entry)))


def _parse_cause(entry: object) -> ReportedCause | None:
    """Return the cause of an entry. One that only a later version knows is any cause."""
    match entry:
        case [str(kind), str(model), str(list_name), *cause] if kind in set(AlertKind):
            name = cause[0] if cause else None
            known = Cause(name) if isinstance(name, str) and name in set(Cause) else None
            return ReportedCause(Subject(AlertKind(kind), model, list_name), known)
    return None


def _parse_held_rows(entries: object) -> dict[Subject, int]:
    held_rows: dict[Subject, int] = {}
    for entry in entries if isinstance(entries, list) else ():
        match entry:
            case [str(kind), str(model), str(list_name), int(rows)] if kind in set(AlertKind):
                held_rows[Subject(AlertKind(kind), model, list_name)] = rows
    return held_rows
