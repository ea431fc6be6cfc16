"""The core's own tests, with the warehouse in Snowflake: the fixtures of this folder give them another world."""

from __future__ import annotations

from test_dry_run import *
from test_guards import *
from test_lists import *
from test_rejections import *
from test_removal import *
from test_state import *
from test_values import *
