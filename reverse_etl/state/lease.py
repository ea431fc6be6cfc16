"""The lease: one run at a time works on an account and project."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import ExitStack, contextmanager, suppress
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from reverse_etl.domain.timestamps import format_epoch_seconds
from reverse_etl.errors import ReverseEtlError, WarehouseError
from reverse_etl.state.tables import StateTables
from reverse_etl.warehouse.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

LEASE_SECONDS = 600.0
RENEW_INTERVAL_SECONDS = 60.0
KEEP_INTERVAL_SECONDS = 60.0  # between two checks whether the run renews it late, because a statement runs
KEEPER_JOIN_SECONDS = 5.0  # at the end of a run; a keeper that is signing in ends with the process
RETRY_INTERVAL_SECONDS = 30.0  # between two attempts to acquire a lease that another run holds


class Lease:
    """The lease: at most one process works on a state at a time."""

    def __init__(self, state_tables: StateTables) -> None:
        self._state_tables = state_tables
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._renewed_at = float("-inf")
        self._is_held = False
        self._valid_until = float("-inf")
        self._lock = Lock()  # the run and the thread that keeps the lease for it renew it one after another

    @contextmanager
    def hold(self, timeout: float = 0.0) -> Iterator[None]:
        """Hold the lease inside this context; wait up to `timeout` seconds while another run holds it.

        Raises WarehouseError if another run still holds it then. The lease of a killed run is taken over when
        it expires, or at once if the warehouse admits only one process.
        """
        if self._state_tables.warehouse.single_writer:
            self._take_over()
        else:
            self._acquire(timeout)
        self._is_held = True
        self._state_tables.forget_kept()
        try:
            with self._kept():
                yield
        except BaseException:
            with suppress(WarehouseError):  # report the first error
                self._release()
            raise
        finally:
            self._is_held = False
        self._release()

    def renew_if_due(self) -> None:
        """Renew the lease if it was not renewed in the last minutes. No-op for read-only commands.

        Raises WarehouseError if the lease had expired and another run holds it now.
        """
        if self._is_held and self._is_due(0.0):
            self.renew_or_raise()

    def require_held(self) -> None:
        """Raise WarehouseError if the lease was lost or has expired, so that another run may hold it.

        Asks nothing, so that any thread may call it before each write to Klaviyo.
        """
        state_tables = self._state_tables
        is_safe = state_tables.warehouse.single_writer or state_tables.clock.now() < self._valid_until
        if self._is_held and is_safe:
            return
        raise WarehouseError.of(
            "This run's lease was lost or has expired, so that another run may be at work.",
            hint="Run again. The next run settles what this one sent.",
        )

    def renew_or_raise(self) -> None:
        """Renew the lease now. Raises WarehouseError if another run holds it."""
        self._renew(self._state_tables)

    @property
    def _renew_interval(self) -> float:
        return max(RENEW_INTERVAL_SECONDS, self._state_tables.warehouse.min_write_interval)

    def _is_due(self, late: float) -> bool:
        """Return whether the time to renew the lease came at least `late` seconds ago."""
        age = self._state_tables.clock.monotonic() - self._renewed_at
        return age >= self._renew_interval + late

    def _renew(self, state_tables: StateTables) -> None:
        """Renew the lease by one statement, which returns how many rows it changed: none if it is lost."""
        with self._lock:
            renewed_at = state_tables.clock.monotonic()
            valid_until = state_tables.clock.now() + LEASE_SECONDS
            renewal = state_tables.update(
                "lease", {"expires_at": self._expiry()}, **state_tables.in_scope, owner=self._holder
            )
            counts = state_tables.fetch(renewal)
            if not any(count for count, *_ in counts) and not state_tables.warehouse.single_writer:
                self._valid_until = float("-inf")
                holders = ", ".join(holder for holder, _ in self._holders(state_tables))
                raise WarehouseError.of(
                    f"This run lost its lease to another: {holders or 'nobody'}.",
                    hint="Wait for that run to end, then run again. The next run settles what this one sent.",
                )
            self._renewed_at, self._valid_until = renewed_at, valid_until

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """Renew the lease inside also while the run waits for a statement, in a second session.

        That session is opened once a statement has run for minutes. Nothing is needed where one process has
        the warehouse for itself.
        """
        if self._state_tables.warehouse.single_writer:
            yield
            return
        ended = Event()
        keeper = Thread(target=self._keep, args=(ended,), name="lease", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            ended.set()
            keeper.join(KEEPER_JOIN_SECONDS)

    def _keep(self, ended: Event) -> None:
        own, other = self._state_tables, None
        with ExitStack() as stack:
            while not ended.wait(KEEP_INTERVAL_SECONDS):
                if not self._is_due(KEEP_INTERVAL_SECONDS):
                    continue
                with suppress(ReverseEtlError):  # `require_held` stops what must not be done without a lease
                    if other is None:
                        session = stack.enter_context(own.warehouse.second_session())
                        other = StateTables(session, own.scope, own.clock)
                    self._renew(other)

    def _take_over(self) -> None:
        """Take over the lease; its previous holder is no longer running."""
        state_tables = self._state_tables
        lease = {**state_tables.in_scope, "owner": self._holder, "expires_at": self._expiry()}
        state_tables.execute(*state_tables.merge("lease", [lease], *state_tables.in_scope))

    def _acquire(self, timeout: float) -> None:
        """Acquire the lease, while other processes may try too."""
        clock = self._state_tables.clock
        until = clock.monotonic() + timeout
        while other := self._claim():
            left = until - clock.monotonic()
            if left <= 0:
                holder, expires_at = other
                raise WarehouseError.of(
                    f"Another run of this project is in progress: {holder}. "
                    f"It holds the lease until {expires_at}.",
                    hint="Wait for it to end. If it was killed, its lease expires at that time; "
                    "`run --lease-timeout 15` waits for that.",
                )
            clock.sleep(min(left, RETRY_INTERVAL_SECONDS))

    def _claim(self) -> tuple[str, str] | None:
        """Claim the lease; return another holder with the expiry of its lease, or None if this run holds it.

        If two runs claim the lease at the same time, both may insert their row; both claims then fail.
        """
        state_tables = self._state_tables
        table = state_tables.dialect.state_table("lease")
        valid_until = state_tables.clock.now() + LEASE_SECONDS
        state_tables.execute(
            Statement.change(
                table,
                f"MERGE INTO {table} AS l\n"
                f"USING (SELECT ? AS account_id, ? AS project, ? AS owner, ? AS expires_at, "
                f"? AS claimed_at) AS n\n"
                f"ON l.account_id = n.account_id AND l.project = n.project\n"
                f"WHEN MATCHED AND l.expires_at <= n.claimed_at "
                f"THEN UPDATE SET owner = n.owner, expires_at = n.expires_at\n"
                f"WHEN NOT MATCHED THEN INSERT (account_id, project, owner, expires_at) "
                f"VALUES (n.account_id, n.project, n.owner, n.expires_at)",
                (*state_tables.scope.key, self._holder, self._expiry(), state_tables.now()),
            )
        )
        others = [row for row in self._holders(state_tables) if row[0] != self._holder]
        if others:
            self._release()
        else:
            self._valid_until = valid_until
        return next(iter(others), None)

    def _release(self) -> None:
        state_tables = self._state_tables
        state_tables.execute(state_tables.delete("lease", **state_tables.in_scope, owner=self._holder))

    def _holders(self, state_tables: StateTables) -> list[tuple[str, str]]:
        rows = state_tables.read("lease", "owner, expires_at", "owner", **state_tables.in_scope)
        return [(owner, expires_at) for owner, expires_at in rows]

    def _expiry(self) -> str:
        return format_epoch_seconds(self._state_tables.clock.now() + LEASE_SECONDS)
