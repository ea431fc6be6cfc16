"""Takes the pictures of docs/pictures: the report of the demo's second day, and the sandbox's page.

`make pictures` runs it. It needs chromium.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from reverse_etl.sandbox import Sandbox

PICTURES = Path(__file__).parent / "pictures"
COMMAND = Path(sys.executable).with_name("reverse-etl")


def main() -> None:
    """Run the demo, and take the pictures."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        sys.exit("Install chromium: the pictures are taken with it.")
    with TemporaryDirectory() as folder:
        os.chdir(folder)  # so that the pages show no path of this machine
        models = Path(__file__).parents[1] / "models"
        reverse_etl("demo", "--models", str(models))
        _, second_day, *_ = json.loads(reverse_etl("history", "--project-dir", "demo", "--json"))["runs"]
        reverse_etl("report", second_day["run_id"], "--project-dir", "demo", "--out", "report.html")
        take(browser, Path("report.html").absolute().as_uri(), "report", height=1000)
        with Sandbox(Path("demo/klaviyo_sandbox.sqlite")) as sandbox:
            take(browser, sandbox.origin, "sandbox", height=800)


def reverse_etl(*arguments: str) -> str:
    """Run a command in the current folder, and return what it prints."""
    return subprocess.run([COMMAND, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def take(browser: str, address: str, name: str, *, height: int) -> None:
    """Write a picture of the top of a page, 1,200 pixels wide."""
    picture = PICTURES / f"{name}.png"
    options = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size=1200,{height}"]
    arguments = [browser, *options, f"--screenshot={picture}", "--virtual-time-budget=3000", address]
    subprocess.run(arguments, check=True, stderr=subprocess.DEVNULL)
    print(picture.name)


if __name__ == "__main__":
    main()
