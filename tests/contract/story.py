"""Runs the steps as commands and collects the texts to compare."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reverse_etl import __version__
from tests.cli.process import Ended, run_program
from tests.contract.recorder import KEY
from tests.contract.state_dump import state_as_sql
from tests.contract.steps import SAVED, STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from tests.contract.normalizer import Normalizer
    from tests.contract.recorder import Request
    from tests.contract.shop import Shop
    from tests.contract.steps import Step

LOG = ("--log-format", "json", "--verbose")
_OFFLINE = {"ls", "compile", "status", "report", "retry", "exposures"}


def run_steps(shop: Shop, normalizer: Normalizer) -> dict[str, str]:
    """Run the steps in their order; return the texts to compare by name."""
    texts: dict[str, str] = {}
    shop.set_up()
    shop.first_day()
    for step in STEPS:
        if shop.warehouse.engine in step.engines:
            texts |= _run_step(step, shop, normalizer)
    return texts


def _run_step(step: Step, shop: Shop, normalizer: Normalizer) -> Iterator[tuple[str, str]]:
    """Run a step; yield the texts to compare with their names."""
    step.before(shop)
    shop.klaviyo.take_requests()
    out, err = _run_command_of(step, shop)
    if requests := shop.klaviyo.take_requests():
        yield f"{step.name}.http", _requests_as_text(requests)
    if out:
        yield f"{step.name}.json", normalizer.document(out)
    if step.logs:
        yield f"{step.name}.log", normalizer.lines(err)
    for name in step.files:
        path = shop.folder / name if name == SAVED else shop.folder / "target/reverse_etl" / name
        yield f"{step.name}-{name}", normalizer.document(path.read_text(encoding="utf-8"))
    if step.state:
        replacements = {shop.klaviyo.origin: "http://127.0.0.1:8765"}
        yield step.dump, state_as_sql(shop.warehouse.state(), shop.warehouse.engine, replacements)


def _run_command_of(step: Step, shop: Shop) -> tuple[str, str]:
    """Run the command of a step until it ends or is killed as the step says; return stdout and stderr."""
    klaviyo = shop.klaviyo

    def started(process: BaseProcess) -> None:
        def on_request(_: Request) -> bool:
            if step.killed_at is None or not step.killed_at(klaviyo.requests):
                return True
            process.kill()
            return False

        klaviyo.on_request = on_request

    command = (*step.command, *one_thread(step.command), *(LOG if step.logs else ()))
    ended = run_command(shop.folder, *command, started=started)
    assert ended.code == step.code, f"{step.name}: {ended.code}\n{ended.out}\n{ended.err}"
    return ended.out, ended.err


def one_thread(command: Sequence[str]) -> tuple[str, ...]:
    """Return the option that keeps requests in order, for a command that sends any."""
    return () if command[0] in _OFFLINE else ("--threads", "1")


def run_command(
    folder: Path, *command: str, started: Callable[[BaseProcess], object] = lambda _: None
) -> Ended:
    """Run a command as a process in a project's folder."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "DESTINATIONS__KLAVIYO__PRIVATE_API_KEY": KEY,
    }
    return run_program(command, folder, environ, started)


def _requests_as_text(requests: list[Request]) -> str:
    """Return the requests as text; headers like those of the first one are written once."""
    usual = requests[0].headers
    lines = [
        "# Headers of every request, unless it says otherwise:",
        *(f"  {name}: {value}" for name, value in usual.items()),
        "",
        *(request.text(usual) for request in requests),
    ]
    return "\n".join(lines).replace(f"reverse-etl/{__version__}", "reverse-etl/<version>") + "\n"
