"""A run under Klaviyo's limits: the real client against the real sandbox."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo.api import Klaviyo
from reverse_etl.klaviyo.batching import import_envelope
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.private_key import key_from_value
from reverse_etl.klaviyo.rate_limit import estimate_duration
from reverse_etl.sandbox import Sandbox
from tests.clocks import QuickClock, stop_while_in_flight

if TYPE_CHECKING:
    from reverse_etl.sandbox.request_log import LoggedRequest

MINUTES = 3
THREADS = 8  # for each endpoint, as in a run
EMAIL = "ann@example.com"


@pytest.fixture(scope="module")
def log() -> list[LoggedRequest]:
    """Send as fast as the pace lets through, to two endpoints at once, and return what arrived.

    Nothing takes time but what the limits ask for.
    """
    clock = QuickClock()
    with (
        pytest.MonkeyPatch.context() as patch,
        Sandbox(None, clock=clock, job_seconds=0, limits=True) as sandbox,
    ):
        stop_while_in_flight(clock, patch)
        klaviyo = Klaviyo.connect(
            sandbox.origin,
            key_from_value("pk_test", source="the test"),
            "2026-10-15",
            max_connections=2 * THREADS,
            clock=clock,
        )
        list_id = klaviyo.create_list("Everybody").id
        body = import_envelope().wrap([orjson.dumps({"type": "profile", "attributes": {"email": EMAIL}})])
        klaviyo.start_import(body)
        sandbox.finish_jobs()
        (profile,) = klaviyo.find_profiles(IdentifierType.EMAIL, [EMAIL])
        begun = len(sandbox.log())
        adds = MINUTES * Endpoint.ADD_TO_LIST.rate_limit.steady + 1  # the last one opens another minute
        imports = MINUTES * Endpoint.START_IMPORT.rate_limit.steady + 1
        with ThreadPoolExecutor(THREADS) as adding, ThreadPoolExecutor(THREADS) as importing:
            sent: list[Future[Any]] = []
            sent += [adding.submit(klaviyo.add_members, list_id, [profile.id]) for _ in range(adds)]
            sent += [importing.submit(klaviyo.start_import, body) for _ in range(imports)]
            for future in sent:
                future.result()
        klaviyo.close()
        return sandbox.log()[begun:]


@pytest.mark.parametrize("endpoint", [Endpoint.ADD_TO_LIST, Endpoint.START_IMPORT])
def test_while_there_is_work_at_least_95_percent_of_the_allowed_requests_are_used(
    log: list[LoggedRequest], endpoint: Endpoint
) -> None:
    """The requests take at most 1/0.95 of the time that they take at the limits themselves."""
    end = endpoint.template.rpartition("/")[2]
    times = [
        entry.received_at for entry in log if entry.method == endpoint.method and entry.path.endswith(end)
    ]
    taken = max(times) - min(times)
    assert estimate_duration({endpoint: len(times)}) / taken >= 0.95, taken


def test_few_replies_are_a_429(log: list[LoggedRequest]) -> None:
    """Under 1 % of the replies say that there were too many requests."""
    statuses = Counter(entry.status for entry in log)
    assert statuses[429] < 0.01 * len(log), statuses
    assert statuses[204] + statuses[202] == len(log) - statuses[429], statuses
