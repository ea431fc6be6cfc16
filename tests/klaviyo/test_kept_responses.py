"""The part of a reply's body that is kept."""

from __future__ import annotations

import pytest

from reverse_etl.klaviyo.kept_responses import MAX_BODY, ResponseRule


@pytest.mark.parametrize("depth", [300, 900, 5_000])
@pytest.mark.parametrize("fields", [(), ("a",)])
def test_a_body_that_is_nested_too_deep_ends_no_run(depth: int, fields: tuple[str, ...]) -> None:
    """Its text is kept, and no field of it."""
    body = '{"a":' + "[" * depth + '"ann@example.com"' + "]" * depth + "}"
    kept, is_cut = ResponseRule(fields).keep_body(body.encode())
    assert bool(kept) is not bool(fields)
    assert "ann@" not in kept
    assert is_cut is (not fields and len(body) > MAX_BODY)
