"""The progress of a run: one class for each kind. A handler only watches: the run does not depend on it."""

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
    """The run started to finish what earlier runs left open."""

    runs: int
    open_jobs: int


@dataclass(frozen=True)
class StateMigrated:
    """The state was migrated to the current version; `backup` names the copy made before."""

    old_version: int
    new_version: int
    backup: str


@dataclass(frozen=True)
class ListCreated:
    """A list was created in Klaviyo."""

    name: str
    list_id: str


@dataclass(frozen=True)
class SendProgress:
    """`rows` of a list's `total` upserts were processed so far: sent, or left out, as opted-out people."""

    model: str
    list: str
    rows: int
    total: int


@dataclass(frozen=True)
class JobProgress:
    """`open_jobs` import jobs of a list have not ended yet."""

    model: str
    list: str
    open_jobs: int


@dataclass(frozen=True)
class ClearProgress:
    """Of `total` rows of a list with values to clear, `rows` were processed so far."""

    model: str
    list: str
    rows: int
    total: int


@dataclass(frozen=True)
class RemoveProgress:
    """`rows` of a list's `total` removes were processed so far."""

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
    """The delivery of a list ended; `counts` are rows by outcome, `stop_reason` is empty if all went out."""

    model: str
    list: str
    counts: Mapping[str, int]
    stop_reason: str


Progress = (
    Warned
    | StateMigrated
    | ModelStaged
    | RecoveryStarted
    | ListCreated
    | SendProgress
    | JobProgress
    | ClearProgress
    | RemoveProgress
    | ListRead
    | ListDone
)
ProgressHandler = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """Do nothing with progress."""
    del progress
