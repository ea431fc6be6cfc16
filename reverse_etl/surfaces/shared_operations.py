"""The operations that several surfaces share."""

from __future__ import annotations

from typing import Final

from reverse_etl.klaviyo import batching
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.lists import MAX_MEMBERS
from reverse_etl.klaviyo.serialize import ProfileEncoder
from reverse_etl.surfaces.operations import AddToList, ClearValues, ImportRows, RemoveFromList, UpdateProfiles

IMPORT_PROFILES: Final = ImportRows(
    Endpoint.START_IMPORT,
    max_rows=batching.MAX_ROWS,
    max_bytes=batching.MAX_BYTES,
    envelope=batching.import_envelope,
    make_encoder=ProfileEncoder,
)
ADD_TO_LIST: Final = AddToList(Endpoint.ADD_TO_LIST, max_rows=MAX_MEMBERS)
REMOVE_FROM_LIST: Final = RemoveFromList(Endpoint.REMOVE_FROM_LIST, max_rows=MAX_MEMBERS)
CLEAR_VALUES: Final = ClearValues(Endpoint.UPDATE_PROFILE, Endpoint.IMPORT_PROFILE)
UPDATE_PROFILES: Final = UpdateProfiles(Endpoint.UPDATE_PROFILE, ProfileEncoder)
