"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest

import pytest

from reverse_etl.klaviyo import filters, replies, values


@pytest.mark.parametrize("module", [filters, replies, values], ids=lambda module: module.__name__)
def test_examples_in_docstrings_hold(module):
    """Each is run; there is at least one."""
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
