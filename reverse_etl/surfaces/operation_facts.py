"""The facts that other code reads of every operation, of whatever class."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.domain.identifiers import IdentifierType


@dataclass(frozen=True)
class RowCounts:
    """The rows of a list that are to be sent and to be removed.

    `removes_by_identifier` counts the removes that have an identifier of each type. `clears` of the upserts
    have values to clear.
    `has_list` is whether the rows are of a list.
    """

    upserts: int
    removes: int
    removes_by_identifier: Mapping[IdentifierType, int]
    clears: int = 0
    has_list: bool = True


class ProofKind(Enum):
    """The proof that a row is applied."""

    REPLY = "the reply"
    JOB = "the finished job"
    READ_BACK = "a read-back"
    NONE = "none (202)"  # Klaviyo takes the request, and nothing shows what came of it


class OperationFacts:
    """The facts of an operation, as they are unless its class overrides them."""

    runs_together: ClassVar = False  # lists that share nobody are sent at the same time
    unsubscribes: ClassVar = False  # the person has to be a member of the list until it is sent
    identifier_errors_are_of_rows: ClassVar = False  # also if all rows of a list have them

    @property
    def creates_people(self) -> bool:
        """Return whether people that Klaviyo does not know become profiles by it."""
        return False

    @property
    def changes_known_people(self) -> bool:
        """Return whether it creates nobody: unknown people are kept and looked up again."""
        return False

    @property
    def once(self) -> bool:
        """Return whether one of the requests must not be sent again after a lost reply."""
        return False

    @property
    def is_retired(self) -> bool:
        """Return whether Klaviyo retired one of the endpoints."""
        return False

    @property
    def keeps_responses(self) -> bool:
        """Return whether Klaviyo's responses are kept for other models."""
        return False

    def describe_requests(self) -> dict[str, Any]:
        """Return the requests that the model describes, as JSON values by which a changed model is known."""
        return {}
