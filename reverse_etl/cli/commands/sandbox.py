"""`reverse-etl sandbox`: a Klaviyo stand-in of one's own, for trials."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from threading import Event

import click

from reverse_etl.cli.output.console import terminal
from reverse_etl.connections import SANDBOX_FILE


@click.command("sandbox")
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=SANDBOX_FILE,
    show_default=True,
    help="Where its state is kept.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Its port on 127.0.0.1; 0 takes a free one.",
)
@click.option(
    "--job-seconds", type=float, default=1.0, show_default=True, help="How long an import job takes."
)
@click.option("--limits/--no-limits", default=True, show_default=True, help="Keep Klaviyo's rate limits.")
def command(path: Path, port: int, job_seconds: float, *, limits: bool) -> None:
    """Serve a Klaviyo stand-in on this machine, until Ctrl-C.

    Prints its address on stdout. Its first page shows what is on its lists. To send to it, give a
    destination that address:

    \b
      {type: klaviyo, sandbox: true, origin: "http://127.0.0.1:8765"}
    """  # noqa: D301 - click's mark for lines that are not to be joined
    from reverse_etl.sandbox import Sandbox, serve  # noqa: PLC0415 - a web framework that others do not need

    stop_event = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop_event.set())

    def announce(origin: str) -> None:
        click.echo(origin)
        sys.stdout.flush()
        terminal.info(f"A Klaviyo sandbox is at {origin}. Open it in a browser; Ctrl-C ends it.")
        terminal.info(f"Its state is kept in {path}.")

    serve(Sandbox(path, port=port, job_seconds=job_seconds, limits=limits), announce, stop_event)
    terminal.info("The sandbox has ended; its state is kept.")
