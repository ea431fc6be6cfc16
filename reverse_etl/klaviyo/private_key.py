"""Klaviyo's private key: where it may come from, and how it is kept from being shown."""

from __future__ import annotations

import subprocess
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
    """A key that is read when it is first needed and shown by nothing: no repr, str, pickle or error.

    `source` says where it comes from ("the environment variable ..."); it holds no part of the value.
    """

    __slots__ = ("_read", "_value", "source")

    def __init__(self, read: Callable[[], str], *, source: str) -> None:
        self._read = read
        self._value: str | None = None
        self.source = source

    def reveal(self) -> str:
        """Return the value; it is read once.

        Raises UsageError when the file or the command that should give it does not, or when what it gives
        cannot stand in a request's header. The error never holds the value.
        """
        if self._value is None:
            self._value = _validated(self._read(), self.source)
        return self._value

    def __repr__(self) -> str:
        return f"PrivateKey(from {self.source})"

    def __reduce__(self) -> str:
        raise TypeError("A private key is not pickled.")


def key_from_value(value: str, *, source: str) -> PrivateKey:
    """Return the key whose value is already known."""
    return PrivateKey(lambda: value, source=source)


def key_from_file(path: Path) -> PrivateKey:
    """Return the key that is the whole content of a file, but for blanks and line ends around it."""

    def read() -> str:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise UsageError.of(
                f"The file of the private key cannot be read: {reason}.",
                where=str(Path.cwd() / path),
                hint="Correct private_api_key_file; a relative path starts at the current folder.",
            ) from None

    return PrivateKey(read, source=f"the file {format_path(path)}")


def key_from_command(arguments: Sequence[str], environ: Mapping[str, str]) -> PrivateKey:
    """Return the key that a command prints; it runs without a shell and for at most 30 s."""
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
            raise _command_error(source, f"it ended with exit code {done.returncode}{stderr_note}")
        return printed

    return PrivateKey(read, source=source)


def missing_key_problem(where: str, reason: str = "") -> Problem:
    """Return the problem of a destination without a key: the ways to give one."""
    return Problem(
        f"There is no private key for Klaviyo{f': {reason}' if reason else ''}.",
        where,
        f"Set the environment variable {KEY_VARIABLE}, or write private_api_key_file (a path) or "
        "private_api_key_command (a list of arguments) into the destination. In Klaviyo, "
        "private keys are under Settings > API keys; give this one the scopes accounts:read, lists:read, "
        "lists:write, profiles:read and profiles:write.",
    )


def _validated(text: str, source: str) -> str:
    value = text.strip()
    if not value:
        raise UsageError.of(
            f"The private key is empty; it was taken from {source}.", hint="Put the key there."
        )
    if not value.isascii() or not value.isprintable() or " " in value:
        raise UsageError.of(
            f"The private key has characters that no key has; it was taken from {source}.",
            hint="It should be one line such as pk_ and letters and digits, with nothing else around it.",
        )
    return value


def _command_error(source: str, reason: str) -> UsageError:
    return UsageError.of(
        f"The private key cannot be had from {source}: {reason}.",
        hint="Run private_api_key_command by hand; it should print the key and nothing else.",
    )


def _describe_stderr(stderr: str, printed: str) -> str:
    value = printed.strip()
    if "pk_" in stderr or (value and value in stderr):
        return "; what it said is not shown, as it may hold the key"
    lines = stderr.strip().splitlines()[-_LAST_LINES:]
    return f" and said: {' / '.join(lines)}" if lines else ""
