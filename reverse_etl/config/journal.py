"""The key `journal` of a destination: how long what came of each row is kept, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import Field, field_validator

from reverse_etl.parsing.durations import parse_duration
from reverse_etl.parsing.validation import AdviceError, StrictModel

_EXAMPLE: Final = "Write how long rows are kept, for example journal: 90d"


class Pii(StrEnum):
    """How much the journal keeps of identifiers and values.

    VALUES keeps them as they are. HASHED keeps keyed hashes. NONE keeps hashes of identifiers, by which a
    person is found and erased, and of changed columns only their names.
    """

    VALUES = "values"
    HASHED = "hashed"
    NONE = "none"


@dataclass(frozen=True)
class JournalSettings:
    """The journal that a destination keeps: rows older than `keep_seconds` are deleted."""

    keep_seconds: int
    pii: Pii = Pii.HASHED


class JournalInput(StrictModel):
    """The rendered key `journal`, written as a mapping."""

    keep: str
    pii: str = Field(default=Pii.HASHED.value, description=f"Write one of: {', '.join(Pii)}")

    @field_validator("keep")
    @classmethod
    def _validate_keep(cls, value: str) -> str:
        if parse_duration(value) is None:
            raise AdviceError(f"journal cannot be {value!r}.", _EXAMPLE)
        return value

    @field_validator("pii")
    @classmethod
    def _validate_pii(cls, value: str) -> str:
        if value not in list(Pii):
            raise AdviceError(f"journal.pii cannot be {value!r}.", f"Write one of: {', '.join(Pii)}")
        return value

    def build(self) -> JournalSettings:
        """Return the checked value."""
        return JournalSettings(parse_duration(self.keep) or 0, Pii(self.pii))


def expand_journal(value: Any) -> Any:
    """Return the key as a mapping; `journal: 90d` says only how long rows are kept."""
    return {"keep": value} if isinstance(value, str) else value
