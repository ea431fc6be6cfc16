"""Manual changes of a list: once they stop and the list is reconciled, it converges.

The shop of test_convergence; people are also removed manually, and the list is adopted.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from reverse_etl.errors import KlaviyoError, UsageError
from tests.core.random_days import live_few_days, live_many_days
from tests.core.test_convergence import ShopMachine


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
    live_few_days(Hands, examples=2)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_manually_changed_list_converges_in_many_examples() -> None:
    live_many_days(Hands, examples=12)
