"""Which values are appended to arrays of a profile, and removed from them."""

from __future__ import annotations

from typing import Any

import pytest

from reverse_etl.klaviyo.array_changes import ArrayChange, find_patch


@pytest.mark.parametrize(
    ("present", "value"),
    [
        (1, 1.0),
        (2.0, 2),
        ({"a": 1, "b": [1]}, {"b": [1.0], "a": 1.0}),
        ([1, {"x": None}], [1.0, {"x": None}]),
    ],
)
def test_values_that_are_equal_as_json_are_the_same(present: Any, value: Any) -> None:
    """However Klaviyo writes them: otherwise each run would append one more."""
    attributes = {"properties": {"tags": [present]}}
    assert find_patch(attributes, {"tags": (ArrayChange.APPEND, [value])}) == {}
    assert find_patch(attributes, {"tags": (ArrayChange.UNAPPEND, [value])}) == {
        "unappend": {"tags": [value]}
    }


@pytest.mark.parametrize(
    ("present", "value"), [(1, True), (0, False), (1, "1"), (None, "null"), (1e300, "1e300")]
)
def test_values_of_different_types_are_different(present: Any, value: Any) -> None:
    attributes = {"properties": {"tags": [present]}}
    assert find_patch(attributes, {"tags": (ArrayChange.APPEND, [value])}) == {"append": {"tags": [value]}}


def test_a_repeated_value_is_sent_once() -> None:
    attributes = {"properties": {"tags": ["a"], "gone": ["x"]}}
    wanted = {"tags": (ArrayChange.APPEND, ["b", "a", "b"]), "gone": (ArrayChange.UNAPPEND, ["x", "x"])}
    assert find_patch(attributes, wanted) == {"append": {"tags": ["b"]}, "unappend": {"gone": ["x"]}}
