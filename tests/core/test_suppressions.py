"""The surface suppressions: e-mails are suppressed, read back, and unsuppressed by the model that did it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.errors import GuardRefused
from tests.core.suppressions import (
    UNSUPPRESS,
    block,
    by_hand,
    email,
    free_on_remove,
    jobs,
    open_shop,
    outcomes,
    suppressed,
)
from tests.core.world import only_list

if TYPE_CHECKING:
    from tests.core.world import PrepareWorld, World

STILL_OPEN = (
    "Klaviyo accepted the request (its job is 'processing'), and the change does not show yet. "
    "The next run looks again."
)


@pytest.fixture
def shop(prepare_world: PrepareWorld) -> World:
    """Let a model suppress some of the people that Klaviyo knows."""
    return prepare_world(open_shop)


def test_new_rows_are_suppressed_a_hundred_at_a_time_and_proved_by_a_read(shop: World) -> None:
    emails = [email(number) for number in range(101)]
    block(shop, emails)
    assert outcomes(shop) == {Outcome.APPLIED: 101}
    assert suppressed(shop) == emails
    assert jobs(shop) == [1, 100]
    assert outcomes(shop) == {}
    assert jobs(shop) == [1, 100], "nothing changed, and nothing was sent"


def test_a_person_who_is_suppressed_already_needs_no_request(shop: World) -> None:
    by_hand(shop, email(1))
    sent = len(jobs(shop))
    block(shop, [email(1)])
    assert outcomes(shop) == {Outcome.APPLIED: 1}
    assert len(jobs(shop)) == sent


def test_an_unknown_email_is_not_sent_and_is_looked_up_again(shop: World) -> None:
    """Whether Klaviyo would make a profile of it is not documented."""
    block(shop, [email(1), "new@example.com"])
    assert outcomes(shop) == {Outcome.APPLIED: 1, Outcome.NO_PROFILE: 1}
    assert "new@example.com" not in [profile["email"] for profile in shop.sandbox.profiles()]
    assert outcomes(shop) == {Outcome.NO_PROFILE: 1}
    shop.new_profile(email="new@example.com")
    assert outcomes(shop) == {Outcome.APPLIED: 1}
    assert suppressed(shop) == ["new@example.com", email(1)]


def test_a_suppression_that_does_not_show_is_unverified_and_read_again(shop: World) -> None:
    shop.sandbox.change_rules(suppression_seconds=3 * 3600.0)
    block(shop, [email(1)])
    before = shop.clock.now()
    result = shop.run()
    assert only_list(result).outcomes == {Outcome.UNVERIFIED: 1}
    assert result.exit_code == 0
    assert 600 <= shop.clock.now() - before < 700
    assert shop.state("SELECT state, detail FROM receipts WHERE model = 'blocked'") == [
        ("unknown", STILL_OPEN),
    ]
    shop.wait(3 * 3600.0)
    sent = len(jobs(shop))
    assert outcomes(shop) == {Outcome.APPLIED: 1}
    assert len(jobs(shop)) == sent


def test_rows_that_leave_are_forgotten_by_default(shop: World) -> None:
    block(shop, [email(1), email(2)])
    shop.run()
    block(shop, [email(1)])
    assert outcomes(shop) == {Outcome.LEFT_IN_PLACE: 1}
    assert suppressed(shop) == [email(1), email(2)]
    assert jobs(shop, UNSUPPRESS) == []


def test_only_people_that_the_model_suppressed_are_freed(shop: World) -> None:
    free_on_remove(shop)
    by_hand(shop, email(2))
    block(shop, [email(1), email(2), email(3)])
    shop.run()
    by_hand(shop, email(3), path=UNSUPPRESS)
    by_hand(shop, email(3))
    block(shop, [])
    assert outcomes(shop) == {Outcome.REMOVED: 1, Outcome.UNMANAGED: 2}
    assert suppressed(shop) == [email(2), email(3)]
    assert shop.state("SELECT COUNT(*) FROM own_suppressions") == [(0,)]


def test_a_suppression_that_showed_late_is_the_models_own(shop: World) -> None:
    free_on_remove(shop)
    shop.sandbox.change_rules(suppression_seconds=3600.0)
    block(shop, [email(1)])
    assert outcomes(shop) == {Outcome.UNVERIFIED: 1}
    shop.wait(3600.0)
    assert outcomes(shop) == {Outcome.APPLIED: 1}
    shop.sandbox.change_rules(suppression_seconds=1.0)
    block(shop, [])
    assert outcomes(shop) == {Outcome.REMOVED: 1}
    assert suppressed(shop) == []


def test_a_row_that_leaves_before_its_suppression_shows_is_freed_later(shop: World) -> None:
    """Its row is looked at again in each run, until the suppression shows, or nothing came of the request."""
    free_on_remove(shop)
    shop.sandbox.change_rules(suppression_seconds=3600.0)
    block(shop, [email(1)])
    assert outcomes(shop) == {Outcome.UNVERIFIED: 1}
    block(shop, [])
    result = shop.run()
    assert (only_list(result).outcomes, result.exit_code) == ({Outcome.UNVERIFIED: 1}, 0)
    shop.wait(3600.0)
    shop.sandbox.change_rules(suppression_seconds=1.0)
    assert outcomes(shop) == {Outcome.REMOVED: 1}
    assert (jobs(shop, UNSUPPRESS), suppressed(shop)) == ([1], [])


def test_a_row_that_leaves_after_a_request_that_came_to_nothing_is_forgotten(shop: World) -> None:
    free_on_remove(shop)
    shop.sandbox.change_rules(suppression_seconds=30 * 86_400.0)
    block(shop, [email(1)])
    shop.run()
    block(shop, [])
    assert outcomes(shop) == {Outcome.UNVERIFIED: 1}
    shop.wait(7 * 3600.0)
    assert outcomes(shop) == {Outcome.REMOVED: 1}
    assert (jobs(shop, UNSUPPRESS), shop.state("SELECT * FROM own_suppressions")) == ([], [])


def test_nobody_is_freed_that_another_model_suppresses(shop: World) -> None:
    """The model that is left has the suppression from then on, and unsuppresses the person in the end."""
    free_on_remove(shop)
    shop.model("fraud", "select email from fraud", surface="suppressions", on_remove="unsuppress", min_rows=0)
    block(shop, [email(1)])
    block(shop, [email(1)], table="fraud")
    shop.run()
    block(shop, [])
    assert outcomes(shop, select=["blocked"]) == {Outcome.REPLACED: 1}
    assert suppressed(shop) == [email(1)]
    block(shop, [], table="fraud")
    assert only_list(shop.run(), "fraud").outcomes == {Outcome.REMOVED: 1}
    assert suppressed(shop) == []


def test_too_many_that_would_be_freed_stop_the_model(shop: World) -> None:
    free_on_remove(shop)
    block(shop, [email(number) for number in range(11)])
    shop.run()
    block(shop, [])
    with pytest.raises(GuardRefused, match="11 of 11 rows would be removed"):
        shop.run()
    assert len(suppressed(shop)) == 11
    assert outcomes(shop, allow_removes=["blocked"]) == {Outcome.REMOVED: 11}
    assert suppressed(shop) == []


def test_a_suppression_by_hand_after_a_request_that_came_to_nothing_stays(shop: World) -> None:
    """It was a day later, so that it is not the model's own, also if the model read it in between."""
    free_on_remove(shop)
    shop.sandbox.change_rules(suppression_seconds=30 * 86_400.0)
    block(shop, [email(1), email(2)])
    assert outcomes(shop) == {Outcome.UNVERIFIED: 2}
    shop.sandbox.change_rules(suppression_seconds=1.0)
    shop.wait(86_400.0)
    by_hand(shop, email(1), email(2))
    block(shop, [email(1)])
    assert outcomes(shop) == {Outcome.APPLIED: 1, Outcome.UNMANAGED: 1}
    block(shop, [])
    assert outcomes(shop) == {Outcome.UNMANAGED: 1}
    assert suppressed(shop) == [email(1), email(2)]
