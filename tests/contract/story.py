"""The story of the steps on one warehouse: texts to compare."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reverse_etl import __version__
from tests.cli.process import ended
from tests.contract.recorder import KEY
from tests.contract.state_dump import written
from tests.contract.steps import SAVED, STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from tests.contract.plain import Plain
    from tests.contract.recorder import Request
    from tests.contract.shop import Shop
    from tests.contract.steps import Step

SECONDS = 100.0  # longer than any command takes here
LOG = ("--log-format", "json", "--verbose")


def play(shop: Shop, plain: Plain) -> dict[str, str]:
    """Run the steps in their order, and return the texts to compare by their names."""
    texts: dict[str, str] = {}
    shop.set_up()
    shop.first_day()
    for step in STEPS:
        if shop.warehouse.engine in step.engines:
            texts |= _texts(step, shop, plain)
    return texts


def _texts(step: Step, shop: Shop, plain: Plain) -> Iterator[tuple[str, str]]:
    step.before(shop)
    shop.klaviyo.taken()
    out, err = _run(step, shop)
    if requests := shop.klaviyo.taken():
        yield f"{step.name}.http", _sent(requests)
    if out:
        yield f"{step.name}.json", plain.document(out)
    if step.logs:
        yield f"{step.name}.log", plain.lines(err)
    for name in step.files:
        path = shop.folder / name if name == SAVED else shop.folder / "target/reverse_etl" / name
        yield f"{step.name}-{name}", plain.document(path.read_text(encoding="utf-8"))
    if step.state:
        names = {shop.klaviyo.origin: "http://127.0.0.1:8765"}
        yield step.dump, written(shop.warehouse.state(), shop.warehouse.engine, names)


def _run(step: Step, shop: Shop) -> tuple[str, str]:
    """Run the command of a step to its end, or until it is to be killed; return stdout and stderr."""
    klaviyo = shop.klaviyo

    def started(process: BaseProcess) -> None:
        def on_request(_: Request) -> bool:
            if step.killed_at is None or not step.killed_at(klaviyo.requests):
                return True
            process.kill()
            return False

        klaviyo.on_request = on_request

    command = (*step.command, "--threads", "1", *(LOG if step.logs else ()))
    out, err, code = run_command(shop.folder, *command, started=started)
    assert code == step.code, f"{step.name}: {code}\n{out}\n{err}"
    return out, err


def run_command(
    folder: Path, *command: str, started: Callable[[BaseProcess], object] = lambda _: None
) -> tuple[str, str, int]:
    """Run a command as a process in a project's folder; return stdout, stderr and the exit code."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "DESTINATIONS__KLAVIYO__PRIVATE_API_KEY": KEY,
    }
    return ended(command, folder, environ, SECONDS, started)


def _sent(requests: list[Request]) -> str:
    """Return requests below the headers that they have in common."""
    usual = requests[0].headers
    lines = [
        "# Headers of every request, unless it says otherwise:",
        *(f"  {name}: {value}" for name, value in usual.items()),
        "",
        *(request.text(usual) for request in requests),
    ]
    return "\n".join(lines).replace(f"reverse-etl/{__version__}", "reverse-etl/<version>") + "\n"
