"""A model as it was last sent, and as a run sets out to send it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reverse_etl.sql.shape import Shape


@dataclass(frozen=True)
class SentModel:
    """A model as it was last sent. `identifiers` is the mapping of types to columns, in order."""

    name: str
    table_key: str
    surface: str
    identifiers: tuple[tuple[str, str], ...]
    checksum: str


@dataclass(frozen=True)
class Begun:
    """A model of a run that is about to send: what is noted of it, its shape, whether it is keyed anew."""

    model: SentModel
    shape: Shape
    rekeyed: bool
