"""The request that deletes a profile for good. Source: API reference, 'Request Profile Deletion'."""

from __future__ import annotations

from typing import Final

import orjson

from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.errors import refusal_error
from reverse_etl.klaviyo.messages import Request, Response

_JOB_TYPE: Final = "data-privacy-deletion-job"


def delete_profile_request(profile_id: str) -> Request:
    """Return the request that deletes one profile.

    By an id it is exactly one; by an e-mail or phone Klaviyo deletes every profile that has it.
    """
    profile = {"data": {"type": "profile", "id": profile_id, "attributes": {}}}
    document = {"data": {"type": _JOB_TYPE, "attributes": {"profile": profile}}}
    return Request(Endpoint.DELETE_PROFILE, Endpoint.DELETE_PROFILE.path(), orjson.dumps(document))


def was_accepted(request: Request, response: Response | None) -> bool:
    """Return whether a deletion was accepted; False if there is no such profile. Raises KlaviyoError."""
    if response is not None and not request.endpoint.is_success(response.status):
        raise refusal_error(request, response)
    return response is not None
