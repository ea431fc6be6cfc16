"""The script for dbt Cloud, against a stand-in for its API and its webhook."""

from __future__ import annotations

import hashlib
import hmac
import json
import runpy
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SCRIPT = Path(__file__).parents[2] / "docs" / "schedules" / "dbt_cloud.py"
SECRET = "of the webhook"


@dataclass
class Cloud:
    """A run of dbt Cloud: its status, its steps, and their artifacts by (step, name)."""

    status: int = 10
    steps: int = 2
    artifacts: dict[tuple[int, str], str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def answer(self, path: str) -> tuple[int, str]:
        """Return the status and the body that the API answers with."""
        self.asked.append(path)
        parts = urlsplit(path)
        if parts.path == "/api/v2/accounts/7/runs/42/":
            steps = [{"index": number + 1} for number in range(self.steps)]
            return 200, json.dumps({"data": {"id": 42, "status": self.status, "run_steps": steps}})
        name, step = parts.path.rpartition("/")[2], int(parts.query.removeprefix("step="))
        found = self.artifacts.get((step, name))
        return (404, "") if found is None else (200, found)


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on this machine; yield the origin."""
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Start a stand-in for dbt Cloud's API, which the environment names."""
    stand_in = Cloud()

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stand_in.tokens.add(str(self.headers["Authorization"]))
            status, body = stand_in.answer(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            pass

    with served(Api) as origin:
        values = {"URL": origin, "ACCOUNT": "7", "TOKEN": "t", "WEBHOOK_SECRET": SECRET, "JOB": "9"}
        for name, value in values.items():
            monkeypatch.setenv(f"DBT_CLOUD_{name}", value)
        yield stand_in


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return what reverse-etl is run with: its flags, and the files of each folder of artifacts."""
    runs: list[dict[str, Any]] = []

    def run(command: list[str], **_: Any) -> SimpleNamespace:
        folders = [flag.partition("=")[2] for flag in command if flag.startswith("--dbt-artifacts=")]
        files = [sorted(path.name for path in Path(folder).iterdir()) for folder in folders]
        runs.append({"code": command[-1], "flag": command[-2], "files": files})
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    return runs


def script() -> dict[str, Any]:
    """Load the script."""
    return runpy.run_path(str(SCRIPT))


BUILT = {(1, "manifest.json"): "{}", (1, "run_results.json"): "{}", (2, "sources.json"): "{}"}
ENDS = {
    "a run that succeeded": (10, BUILT, "0"),
    "a run in which nodes failed": (20, BUILT, "1"),
    "a run that failed before it ran a node": (20, {(1, "manifest.json"): "{}"}, "2"),
    "a run that was cancelled": (30, BUILT, "2"),
}


@pytest.mark.parametrize(("status", "artifacts", "code"), ENDS.values(), ids=ENDS)
def test_the_artifacts_of_each_step_and_an_exit_code_are_passed_on(
    cloud: Cloud,
    sent: list[dict[str, Any]],
    status: int,
    artifacts: dict[tuple[int, str], str],
    code: str,
) -> None:
    """A step without artifacts has no folder; the token goes to the API alone."""
    cloud.status, cloud.artifacts, cloud.steps = status, artifacts, 3
    assert script()["send"](42) == 0
    files = [["manifest.json", "run_results.json"], ["sources.json"]]
    expected = files if artifacts is BUILT else [["manifest.json"]]
    assert sent == [{"flag": "--dbt-exit-code", "code": code, "files": expected}]
    assert cloud.tokens == {"Token t"}
    assert len(cloud.asked) == 10


EVENT = {"eventType": "job.run.completed", "data": {"jobId": "9", "runId": "42"}}
EVENTS = {
    "our job's run has ended": (EVENT, SECRET, (202, 1)),
    "another job's has": (EVENT | {"data": {"jobId": "8", "runId": "42"}}, SECRET, (202, 0)),
    "it has only started": (EVENT | {"eventType": "job.run.started"}, SECRET, (202, 0)),
    "somebody else says it": (EVENT, "guessed", (401, 0)),
}


@pytest.mark.parametrize(("event", "secret", "expected"), EVENTS.values(), ids=EVENTS)
def test_a_webhook_counts_if_dbt_cloud_signed_it_and_our_job_ended(
    cloud: Cloud, sent: list[dict[str, Any]], event: dict[str, Any], secret: str, expected: tuple[int, int]
) -> None:
    """The signature is over the body, with the secret that dbt Cloud showed when the webhook was made."""
    body = json.dumps(event).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    with served(script()["Webhook"]) as origin:
        response = requests.post(origin, data=body, headers={"Authorization": signature}, timeout=10)
    assert (response.status_code, len(sent)) == expected
    assert bool(cloud.asked) == bool(sent)
