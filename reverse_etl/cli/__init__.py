"""The command line: parse arguments, call the library, print results.

Only this file prints errors and chooses exit codes.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
import traceback
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import click

from reverse_etl import __version__
from reverse_etl.cli.group import CommandGroup, find_command
from reverse_etl.cli.output.console import LogFormat, terminal
from reverse_etl.cli.output.streams import exit_now, install_safe_streams
from reverse_etl.cli.signals import SignalHandler
from reverse_etl.errors import Problem, ReverseEtlError

LOG_FORMAT_VARIABLE = "REVERSE_ETL_LOG_FORMAT"
EXIT_FAILED = 4
_EXIT_USAGE = 2
_EXIT_ERROR = 1  # of Terraform, whose exit codes --detailed-exitcode gives
_COMPLETE_VARIABLE = "_REVERSE_ETL_COMPLETE"  # click derives it from the program's name
_DISK_ADVICE = "Free some disk space, or write to another path. It is safe to run again."
_ACCESS_ADVICE = "Check the permissions of the path, or choose another one. It is safe to run again."
_FOLDER_ADVICE = "Go to the project's folder again: cd FOLDER. A deployment may have replaced it."
_ADVICE_BY_ERRNO = dict.fromkeys(
    (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO), _DISK_ADVICE
) | dict.fromkeys((errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.EISDIR), _ACCESS_ADVICE)


@click.group(
    cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="reverse-etl")
@click.option(
    "--log-format",
    type=click.Choice([log_format.value for log_format in LogFormat]),
    default=LogFormat.AUTO.value,
    envvar=LOG_FORMAT_VARIABLE,
    show_default=True,
    show_envvar=True,
    help="Format of the logs on stderr: timed is text with the time, auto is text on a terminal and timed "
    "elsewhere.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log every request, without headers, query or body.")
@click.option("-q", "--quiet", is_flag=True, help="Log only warnings and errors.")
def app(log_format: str, *, verbose: bool, quiet: bool) -> None:
    """Sync SQL models from your warehouse to Klaviyo.

    Run it after `dbt build`. Results go to stdout, logs to stderr. The options below also work after the
    command.

    \b
    Exit codes: 0 everything is applied, or there was nothing to do
                1 finished, but rows need attention: newly rejected, held, unsent or not yet confirmed
                2 usage or configuration error; nothing was sent
                3 a guard stopped at least one list, or the dbt gate a model: nothing of it was sent
                4 the warehouse or Klaviyo failed; safe to run again
                130, 143 interrupted; safe to run again
    """  # noqa: D301 - \b tells click not to join the lines
    terminal.configure(LogFormat(log_format), verbose=verbose, quiet=quiet)


def main() -> NoReturn:
    """Run the command line and exit."""
    reduce_gc_frequency()
    signal_handler = SignalHandler()
    signal_handler.install()
    stdout = install_safe_streams()
    terminal.configure(_find_log_format(sys.argv[1:]), verbose=False, quiet=False)
    code = _run_app(signal_handler)
    stdout.flush()
    exit_now(_report_output_error(stdout.error, code) if stdout.error else code)


def _report_output_error(error: OSError, code: int) -> int:
    """Report that stdout could not be written, and return the exit code: 4 outranks 3, 1 and 0."""
    terminal.print_problems([Problem(f"{error.strerror}.", "stdout", _DISK_ADVICE)], EXIT_FAILED)
    return EXIT_FAILED if code in {0, 1, 3} else code


def reduce_gc_frequency() -> None:
    """Make garbage collection rare: a run creates millions of rows and hardly any reference cycles.

    At Python's default threshold the collector runs every 700 rows and takes a tenth of a run's time.
    """
    gc.set_threshold(100_000, 20, 20)


def _run_app(signal_handler: SignalHandler) -> int:
    try:
        if _COMPLETE_VARIABLE in os.environ:
            from reverse_etl.cli.shells import install_completion  # noqa: PLC0415 - only a shell needs it

            install_completion()
        return int(app.main(standalone_mode=False, prog_name="reverse-etl", obj=signal_handler) or 0)
    except BaseException as error:  # noqa: BLE001 - the last handler of the process
        # A library may raise its own error when a signal interrupts it: DuckDB raises a RuntimeError.
        return (
            signal_handler.print_exit_message() if signal_handler.signal_received else _report_failure(error)
        )


def _report_failure(error: BaseException) -> int:
    match error:
        case ReverseEtlError():
            code = _error_code(error.exit_code)
            terminal.print_problems(error.problems, code)
            return code
        case click.exceptions.NoArgsIsHelpError():
            error.show()
            return error.exit_code
        case click.ClickException():
            code = _error_code(error.exit_code)
            terminal.print_problems([_usage_problem(error)], code)
            return code
        case SystemExit(code=int(code)):
            return code
        case OSError() if (explained := _explain_os_error(error)) is not None:
            problem, code = explained
            terminal.print_problems([problem], code)
            return code
        case _:
            terminal.print_internal_error(traceback.format_exc())
            return EXIT_FAILED


def _explain_os_error(error: OSError) -> tuple[Problem, int] | None:
    """Return what a disk, a permission or a deleted folder did, with the exit code; None for other errors."""
    if advice := _ADVICE_BY_ERRNO.get(error.errno or 0):
        where = str(error.filename or "a file that was being written")
        return Problem(f"{error.strerror}.", where, advice), EXIT_FAILED
    try:
        Path.cwd()
    except FileNotFoundError:
        return Problem("The current folder was deleted.", hint=_FOLDER_ADVICE), _error_code(_EXIT_USAGE)
    return None


def _error_code(code: int) -> int:
    """Return the exit code of an error: with --detailed-exitcode 2 means changes, and errors end with 1."""
    return _EXIT_ERROR if code == _EXIT_USAGE and "--detailed-exitcode" in sys.argv else code


def _usage_problem(error: click.ClickException) -> Problem:
    """Return an error of click as a Problem."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else " ".join(["reverse-etl", *find_command(sys.argv[1:])])
    message = " ".join(error.format_message().split())  # click prints choices as lines of their own
    return Problem(
        message if message.endswith((".", "?")) else f"{message}.", path, f"Show the options: {path} --help"
    )


def _find_log_format(arguments: list[str]) -> LogFormat:
    """Return the format of the logs that was asked for, even if the arguments can't be parsed."""
    named = [
        *(argument.partition("=")[2] for argument in arguments if argument.startswith("--log-format=")),
        *(value for argument, value in pairwise(arguments) if argument == "--log-format"),
        os.environ.get(LOG_FORMAT_VARIABLE, ""),
    ]
    return next((LogFormat(name) for name in named if name in {*LogFormat}), LogFormat.AUTO)
