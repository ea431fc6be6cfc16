"""The behaviours between which an account can be switched, before and while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from reverse_etl.errors import UsageError
from tests.sandbox.caller import JOBS, Caller, people, pointers, row

if TYPE_CHECKING:
    from reverse_etl.sandbox import Sandbox
    from reverse_etl.sandbox.rules import Conflicts

ANN, BOB = "ann@example.com", "bob@example.com"


def two_profiles(caller: Caller) -> None:
    """Let the e-mail and the external id of a later row belong to two profiles."""
    caller.run_import([row(email=ANN, external_id="1"), row(email=BOB, external_id="2")])


def test_a_row_of_two_profiles_fails_once_the_account_refuses_it(caller: Caller, sandbox: Sandbox) -> None:
    """First the external id is dropped in silence; then the row fails with the code of a duplicate."""
    two_profiles(caller)
    swapped = [row(email=ANN, external_id="2"), *people(1)]
    assert caller.run_import(swapped)["attributes"]["failed_count"] == 0
    sandbox.change_rules(conflicts="refuse")
    job = caller.run_import(swapped)
    assert (job["attributes"]["completed_count"], job["attributes"]["failed_count"]) == (1, 1)
    (error,) = caller.pages(f"{JOBS}/{job['id']}/import-errors")
    assert error["attributes"]["code"] == "duplicate_profile"
    assert error["attributes"]["source"] == {"pointer": "/data/attributes/external_id"}
    assert [profile["external_id"] for profile in sandbox.profiles()] == ["1", "2", None]
    assert caller.run_import([row(email=ANN)])["attributes"]["failed_count"] == 0


def test_a_row_of_two_profiles_can_refuse_its_whole_request(caller: Caller, sandbox: Sandbox) -> None:
    """The pointer names the row and its identifier; nothing is stored. Identifiers of one profile pass."""
    two_profiles(caller)
    sandbox.change_rules(conflicts="refuse_request")
    reply = caller.start_import([*people(1), row(email=ANN, external_id="2")])
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (400, "duplicate_profile")
    assert pointers(reply) == ["/data/attributes/profiles/data/1/attributes/external_id"]
    assert sandbox.profile_count() == 2
    assert caller.start_import([row(email=ANN, external_id="9"), *people(1)]).status_code == 202


@pytest.mark.parametrize("conflicts", ["refuse", "refuse_request"])
def test_a_single_profile_is_refused_as_a_duplicate(
    caller: Caller, sandbox: Sandbox, conflicts: Conflicts
) -> None:
    """Create-or-update tells of the other profile with 409."""
    two_profiles(caller)
    sandbox.change_rules(conflicts=conflicts)
    reply = caller.ask("POST", "/api/profile-import", json={"data": row(email=ANN, external_id="2")})
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (409, "duplicate_profile")


def test_rules_are_read_and_changed_by_a_request(caller: Caller, sandbox: Sandbox) -> None:
    """Other programs switch them too; unknown names and values change nothing."""
    address = f"{sandbox.origin}/sandbox/rules"
    assert requests.get(address, timeout=20).json()["data"]["conflicts"] == "drop"
    changed = requests.patch(address, json={"conflicts": "refuse", "job_seconds": 0.5}, timeout=20)
    assert changed.json()["data"] | {"conflicts": "refuse", "job_seconds": 0.5} == changed.json()["data"]
    for body in ({"conflict": "refuse"}, {"conflicts": "never"}, {"job_seconds": "soon"}, ["conflicts"]):
        assert requests.patch(address, json=body, timeout=20).status_code == 400
    assert requests.get(address, timeout=20).json() == changed.json()
    caller.run_import(people(1))


def test_an_unknown_rule_names_the_known_ones(sandbox: Sandbox) -> None:
    """A misspelt rule is an error, not a rule that is ignored."""
    with pytest.raises(UsageError, match="'list_second' is not a rule") as caught:
        sandbox.change_rules(list_second=1.0)  # type: ignore[call-arg]
    assert "list_seconds" in caught.value.problems[0].hint
