# ruff: noqa: INP001 - a script
"""dbt Cloud: downloads the artifacts of a finished job, then sends the lists.

    python dbt_cloud.py RUN_ID           for one run of a dbt Cloud job, from any scheduler
    python dbt_cloud.py --listen 8080    for the webhook "run completed" of a job, behind TLS of your own

The environment says how: DBT_CLOUD_URL (https://cloud.getdbt.com, or your account's), DBT_CLOUD_ACCOUNT,
DBT_CLOUD_TOKEN (a service token that may read the job's runs), and for the webhook
DBT_CLOUD_WEBHOOK_SECRET and DBT_CLOUD_JOB (the id of the job).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

PROJECT = "/srv/shop"
SEND = ["reverse-etl", "--log-format", "json", "run", "--target", "prod"]
ARTIFACTS = ("manifest.json", "run_results.json", "sources.json")
SUCCEEDED, FAILED = 10, 20  # dbt Cloud's numbers for how a run ended
MAX_BODY = 1_000_000


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects, so that the token is sent only to dbt Cloud."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def get(path: str) -> bytes | None:
    """Return the response of dbt Cloud's API, None if the resource does not exist."""
    url, account = os.environ["DBT_CLOUD_URL"], os.environ["DBT_CLOUD_ACCOUNT"]
    request = urllib.request.Request(  # noqa: S310 - the URL is the administrator's
        f"{url}/api/v2/accounts/{account}/runs/{path}",
        headers={"Authorization": f"Token {os.environ['DBT_CLOUD_TOKEN']}"},
    )
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=60) as response:
            return bytes(response.read())
    except urllib.error.HTTPError as error:
        if error.code == 404:  # noqa: PLR2004 - no such artifact
            return None
        raise


def send(run_id: int) -> int:
    """Download the artifacts of each step of a run, and send with them; return reverse-etl's exit code."""
    run = json.loads(get(f'{run_id}/?include_related=["run_steps"]') or b"{}")["data"]
    with tempfile.TemporaryDirectory() as folder:
        found = [download(run_id, step["index"], Path(folder)) for step in run["run_steps"]]
        folders = [step for step in found if step is not None]
        # A run that did not succeed and left no results stopped before it ran a node.
        has_results = any((step / "run_results.json").exists() for step in folders)
        code = 0 if run["status"] == SUCCEEDED else 1 if run["status"] == FAILED and has_results else 2
        flags = [f"--dbt-artifacts={step}" for step in folders]
        command = [*SEND, *flags, "--dbt-exit-code", str(code)]
        return subprocess.run(command, cwd=PROJECT, check=False).returncode  # noqa: S603 - the command is above


def download(run_id: int, step: int, folder: Path) -> Path | None:
    """Write a step's artifacts into a folder of its own and return it; None if the step has none."""
    own = folder / f"step_{step}"
    own.mkdir()
    for name in ARTIFACTS:
        content = get(f"{run_id}/artifacts/{name}?step={step}")
        if content is not None:
            (own / name).write_bytes(content)
    return own if any(own.iterdir()) else None


class Webhook(BaseHTTPRequestHandler):
    """Receives dbt Cloud's webhooks: checks the signature, and ignores all but finished runs of our job."""

    def do_POST(self) -> None:
        """Respond, then send. The server processes one webhook after another."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if 0 < length <= MAX_BODY else b""
        signature = hmac.new(os.environ["DBT_CLOUD_WEBHOOK_SECRET"].encode(), body, hashlib.sha256)
        genuine = hmac.compare_digest(signature.hexdigest(), self.headers.get("Authorization") or "")
        self.send_response(202 if genuine else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()
        if genuine and (run_id := ended_run(json.loads(body))):
            print(f"run {run_id}: reverse-etl exited with {send(run_id)}", flush=True)  # noqa: T201 - the log


def ended_run(event: dict[str, Any]) -> int | None:
    """Return the id of the run of our job that a webhook says has ended, None for other webhooks."""
    data = event.get("data") or {}
    ours = str(data.get("jobId")) == os.environ["DBT_CLOUD_JOB"]
    return int(data["runId"]) if ours and event.get("eventType") == "job.run.completed" else None


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--listen", port]:
            HTTPServer(("127.0.0.1", int(port)), Webhook).serve_forever()
        case [run_id]:
            sys.exit(send(int(run_id)))
        case _:
            sys.exit(__doc__)
