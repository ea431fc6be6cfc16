"""A plan says, for each surface of people, what can't be undone and what reaches them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.cli.command_line import KEY

if TYPE_CHECKING:
    from reverse_etl.sandbox import Sandbox
    from tests.cli.command_line import CommandLine
    from tests.gold import Gold

GOLD = Path(__file__).parent / "gold" / "effects"
EMAIL = "select email from people"
CONSENT = "select email, TIMESTAMPTZ '2024-05-01 12:00:00+00' as consented_at from people"
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "subscriptions": (CONSENT, {"channel": "email", "list": "Newsletter"}),
    "suppressions": (EMAIL, {}),
    "profile_deletions": (EMAIL, {}),
}
ON_REMOVE = {"subscriptions": "unsubscribe", "suppressions": "unsuppress"}


@pytest.fixture
def sandbox(cli: CommandLine) -> Sandbox:
    """Let Klaviyo know three people, and carry out at once what it is asked."""
    made = cli.klaviyo(consent_seconds=0, suppression_seconds=0)
    (cli.folder / "models" / "vip.sql").unlink()
    cli.customers(3)
    cli.sql("CREATE TABLE people AS SELECT email FROM customers")
    headers = {"Authorization": f"Klaviyo-API-Key {KEY}", "revision": "2026-10-15"}
    for number in range(3):
        document = {"data": {"type": "profile", "attributes": {"email": f"p{number}@example.com"}}}
        made_profile = requests.post(
            f"{made.origin}/api/profiles", json=document, headers=headers, timeout=10
        )
        assert made_profile.status_code == 201
    return made


def use_model(cli: CommandLine, surface: str, **config: Any) -> None:
    """Write a model that is named as its surface."""
    select, settings = MODELS[surface]
    cli.model(surface, select, surface=surface, **settings, **config)


def writes(sandbox: Sandbox) -> int:
    """Return how many requests changed something so far."""
    return sum(entry.method != "GET" for entry in sandbox.log())


@pytest.mark.parametrize("surface", MODELS)
def test_a_plan_says_what_happens_to_people(
    cli: CommandLine, sandbox: Sandbox, gold: Gold, surface: str
) -> None:
    """Before the first run. A plan changes nothing."""
    use_model(cli, surface)
    before = writes(sandbox)
    flags = ["--allow-deletes", surface] if surface == "profile_deletions" else []
    ended = cli.run("plan", *flags)
    assert ended.code == 0, ended.err
    gold.check(GOLD / f"{surface}.txt", ended.out + "\n")
    assert writes(sandbox) == before


@pytest.mark.parametrize("surface", ON_REMOVE)
def test_a_plan_says_what_is_taken_back(cli: CommandLine, sandbox: Sandbox, gold: Gold, surface: str) -> None:
    """By a model whose rows left, with `on_remove`."""
    use_model(cli, surface, on_remove=ON_REMOVE[surface], max_removes=1.0)
    assert cli.run("run").code == 0
    cli.sql("DELETE FROM people WHERE email <> 'p0@example.com'")
    before = writes(sandbox)
    ended = cli.run("plan")
    assert ended.code == 0, ended.err
    gold.check(GOLD / f"{surface}_{ON_REMOVE[surface]}.txt", ended.out + "\n")
    assert writes(sandbox) == before


@pytest.mark.parametrize("surface", ["suppressions", "subscriptions"])
def test_a_plan_says_that_rows_that_left_are_only_forgotten(
    cli: CommandLine, sandbox: Sandbox, gold: Gold, surface: str
) -> None:
    """Without `on_remove`, nothing is sent for them."""
    use_model(cli, surface)
    assert cli.run("run").code == 0
    cli.sql("DELETE FROM people WHERE email <> 'p0@example.com'")
    ended = cli.run("plan")
    assert ended.code == 0, ended.err
    gold.check(GOLD / f"{surface}_left.txt", ended.out + "\n")
    before = writes(sandbox)
    assert cli.run("run").code == 0
    assert writes(sandbox) == before


def test_deletions_that_no_flag_allows_are_refused(cli: CommandLine, sandbox: Sandbox, gold: Gold) -> None:
    """The message has the flag; a plan with the flag is in the gold file of deletions."""
    use_model(cli, "profile_deletions")
    before = writes(sandbox)
    ended = cli.run("plan")
    assert ended.code == 3
    gold.check(GOLD / "profile_deletions_refused.txt", f"{ended.out}\n{ended.err}\n")
    assert writes(sandbox) == before
