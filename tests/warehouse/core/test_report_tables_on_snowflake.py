"""The core's tests of the same name, with the warehouse in Snowflake.

This folder's fixtures give them another world.
"""

from __future__ import annotations

import pytest

from tests.core.test_report_tables import *  # noqa: F403 - every test of it

pytestmark = pytest.mark.long
