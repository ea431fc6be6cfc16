"""The command line: parse, call, print. It knows everything; nothing knows it.

This file is the one place that prints errors and chooses exit codes.
"""

from __future__ import annotations

import signal
import sys
from typing import NoReturn

import click

from reverse_etl import __version__
from reverse_etl.cli import compile_, debug, demo, init, ls, plan, retry, run, sandbox, status
from reverse_etl.cli.talk import talk
from reverse_etl.errors import ReverseEtlError

INTERRUPTED, TERMINATED = 130, 143


class Terminated(BaseException):
    """The process was asked to end (SIGTERM)."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="reverse-etl")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", help="How stderr talks; default: text.")
@click.option("-v", "--verbose", is_flag=True, help="Also tell every request (never its headers, query or body).")
@click.option("-q", "--quiet", is_flag=True, help="Only errors on stderr.")
def app(log_format: str, *, verbose: bool, quiet: bool) -> None:
    """Keep Klaviyo lists equal to what the warehouse says.

    Run it after `dbt build`. stdout is data, stderr is talk.

    \b
    Exit codes: 0 all desired rows are applied, or nothing to do
                1 finished, with new rejections, or rows unknown, accepted or held
                2 usage or configuration; nothing was sent
                3 a guard refused; this run sent no write
                4 warehouse or Klaviyo failed; safe to run again
                130, 143 interrupted; safe to run again
    """
    talk.set_up(as_json=log_format == "json", verbose=verbose, quiet=quiet)


for command in (
    init.command,
    debug.command,
    ls.command,
    compile_.command,
    plan.command,
    run.command,
    status.command,
    retry.command,
    sandbox.command,
    demo.command,
):
    app.add_command(command)


def main() -> NoReturn:
    """Run the command line and exit."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(_exit_code())


def _exit_code() -> int:
    try:
        return int(app.main(standalone_mode=False, prog_name="reverse-etl") or 0)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except ReverseEtlError as error:
        talk.error(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        talk.warn("Interrupted. It is safe to run again: the next run settles what this one left open.")
        return INTERRUPTED
    except Terminated:
        talk.warn("Terminated. It is safe to run again: the next run settles what this one left open.")
        return TERMINATED
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _terminate(number: int, frame: object) -> NoReturn:
    del number, frame
    raise Terminated
