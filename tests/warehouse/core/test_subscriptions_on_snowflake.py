# ruff: noqa: F401 - tests
"""The tests of consents in tests/core that depend on the warehouse, with it in Snowflake."""

from tests.core.test_consent_times import (
    test_a_model_whose_times_move_stops,
    test_a_time_in_the_future_is_rejected_until_it_is_past,
    test_a_time_of_today_is_compared_in_its_own_zone,
    test_a_time_without_a_zone_needs_one,
)
from tests.core.test_opt_outs import test_a_person_who_opted_out_is_left_alone
from tests.core.test_pending_consents import test_a_list_with_double_opt_in_leaves_people_pending
from tests.core.test_subscriptions import (
    test_a_consent_of_now_and_one_of_the_past_go_in_two_requests,
    test_people_are_subscribed_with_the_time_of_their_consent,
)
from tests.core.test_unsubscriptions import (
    test_a_person_of_another_model_is_not_unsubscribed_from_everything,
    test_a_person_who_leaves_the_model_is_unsubscribed,
)
