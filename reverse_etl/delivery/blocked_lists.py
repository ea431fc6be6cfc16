"""Lists to which nothing may be sent, because an import of an earlier run has not ended."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class BlockedLists:
    """The lists with an open import of an earlier run, each with the reason why nothing may be sent to it.

    Rows of a surface without lists belong to their model instead.
    """

    reasons: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, model: str, list_id: str, reason: str) -> None:
        """Block a list. The first reason is kept."""
        self.reasons.setdefault(_key(model, list_id), reason)

    def find_reason(self, model: str, list_id: str) -> str | None:
        """Return why nothing may be sent to a list, or None."""
        return self.reasons.get(_key(model, list_id))


def _key(model: str, list_id: str) -> tuple[str, str]:
    return ("" if list_id else model), list_id
