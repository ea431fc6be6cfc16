"""The sandbox as a program: an account in a file, served on loopback from a thread of this process."""

from __future__ import annotations

from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, Any, Literal, Self

from reverse_etl.clock import Clock, SystemClock
from reverse_etl.errors import UsageError
from reverse_etl.sandbox.account import SandboxAccount
from reverse_etl.sandbox.app import make_app
from reverse_etl.sandbox.faults import Fault, add_fault, clear_faults
from reverse_etl.sandbox.introspection import list_members, list_summaries, profile_count, profile_summaries
from reverse_etl.sandbox.jobs import finish_jobs
from reverse_etl.sandbox.journal import LoggedRequest, clear_requests, load_requests
from reverse_etl.sandbox.rules import Rules
from reverse_etl.sandbox.server import Server
from reverse_etl.sandbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType


class Sandbox:
    """A Klaviyo stand-in. Its state lies in `path` (made when missing), or in memory where `path` is None.

    With `keep=False` it starts from what `path` holds (nothing if it is missing) and forgets its own changes
    at the end: the file is only read, so a trial can be looked at without touching it.

    `clock` drives jobs, limits and the Date header; the time that a state has seen never goes back when it is
    opened again. `account_seed` fixes the account id of a new state, and with it every id made later; an old
    state keeps its own. `port` 0 takes a free one. `key`: the only private key that is let in; by default any
    is. `limits=False` counts no requests and sends no RateLimit headers. The other options are those of
    `Rules`.

    All methods may be called from any thread between `start` and `stop`; faults and the log are part of the
    state.
    """

    def __init__(  # noqa: PLR0913 - the options of a program, each with a default
        self,
        path: Path | None,
        *,
        keep: bool = True,
        clock: Clock | None = None,
        job_seconds: float = 1.0,
        row_seconds: float = 0.0,
        limits: bool = True,
        match_external_id: bool = True,
        conflicts: Literal["drop", "refuse"] = "drop",
        invalid_phones: Literal["refuse", "drop"] = "refuse",
        unknown_ids: Literal["refuse", "ignore"] = "refuse",
        errors_per_reply: int | None = None,
        list_seconds: float = 0.0,
        account_seed: str | int | None = None,
        port: int = 0,
        key: str | None = None,
    ) -> None:
        self._path = path
        self._keep = keep
        self._clock = clock or SystemClock()
        self._rules = Rules(
            job_seconds,
            row_seconds,
            match_external_id,
            conflicts,
            invalid_phones,
            unknown_ids,
            errors_per_reply,
            list_seconds,
        )
        self._limits = limits
        self._seed = account_seed
        self._port = port
        self._key = key
        self._running: tuple[SandboxAccount, Server] | None = None

    def start(self) -> str:
        """Open the state, serve it, and return the origin, `http://127.0.0.1:<port>`.

        A sandbox that is running already goes on as it is. Raises WarehouseError if another process holds the
        file, UsageError if the file or the port cannot be used.
        """
        if self._running is None:
            store = Store(self._path, keep=self._keep)
            try:
                account = SandboxAccount.from_store(
                    store,
                    clock=self._clock,
                    rules=self._rules,
                    limits=self._limits,
                    key=self._key,
                    seed=self._seed,
                )
                self._running = (account, Server(make_app(account), self._port, account.now))
            except BaseException:
                store.close()
                raise
        return self.origin

    def stop(self) -> None:
        """Hang up on every client and free the file; nothing if it is not running.

        The state stays for the next start.
        """
        if self._running is not None:
            account, server = self._running
            self._running = None
            server.stop()
            account.store.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def origin(self) -> str:
        """The address to send requests to."""
        return self._server.origin

    @property
    def account_id(self) -> str:
        """The account's id, six letters and digits."""
        return self._account.id

    def now(self) -> float:
        """Return the sandbox's time, in seconds since the epoch."""
        return self._account.now()

    def lists(self) -> list[dict[str, Any]]:
        """Return every list, oldest first: id, name, created, members (how many)."""
        with self._account.transaction() as db:
            return list_summaries(db)

    def members(self, name_or_id: str) -> list[dict[str, Any]]:
        """Return the profiles on the list with this name or id, in the order of joining.

        Each is as `profiles` gives it, with `joined_group_at`. Raises UsageError unless there is exactly one
        such list.
        """
        with self._account.transaction() as db:
            return list_members(db, name_or_id)

    def profiles(self) -> list[dict[str, Any]]:
        """Return every profile, oldest first.

        Each has id, email, phone_number, external_id (or None), properties, created, updated, and the other
        attributes that have a value.
        """
        with self._account.transaction() as db:
            return profile_summaries(db)

    def profile_count(self) -> int:
        """Return how many profiles there are."""
        with self._account.transaction() as db:
            return profile_count(db)

    def finish_jobs(self) -> None:
        """Let every open import job end now."""
        with self._account.transaction() as db:
            finish_jobs(db, self._account.now())

    def add_fault(self, fault: Fault) -> int:
        """Put a fault at the end of the queue and return its number."""
        with self._account.transaction() as db:
            return add_fault(db, fault)

    def clear_faults(self) -> None:
        """Empty the queue of faults; jobs that were accepted keep their fate."""
        with self._account.transaction() as db:
            clear_faults(db)

    def log(self, after: int = 0) -> list[LoggedRequest]:
        """Return the requests with a number above `after`, oldest first.

        Those to the sandbox's own addresses are not among them.
        """
        with self._account.transaction() as db:
            return load_requests(db, after)

    def clear_log(self) -> None:
        """Empty the log of requests."""
        with self._account.transaction() as db:
            clear_requests(db)

    @property
    def _account(self) -> SandboxAccount:
        return self._require_running()[0]

    @property
    def _server(self) -> Server:
        return self._require_running()[1]

    def _require_running(self) -> tuple[SandboxAccount, Server]:
        if self._running is None:
            raise UsageError.of(
                "The sandbox is not running.", hint="Call start() first, or use it in a `with` block."
            )
        return self._running


def serve(sandbox: Sandbox, announce: Callable[[str], None], stop_event: Event | None = None) -> None:
    """Run a sandbox until `stop_event` is set or Ctrl-C is pressed (which is not passed on), then stop it.

    `announce` is called with the origin once requests are answered. Raises what `Sandbox.start` raises.
    """
    with sandbox, suppress(KeyboardInterrupt):
        announce(sandbox.origin)
        (stop_event or Event()).wait()
