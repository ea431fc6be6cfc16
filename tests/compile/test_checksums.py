"""A model's checksum stays the same: stored rejections end when it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.list_target import ListById, ListColumn, NamedList, OnSharedIdentifier
from reverse_etl.models.config import ModelConfig
from reverse_etl.models.model import compute_checksum
from reverse_etl.surfaces.interface import GuardLimit
from reverse_etl.surfaces.list_memberships import LIST_MEMBERSHIPS
from reverse_etl.surfaces.profiles import PROFILES

if TYPE_CHECKING:
    from reverse_etl.domain.list_target import ListTarget

TARGETS = (
    (NamedList("VIP"), "41d1e778c8f729348a66a1fda2e4a2b61132ee29be1c1eb569c439165b57fc3c"),
    (ListById("AbC123"), "c08bf91cc463fdc68a114c69d605e60ddeb4b9dbf4770a0de43128f3a373c1d2"),
    (ListColumn("club"), "70a6739d27f1da09bcc029224368118f38bd428ad439f8de78665b7ea0d051a3"),
)


@pytest.mark.parametrize(("target", "kept"), TARGETS)
def test_the_checksum_of_a_list_model_stays(target: ListTarget, kept: str) -> None:
    identifiers = {IdentifierType.PHONE: "tel", IdentifierType.EMAIL: "mail"}
    config = ModelConfig(LIST_MEMBERSHIPS, target, identifiers)
    assert compute_checksum("SELECT 1", config) == kept


def test_the_checksum_of_a_config_with_every_key_stays() -> None:
    config = ModelConfig(
        PROFILES,
        None,
        {IdentifierType.EMAIL: "mail"},
        ("a", "b"),
        OnSharedIdentifier.REJECT,
        5,
        GuardLimit(0.25, floor=10, cap=100_000),
        False,
        "Täglich",
        3600,
    )
    assert (
        compute_checksum("SELECT 1", config)
        == "4bd4936b43fbc0b670f0f771c6eaf2fe7114f0d3be536e0e7cc3434c50af5f7a"
    )
