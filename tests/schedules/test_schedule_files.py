"""The ready files for schedulers: each is read as its scheduler reads it, as far as that goes without one."""

from __future__ import annotations

import ast
import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
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
            code = r"--dbt-exit-code (?:\$+\?|\$\{\{.*?\}\})"
            for found in re.findall(rf"(?:^|[\s/=])reverse-etl((?: +(?:{code}|-*[a-z][\w-]*))+)", line):
                yield with_code(shlex.split(re.sub(code, "--dbt-exit-code CODE", found)))


def with_code(words: list[str]) -> list[str]:
    """Return a command's words with a number in the place of what gives dbt's exit code."""
    return ["0" if before == "--dbt-exit-code" else word for before, word in pairwise(["", *words])]


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
        if words[:2] == ["sh", "-c"] and "reverse-etl " in words[2]:
            yield "kubernetes-cronjob.yml", with_code(shlex.split(words[2].partition("reverse-etl ")[2]))
    (run,) = re.findall(r"^CMD (.*)$", text("Dockerfile"), flags=re.MULTILINE)
    yield "Dockerfile", json.loads(run)
    yield from of_documents()


COMMANDS = [*command_lines()]


@pytest.mark.parametrize(("file", "arguments"), COMMANDS, ids=[" ".join([f, *a]) for f, a in COMMANDS])
def test_every_command_line_is_one_of_ours(file: str, arguments: list[str]) -> None:
    del file
    with app.make_context("reverse-etl", list(arguments)) as context:
        name, command, rest = app.resolve_command(context, [*context._protected_args, *context.args])
        assert isinstance(command, click.Command)
        command.make_context(name, rest, parent=context).close()


def test_every_file_that_sends_has_a_checked_command_line() -> None:
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
    (line,) = [line for line in text("reverse_etl.cron").splitlines() if re.match(r"[\d*]", line)]
    assert " ".join(line.split()[:5]) == CRON
    assert yaml.safe_load(text("kubernetes-cronjob.yml"))["spec"]["schedule"] == CRON
    workflow = yaml.load(text("github-actions.yml"), Loader=yaml.BaseLoader)  # noqa: S506 - reads `on` as it is
    assert workflow["on"]["schedule"] == [{"cron": CRON}]
    for path in FILES.glob("*.py"):
        assert f'="{CRON}"' in text(path.name) or path.name == "dbt_cloud.py", "which dbt Cloud starts"
    assert is_cron(CRON)
    assert not is_cron("75 6 * * *")


def test_the_cron_line_is_shell_that_bash_reads() -> None:
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


def test_systemd_accepts_the_unit_and_its_timer(tmp_path: Path) -> None:
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


def test_the_github_workflow_is_complete() -> None:
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


def test_kubernetes_runs_one_job_at_a_time_and_retries_only_retryable_exit_codes() -> None:
    """Exit codes 1 to 3 end the job; the container writes nowhere that it must not and is no root."""
    manifest = yaml.safe_load(text("kubernetes-cronjob.yml"))
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "CronJob")
    assert manifest["spec"]["concurrencyPolicy"] == "Forbid"
    job = manifest["spec"]["jobTemplate"]["spec"]
    (rule,) = job["podFailurePolicy"]["rules"]
    assert rule == {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1, 2, 3]}}
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never", "podFailurePolicy asks for it"
    for container in (*pod["initContainers"], *pod["containers"]):
        assert {each["name"] for each in container["volumeMounts"]} == {
            each["name"] for each in pod["volumes"]
        }
        subprocess.run(["sh", "-n", "-c", container["command"][2]], check=True, timeout=10)  # noqa: S607
    assert pod["securityContext"]["runAsNonRoot"]


def test_the_dockerfile_has_known_instructions_and_an_unprivileged_user() -> None:
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
def test_a_build_without_a_named_package_fails(name: str) -> None:
    """Anybody could take a bare name on a package index, and run code beside the secrets."""
    line = next(line.strip() for line in text(name).splitlines() if "${REVERSE_ETL:?" in line)
    command = line.removeprefix("run:").removeprefix("RUN").strip().rstrip("\\")
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False, timeout=10)  # noqa: S607
    assert done.returncode != 0
    assert "REVERSE_ETL" in done.stderr.decode()
    assert "REVERSE_ETL:-" not in text(name)
    assert "pip install reverse-etl" not in text(name)


def cron_script() -> str:
    """Return what cron runs, from dbt on."""
    line = next(line for line in text("reverse_etl.cron").splitlines() if line.startswith("15 "))
    return line[line.index("{ dbt") :]


def systemd_script() -> str:
    """Return what systemd runs, without the folder of the programs."""
    (line,) = [line for line in text("reverse-etl.service").splitlines() if line.startswith("ExecStart=")]
    return shlex.split(line)[2].replace("$$", "$").replace("/opt/reverse_etl/bin/", "")


def workflow_script() -> str:
    """Return what GitHub's steps run, with the output of the first one where the second one has it."""
    (job,) = yaml.safe_load(text("github-actions.yml"))["jobs"].values()
    steps = {step["name"]: step["run"] for step in job["steps"] if "run" in step}
    code = "$(sed -n 's/code=//p' \"$GITHUB_OUTPUT\")"
    send = re.sub(r"\$\{\{.*?\}\}", lambda _: code, steps["Send"])
    return f"set -e\n{steps['Build']}\n{send}"


def pod_script() -> str:
    """Return what the two containers of a pod run, one after the other."""
    pod = yaml.safe_load(text("kubernetes-cronjob.yml"))["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (first,), (second,) = pod["initContainers"], pod["containers"]
    return "\n".join(each["command"][2].replace("/artifacts", "artifacts") for each in (first, second))


SHELLS = {"cron": cron_script, "systemd": systemd_script, "GitHub": workflow_script, "Kubernetes": pod_script}


@pytest.mark.parametrize("script", SHELLS.values(), ids=SHELLS)
@pytest.mark.parametrize("code", [0, 1, 2])
def test_shell_schedulers_pass_the_exit_code_of_dbt_on(
    tmp_path: Path, script: Callable[[], str], code: int
) -> None:
    """Tried in a shell, with programs that note how they were called."""
    (tmp_path / "artifacts").mkdir()
    for program, ends in (("dbt", code), ("reverse-etl", 0), ("flock", 0)):
        path = tmp_path / program
        rest = '"${@:3}"' if program == "flock" else f'echo {program} "$@" >> {tmp_path}/calls; exit {ends}'
        path.write_text(f"#!/bin/bash\n{rest}\n")
        path.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "GITHUB_OUTPUT": f"{tmp_path}/output"}
    subprocess.run(["/bin/bash", "-c", script()], env=environ, cwd=tmp_path, check=True, timeout=10)
    built, sent = (tmp_path / "calls").read_text().splitlines()
    assert built.startswith("dbt build --target prod")
    assert " run --target prod " in sent
    assert sent.endswith(f" --dbt-exit-code {code}")
