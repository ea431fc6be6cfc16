"""The examples of docs/examples, which use the library, with stand-ins of Dagster and Airflow."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.errors import GuardRefused, UsageError, WarehouseError
from reverse_etl.project import Project
from tests.cli.command_line import CommandLine
from tests.schedules.test_python_schedulers import Again, TaskFailed, decorator

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.errors import ReverseEtlError

    Send = Callable[[str, str], Any]

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


class Operator:
    """A stand-in for Airflow's BaseOperator."""

    def __init__(self, *, task_id: str) -> None:
        self.task_id = task_id
        self.log = SimpleNamespace(warning=print)


STANDS_IN: dict[str, dict[str, Any]] = {
    "airflow": {},
    "airflow.exceptions": {"AirflowException": Again, "AirflowFailException": TaskFailed},
    "airflow.sdk": {"BaseOperator": Operator},
    "dagster": {
        "AssetExecutionContext": object,
        "Definitions": SimpleNamespace,
        "Failure": TaskFailed,
        "MaterializeResult": SimpleNamespace,
        "RetryRequested": Again,
        "asset": decorator,
    },
}


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the names of an example, whose scheduler is a stand-in."""
    for module, names in STANDS_IN.items():
        stub = ModuleType(module)
        vars(stub).update(names)
        monkeypatch.setitem(sys.modules, module, stub)
    return runpy.run_path(str(EXAMPLES / name))


def send_by_dagster(monkeypatch: pytest.MonkeyPatch, folder: str) -> Any:
    """Materialize the asset, and return its metadata."""
    names = load("dagster_asset.py", monkeypatch)
    send = names["vip_customers"]
    send.__globals__.update(PROJECT=folder, TARGET="trial")
    return send(SimpleNamespace(log=SimpleNamespace(warning=print))).metadata


def send_by_airflow(monkeypatch: pytest.MonkeyPatch, folder: str) -> Any:
    """Execute the operator, and return what it leaves for other tasks."""
    operator = load("airflow_operator.py", monkeypatch)["ReverseEtlOperator"]
    task = operator(task_id="vip", project_dir=folder, target="trial", select=["vip_customers"])
    return task.execute({})


@pytest.mark.parametrize(
    ("send", "sent"),
    [(send_by_dagster, {"VIP: applied": 20}), (send_by_airflow, {"VIP": {"applied": 20}})],
)
def test_an_example_sends_a_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, send: Callable[..., Any], sent: dict[str, Any]
) -> None:
    cli = CommandLine(tmp_path)
    (tmp_path / "models" / "vip.sql").rename(tmp_path / "models" / "vip_customers.sql")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)  # the path of the DuckDB file is relative
    assert send(monkeypatch, str(tmp_path)) == sent
    cli.close()


@pytest.mark.parametrize("send", [send_by_dagster, send_by_airflow])
@pytest.mark.parametrize(
    ("error", "ends"), [(UsageError, TaskFailed), (GuardRefused, TaskFailed), (WarehouseError, Again)]
)
def test_only_a_failure_of_a_service_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
    send: Callable[..., Any],
    error: type[ReverseEtlError],
    ends: type[Exception],
) -> None:
    """Also if the run ends with the exit code instead of an error."""

    def fail(*_: Any, **__: Any) -> None:
        raise error.of("It failed.", where="here", hint="")

    monkeypatch.setattr(Project, "load", fail)
    with pytest.raises(ends):
        send(monkeypatch, "")
    result = SimpleNamespace(exit_code=error.exit_code, lists=[])
    monkeypatch.setattr(Project, "load", lambda *_, **__: SimpleNamespace(run=lambda **_: result))
    with pytest.raises(ends):
        send(monkeypatch, "")
