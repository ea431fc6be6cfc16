"""Every error that a user can meet, as one tree.

    ReverseEtlError
    ├── UsageError        exit 2   something that is written can't be run: a flag, a file, the state
    │   └── ModelError    exit 2   a model cannot be compiled or does not fit its config
    ├── GuardRefused      exit 3   a guard refused the plan; this run sent no write
    ├── IncompleteFile    exit 4   a file that another program writes is not complete
    ├── WarehouseError    exit 4   the warehouse or the state could not be read or written
    │   └── SessionLost   exit 4   the session ended, and with it what was only there
    └── KlaviyoError      exit 4   Klaviyo refused a request or could not be reached
        ├── KeyRefused    exit 2   Klaviyo does not know the key, or it lacks a scope; nothing was sent
        └── ReplyLost     exit 4   a request may or may not have been carried out

An error holds one or more problems, so that everything wrong with a file is said at once. Only the command
line prints them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    What happened, where (file, line, model, list, masked row), and what to do next. `models` are the names of
    the models that it is about; empty where it is about all of them, or about something else.
    """

    summary: str
    where: str = ""
    hint: str = ""
    models: tuple[str, ...] = ()


class ReverseEtlError(Exception):
    """The root of the tree. Raised only through its children."""

    exit_code: ClassVar[int] = 4

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(problem.summary for problem in problems))

    @classmethod
    def of(cls, summary: str, *, where: str = "", hint: str = "", models: tuple[str, ...] = ()) -> Self:
        """Make the error of a single problem."""
        return cls(Problem(summary, where, hint, models))


class UsageError(ReverseEtlError):
    """What the command line, a file or the state says cannot be run; nothing was sent."""

    exit_code = 2


class ModelError(UsageError):
    """A model cannot be compiled or does not fit its config; nothing was sent."""


class GuardRefused(ReverseEtlError):  # noqa: N818 - says what happened
    """A guard refused the plan; this run sent no write."""

    exit_code = 3


class IncompleteFile(ReverseEtlError):  # noqa: N818 - says what happened
    """A file that another program writes is not complete; nothing was sent, and it is safe to run again."""


class WarehouseError(ReverseEtlError):
    """The warehouse or the state could not be read or written; it is safe to run again."""


class SessionLost(WarehouseError):  # noqa: N818 - says what happened
    """A session with the warehouse ended, and with it a result, a scratch table or an open transaction.

    What was committed stays, and another session is opened for the next statement: whoever only reads what is
    kept may begin anew.
    """


class KlaviyoError(ReverseEtlError):
    """Klaviyo refused a request or could not be reached; it is safe to run again."""


class KeyRefused(KlaviyoError):  # noqa: N818 - says what happened
    """Klaviyo does not know the key, or the key lacks a scope: that is configuration.

    It ends a command only where nothing was sent; later it is the reason for which a list stopped.
    """

    exit_code = 2


class ReplyLost(KlaviyoError):  # noqa: N818 - says what happened
    """No reply came, so nobody here knows whether the request was carried out."""
