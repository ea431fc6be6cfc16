"""An open Klaviyo account: its state, clock, rules and rate limits."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.sandbox.deleting import advance_deletions, finish_deletions
from reverse_etl.sandbox.identities import generate_account_id
from reverse_etl.sandbox.importing import advance_jobs
from reverse_etl.sandbox.jobs import finish_jobs
from reverse_etl.sandbox.limits import FixedWindowLimiter
from reverse_etl.sandbox.subscribing import advance_subscriptions, finish_subscriptions
from reverse_etl.sandbox.suppressing import advance_suppressions, finish_suppressions
from reverse_etl.sandbox.times import Timeline

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

    from reverse_etl.clock import Clock
    from reverse_etl.sandbox.rules import Rules
    from reverse_etl.sandbox.store import Store


@dataclass
class SandboxAccount:
    """An open account. Only its rules can change.

    `rate_limiter` is None if requests are not limited, `key` is None if any key is accepted.
    """

    id: str
    store: Store
    clock: Clock
    timeline: Timeline
    rules: Rules
    rate_limiter: FixedWindowLimiter | None
    key: str | None

    @classmethod
    def from_store(  # noqa: PLR0913 - the settings of an account
        cls,
        store: Store,
        *,
        clock: Clock,
        rules: Rules,
        limits: bool,
        key: str | None,
        seed: str | int | None,
    ) -> SandboxAccount:
        """Return the account stored in `store`; a new store gets its account id here."""
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
        """Return the account's time in seconds since the epoch; never before the newest stored time."""
        return self.timeline.now()

    def change_rules(self, changes: Mapping[str, object]) -> Rules:
        """Change some rules and return them all. Raises UsageError for an unknown name or value."""
        with self.store.transaction():
            self.rules = self.rules.change(changes)
            return self.rules

    def finish_jobs(self) -> None:
        """End all open jobs; let accepted subscriptions, suppressions and deletions take effect now."""
        with self.transaction() as db:
            finish_jobs(db, self.now())
            finish_subscriptions(db, self.now())
            finish_suppressions(db, self.now())
            finish_deletions(db, self.now())

    def version(self) -> str:
        """Return a text that differs after any change of the state, of the rules, or a restart."""
        with self.transaction() as db:
            return f"{self.store.token}.{db.total_changes}.{hash(self.rules)}"

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield the database, to one thread at a time, after ending the jobs that are due.

        Changes are committed unless the block raises.
        """
        with self.store.transaction() as db:
            advance_jobs(db, self.id, self.rules, self.now())
            advance_subscriptions(db, self.id, self.rules, self.now())
            advance_suppressions(db, self.id, self.rules, self.now())
            advance_deletions(db, self.now())
            yield db
