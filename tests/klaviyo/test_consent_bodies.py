"""The bodies of requests that subscribe, suppress and delete people, and undo it, by the SDK's models.

Beside them Klaviyo's limits: API reference, 'Bulk Subscribe Profiles', 'Bulk Unsubscribe Profiles', 'Bulk
Suppress Profiles', 'Bulk Unsuppress Profiles' and 'Request Profile Deletion'.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from openapi_client.models.data_privacy_create_deletion_job_query import DataPrivacyCreateDeletionJobQuery
from openapi_client.models.subscription_create_job_create_query import SubscriptionCreateJobCreateQuery
from openapi_client.models.subscription_delete_job_create_query import SubscriptionDeleteJobCreateQuery
from openapi_client.models.suppression_create_job_create_query import SuppressionCreateJobCreateQuery
from openapi_client.models.suppression_delete_job_create_query import SuppressionDeleteJobCreateQuery

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo.consents import (
    Channel,
    SubscribeOptions,
    Subscriber,
    subscribe_request,
    unsubscribe_request,
)
from reverse_etl.klaviyo.deletions import delete_profile_request
from reverse_etl.klaviyo.endpoints import Endpoint, RateLimit
from reverse_etl.klaviyo.suppressions import suppression_request
from reverse_etl.surfaces.operations import SubscribePeople, UnsubscribePeople
from reverse_etl.surfaces.profile_deletions import PROFILE_DELETIONS
from reverse_etl.surfaces.suppressions import SUPPRESSIONS, SuppressionSettings

if TYPE_CHECKING:
    from pydantic import BaseModel

    from reverse_etl.klaviyo.messages import Request

EMAIL, PHONE = "ann@example.com", "+14155550100"
CONSENTED = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)
LISTS = pytest.mark.parametrize("list_id", ["", "L1"])
CHANNELS = pytest.mark.parametrize("channel", Channel)


def document_of(request: Request) -> Any:
    """Return the body of a request."""
    return json.loads(request.body or b"")


def read_by_sdk(model: type[BaseModel], request: Request) -> Any:
    """Return what the SDK's model holds of a body. It leaves out what it does not know."""
    read = model.from_dict(document_of(request))  # type: ignore[attr-defined]  # of the SDK's generator
    assert read is not None
    text = read.model_dump_json(by_alias=True, exclude_none=True).replace('00Z"', '00+00:00"')
    return json.loads(text)


def identifier_of(channel: Channel) -> str:
    """Return the person's identifier that a channel needs."""
    return EMAIL if channel.identifier is IdentifierType.EMAIL else PHONE


@CHANNELS
@LISTS
def test_the_sdk_reads_all_of_a_subscription(channel: Channel, list_id: str) -> None:
    """Consent that is given now has no time, and consent of the past is marked as historical."""
    options = SubscribeOptions(channel, list_id, "checkout")
    for consented_at in (None, CONSENTED):
        person = Subscriber(identifier_of(channel), consented_at, "1990-02-03")
        request = subscribe_request([person, person], options)
        read = read_by_sdk(SubscriptionCreateJobCreateQuery, request)
        assert read["data"]["attributes"]["historical_import"] is (consented_at is not None)
        document = document_of(request)
        document["data"]["attributes"].setdefault("historical_import", False)
        assert read == document
        rows = read["data"]["attributes"]["profiles"]["data"]
        assert len(rows) == 2
        assert ("consented_at" in json.dumps(rows)) is (consented_at is not None)


@pytest.mark.parametrize("channel", sorted({*Channel} - {Channel.PUSH}))
@LISTS
def test_the_sdk_reads_all_of_an_unsubscription(channel: Channel, list_id: str) -> None:
    """It names one channel, and its list if there is one: Klaviyo would take no channel for all of them."""
    identifiers = [identifier_of(channel)] * 2
    request = unsubscribe_request(identifiers, SubscribeOptions(channel, list_id, ""))
    document = document_of(request)
    assert read_by_sdk(SubscriptionDeleteJobCreateQuery, request) == document
    assert ("relationships" in document["data"]) is bool(list_id)
    medium, kind = channel.path
    for row in document["data"]["attributes"]["profiles"]["data"]:
        assert row["attributes"]["subscriptions"] == {medium: {kind: {"consent": "UNSUBSCRIBED"}}}


@pytest.mark.parametrize(
    ("endpoint", "model"),
    [
        (Endpoint.SUPPRESS, SuppressionCreateJobCreateQuery),
        (Endpoint.UNSUPPRESS, SuppressionDeleteJobCreateQuery),
    ],
)
def test_the_sdk_reads_all_of_a_suppression_job(endpoint: Endpoint, model: type[BaseModel]) -> None:
    """It names e-mails, and no list or segment, whose members would all be meant."""
    emails = [f"p{number}@example.com" for number in range(100)]
    request = suppression_request(endpoint, emails)
    document = document_of(request)
    assert read_by_sdk(model, request) == document
    assert set(document["data"]) == {"type", "attributes"}
    assert [row["attributes"] for row in document["data"]["attributes"]["profiles"]["data"]] == [
        {"email": email} for email in emails
    ]
    for too_many_or_few in ([], [*emails, EMAIL]):
        with pytest.raises(ValueError, match="takes 1 to 100"):
            suppression_request(endpoint, too_many_or_few)


def test_the_sdk_reads_all_of_a_deletion() -> None:
    """It names one profile by its id alone: an e-mail would delete every profile that has it."""
    request = delete_profile_request("P1")
    document = document_of(request)
    assert read_by_sdk(DataPrivacyCreateDeletionJobQuery, request) == document
    profile = document["data"]["attributes"]["profile"]["data"]
    assert profile == {"type": "profile", "id": "P1", "attributes": {}}


def test_the_limits_are_klaviyos() -> None:
    """People of a request, and requests a second and a minute."""
    settings = SuppressionSettings(on_remove="unsuppress")
    unsuppress = settings.configure(SUPPRESSIONS).remove
    assert unsuppress is not None
    assert (SUPPRESSIONS.upsert.max_rows, unsuppress.max_rows) == (100, 100)
    assert UnsubscribePeople(Channel.EMAIL).max_rows == 100
    assert SubscribePeople(Channel.EMAIL).max_rows <= 1_000
    jobs = (Endpoint.SUPPRESS, Endpoint.UNSUPPRESS, Endpoint.SUBSCRIBE, Endpoint.UNSUBSCRIBE)
    assert {endpoint.rate_limit for endpoint in jobs} == {RateLimit(burst=75, steady=750)}
    assert Endpoint.DELETE_PROFILE.rate_limit == RateLimit(burst=3, steady=60)
    assert getattr(PROFILE_DELETIONS.upsert, "endpoint", None) is Endpoint.DELETE_PROFILE
