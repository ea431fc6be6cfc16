"""The tests of models that keep nothing of one another back, with the warehouse in Snowflake."""

import pytest

from tests.core.test_independent_models import test_the_others_go_out  # noqa: F401 - a test

pytestmark = pytest.mark.long
