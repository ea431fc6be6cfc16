"""One Klaviyo account as the endpoints see it: its state, its clock, its rules, its limits."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.sandbox.identities import generate_account_id
from reverse_etl.sandbox.importing import advance_jobs
from reverse_etl.sandbox.limits import FixedWindowLimiter
from reverse_etl.sandbox.times import Timeline

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from reverse_etl.clock import Clock
    from reverse_etl.sandbox.rules import Rules
    from reverse_etl.sandbox.store import Store


@dataclass(frozen=True)
class SandboxAccount:
    """An account that is open.

    `rate_limiter` is None where requests are not counted, `key` where any key will do.
    """

    id: str
    store: Store
    clock: Clock
    timeline: Timeline
    rules: Rules
    rate_limiter: FixedWindowLimiter | None
    key: str | None

    @classmethod
    def from_store(  # noqa: PLR0913 - an account's settings, each given once
        cls,
        store: Store,
        *,
        clock: Clock,
        rules: Rules,
        limits: bool,
        key: str | None,
        seed: str | int | None,
    ) -> SandboxAccount:
        """Return the account whose state `store` holds; a new state gets its account id here, once."""
        with store.transaction() as db:
            db.execute("INSERT OR IGNORE INTO facts VALUES ('account', ?)", (generate_account_id(seed),))
            stored_id = db.execute("SELECT value FROM facts WHERE name = 'account'").fetchone()[0]
            latest_time = db.execute(
                "SELECT coalesce(max(at), 0) FROM "
                "(SELECT at FROM requests UNION ALL SELECT created_at FROM jobs)"
            ).fetchone()[0]
        timeline = Timeline.from_latest(clock, latest_time)
        return cls(stored_id, store, clock, timeline, rules, FixedWindowLimiter() if limits else None, key)

    def now(self) -> float:
        """Return the account's time: seconds since the epoch, never before what the state holds."""
        return self.timeline.now()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the state as of now, to one thread at a time: jobs whose time has come have ended.

        Kept if the block ends well.
        """
        with self.store.transaction() as db:
            advance_jobs(db, self.id, self.rules, self.now())
            yield db
