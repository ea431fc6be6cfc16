"""`reverse-etl sandbox`: a local stand-in for Klaviyo."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from threading import Event

import click

from reverse_etl.cli.output import tables as show
from reverse_etl.cli.output.console import terminal
from reverse_etl.connections import SANDBOX_FILE


@click.command("sandbox")
@click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=SANDBOX_FILE,
    show_default=True,
    help="File that stores the sandbox.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port on 127.0.0.1; 0 chooses a free port.",
)
@click.option(
    "--job-seconds", type=float, default=1.0, show_default=True, help="Duration of an import job in seconds."
)
@click.option("--limits/--no-limits", default=True, show_default=True, help="Enforce Klaviyo's rate limits.")
def command(path: Path, port: int, job_seconds: float, *, limits: bool) -> None:
    """Run a local stand-in for Klaviyo until Ctrl-C.

    Prints its URL to stdout. Open the URL in a browser to see its lists and profiles. To send to it, use the
    URL as the origin of a destination:

    \b
      {type: klaviyo, sandbox: true, origin: "http://127.0.0.1:8765"}
    """  # noqa: D301 - \b tells click not to join the lines
    from reverse_etl.sandbox import Sandbox, serve  # noqa: PLC0415 - imports a web framework that other commands do not need

    stop_event = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop_event.set())

    def announce(origin: str) -> None:
        show.print_line(origin)
        sys.stdout.flush()
        terminal.info(
            f"The Klaviyo sandbox is running at {origin}. Open it in a browser. Press Ctrl-C to stop it."
        )
        terminal.info(f"It stores its data in {path}.")

    serve(Sandbox(path, port=port, job_seconds=job_seconds, limits=limits), announce, stop_event)
    terminal.info("Stopped the sandbox. Its data is kept.")
