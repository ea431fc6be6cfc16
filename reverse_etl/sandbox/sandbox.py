"""Run a sandbox: an account in a file, served on loopback by a thread of this process."""

from __future__ import annotations

from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, Any, Self, Unpack

from reverse_etl.clock import Clock, SystemClock
from reverse_etl.errors import UsageError
from reverse_etl.sandbox.account import SandboxAccount
from reverse_etl.sandbox.app import make_app
from reverse_etl.sandbox.consents import EVERY_LIST, StoredSuppression, add_suppression
from reverse_etl.sandbox.events import load_events
from reverse_etl.sandbox.faults import Fault, add_fault, clear_faults
from reverse_etl.sandbox.introspection import list_members, list_summaries, profile_count, profile_summaries
from reverse_etl.sandbox.records import drop_record, put_record, read_records
from reverse_etl.sandbox.request_log import LoggedRequest, clear_requests, load_requests
from reverse_etl.sandbox.rules import RuleOptions, Rules
from reverse_etl.sandbox.server import Server
from reverse_etl.sandbox.store import Store
from reverse_etl.sandbox.subscribing import confirm_opt_in, opt_out, require_person

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType


class Sandbox:
    """A stand-in for Klaviyo. Its state is the file `path`, created if missing, or memory without a `path`.

    With `keep=False` it starts with the content of `path`, only reads the file, and discards its own changes
    at the end, so that a dry run does not change it.

    `clock` is the time of jobs, limits and the Date header; when a state is opened again, its time does not
    go back. `account_seed` determines the account id of a new state, and with it all later ids. `port` 0
    chooses a free port. `key` is the only accepted private key; without it, any key is accepted.
    `limits=False` disables rate limits and RateLimit headers. `rules` are the fields of `Rules`.

    Methods may be called from any thread between `start` and `stop`. Faults and the log are part of the
    state.
    """

    def __init__(  # noqa: PLR0913 - the options of a sandbox
        self,
        path: Path | None,
        *,
        keep: bool = True,
        clock: Clock | None = None,
        limits: bool = True,
        account_seed: str | int | None = None,
        port: int = 0,
        key: str | None = None,
        **rules: Unpack[RuleOptions],
    ) -> None:
        self._path = path
        self._keep = keep
        self._clock = clock or SystemClock()
        self._rules = Rules(**rules)
        self._limits = limits
        self._seed = account_seed
        self._port = port
        self._key = key
        self._running: tuple[SandboxAccount, Server] | None = None

    def start(self) -> str:
        """Open the state, start the server, and return the origin, `http://127.0.0.1:<port>`. Idempotent.

        Raises WarehouseError if another process has locked the file, and UsageError if the file or the port
        cannot be used.
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
        """Close all connections and the file; the state remains for the next start. Idempotent."""
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
        """The origin of the server."""
        return self._server.origin

    @property
    def account_id(self) -> str:
        """The account's id, six letters and digits."""
        return self._account.id

    def now(self) -> float:
        """Return the sandbox's time, in seconds since the epoch."""
        return self._account.now()

    def lists(self) -> list[dict[str, Any]]:
        """Return all lists, oldest first, with id, name, created and the number of members."""
        with self._account.transaction() as db:
            return list_summaries(db)

    def members(self, name_or_id: str) -> list[dict[str, Any]]:
        """Return the members of the list with this name or id, ordered by the time at which they joined.

        Each has the values of `profiles` and a `joined_group_at`. Raises UsageError unless exactly one list
        matches.
        """
        with self._account.transaction() as db:
            return list_members(db, name_or_id)

    def profiles(self) -> list[dict[str, Any]]:
        """Return all profiles, oldest first.

        Each has id, email, phone_number and external_id (None if missing), properties, created, updated, and
        all other attributes that are set.
        """
        with self._account.transaction() as db:
            return profile_summaries(db)

    def events(self) -> list[dict[str, Any]]:
        """Return all events in the order of their requests, also those that cannot be read yet.

        Each has id, metric, profile, email, unique_id, datetime, properties, value, value_currency and
        backfill.
        """
        with self._account.transaction() as db:
            return [event.summary() for event in load_events(db)]

    def profile_count(self) -> int:
        """Return the number of profiles."""
        with self._account.transaction() as db:
            return profile_count(db)

    def records(self, kind: str) -> dict[str, Any]:
        """Return the tags, coupons, coupon codes, catalog items or object records by id, sorted by it."""
        with self._account.transaction() as db:
            return read_records(db, kind)

    def put_record(self, kind: str, record_id: str, attributes: dict[str, Any]) -> None:
        """Keep a resource of such a kind in the place of one with the same id."""
        with self._account.transaction() as db:
            put_record(db, kind, record_id, attributes)

    def drop_record(self, kind: str, record_id: str) -> None:
        """Delete a resource of such a kind."""
        with self._account.transaction() as db:
            drop_record(db, kind, record_id)

    def change_rules(self, **changes: Unpack[RuleOptions]) -> None:
        """Change the behaviour of the account from the next request on; a restart brings the old one back.

        Jobs that have not ended yet are applied by the new rules.
        """
        self._account.change_rules(changes)

    def finish_jobs(self) -> None:
        """End all open jobs; let accepted subscriptions, suppressions and deletions take effect now."""
        self._account.finish_jobs()

    def opt_out(self, email_or_phone: str, channel: str = "email.marketing") -> None:
        """Let a person unsubscribe from a channel. Raises UsageError for an unknown person."""
        with self._account.transaction() as db:
            opt_out(db, require_person(db, email_or_phone), channel, self._account.now())

    def confirm_opt_in(self, email_or_phone: str) -> None:
        """Let a person confirm the subscriptions of lists with double opt-in. Raises UsageError if none."""
        with self._account.transaction() as db:
            confirm_opt_in(db, email_or_phone, self._account.now())

    def suppress(self, email: str, reason: str) -> None:
        """Suppress a profile as a bounce, a complaint or a person in Klaviyo does. Raises UsageError."""
        with self._account.transaction() as db:
            suppression = StoredSuppression(EVERY_LIST, reason, self._account.now())
            add_suppression(db, require_person(db, email).seq, suppression)

    def add_fault(self, fault: Fault) -> int:
        """Append a fault to the queue and return its number."""
        with self._account.transaction() as db:
            return add_fault(db, fault)

    def clear_faults(self) -> None:
        """Empty the queue of faults. Jobs that were already accepted keep their scripts."""
        with self._account.transaction() as db:
            clear_faults(db)

    def log(self, after: int = 0) -> list[LoggedRequest]:
        """Return the requests with a number above `after`, oldest first, without those to /sandbox."""
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
    """Run a sandbox until `stop_event` is set or Ctrl-C is pressed, then stop it.

    `announce` is called with the origin after the start. KeyboardInterrupt is not raised. Raises the errors
    of `Sandbox.start`.
    """
    with sandbox, suppress(KeyboardInterrupt):
        announce(sandbox.origin)
        (stop_event or Event()).wait()
