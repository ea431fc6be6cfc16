"""The decision whether the person of a row may be deleted."""

from __future__ import annotations

import pytest

from reverse_etl.delivery.profiles.deletion_rules import FoundProfile, find_hold
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.receipts import HoldCode
from reverse_etl.klaviyo.profiles import Profile

EMAIL, PHONE, EXTERNAL_ID = IdentifierType.EMAIL, IdentifierType.PHONE, IdentifierType.EXTERNAL_ID
ROW = {EMAIL: "a@example.com", PHONE: "+33600000001"}


def found_profile(
    *kinds: IdentifierType, phone: str | None = None, external_id: str | None = None
) -> FoundProfile:
    """Return a profile that was found by these identifiers of the row."""
    return FoundProfile(Profile("P1", "a@example.com", phone, external_id), {*kinds})


@pytest.mark.parametrize(
    ("profiles", "hold"),
    [
        ([], None),
        ([found_profile(EMAIL)], None),  # the profile has no phone
        ([found_profile(EMAIL, PHONE, phone="+33600000001")], None),
        ([found_profile(EMAIL, phone="+33600000002")], HoldCode.OTHER_PERSON),
        ([found_profile(EMAIL), found_profile(PHONE)], HoldCode.SEVERAL_PROFILES),
    ],
)
def test_a_row_is_held_if_its_profile_may_be_of_somebody_else(
    profiles: list[FoundProfile], hold: HoldCode | None
) -> None:
    """A profile without one of the row's identifiers may be the person; one with another value may not."""
    assert find_hold(ROW, profiles) is hold


def test_a_unique_identifier_is_enough() -> None:
    """The external id names one person, whatever e-mail and phone the profile shows."""
    row = {EXTERNAL_ID: "7", **ROW}
    assert find_hold(row, [found_profile(EXTERNAL_ID, external_id="7", phone="+33600000002")]) is None
    assert find_hold(row, [found_profile(EMAIL, external_id="8")]) is HoldCode.OTHER_PERSON
