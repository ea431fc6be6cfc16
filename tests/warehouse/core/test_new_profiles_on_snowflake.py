"""Rule: people that a model sent before are not new, with the warehouse in Snowflake."""

from tests.core.test_new_profiles import (  # noqa: F401 - a test
    test_people_that_a_model_sent_before_are_not_new,
)
