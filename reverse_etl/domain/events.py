"""What a run tells while it goes on, for people to watch; nothing depends on who listens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Warned:
    """Something does not stop the run, and people should know it."""

    text: str


@dataclass(frozen=True)
class ModelStaged:
    """A model was staged."""

    model: str
    rows: int
    seconds: float


@dataclass(frozen=True)
class RecoveryStarted:
    """What earlier runs left open is being settled."""

    runs: int
    open_jobs: int


@dataclass(frozen=True)
class ListCreated:
    """A list was created at the destination."""

    name: str
    list_id: str


@dataclass(frozen=True)
class SendProgress:
    """So many of a list's upserts have been taken by the destination."""

    model: str
    list: str
    rows: int
    total: int


@dataclass(frozen=True)
class JobProgress:
    """So many import jobs of a list have not ended yet."""

    model: str
    list: str
    open_jobs: int


@dataclass(frozen=True)
class RemoveProgress:
    """So many of a list's removes have been seen to."""

    model: str
    list: str
    rows: int
    total: int


@dataclass(frozen=True)
class ListRead:
    """All members of a list were read."""

    model: str
    list: str
    members: int


@dataclass(frozen=True)
class ListDone:
    """A list has been delivered; counts by outcome, and why it stopped, if it did."""

    model: str
    list: str
    counts: Mapping[str, int]
    stop_reason: str


Event = (
    Warned
    | ModelStaged
    | RecoveryStarted
    | ListCreated
    | SendProgress
    | JobProgress
    | RemoveProgress
    | ListRead
    | ListDone
)
EventHandler = Callable[[Event], None]
