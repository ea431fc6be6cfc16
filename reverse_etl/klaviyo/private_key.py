"""Klaviyo's private key: its sources, and the protection against showing it."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reverse_etl.errors import Problem, UsageError
from reverse_etl.formatting import format_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEY_VARIABLE: Final = "DESTINATIONS__KLAVIYO__PRIVATE_API_KEY"
_COMMAND_SECONDS = 30
_LAST_LINES = 3


class PrivateKey:
    """A key that is read on first use. No repr, str, pickle or error shows its value.

    `source` describes where the key comes from ("the environment variable ...") without any part of it.
    """

    __slots__ = ("_is_at_hand", "_read", "_value", "source")

    def __init__(self, read: Callable[[], str], *, source: str, is_at_hand: bool = False) -> None:
        self._read = read
        self._value: str | None = None
        self._is_at_hand = is_at_hand
        self.source = source

    def reveal(self) -> str:
        """Return the value, which is read only once.

        Raises UsageError if the file or the command fails, or if the value is not valid in an HTTP header.
        The error never contains the value.
        """
        if self._value is None:
            self._value = _validated(self._read(), self.source)
        return self._value

    @property
    def known_value(self) -> str | None:
        """Return the value if it is known without a command, or was revealed before; None otherwise."""
        if self._value is None and self._is_at_hand:
            with suppress(UsageError):  # `reveal` reports it, once the key is needed
                return self.reveal()
        return self._value

    def __repr__(self) -> str:
        return f"PrivateKey(from {self.source})"

    def __reduce__(self) -> str:
        raise TypeError("A private key cannot be pickled.")


def key_from_value(value: str, *, source: str) -> PrivateKey:
    """Return a key whose value is already known."""
    return PrivateKey(lambda: value, source=source, is_at_hand=True)


def key_from_file(path: Path) -> PrivateKey:
    """Return the key in a file; surrounding blanks and line ends are ignored."""

    def read() -> str:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise UsageError.of(
                f"The file of the private key cannot be read: {reason}.",
                where=str(Path.cwd() / path),
                hint="Correct private_api_key_file. A relative path starts at the current folder.",
            ) from None

    return PrivateKey(read, source=f"the file {format_path(path)}", is_at_hand=True)


def key_from_command(arguments: Sequence[str], environ: Mapping[str, str]) -> PrivateKey:
    """Return the key that a command prints. The command runs without a shell, for at most 30 seconds."""
    source = f"the command {arguments[0]}"

    def read() -> str:
        try:
            done = subprocess.run(  # noqa: S603 - the user's own profile names the command
                list(arguments),
                capture_output=True,
                check=False,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                timeout=_COMMAND_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise _command_error(source, f"it did not end within {_COMMAND_SECONDS} s") from None
        except OSError as error:
            raise _command_error(source, (error.strerror or "it cannot be started").lower()) from None
        printed = done.stdout.decode("utf-8", "replace")
        if done.returncode:
            stderr_note = _describe_stderr(done.stderr.decode("utf-8", "replace"), printed)
            raise _command_error(source, f"exit code {done.returncode}{stderr_note}")
        return printed

    return PrivateKey(read, source=source)


def missing_key_problem(where: str, variable: str = "") -> Problem:
    """Return the problem of a destination without a key; its hint says how to configure one.

    `variable` is the environment variable that `private_api_key` reads, if it is not set.
    """
    reason = f": the environment variable {variable} is not set" if variable else ""
    default = "" if variable == KEY_VARIABLE else f"the environment variable {KEY_VARIABLE}, or "
    ways = (
        f"{default}private_api_key_file (a path) or private_api_key_command (a list of arguments) in the "
        "destination"
    )
    first_way = (
        f"Set {variable}, which private_api_key of the destination reads. Other ways are {ways}."
        if variable
        else f"Set {ways}."
    )
    return Problem(
        f"There is no private key for Klaviyo{reason}.",
        where,
        f"{first_way} Create the key in Klaviyo under Settings > API keys, with the scopes accounts:read, "
        "lists:read, lists:write, profiles:read and profiles:write.",
    )


def _validated(text: str, source: str) -> str:
    value = text.strip()
    if not value:
        raise UsageError.of(f"The private key from {source} is empty.", hint="Write the key there.")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise UsageError.of(
            f"The private key from {source} has invalid characters.",
            hint="Write only the key, on one line: pk_ followed by letters and digits.",
        )
    return value


def _command_error(source: str, reason: str) -> UsageError:
    return UsageError.of(
        f"The private key cannot be read from {source}: {reason}.",
        hint="Run private_api_key_command by hand. It must print only the key.",
    )


def _describe_stderr(stderr: str, printed: str) -> str:
    value = printed.strip()
    if "pk_" in stderr or (value and value in stderr):
        return "; its error output is not shown, since it may contain the key"
    lines = stderr.strip().splitlines()[-_LAST_LINES:]
    return f"; it printed: {' / '.join(lines)}" if lines else ""
