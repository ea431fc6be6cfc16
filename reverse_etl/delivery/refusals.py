"""Bounds for taking refused requests apart, and what else is known of the list. Shared by its threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reverse_etl.errors import FailureCause, FailureReason, KlaviyoError

if TYPE_CHECKING:
    from reverse_etl.klaviyo.api import Klaviyo

MAX_EXTRA_REQUESTS: Final = 200  # of one list in one run, beyond those that its rows need
BUDGET_SPENT: Final = FailureReason.refusal(
    f"Klaviyo refused requests, and {MAX_EXTRA_REQUESTS} more were not enough to find all rows at fault. "
    "The next run goes on with the rest."
)


@dataclass
class ListRefusals:
    """The refusals of one list in one run.

    `has_applied_rows` is whether other rows of the list are applied, now or before: only then a request with
    a single row that is refused without a pointer is that row's fault, and not the request's own.
    """

    has_applied_rows: bool
    _extra_requests: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def reserve_extra_request(self) -> bool:
        """Count a request that a refusal made necessary. Returns False if there were too many."""
        with self._lock:
            self._extra_requests += 1
            return self._extra_requests <= MAX_EXTRA_REQUESTS

    def note_applied_rows(self) -> None:
        """Note that Klaviyo accepted rows of the list."""
        self.has_applied_rows = True


def describe_missing_list(klaviyo: Klaviyo, list_id: str) -> str:
    """Return that a list no longer exists, or why Klaviyo could not be asked; '' if the list exists."""
    try:
        exists = klaviyo.get_list(list_id) is not None
    except KlaviyoError as error:
        return FailureReason.of(error)
    if exists:
        return ""
    text = f"Klaviyo no longer has a list with the id {list_id}. It was probably deleted."
    return FailureReason.because(FailureCause.LIST_MISSING, text)
