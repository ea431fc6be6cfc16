"""Manual changes of a list: once they stop and the list is reconciled, it converges.

The shop of test_convergence; people are also removed manually, and the list is adopted.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from reverse_etl.errors import KlaviyoError, UsageError
from tests.core.test_convergence import QUIET, ShopMachine


class Hands(ShopMachine):
    """A shop whose list others change too."""

    @rule(at=st.integers(0, 9))
    def is_taken_off_by_hand(self, at: int) -> None:
        """Remove any member from the list manually."""
        members = self.world.sandbox.members("Members")
        if at < len(members):
            self.world.sandbox.clear_faults()  # they are for the job, not for this hand
            body = {"data": [{"type": "profile", "id": members[at]["id"]}]}
            self.world.by_hand("DELETE", f"/api/lists/{self.list_id}/relationships/profiles", body)
            self.not_ours.discard(members[at]["id"])

    @rule()
    def is_adopted(self) -> None:
        """Let all members count as added by the job, if the list can be read."""
        there = {member["id"] for member in self.world.sandbox.members("Members")}
        with suppress(KlaviyoError, UsageError):  # a fault, or a model that was never sent
            self.world.project().adopt(["members"])
            self.not_ours -= there

    @rule()
    def is_read_back(self) -> None:
        """Let missing rows be sent again, if the list can be read."""
        with suppress(KlaviyoError):
            self.world.project().reconcile(resend=True)

    def _converges(self) -> None:
        self.world.calm()
        self._around(self._run)
        self.world.project().reconcile(resend=True)
        super()._converges()


def test_a_manually_changed_list_converges_once_it_is_reconciled() -> None:
    """Members who were removed are back; members who were adopted and are not desired are removed."""
    few = settings(
        max_examples=4, stateful_step_count=8, deadline=None, derandomize=True, suppress_health_check=QUIET
    )
    run_state_machine_as_test(Hands, settings=few)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_manually_changed_list_converges_in_many_examples() -> None:
    many = settings(max_examples=150, stateful_step_count=20, deadline=None, suppress_health_check=QUIET)
    run_state_machine_as_test(Hands, settings=many)
