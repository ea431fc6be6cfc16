"""How many people a run may subscribe again who had unsubscribed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

MAX_RESUBSCRIPTIONS: Final = 10  # of one run


@dataclass
class Resubscriptions:
    """The resubscriptions that are left. Shared by the threads of a run."""

    left: int = MAX_RESUBSCRIPTIONS
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def reserve(self) -> bool:
        """Count a person. Returns False if nobody more may be subscribed again."""
        with self._lock:
            self.left -= 1
            return self.left >= 0
