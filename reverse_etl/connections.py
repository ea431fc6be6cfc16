"""Opens what a project needs: its warehouse, its state, and Klaviyo or a sandbox."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reverse_etl.domain.progress import Warned
from reverse_etl.domain.timestamps import format_epoch_seconds
from reverse_etl.errors import (
    ReverseEtlError,
    StateUnreadable,
    UsageError,
    WarehouseMissing,
    WarehouseUnavailable,
)
from reverse_etl.files import private_files
from reverse_etl.state import LastRunFile, State, StateScope, last_account, open_state
from reverse_etl.warehouse.factory import move_state, open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reverse_etl.clock import Clock
    from reverse_etl.config.target import Target
    from reverse_etl.delivery.context import DeliveryContext
    from reverse_etl.delivery.failed_runs import RunAttempt
    from reverse_etl.domain.progress import ProgressHandler
    from reverse_etl.klaviyo.api import Klaviyo
    from reverse_etl.klaviyo.endpoints import Endpoint, RateLimit
    from reverse_etl.klaviyo.messages import RequestHook
    from reverse_etl.klaviyo.private_key import PrivateKey
    from reverse_etl.warehouse.interface import Warehouse

THREADS = 8  # requests at the same time
SANDBOX_FILE = "klaviyo_sandbox.sqlite"
SANDBOX_JOB_SECONDS = 0.3  # a real import takes longer; a trial need not wait for that


@dataclass(frozen=True)
class Connections:
    """Opens the connections that a target names.

    `threads` is the number of requests and of models at the same time; None for THREADS requests, and as many
    models as the output has `threads`. `rate_limit_for` returns the rate limit of an endpoint.
    """

    folder: Path
    target: Target
    clock: Clock
    threads: int | None
    rate_limit_for: Callable[[Endpoint], RateLimit]

    @property
    def requests_at_once(self) -> int:
        """Return how many requests to Klaviyo may be in progress at the same time."""
        return self.threads or THREADS

    def state(
        self, warehouse: Warehouse, account: str | None, on_progress: ProgressHandler | None = None
    ) -> State:
        """Return the state for an account: '' means a new account, None that of the target's last run.

        If the state had to be migrated first, `on_progress` is called.
        """
        if on_progress is not None:
            for note in warehouse.opening_notes:
                on_progress(Warned(note))
        open_state(warehouse, self.clock, on_progress)
        name = self.target.profile
        if account is None:
            account = last_account(warehouse, name, self.target.destination_id) or ""
        scope = StateScope(account, name)
        last_run_file = LastRunFile(self.target.path.parent, scope, self.target.name)
        return State(warehouse, scope, self.clock, last_run_file, self.target.destination.journal)

    @contextmanager
    def warehouse(self, *, read_only: bool) -> Iterator[Warehouse]:
        """Open the target's warehouse, and close it on exit."""
        with ExitStack() as stack:
            if not read_only:
                stack.enter_context(
                    private_files()
                )  # the state, and what the warehouse's library writes beside it
            yield stack.enter_context(closing(self._open_warehouse(read_only=read_only)))

    def _open_warehouse(self, *, read_only: bool) -> Warehouse:
        return open_warehouse(
            self.target.output,
            read_only=read_only,
            options=self.target.destination.warehouse_options,
            threads=self.threads,
        )

    @contextmanager
    def stored_state(self) -> Iterator[State]:
        """Open the state of the target's last run for reading."""
        with self.warehouse(read_only=True) as warehouse:
            yield self.state(warehouse, None)

    @contextmanager
    def locked_state(self, on_progress: ProgressHandler) -> Iterator[State]:
        """Open the state of the target's last run for changes, and hold its lease."""
        with self.warehouse(read_only=False) as warehouse:
            state = self.state(warehouse, None, on_progress)
            with state.hold_lease():
                state.snapshot_matches.forget()  # no run changes the rows: the next run reads all models
                yield state

    def move_state(self, source: str) -> str:
        """Move a state to where the target has it now, and return that place; see `factory.move_state`."""
        return move_state(self.target.output, self.target.destination.warehouse_options, source)

    @contextmanager
    def klaviyo(self, *, dry_run: bool, on_request: RequestHook | None = None) -> Iterator[Klaviyo | None]:
        """Connect to Klaviyo or to the embedded sandbox; yield None for a dry run without a key.

        A dry run uses a copy of the sandbox, so that not even its request log changes.
        """
        destination = self.target.destination
        if destination.embedded_sandbox:
            with _start_sandbox(self.folder / SANDBOX_FILE, self.clock, dry_run=dry_run) as origin:
                yield from self._connect(origin, destination.require_key(), on_request) if origin else (None,)
        elif destination.key is None and dry_run:
            yield None
        else:
            yield from self._connect(destination.origin, destination.require_key(), on_request)

    @contextmanager
    def planning(
        self, on_request: RequestHook | None = None
    ) -> Iterator[tuple[Warehouse, State, Klaviyo | None]]:
        """Open what a plan reads: the warehouse, the state, and Klaviyo, None without a key."""
        with (
            self.klaviyo(dry_run=True, on_request=on_request) as klaviyo,
            self.warehouse(read_only=True) as warehouse,
        ):
            # '' is a new account: that of a sandbox without a file.
            assumed_account = "" if self.target.destination.embedded_sandbox else None
            account = klaviyo.get_account().id if klaviyo else assumed_account
            yield warehouse, self.state(warehouse, account), klaviyo

    def _require_started_sandbox(self) -> None:
        """Raise UsageError if the embedded sandbox has no file yet: nothing was sent to it."""
        path = self.folder / SANDBOX_FILE
        if self.target.destination.embedded_sandbox and not path.exists():
            raise UsageError.of(
                "Nothing was sent to the sandbox yet: its file does not exist.",
                where=str(path),
                hint="Send your models first: reverse-etl run",
            )

    def require_unlocked_sandbox(self) -> None:
        """Raise WarehouseError if another process has locked the file of the embedded sandbox."""
        if self.target.destination.embedded_sandbox:
            from reverse_etl.sandbox import require_unlocked_file

            require_unlocked_file(self.folder / SANDBOX_FILE)

    def _connect(self, origin: str, key: PrivateKey, on_request: RequestHook | None) -> Iterator[Klaviyo]:
        from reverse_etl.klaviyo.api import Klaviyo

        klaviyo = Klaviyo.connect(
            origin,
            key,
            self.target.destination.api_revision,
            max_connections=self.requests_at_once,
            clock=self.clock,
            on_request=on_request,
            rate_limit_for=self.rate_limit_for,
        )
        try:
            yield klaviyo
        finally:
            klaviyo.close()

    @contextmanager
    def recording_failure(
        self, on_progress: ProgressHandler, is_interrupted: Callable[[], bool]
    ) -> Iterator[RunAttempt]:
        """Yield a run that starts now, and record it if it fails before it sent a row.

        An interrupted run is not recorded, nor is one of a target that has no run yet.
        """
        from reverse_etl.delivery.failed_runs import RunAttempt

        attempt = RunAttempt(_make_run_id(self.clock), format_epoch_seconds(self.clock.now()))
        try:
            yield attempt
        except Exception as error:
            if not is_interrupted() and not attempt.is_recorded:
                try:
                    self._record_failure(attempt, error)
                except ReverseEtlError as failure:
                    if str(failure) != str(error):  # the error itself says it
                        on_progress(Warned(f"This run is not in the history: {failure.problems[0].summary}"))
            if isinstance(error, ReverseEtlError) and attempt.is_recorded:
                error.run_id = attempt.run_id
            raise

    def _record_failure(self, attempt: RunAttempt, error: Exception) -> None:
        from reverse_etl.delivery.failed_runs import record_failed_run

        account = attempt.account
        if not account:
            if isinstance(error, (WarehouseMissing, WarehouseUnavailable, StateUnreadable)):
                return  # the state can't be reached
            with self.stored_state() as stored_state:
                account = stored_state.scope.account
        if account:
            with self.warehouse(read_only=False) as warehouse:
                state = self.state(warehouse, account)
                with state.hold_lease():
                    record_failed_run(state, attempt, self.target.destination_id, error)

    @contextmanager
    def delivery_context(
        self,
        on_progress: ProgressHandler,
        on_request: RequestHook | None,
        *,
        dry_run: bool,
        attempt: RunAttempt | None = None,
    ) -> Iterator[DeliveryContext]:
        """Open the connections of a run; if the body raises, no further request is sent.

        Raises UsageError without a key, and for an embedded sandbox without a file, unless a run starts it.
        """
        from reverse_etl.delivery.context import DeliveryContext

        self.target.destination.require_key()
        if attempt is None:
            self._require_started_sandbox()
        with (
            self.warehouse(read_only=dry_run) as warehouse,
            self.klaviyo(dry_run=dry_run, on_request=on_request) as klaviyo,
            ThreadPoolExecutor(self.requests_at_once, "klaviyo") as executor,
        ):
            assert klaviyo is not None  # noqa: S101 - there is a key, and the sandbox's file exists
            state = self.state(warehouse, klaviyo.get_account().id, on_progress)
            if attempt:
                attempt.account = state.scope.account
            try:
                yield DeliveryContext(
                    warehouse=warehouse,
                    state=state,
                    klaviyo=klaviyo,
                    clock=self.clock,
                    executor=executor,
                    threads=self.requests_at_once,
                    run_id=attempt.run_id if attempt else _make_run_id(self.clock),
                    klaviyo_time=klaviyo.server_time,
                    job_timeout_seconds=self.target.destination.job_timeout_minutes * 60.0,
                    on_progress=on_progress,
                )
            except BaseException:
                klaviyo.stop()
                raise


@contextmanager
def _start_sandbox(path: Path, clock: Clock, *, dry_run: bool) -> Iterator[str]:
    """Start the project's sandbox and yield its origin.

    A dry run starts a copy of it, or yields '' if there is no file yet.
    """
    from reverse_etl.sandbox import Sandbox  # a web framework that only trials need

    if dry_run and not path.exists():
        yield ""
        return
    with Sandbox(path, keep=not dry_run, clock=clock, job_seconds=SANDBOX_JOB_SECONDS) as sandbox:
        yield sandbox.origin


def _make_run_id(clock: Clock) -> str:
    return f"{datetime.fromtimestamp(clock.now(), UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
