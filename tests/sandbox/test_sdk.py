"""Klaviyo's own Python SDK works with the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from klaviyo_api import KlaviyoAPI

from reverse_etl.sandbox import Sandbox
from tests.clocks import QuickClock
from tests.sandbox.caller import import_body, row

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def clock() -> QuickClock:
    """Make a clock on which waiting takes no time."""
    return QuickClock()


@pytest.fixture
def sdk(clock: QuickClock) -> Iterator[KlaviyoAPI]:
    """Connect the SDK to a sandbox with jobs that take time and limits that are kept."""
    with Sandbox(None, job_seconds=0.3, clock=clock) as sandbox:
        yield KlaviyoAPI("pk_dummy", test_host=sandbox.origin, max_retries=3)


def test_the_sdk_creates_imports_polls_reads_and_removes(sdk: KlaviyoAPI, clock: QuickClock) -> None:
    account = sdk.Accounts.get_accounts().data[0]
    assert account.attributes.test_account
    made = sdk.Lists.create_list({"data": {"type": "list", "attributes": {"name": "VIP"}}}).data
    assert [listed.id for listed in sdk.Lists.get_lists(filter='any(name,["VIP"])').data] == [made.id]

    rows = [row(email=f"u{number}@example.com", properties={"n": number}) for number in range(150)]
    job = sdk.Profiles.bulk_import_profiles(import_body(rows, made.id)).data
    assert (job.attributes.status, job.attributes.total_count) == ("queued", 150)
    polls = 0
    while job.attributes.status != "complete":
        assert polls < 10
        clock.sleep(0.1)
        polls += 1
        job = sdk.Profiles.get_bulk_import_profiles_job(job.id).data
    assert (job.attributes.completed_count, job.attributes.failed_count) == (150, 0)
    assert sdk.Profiles.get_errors_for_bulk_import_profiles_job(job.id).data == []
    assert [
        job.id for job in sdk.Profiles.get_bulk_import_profiles_jobs(filter='any(status,["complete"])').data
    ] == [job.id]

    page = sdk.Lists.get_profiles_for_list(made.id, page_size=100)
    (following,) = parse_qs(urlsplit(page.links.next).query)["page[cursor]"]
    ids = sdk.Lists.get_profile_ids_for_list(made.id, page_size=100, page_cursor=following).data
    assert (len(page.data), len(ids)) == (100, 50)

    leaving = {"data": [{"type": "profile", "id": member.id} for member in ids]}
    sdk.Lists.remove_profiles_from_list(made.id, leaving)
    counted = sdk.Lists.get_list(made.id, additional_fields_list=["profile_count"]).data
    assert counted.attributes.profile_count == 100
    sdk.Lists.add_profiles_to_list(made.id, leaving)
    assert len(sdk.Lists.get_profile_ids_for_list(made.id, page_size=100, page_cursor=following).data) == 50
