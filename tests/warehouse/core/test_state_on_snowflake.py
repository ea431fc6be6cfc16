"""The core's tests of the same name, with the warehouse in Snowflake: this folder's fixtures give them another world."""

from __future__ import annotations

import pytest
from test_state import *

pytestmark = pytest.mark.long
