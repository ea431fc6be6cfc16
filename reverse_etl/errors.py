"""All errors that a user can see, as one tree, with the exit code of each.

::

    ReverseEtlError
    ├── UsageError                 exit 2   a flag, a file or the state is not usable; nothing was sent
    │   ├── WarehouseMissing       exit 2   the warehouse's file is missing; nothing was sent
    │   ├── StateUnreadable        exit 2   the state is damaged, or of a newer version; nothing was sent
    │   └── ModelError             exit 2   a model does not compile, or not fit its config; nothing was sent
    │       └── NoModels           exit 2   the project has neither a model's file nor a dbt model to send
    ├── GuardRefused               exit 3   a guard refused the plan; this run sent no write
    ├── IncompleteFile             exit 4   a file that another program writes is not complete
    ├── WarehouseError             exit 4   the warehouse or the state could not be read or written
    │   ├── WarehouseUnavailable   exit 4   the warehouse is out of reach or busy
    │   └── SessionLost            exit 4   the session ended, with its temporary tables and results
    └── KlaviyoError               exit 4   Klaviyo refused a request or could not be reached
        ├── KeyRefused             exit 2   Klaviyo refused the key, or it lacks a scope; nothing was sent
        ├── ReplyLost              exit 4   no reply came: the request may or may not have been carried out
        └── UnusableReply          exit 4   Klaviyo replied, with a refusal or with unreadable content

An error carries one or more problems, so that a single run reports everything that is wrong with a file. Only
the command line prints them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: what happened, where, and what to do next.

    `where` is a file and line, a model, a list or a masked row. `models` names the models concerned; it is
    empty if the problem concerns all models or none in particular.
    """

    summary: str
    where: str = ""
    hint: str = ""
    models: tuple[str, ...] = ()


class FailureCause(StrEnum):
    """The code of why a request to Klaviyo failed, and with it a list or a run."""

    KLAVIYO_REFUSED = "klaviyo_refused"
    KLAVIYO_KEY = "klaviyo_key"  # refused, or without a scope that the request needs
    KLAVIYO_RATE_LIMIT = "klaviyo_rate_limit"  # 429 for longer than a request waits
    KLAVIYO_TIMEOUT = "klaviyo_timeout"
    KLAVIYO_UNREACHABLE = "klaviyo_unreachable"  # no connection, or a lost one
    KLAVIYO_ERROR = "klaviyo_error"  # 5xx, or a reply that can't be read
    LIST_MISSING = "list_missing"
    WAREHOUSE = "warehouse"


class RunFailure(StrEnum):
    """The code of why a run failed that no request failed."""

    WAREHOUSE_UNAVAILABLE = "warehouse_unavailable"  # out of reach or busy
    STATE_DAMAGED = "state_damaged"  # or of a version that this program can't read
    MODEL = "model"  # it does not compile, or does not fit its config
    CONFIGURATION = "configuration"
    INCOMPLETE_FILE = "incomplete_file"  # of another program, such as dbt's artifacts
    INTERNAL = "internal"


class FailureReason(str):
    """Why a list failed: a sentence for people, and the cause for programs.

    It is a text since all that stops a list is one, also where nothing failed. A text that is made of it,
    such as by `str` or an f-string, has no cause any more: give the reason itself to `OutcomeCounter.fail`.
    """

    __slots__ = ("cause",)
    cause: FailureCause

    @classmethod
    def of(cls, error: KlaviyoError) -> Self:
        """Return why a list failed that an error ended."""
        return cls.because(error.failure_cause, str(error))

    @classmethod
    def refusal(cls, text: str) -> Self:
        """Return why a list failed of which Klaviyo refused what was sent."""
        return cls.because(FailureCause.KLAVIYO_REFUSED, text)

    @classmethod
    def because(cls, cause: FailureCause, text: str) -> Self:
        """Return a sentence with its cause."""
        reason = cls(text)
        reason.cause = cause
        return reason


class ReverseEtlError(Exception):
    """Base class. The code raises its subclasses only.

    `run_id` is "" if the state has no record of the run that the error ended.
    """

    exit_code: ClassVar[int] = 4
    _cause_code: ClassVar[str] = RunFailure.INTERNAL
    run_id: str = ""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(problem.summary for problem in problems))

    @property
    def cause_code(self) -> str:
        """Return the code of what is wrong, for programs."""
        return self._cause_code

    @classmethod
    def of(cls, summary: str, *, where: str = "", hint: str = "", models: tuple[str, ...] = ()) -> Self:
        """Return an error with a single problem."""
        return cls(Problem(summary, where, hint, models))


class UsageError(ReverseEtlError):
    """A flag, a file or the state is not usable; nothing was sent."""

    exit_code = 2
    _cause_code = RunFailure.CONFIGURATION


class WarehouseMissing(UsageError):  # noqa: N818 - says what happened
    """The warehouse's file is missing: its path may be wrong, or its disk out of reach; nothing was sent."""

    _cause_code = RunFailure.WAREHOUSE_UNAVAILABLE


class StateUnreadable(UsageError):  # noqa: N818 - says what happened
    """The state is damaged, or a newer version wrote it; nothing was sent."""

    _cause_code = RunFailure.STATE_DAMAGED


class ModelError(UsageError):
    """A model cannot be compiled or does not fit its config; nothing was sent."""

    _cause_code = RunFailure.MODEL


class NoModels(ModelError):  # noqa: N818 - says what happened
    """The project has neither a model's file nor a dbt model to send."""


class GuardRefused(ReverseEtlError):  # noqa: N818 - says what happened
    """A guard refused the plan; this run sent no write.

    `cause` says what refused it, as `StopCause` does. `was_applied`: a saved plan no longer fits, since
    nothing of it is left to send.
    """

    exit_code = 3
    cause: str = "guard"
    was_applied: bool = False

    @property
    def cause_code(self) -> str:
        """Return what refused the plan."""
        return self.cause

    def with_cause(self, cause: str) -> Self:
        """Set the cause, and return the error."""
        self.cause = cause
        return self


class IncompleteFile(ReverseEtlError):  # noqa: N818 - says what happened
    """A file that another program writes is not complete; nothing was sent, and it is safe to run again."""

    _cause_code = RunFailure.INCOMPLETE_FILE


class WarehouseError(ReverseEtlError):
    """The warehouse or the state could not be read or written; it is safe to run again."""

    _cause_code: ClassVar[str] = FailureCause.WAREHOUSE


class WarehouseUnavailable(WarehouseError):  # noqa: N818 - says what happened
    """The warehouse, or a database that it reads, is out of reach or busy: the statement may be right."""

    _cause_code = RunFailure.WAREHOUSE_UNAVAILABLE


class SessionLost(WarehouseError):  # noqa: N818 - says what happened
    """A warehouse session ended, and with it a result, a temporary table or an open transaction.

    Committed data stays, and the next statement opens a new session. Code that needs only committed tables
    may therefore start again.
    """


class KlaviyoError(ReverseEtlError):
    """Klaviyo refused a request or could not be reached; it is safe to run again."""

    failure_cause: FailureCause = FailureCause.KLAVIYO_UNREACHABLE

    @property
    def cause_code(self) -> str:
        """Return why the request failed."""
        return self.failure_cause

    def with_failure_cause(self, cause: FailureCause) -> Self:
        """Set the cause, and return the error."""
        self.failure_cause = cause
        return self


class KeyRefused(KlaviyoError):  # noqa: N818 - says what happened
    """Klaviyo does not accept the key, or the key lacks a scope: the configuration is wrong.

    It ends the command only if nothing was sent yet. Later it becomes the stop reason of a list.
    """

    exit_code = 2
    failure_cause = FailureCause.KLAVIYO_KEY


class ReplyLost(KlaviyoError):  # noqa: N818 - says what happened
    """No reply came, so it is unknown whether Klaviyo carried out the request."""


class UnusableReply(KlaviyoError):  # noqa: N818 - says what happened
    """Klaviyo replied, with a refusal or with unreadable content: the same request would fail again.

    `status` is the reply's status; `code` and `detail` are those of Klaviyo's first error, or "".
    """

    failure_cause = FailureCause.KLAVIYO_REFUSED
    status: int = 0
    code: str = ""
    detail: str = ""
