"""The lease: one run at a time works on an account and project."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from reverse_etl.domain.timestamps import moment
from reverse_etl.errors import WarehouseError
from reverse_etl.state.sql import ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reverse_etl.state.tables import Tables

LEASE_SECONDS = 600.0
BEAT_SECONDS = 60.0


class Lease:
    """One process's claim to work on the state of an owner."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._beaten = float("-inf")
        self._is_held = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lease inside.

        Raises WarehouseError while another run holds it. What a dead run held is taken over when it has
        expired, or at once where the warehouse itself lets only one process in.
        """
        if self._tables.warehouse.exclusive:
            self._take()
        else:
            self._claim()
        self._is_held = True
        try:
            yield
        except BaseException:
            with suppress(WarehouseError):  # what went wrong first is what is told
                self._drop()
            raise
        finally:
            self._is_held = False
        self._drop()

    def beat(self) -> None:
        """Keep the lease for another while. Cheap to call often: it is written once a minute.

        Whoever only looks holds none, and keeps none. Raises WarehouseError when the lease had expired and
        another run has it now.
        """
        if self._is_held and self._tables.clock.monotonic() - self._beaten >= BEAT_SECONDS:
            self.extend()

    def extend(self) -> None:
        """Keep the lease for another while, as `beat` does, but now."""
        tables = self._tables
        self._beaten = tables.clock.monotonic()
        tables.run(ledger.extend_lease(tables.dialect, *tables.owner.key, self._holder, self._end()))
        if not tables.warehouse.exclusive:
            holders = [holder for holder, _ in self._holders()]
            if {*holders} != {self._holder}:
                raise WarehouseError.of(
                    f"This run lost its lease to another: {', '.join(holders) or 'nobody'}.",
                    advice="Let that run end, then run again: what this one sent is settled then.",
                )

    def _take(self) -> None:
        """Take the lease, whoever has it: whoever that is, he is dead."""
        tables = self._tables
        tables.commit(ledger.take_lease(tables.dialect, *tables.owner.key, self._holder, self._end()))

    def _claim(self) -> None:
        """Take the lease where several processes may try at once.

        Of two that claim it together, both lose rather than win.
        """
        tables = self._tables
        tables.run(
            ledger.claim_lease(tables.dialect, *tables.owner.key, self._holder, self._end(), tables.now())
        )
        others = [row for row in self._holders() if row[0] != self._holder]
        if others:
            self._drop()
            raise WarehouseError.of(
                f"Another run of this project is under way: {others[0][0]}. "
                f"It holds the lease until {others[0][1]}.",
                advice="Wait for it. If it died, its lease ends by itself at that time.",
            )

    def _drop(self) -> None:
        tables = self._tables
        tables.run(ledger.drop_lease(tables.dialect, *tables.owner.key, self._holder))

    def _holders(self) -> list[tuple[str, str]]:
        tables = self._tables
        return [(row[0], row[1]) for row in tables.fetch(ledger.lease(tables.dialect, *tables.owner.key))]

    def _end(self) -> str:
        return moment(self._tables.clock.now() + LEASE_SECONDS)
