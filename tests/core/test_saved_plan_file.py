"""The file of a saved plan, version 1: its keys, and what its digests are made of."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from reverse_etl.dbt.findings import GateMode
from reverse_etl.domain.columns import Column, ColumnKind
from reverse_etl.errors import UsageError
from reverse_etl.planning.model_plan import hash_plan_parts
from reverse_etl.planning.saved_plan import SavedPlan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FIGURES = {
    "rows": 5,
    "snapshot_rows": 3,
    "adds": 2,
    "updates": 1,
    "removes": 0,
    "unchanged": 2,
    "deferred": 0,
    "held_at_plan": 0,
    "rejected_by_check": 0,
}
PLAN: dict[str, Any] = {
    "version": 2,
    "made_at": "2026-11-22T06:00:00.000Z",
    "profile": "shop",
    "target": "prod",
    "destination_id": "prod/klaviyo",
    "account": "A1",
    "vars": "{}",
    "full_refresh": False,
    "limit": 5,
    "rekey": ["vip"],
    "allow_removes": ["vip"],
    "dbt_gate": True,
    "models": [{"name": "vip", "checksum": "ab12", "digest": "cd34"}],
    "lists": [{"model": "vip", "list": "VIP", "list_id": "L1", "figures": FIGURES}],
}
DIGEST = "e794207bb6027a5263309524ef79e3a4856cd0a0808bbd0fcb95bc1d38e8719b"


def file(plan: Mapping[str, Any] = PLAN, digest: str = DIGEST) -> bytes:
    """Return a file of a plan as it was once written."""
    return json.dumps({"digest": digest, "plan": plan}).encode()


def test_a_file_of_version_2_is_read_and_written_as_it_was() -> None:
    written = json.loads(SavedPlan.from_bytes(file(), "plan.json").to_bytes())
    assert json.dumps(written) == file().decode()


def test_each_key_is_read_into_its_field() -> None:
    plan = SavedPlan.from_bytes(file(), "plan.json")
    assert (plan.options.full_refresh, plan.options.limit, plan.options.rekey) == (
        False,
        5,
        frozenset({"vip"}),
    )
    assert plan.model_names == ("vip",)
    assert plan.summary == "2 adds, 1 update, 0 removes on 1 list, saved 2026-11-22T06:00:00.000Z"


def test_a_plan_of_version_1_is_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="version 1; this reverse-etl reads version 2") as refused:
        SavedPlan.from_bytes(file(PLAN | {"version": 1}), "plan.json")
    assert "plan --out" in refused.value.problems[0].hint


@pytest.mark.parametrize("figure", FIGURES)
def test_a_plan_without_a_figure_is_not_read(figure: str) -> None:
    figures = {name: rows for name, rows in FIGURES.items() if name != figure}
    plan = PLAN | {"lists": [PLAN["lists"][0] | {"figures": figures}]}
    content = json.dumps(plan, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(UsageError, match="The file is not a saved plan"):
        SavedPlan.from_bytes(file(plan, sha256(content).hexdigest()), "plan.json")


def test_the_digest_of_rows_and_columns_stays() -> None:
    columns = [Column(f"c'{kind.value.split()[0]}", kind, 'T "x"') for kind in ColumnKind]
    assert (
        hash_plan_parts(3, "12ab", columns, [("c", "p\\")])
        == "5084549272c39aad1e1b9b187f9317f3facbae5a82e1bcfd5e6601c18fd14006"
    )


@pytest.mark.parametrize(
    ("written", "mode"), [(True, GateMode.ON), (False, GateMode.OFF), ("strict", GateMode.STRICT)]
)
def test_a_plan_stores_the_gate_options(written: bool | str, mode: GateMode) -> None:
    plan = PLAN | {"dbt_gate": written}
    content = json.dumps(plan, sort_keys=True, separators=(",", ":")).encode()
    assert SavedPlan.from_bytes(file(plan, sha256(content).hexdigest()), "plan.json").gate.mode is mode
