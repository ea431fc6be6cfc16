"""Requests with `meta.patch_properties`, read by the models of Klaviyo's own SDK."""

from __future__ import annotations

import json

from openapi_client.models.profile_partial_update_query import ProfilePartialUpdateQuery
from openapi_client.models.profile_upsert_query import ProfileUpsertQuery

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo.array_changes import patch_request
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.profile_changes import create_request, import_request, update_request


def test_the_sdk_reads_appended_and_removed_values() -> None:
    patch = {"append": {"tags": ["a"]}, "unappend": {"gone": ["x"]}}
    request = patch_request(Endpoint.UPDATE_PROFILE, "P1", patch)
    read = ProfilePartialUpdateQuery.from_dict(json.loads(request.body or b""))
    assert read is not None
    assert read.to_dict()["data"]["meta"]["patch_properties"] == patch | {"unset": None}


def test_the_sdk_reads_properties_that_are_unset() -> None:
    """By either endpoint; an attribute is a null beside it."""
    unset = {"unset": ["tier"], "append": None, "unappend": None}
    request = update_request(Endpoint.UPDATE_PROFILE, "P1", ["tier", "title"], ["tier"])
    document = json.loads(request.body or b"")
    assert document["data"]["attributes"] == {"title": None}
    read = ProfilePartialUpdateQuery.from_dict(document)
    assert read is not None
    assert read.to_dict()["data"]["meta"]["patch_properties"] == unset
    request = import_request(Endpoint.IMPORT_PROFILE, IdentifierType.EMAIL, "a@x.com", ["tier"], ["tier"])
    upserted = ProfileUpsertQuery.from_dict(json.loads(request.body or b""))
    assert upserted is not None
    assert upserted.to_dict()["data"]["meta"]["patch_properties"] == unset


def test_the_sdk_reads_a_new_person() -> None:
    """With the id only where there is no other identifier."""
    attributes = {"email": "a@x.com", "properties": {"tier": "gold"}}
    for profile_id in ("", "P1"):
        document = json.loads(create_request(Endpoint.IMPORT_PROFILE, attributes, profile_id).body or b"")
        assert document["data"].get("id", "") == profile_id
        read = ProfileUpsertQuery.from_dict(document)
        assert read is not None
        assert read.to_dict()["data"]["attributes"]["properties"] == {"tier": "gold"}
