"""Run the job against a sandbox in every suite, and against an account by `make test-live-klaviyo`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import yaml

from reverse_etl.project import Project
from tests.live.bodies import event, one_event, subscription
from tests.live.questions import EVENTS, METRIC, SUBSCRIBE, UNSUBSCRIBE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reverse_etl.delivery.results import RunResult
    from tests.live.account import LiveAccount


class Job:
    """A project of one model, which sends to an account."""

    def __init__(self, folder: Path, account: LiveAccount) -> None:
        self.folder, self.account = folder, account
        (folder / "models").mkdir()
        destination = {
            "type": "klaviyo",
            "origin": account.settings.origin,
            "private_api_key": account.settings.key,
            "api_revision": account.settings.revision,
        }
        output = {"type": "duckdb", "path": str(folder / "shop.duckdb"), "threads": 1}
        shop = {"target": "trial", "outputs": {"trial": output}, "destinations": {"trial": destination}}
        (folder / "profiles.yml").write_text(yaml.safe_dump({"shop": shop}))

    def model(self, select: str, **config: str) -> None:
        """Write the model."""
        arguments = ", ".join(f"{key}={value!r}" for key, value in config.items())
        (self.folder / "models" / "live.sql").write_text(f"{{{{ config({arguments}) }}}}\n{select}\n")

    def people(self, *rows: Sequence[str]) -> None:
        """Let the table of people be these rows of an id and a city."""
        with duckdb.connect(str(self.folder / "shop.duckdb")) as connection:
            connection.execute("CREATE OR REPLACE TABLE people (id VARCHAR, city VARCHAR)")
            if rows:
                connection.executemany("INSERT INTO people VALUES (?, ?)", [list(row) for row in rows])

    def run(self) -> RunResult:
        """Run the job, which has to end well."""
        self.account.clock.sleep(1.0)  # the ids of two runs begin with the seconds at which they started
        project = Project.load(self.folder, clock=self.account.clock, environ={}, threads=2)
        result = project.run()
        assert result.exit_code == 0, result
        return result


def outcomes(result: RunResult) -> dict[str, int]:
    """Return the outcomes of the only list."""
    (listed,) = result.lists
    return {str(outcome): rows for outcome, rows in listed.outcomes.items()}


def members(account: LiveAccount, list_id: str) -> set[str]:
    """Return the e-mails on a list."""
    return {
        profile["attributes"]["email"] for profile in account.get(f"/api/lists/{list_id}/profiles")["data"]
    }


def wait_for_members(account: LiveAccount, list_id: str, expected: set[str]) -> None:
    """Wait until a list shows these members and no others."""
    for _ in account.attempts():
        if members(account, list_id) == expected:
            return
    assert members(account, list_id) == expected


def test_a_list_gets_and_loses_members(account: LiveAccount, tmp_path: Path) -> None:
    """A person who leaves the model leaves the list, and a run with nothing changed sends nothing."""
    job, list_id = Job(tmp_path, account), account.new_list("members")
    ann, bob, eve = (account.new_address() for _ in range(3))
    job.people((ann, "Oslo"), (bob, "Rome"), (eve, "Bonn"))
    job.model("select id as email, city from people", surface="list_memberships", list_id=list_id)
    assert outcomes(job.run()) == {"applied": 3}
    wait_for_members(account, list_id, {ann, bob, eve})
    job.people((ann, "Bergen"), (bob, "Rome"))
    assert outcomes(job.run()) == {"applied": 1, "removed": 1}
    wait_for_members(account, list_id, {ann, bob})
    assert account.wait_for_profile(ann)["attributes"]["properties"] == {"city": "Bergen"}
    assert outcomes(job.run()) == {}


def test_people_are_added_and_removed_by_id(account: LiveAccount, tmp_path: Path) -> None:
    """Profiles that exist join a list by their ids."""
    job, list_id = Job(tmp_path, account), account.new_list("ids")
    ann, bob = account.new_address(), account.new_address()
    account.import_rows({"attributes": {"email": ann}}, {"attributes": {"email": bob}})
    ids = [account.wait_for_profile(address)["id"] for address in (ann, bob)]
    surface = "list_memberships_by_profile_id"
    job.model("select id as klaviyo_profile_id from people", surface=surface, list_id=list_id)
    job.people((ids[0], ""), (ids[1], ""))
    assert outcomes(job.run()) == {"applied": 2}
    wait_for_members(account, list_id, {ann, bob})
    job.people((ids[0], ""))
    assert outcomes(job.run()) == {"removed": 1}
    wait_for_members(account, list_id, {ann})


def test_consent_is_given_and_withdrawn(account: LiveAccount) -> None:
    """A historical consent sends no message; the consent withdrawn at the end stays withdrawn."""
    address, list_id = account.new_address(), account.new_list("consent")
    body = subscription(address, consent="SUBSCRIBED", list_id=list_id, consented_at=_yesterday(account))
    account.send("POST", SUBSCRIBE, body)
    _wait_for_consent(account, address, "SUBSCRIBED")
    account.send("POST", UNSUBSCRIBE, subscription(address, consent="UNSUBSCRIBED"))
    _wait_for_consent(account, address, "UNSUBSCRIBED")


def test_a_model_subscribes_and_unsubscribes(account: LiveAccount, tmp_path: Path) -> None:
    """With the time of the consent, so that no message is sent; who leaves the model loses the list."""
    job, list_id = Job(tmp_path, account), account.new_list("subscriptions")
    ann, bob = account.new_address(), account.new_address()
    job.people((ann, ""), (bob, ""))
    select = f"select id as email, timestamptz '{_yesterday(account)}' as consented_at from people"
    config = {"surface": "subscriptions", "channel": "email", "on_remove": "unsubscribe"}
    job.model(select, list_id=list_id, **config)
    assert outcomes(job.run()) == {"applied": 2}
    _wait_for_consent(account, ann, "SUBSCRIBED")
    assert outcomes(job.run()) == {}
    job.people((bob, ""))
    assert outcomes(job.run()) == {"removed": 1}
    wait_for_members(account, list_id, {bob})
    _wait_for_consent(account, ann, "SUBSCRIBED")


def test_a_back_filled_event_is_stored_once(account: LiveAccount) -> None:
    """An event that is sent twice with one id is one event."""
    address = account.new_address()
    body = one_event(event(address, METRIC, f"live-{account.tag}", _yesterday(account)))
    account.send("POST", EVENTS, body)
    account.send("POST", EVENTS, body)
    profile_id = account.wait_for_profile(address)["id"]
    stored: list[Any] = []
    for _ in account.attempts():
        stored = account.get(EVENTS, filter=f'equals(profile_id,"{profile_id}")')["data"]
    assert len(stored) == 1


def test_events_of_a_model_are_stored_once(account: LiveAccount, tmp_path: Path) -> None:
    """A run with nothing changed sends nothing. The events start no flows."""
    job, addresses = Job(tmp_path, account), (account.new_address(), account.new_address())
    job.people(*((address, f"City {nth}") for nth, address in enumerate(addresses)))
    job.model(
        f"select 'live-{account.tag}-' || city as unique_id, id as email, "
        f"timestamptz '{_yesterday(account)}' as time, city from people",
        surface="events",
        metric=METRIC,
        backfill="always",
    )
    assert outcomes(job.run()) == {"unverified": 2}
    for address in addresses:
        profile_id = account.wait_for_profile(address)["id"]
        stored: list[Any] = []
        for _ in account.attempts():
            stored = account.get(EVENTS, filter=f'equals(profile_id,"{profile_id}")')["data"]
            if stored:
                break
        assert len(stored) == 1
    assert outcomes(job.run()) == {}


def _yesterday(account: LiveAccount) -> str:
    return (datetime.fromtimestamp(account.clock.now(), UTC) - timedelta(days=1)).isoformat(
        timespec="seconds"
    )


def _wait_for_consent(account: LiveAccount, address: str, expected: str) -> None:
    consent = None
    for _ in account.attempts():
        for profile in account.find_profiles(address, **{"additional-fields[profile]": "subscriptions"}):
            consent = profile["attributes"]["subscriptions"]["email"]["marketing"]["consent"]
            if consent == expected:
                return
    assert consent == expected
