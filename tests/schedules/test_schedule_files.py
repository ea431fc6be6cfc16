"""The ready files for schedulers: each is read as its scheduler reads it, as far as that goes without one."""

from __future__ import annotations

import ast
import configparser
import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

import click
import pytest
import yaml

from reverse_etl.cli import app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

ROOT = Path(__file__).parents[2]
FILES = ROOT / "docs" / "schedules"
CRON = "15 6 * * *"
CODES = [0, 1, 2, 3, 4, 130]


def text(name: str) -> str:
    """Return a file's text."""
    return (FILES / name).read_text(encoding="utf-8")


def in_lists(value: Any) -> Iterator[list[str]]:
    """Yield the lists of words anywhere in a YAML value."""
    if isinstance(value, dict):
        for each in value.values():
            yield from in_lists(each)
    elif isinstance(value, list):
        if value and all(isinstance(each, str) for each in value):
            yield value
        for each in value:
            yield from in_lists(each)


def of_python(name: str) -> Iterator[list[str]]:
    """Yield the arguments of our commands in a Python file: lists of texts."""
    for node in ast.walk(ast.parse(text(name))):
        if isinstance(node, ast.List) and node.elts and ast.unparse(node.elts[0]) == "'reverse-etl'":
            yield [ast.literal_eval(each) for each in node.elts[1:]]


def of_lines(name: str) -> Iterator[list[str]]:
    """Yield the arguments of our commands in the lines of a file that are no comments."""
    for line in text(name).splitlines():
        if not line.lstrip().startswith("#"):
            for found in re.findall(r"(?:^|[\s/=])reverse-etl((?: +-*[a-z][\w-]*)+)", line):
                yield shlex.split(found)


def of_documents() -> Iterator[tuple[str, list[str]]]:
    """Yield the arguments of our commands in the documents on dbt and on schedules."""
    for name in ("dbt.md", "scheduling.md"):
        document = (FILES.parent / name).read_text(encoding="utf-8")
        for found in re.findall(r"`reverse-etl ([^`<>]*?)(?: > [^`]*)?`", document):
            yield name, shlex.split(found)


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """Yield every command line of ours, as (file, arguments)."""
    for path in sorted(FILES.iterdir()):
        found = of_python(path.name) if path.suffix == ".py" else of_lines(path.name)
        yield from ((path.name, arguments) for arguments in found)
    for words in in_lists(yaml.safe_load(text("kubernetes-cronjob.yml"))):
        if "run" in words:
            yield "kubernetes-cronjob.yml", words
    (run,) = re.findall(r"^CMD (.*)$", text("Dockerfile"), flags=re.MULTILINE)
    yield "Dockerfile", json.loads(run)
    yield from of_documents()


COMMANDS = [*command_lines()]


@pytest.mark.parametrize(("file", "arguments"), COMMANDS, ids=[" ".join([f, *a]) for f, a in COMMANDS])
def test_every_command_line_is_one_of_ours(file: str, arguments: list[str]) -> None:
    """Our own parser takes it: the command is there, and so are its flags."""
    del file
    with app.make_context("reverse-etl", list(arguments)) as context:
        name, command, rest = app.resolve_command(context, [*context._protected_args, *context.args])
        assert isinstance(command, click.Command)
        command.make_context(name, rest, parent=context).close()


def test_every_file_that_sends_has_a_command_line_that_was_looked_at() -> None:
    """But the timer and the SQL, which has a test of its own."""
    silent = {"reverse-etl.timer", "snowflake-task.sql"}
    assert {file for file, _ in COMMANDS} >= {path.name for path in FILES.iterdir()} - silent


def is_cron(written: str) -> bool:
    """Return whether five fields are within cron's ranges."""
    ranges = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
    fields = written.split()
    numbers = [[int(each) for each in re.findall(r"\d+", field)] for field in fields]
    shaped = all(re.fullmatch(r"[\d*/,-]+", field) for field in fields)
    return (
        shaped
        and len(fields) == 5
        and all(
            low <= number <= high
            for (low, high), found in zip(ranges, numbers, strict=True)
            for number in found
        )
    )


def test_the_schedules_are_all_of_one_time() -> None:
    """So that one can be replaced by the other."""
    (line,) = [line for line in text("reverse_etl.cron").splitlines() if re.match(r"[\d*]", line)]
    assert " ".join(line.split()[:5]) == CRON
    assert yaml.safe_load(text("kubernetes-cronjob.yml"))["spec"]["schedule"] == CRON
    workflow = yaml.load(text("github-actions.yml"), Loader=yaml.BaseLoader)  # noqa: S506 - reads `on` as it is
    assert workflow["on"]["schedule"] == [{"cron": CRON}]
    for name in ("airflow_dag.py", "dagster_job.py"):
        assert f'schedule="{CRON}"' in text(name)
    assert is_cron(CRON)
    assert not is_cron("75 6 * * *")


def test_the_cron_line_is_shell_that_bash_reads() -> None:
    """With the settings above it."""
    lines = text("reverse_etl.cron").splitlines()
    settings = [line for line in lines if re.fullmatch(r"[A-Z]+=\S+", line)]
    (job,) = [line for line in lines if line.startswith("15 ")]
    assert len(settings) == 3
    assert "%" not in job, "cron takes a % for the end of the line"
    subprocess.run(["bash", "-n", "-c", job.split(maxsplit=5)[5]], check=True, timeout=10)  # noqa: S607


class UnitFile(configparser.ConfigParser):
    """A parser that keeps the case of keys, as systemd does."""

    def optionxform(self, optionstr: str) -> str:
        """Return a key as it is written."""
        return optionstr


def test_systemd_takes_the_unit_and_its_timer(tmp_path: Path) -> None:
    """Both parse with no key twice; where systemd is, it verifies them, with our command where it is here."""
    for name in ("reverse-etl.service", "reverse-etl.timer"):
        unit = UnitFile(delimiters=["="], strict=True, interpolation=None)
        unit.read_string(text(name))
        assert unit.has_section("Unit")
        (tmp_path / name).write_text(
            re.sub(r"/opt/reverse_etl/bin/[\w-]+", sys.executable, text(name))
            .replace("User=reverse_etl", "User=root")
            .replace("/srv/shop", str(tmp_path))
        )
    if analyze := shutil.which("systemd-analyze"):
        units = [tmp_path / "reverse-etl.service", tmp_path / "reverse-etl.timer"]
        verify = [analyze, "verify", *map(str, units)]
        done = subprocess.run(verify, capture_output=True, text=True, timeout=60, check=False)
        own = [line for line in done.stderr.splitlines() if "reverse-etl" in line]
        assert not own, done.stderr


def test_the_workflow_of_github_is_whole() -> None:
    """Jobs with runners, steps that use or run something, secrets only where they are needed."""
    workflow = yaml.safe_load(text("github-actions.yml"))
    (job,) = workflow["jobs"].values()
    assert job["runs-on"] == "ubuntu-latest"
    assert all(("uses" in step) != ("run" in step) for step in job["steps"])
    names = [step.get("name") for step in job["steps"] if "secrets." in json.dumps(step)]
    assert names == ["Lay out the key of the warehouse", "Send"]
    for step in job["steps"]:
        if "run" in step:
            script = re.sub(r"\$\{\{.*?\}\}", "value", step["run"])
            subprocess.run(["bash", "-n", "-c", script], check=True, timeout=10)  # noqa: S607


def test_kubernetes_runs_one_at_a_time_and_repeats_only_what_may_be_repeated() -> None:
    """Exit codes 1 to 3 end the job; the container writes nowhere that it must not and is no root."""
    manifest = yaml.safe_load(text("kubernetes-cronjob.yml"))
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "CronJob")
    assert manifest["spec"]["concurrencyPolicy"] == "Forbid"
    job = manifest["spec"]["jobTemplate"]["spec"]
    (rule,) = job["podFailurePolicy"]["rules"]
    assert rule == {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1, 2, 3]}}
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never", "podFailurePolicy asks for it"
    (container,) = pod["containers"]
    assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
    assert pod["securityContext"]["runAsNonRoot"]


def test_the_dockerfile_has_known_instructions_and_ends_as_nobody_special() -> None:
    """JSON forms, so that a signal reaches the job and not a shell."""
    joined = text("Dockerfile").replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    names = [line.split()[0] for line in lines]
    assert names[0] == "FROM"
    assert set(names) <= {"FROM", "ARG", "RUN", "USER", "WORKDIR", "COPY", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users[-1:] == ["reverse_etl"]
    assert json.loads(lines[names.index("ENTRYPOINT")].split(maxsplit=1)[1]) == ["reverse-etl"]
    for line in lines:
        if line.startswith("RUN"):
            subprocess.run(["bash", "-n", "-c", line.split(maxsplit=1)[1]], check=True, timeout=10)  # noqa: S607


@pytest.mark.parametrize("name", ["Dockerfile", "github-actions.yml"])
def test_what_is_installed_must_be_said(name: str) -> None:
    """Whoever has a bare name on an index would run code beside the secrets."""
    line = next(line.strip() for line in text(name).splitlines() if "${REVERSE_ETL:?" in line)
    command = line.removeprefix("run:").removeprefix("RUN").strip().rstrip("\\")
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, timeout=10)  # noqa: S607
    assert done.returncode != 0
    assert "REVERSE_ETL" in done.stderr.decode()
    assert "REVERSE_ETL:-" not in text(name)
    assert "pip install reverse-etl" not in text(name)


class Again(Exception):  # noqa: N818 - the scheduler's word for it
    """Stands for what makes a scheduler try again."""

    def __init__(self, *said: str, **_: Any) -> None:
        super().__init__(*said)


class Ended(Exception):  # noqa: N818 - as above
    """Stands for what makes a scheduler give up."""

    def __init__(self, *said: str, **_: Any) -> None:
        super().__init__(*said)


def decorator(*arguments: Callable[..., Any], **_: Any) -> Callable[..., Any]:
    """Stand for a decorator, with arguments or without, that leaves a function as it is."""
    return arguments[0] if arguments and callable(arguments[0]) else lambda function: function


def loaded(name: str, monkeypatch: pytest.MonkeyPatch, code: int) -> Callable[..., Any]:
    """Run a Python file with a scheduler that has only its names, and commands that exit with a code."""
    tasks = {}

    def task(*arguments: Callable[..., Any], **_: Any) -> Callable[..., Any] | type[Any]:
        def take(function: Callable[..., Any]) -> type[Any]:
            tasks[function.__name__] = function
            return Step

        return take(arguments[0]) if arguments else take

    class Step(SimpleNamespace):
        def __rshift__(self, other: Any) -> Any:
            return other

    stubs: dict[str, dict[str, object]] = {
        "airflow": {},
        "airflow.sdk": {"dag": decorator, "task": task},
        "airflow.exceptions": {"AirflowException": Again, "AirflowFailException": Ended},
        "dagster": {
            "job": lambda _: None,  # which would build a graph of the ops
            "op": decorator,
            "Failure": Ended,
            "RetryRequested": Again,
        },
    }
    names = "Definitions In Nothing OpExecutionContext ScheduleDefinition".split()  # noqa: SIM905 - many short ones
    stubs["dagster"] |= dict.fromkeys(names, lambda *_, **__: None)
    for module, names_of_module in stubs.items():
        stub = ModuleType(module)
        vars(stub).update(names_of_module)
        monkeypatch.setitem(sys.modules, module, stub)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=code))
    context = SimpleNamespace(log=SimpleNamespace(info=print, warning=print, error=print))
    contents = runpy.run_path(str(FILES / name))
    return tasks["send"] if tasks else lambda: contents["send"](context)


@pytest.mark.parametrize("name", ["airflow_dag.py", "dagster_job.py"])
@pytest.mark.parametrize("code", CODES)
def test_python_schedulers_repeat_what_may_be_repeated_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    """0 and 1 are ends; 2 and 3 wait for someone; 4 and an interruption are safe to run again."""
    send = loaded(name, monkeypatch, code)
    match code:
        case 0 | 1:
            send()
        case 2 | 3:
            with pytest.raises(Ended, match=f"exited with {code}"):
                send()
        case _:
            with pytest.raises(Again):
                send()
