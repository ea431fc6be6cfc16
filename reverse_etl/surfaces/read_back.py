"""How `reconcile` reads back what the rows of a surface did: by whole sets of people, or row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

if TYPE_CHECKING:
    from reverse_etl.klaviyo.consents import Channel


@dataclass(frozen=True)
class ReadMembers:
    """All members of the list are read. `words` say of a person that Klaviyo shows what a row asked for."""

    words: ClassVar = "on the list"


@dataclass(frozen=True)
class ReadSuppressions:
    """All people whose e-mail is suppressed by hand or by a job are read."""

    words: ClassVar = "suppressed"


@dataclass(frozen=True)
class ReadConsents:
    """The consent of the rows' people is read, and nobody else's: most subscribers have no row."""

    channel: Channel
    words: ClassVar = "subscribed"


ReadBack: TypeAlias = ReadMembers | ReadSuppressions | ReadConsents
