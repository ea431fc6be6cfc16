"""A report as JSON: its keys are those of docs/cli.md, and its values those of the facts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from reverse_etl.report.document import report_document
from reverse_etl.report.wording import summarize_run
from tests.report.cases import everything

if TYPE_CHECKING:
    from tests.gold import Gold

TEXT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
INNER = {"proofs", "rejections", "removals_not_found"}


def documented() -> set[str]:
    """Return the keys that the document names: `proofs[].model`, and `.list` behind it."""
    text = TEXT.partition("## What `report --json` says")[2].partition("\n## ")[0]
    paths = set()
    for cell in re.findall(r"^\| (`.*?) \| ", text, flags=re.MULTILINE):
        prefix = ""
        for key in re.findall(r"`([^`]+)`", cell):
            prefix = key.rpartition(".")[0] or prefix
            paths.add(f"{prefix}{key}" if key.startswith(".") else key)
    return paths


def test_the_document_has_every_key_of_a_report() -> None:
    made = report_document(everything())
    keys = {f"{name}[].{key}" for name in INNER for entry in made[name] for key in entry}
    assert keys | (made.keys() - INNER) == documented()


def test_a_report_as_json_has_the_values_of_the_page() -> None:
    """Numbers as numbers, nothing for what is not there."""
    facts = everything()
    made = json.loads(json.dumps(report_document(facts)))
    assert made["summary"]["headline"] == summarize_run(facts).headline
    assert made["run_id"] == facts.run.run_id
    assert [entry["list"] for entry in made["lists"]] == ["", "Tea club", "VIP customers"]
    assert (made["lists"][2]["applied"], made["lists"][1]["stop_reason"]) == (
        50,
        "Klaviyo refused the request.",
    )
    assert made["proofs"][3]["rows_by_state"] == {"unknown": 50, "accepted": 100, "applied": 9_990_000}
    assert (made["proofs"][3]["receipt_count"], made["proofs"][3]["hidden_receipt_count"]) == (1_000, 997)
    assert made["proofs"][4]["shown_receipts"][0]["job_id"] is None
    assert made["rejections"][2]["example"] is None
    assert [run["applied"] for run in made["previous_runs"]] == [145, 0, 0, 100, 100_000]
    assert [run["rejected"] for run in made["previous_runs"]] == [3, 0, 0, 0, 0]
    assert [run["list_count"] for run in made["previous_runs"]] == [3, 0, 0, 2, 1]


def test_the_document_stays_as_it_is(gold: Gold) -> None:
    text = json.dumps(report_document(everything()), indent=1) + "\n"
    gold.check(Path(__file__).parent / "gold" / "report.json", text)
