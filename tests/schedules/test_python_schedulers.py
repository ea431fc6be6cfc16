"""The ready files of schedulers in Python: what they retry, and that dbt's exit code is passed on."""

from __future__ import annotations

import inspect
import runpy
import subprocess
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.schedules.test_schedule_files import CODES, FILES

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Again(Exception):  # noqa: N818 - the scheduler's word for it
    """A stand-in for what makes a scheduler try again."""

    def __init__(self, *said: str, **_: Any) -> None:
        super().__init__(*said)


class TaskFailed(Exception):  # noqa: N818 - as above
    """A stand-in for what makes a scheduler give up."""

    def __init__(self, *said: str, **_: Any) -> None:
        super().__init__(*said)


def decorator(*arguments: Callable[..., Any], **_: Any) -> Callable[..., Any]:
    """Stand-in for a decorator, with arguments or without, that leaves a function as it is."""
    return arguments[0] if arguments and callable(arguments[0]) else lambda function: function


class Scheduled:
    """A Python file of docs/schedules, loaded with a scheduler that has only its names.

    `tasks` are its functions by name. Commands exit with the codes of `codes` by their first word; `commands`
    are those that were run.
    """

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch, **codes: int) -> None:
        self.tasks: dict[str, Callable[..., Any]] = {}
        self.codes = codes
        self.commands: list[list[str]] = []
        for module, names in self._stubs().items():
            stub = ModuleType(module)
            vars(stub).update(names)
            monkeypatch.setitem(sys.modules, module, stub)
        monkeypatch.setattr(subprocess, "run", self._run)
        contents = runpy.run_path(str(FILES / name))
        self.tasks = {**contents, **self.tasks}

    def send(self) -> None:
        """Send, as the scheduler would after a build that succeeded."""
        context = SimpleNamespace(log=SimpleNamespace(info=print, warning=print, error=print))
        found = self.tasks.get("send") or self.tasks["lists"]
        given = {"context": context, "dbt_code": 0}
        found(*(given[name] for name in inspect.signature(found).parameters))

    def _run(self, command: list[str], *, check: bool, **_: Any) -> SimpleNamespace:
        self.commands.append(command)
        code = self.codes.get(command[0].replace("-", "_"), 0)
        if check and code:
            raise subprocess.CalledProcessError(code, command)
        return SimpleNamespace(returncode=code)

    def _task(self, *arguments: Callable[..., Any], **_: Any) -> Callable[..., Any]:
        def take(function: Callable[..., Any]) -> Callable[..., Any]:
            self.tasks[function.__name__] = function
            return lambda *_: Task()

        return take(arguments[0]) if arguments else take

    def _stubs(self) -> dict[str, dict[str, Any]]:
        named: dict[str, Any] = dict.fromkeys(DAGSTER, Task)
        return {
            "airflow": {},
            "airflow.sdk": {"dag": decorator, "task": self._task},
            "airflow.exceptions": {"AirflowException": Again, "AirflowFailException": TaskFailed},
            "cosmos": dict.fromkeys(("DbtTaskGroup", "ProfileConfig", "ProjectConfig"), Task),
            "dagster": {
                **named,
                "job": lambda _: None,  # which would build a graph of the ops
                "op": decorator,
                "asset": decorator,
                "AssetSelection": SimpleNamespace(all=Task),
                "Failure": TaskFailed,
                "RetryRequested": Again,
            },
            "dagster_dbt": {"DbtCliResource": Task, "DbtProject": Task, "dbt_assets": decorator},
            "prefect": {
                "flow": decorator,
                "task": decorator,
                "get_run_logger": lambda: SimpleNamespace(warning=print),
            },
        }


class Task(SimpleNamespace):
    """A stand-in for a task in a graph, and for whatever else a file makes."""

    manifest_path = ""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def __rshift__(self, other: Any) -> Any:
        return other


DAGSTER = (
    "AssetExecutionContext",
    "Definitions",
    "OpExecutionContext",
    "ScheduleDefinition",
    "define_asset_job",
)

SCHEDULERS = ["airflow_dag.py", "cosmos_dag.py", "dagster_job.py", "dagster_dbt_assets.py", "prefect_flow.py"]


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("code", CODES)
def test_python_schedulers_retry_only_retryable_exit_codes(
    monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    """0 and 1 are ends; 2 and 3 wait for someone; 4 and an interruption are safe to run again."""
    scheduled = Scheduled(name, monkeypatch, reverse_etl=code)
    ended: Any = scheduled.tasks.get("WaitsForSomeone", TaskFailed)
    again: Any = RuntimeError if name == "prefect_flow.py" else Again
    match code:
        case 0 | 1:
            scheduled.send()
        case 2 | 3:
            with pytest.raises(ended, match=f"exited with {code}"):
                scheduled.send()
        case _:
            with pytest.raises(again):
                scheduled.send()


@pytest.mark.parametrize("name", ["airflow_dag.py", "dagster_job.py", "prefect_flow.py"])
@pytest.mark.parametrize("code", [0, 1, 2, 137])
def test_python_schedulers_pass_the_exit_code_of_dbt_on(
    monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    """With 0 and 1 dbt left results, and the gate decides; anything else ends it before the lists."""
    scheduled = Scheduled(name, monkeypatch, dbt=code)
    ended: Any = scheduled.tasks.get("WaitsForSomeone", TaskFailed)
    build, send = scheduled.tasks["build"], scheduled.tasks["send"]
    if code > 1:
        with pytest.raises(ended, match=f"dbt exited with {code} and wrote no results"):
            build()
        return
    context = (SimpleNamespace(log=None),) if name == "dagster_job.py" else ()
    assert build() == code
    send(*context, code)
    assert scheduled.commands[-1][-2:] == ["--dbt-exit-code", str(code)]
    finish: Callable[..., Any] = scheduled.tasks.get("fail_if_dbt_failed", scheduled.tasks["lists"])
    given = (code,) if "fail_if_dbt_failed" in scheduled.tasks else ()
    if code:
        with pytest.raises(ended, match="dbt exited with 1"):
            finish(*given)
    else:
        finish(*given)


def test_prefect_retries_unless_somebody_has_to_act(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the result of the try that failed."""
    scheduled = Scheduled("prefect_flow.py", monkeypatch)

    def failed(error: Exception) -> SimpleNamespace:
        def result() -> None:
            raise error

        return SimpleNamespace(result=result)

    retry, waits = scheduled.tasks["is_worth_a_retry"], scheduled.tasks["WaitsForSomeone"]
    assert retry(None, None, failed(RuntimeError()))
    assert not retry(None, None, failed(waits()))
