"""The text that names a model's list."""

from __future__ import annotations

import pytest

from reverse_etl.domain.list_target import ListById, ListColumn, NamedList


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (NamedList("VIP customers"), "VIP customers"),
        (ListById("XyZ123"), "id XyZ123"),
        (ListColumn("club"), "named by club"),
    ],
)
def test_a_target_reads_after_the_word_list(target: ListById | ListColumn | NamedList, words: str) -> None:
    assert str(target) == words
