"""The command line: parse, call, print. It knows everything; nothing knows it.

This file is the one place that prints errors and chooses exit codes.
"""

from __future__ import annotations

import errno
import gc
import sys
import traceback
from itertools import pairwise
from typing import NoReturn

import click

from reverse_etl import __version__
from reverse_etl.cli.group import Commands, command_in
from reverse_etl.cli.output.console import talk
from reverse_etl.cli.output.streams import leave, tolerate_losses
from reverse_etl.cli.signals import Stops
from reverse_etl.errors import Problem, ReverseEtlError

FAILED = 4
_MAKE_ROOM = "Make room, or let it be written elsewhere. It is safe to run again."
_LET_IN = "See what is there and who may write it, or name another place. It is safe to run again."
_ADVICE = dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO), _MAKE_ROOM) | dict.fromkeys(
    (errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.EISDIR), _LET_IN
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="reverse-etl")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How stderr talks.",
)
@click.option(
    "-v", "--verbose", is_flag=True, help="Also tell every request (never its headers, query or body)."
)
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors on stderr.")
def app(log_format: str, *, verbose: bool, quiet: bool) -> None:
    """Keep Klaviyo lists equal to what the warehouse says.

    Run it after `dbt build`. stdout is data, stderr is talk. These options may stand after the command.

    \b
    Exit codes: 0 all desired rows are applied, or nothing to do
                1 finished; rows newly rejected, unknown, accepted, held or unsent
                2 usage or configuration; nothing was sent
                3 a guard or gate refused; this run sent no write
                4 warehouse or Klaviyo failed; safe to run again
                130, 143 interrupted; safe to run again
    """  # noqa: D301 - click's mark for lines that are not to be joined
    talk.set_up(as_json=log_format == "json", verbose=verbose, quiet=quiet)


def main() -> NoReturn:
    """Run the command line and exit."""
    collect_seldom()
    stops = Stops()
    stops.watch()
    stdout = tolerate_losses()
    talk.set_up(as_json=_asks_for_json(sys.argv[1:]), verbose=False, quiet=False)
    code = _exit_code(stops)
    stdout.flush()
    leave(_told_loss(stdout.lost, code) if stdout.lost else code)


def _told_loss(loss: OSError, code: int) -> int:
    """Say that what was printed is lost; returns the exit code, of which 4 comes before 3 and 1."""
    talk.problems([Problem(f"{loss.strerror}.", "what is printed", _MAKE_ROOM)], FAILED)
    return FAILED if code in {0, 1, 3} else code


def collect_seldom() -> None:
    """Look for reference cycles seldom: a run makes millions of rows and hardly a cycle.

    At Python's own threshold a look is taken every 700 rows, which costs a run a tenth of its time.
    """
    gc.set_threshold(100_000, 20, 20)


def _exit_code(stops: Stops) -> int:
    try:
        return int(app.main(standalone_mode=False, prog_name="reverse-etl") or 0)
    except BaseException as error:  # noqa: BLE001 - the process ends here, whatever it was
        # Whoever was interrupted may tell it in words of its own: DuckDB raises a RuntimeError.
        return stops.last_word() if stops.asked else _failed(error)


def _failed(error: BaseException) -> int:
    match error:
        case ReverseEtlError():
            talk.problems(error.problems, error.exit_code)
            return error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            error.show()
            return error.exit_code
        case click.ClickException():
            talk.problems([_misused(error)], error.exit_code)
            return error.exit_code
        case SystemExit(code=int(code)):
            return code
        case OSError(errno=int(number)) if number in _ADVICE:
            where = str(error.filename or "a file that was being written")
            talk.problems([Problem(f"{error.strerror}.", where, _ADVICE[number])], FAILED)
            return FAILED
        case _:
            talk.fault(traceback.format_exc())
            return FAILED


def _misused(error: click.ClickException) -> Problem:
    """Return what click has to say, in the form of every other problem."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else " ".join(["reverse-etl", *command_in(sys.argv[1:])])
    said = error.format_message()
    return Problem(
        said if said.endswith((".", "?")) else f"{said}.", path, f"See what there is: {path} --help"
    )


def _asks_for_json(arguments: list[str]) -> bool:
    """Return whether to talk JSON, also of arguments that can't be parsed."""
    return "--log-format=json" in arguments or ("--log-format", "json") in pairwise(arguments)
