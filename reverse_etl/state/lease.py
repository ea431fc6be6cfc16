"""The lease: one run at a time works on an account and project."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from reverse_etl.domain.timestamps import format_epoch_seconds
from reverse_etl.errors import WarehouseError
from reverse_etl.state.sql import ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.state.tables import StateTables

LEASE_SECONDS = 600.0
RENEW_INTERVAL_SECONDS = 60.0


class Lease:
    """The lease: at most one process works on a state at a time."""

    def __init__(self, state_tables: StateTables) -> None:
        self._state_tables = state_tables
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._renewed_at = float("-inf")
        self._is_held = False

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the lease inside this context.

        Raises WarehouseError if another run holds it. The lease of a killed run is taken over when it
        expires, or at once if the warehouse admits only one process.
        """
        if self._state_tables.warehouse.single_writer:
            self._take_over()
        else:
            self._acquire()
        self._is_held = True
        try:
            yield
        except BaseException:
            with suppress(WarehouseError):  # report the first error
                self._release()
            raise
        finally:
            self._is_held = False
        self._release()

    def renew_if_due(self) -> None:
        """Renew the lease if it was not renewed in the last minute. No-op for read-only commands.

        Raises WarehouseError if the lease had expired and another run holds it now.
        """
        if (
            self._is_held
            and self._state_tables.clock.monotonic() - self._renewed_at >= RENEW_INTERVAL_SECONDS
        ):
            self.renew_or_raise()

    def renew_or_raise(self) -> None:
        """Renew the lease now. Raises WarehouseError if another run holds it."""
        state_tables = self._state_tables
        self._renewed_at = state_tables.clock.monotonic()
        state_tables.execute(
            ledger.renew_lease(state_tables.dialect, *state_tables.scope.key, self._holder, self._expiry())
        )
        if not state_tables.warehouse.single_writer:
            holders = [holder for holder, _ in self._holders()]
            if {*holders} != {self._holder}:
                raise WarehouseError.of(
                    f"This run lost its lease to another: {', '.join(holders) or 'nobody'}.",
                    hint="Wait for that run to end, then run again. The next run settles what this one sent.",
                )

    def _take_over(self) -> None:
        """Take over the lease; its previous holder is no longer running."""
        state_tables = self._state_tables
        state_tables.commit(
            ledger.replace_lease(state_tables.dialect, *state_tables.scope.key, self._holder, self._expiry())
        )

    def _acquire(self) -> None:
        """Acquire the lease, while other processes may try too.

        If two runs claim the lease at the same time, both fail.
        """
        state_tables = self._state_tables
        state_tables.execute(
            ledger.acquire_lease(
                state_tables.dialect,
                *state_tables.scope.key,
                self._holder,
                self._expiry(),
                state_tables.now(),
            )
        )
        others = [row for row in self._holders() if row[0] != self._holder]
        if others:
            self._release()
            raise WarehouseError.of(
                f"Another run of this project is in progress: {others[0][0]}. "
                f"It holds the lease until {others[0][1]}.",
                hint="Wait for it to end. If it was killed, its lease expires at that time.",
            )

    def _release(self) -> None:
        state_tables = self._state_tables
        state_tables.execute(ledger.delete_lease(state_tables.dialect, *state_tables.scope.key, self._holder))

    def _holders(self) -> list[tuple[str, str]]:
        state_tables = self._state_tables
        return [
            (row[0], row[1])
            for row in state_tables.fetch(ledger.select_lease(state_tables.dialect, *state_tables.scope.key))
        ]

    def _expiry(self) -> str:
        return format_epoch_seconds(self._state_tables.clock.now() + LEASE_SECONDS)
