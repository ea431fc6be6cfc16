"""Requested work is finished, whatever happens: the shop of test_convergence with more commands.

Full refreshes that may be interrupted, retries, models that are renamed, lists that are deleted and made
again, and models and lists that the state forgets.
"""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from reverse_etl.errors import UsageError
from tests.core.killing import nth_event
from tests.core.random_days import live_few_days, live_many_days
from tests.core.test_convergence import ShopMachine


class BusyShop(ShopMachine):
    """A shop whose people use every command that asks for something."""

    @rule(nth=st.integers(0, 14))
    def is_refreshed(self, nth: int) -> None:
        """Let members have other names at Klaviyo, and ask for a full refresh, which may die."""
        world = self.world
        world.calm()
        for listed in world.sandbox.lists():
            for member in world.sandbox.members(listed["id"]):
                if member["email"]:
                    world.rename(member["email"], first_name="Spoiled")
        runs = self._count_runs()
        self._around(lambda: self._run_that_dies(nth_event(nth), full_refresh=True))
        if self._count_runs() == runs:  # it died before its first write: nothing is remembered
            self._around(lambda: self._run(full_refresh=True))

    @rule()
    def is_retried(self) -> None:
        """Let the next run send what Klaviyo refused."""
        self.world.project().retry()

    @rule()
    def model_is_renamed(self) -> None:
        """Let the members' model go on under another name."""
        old = self.member_model
        self.world.drop_model(old)
        self.write_member_model("people" if old == "members" else "members")
        with suppress(UsageError):  # it was never sent
            self.world.project().state_changes.rename(old, self.member_model)

    @rule(again=st.booleans())
    def list_is_deleted(self, again: bool) -> None:
        """Let somebody delete the list, and perhaps make another of its name."""
        self.world.calm()
        list_ids = [listed["id"] for listed in self.world.sandbox.lists() if listed["name"] == "Members"]
        for list_id in list_ids:
            self.world.by_hand("DELETE", f"/api/lists/{list_id}")
            self.before["Members"] = set()
            self.not_ours = set()
        if again and list_ids:
            self.world.wait()
            self.world.new_list("Members")
            self.world.wait()

    @rule()
    def model_is_deleted_and_forgotten(self) -> None:
        """Let a model be deleted and forgotten, and written again: its members are nobody's."""
        self.world.calm()
        self.world.drop_model("ids")
        with suppress(UsageError):  # it was never sent, or an earlier run is not finished
            self.world.project().state_changes.forget("ids")
            self.forgotten.add("By id")
        self.write_ids_model()

    @rule()
    def left_lists_are_forgotten(self) -> None:
        """Let the state forget the lists that a model has left; their members are nobody's from then on."""
        self.world.calm()
        for listed in self.world.project().status().lists:
            if listed.note and listed.model in self.all_models:
                with suppress(UsageError):  # an earlier run is not finished
                    self.world.project().state_changes.forget(listed.model, listed.list_id)
                    self.forgotten.add(listed.list_name)

    def _count_runs(self) -> int:
        if not (self.world.folder / "shop.reverse_etl.duckdb").exists():
            return 0
        ((runs,),) = self.world.state("SELECT COUNT(*) FROM runs")
        return int(runs)


def test_lists_converge_whatever_was_asked_for() -> None:
    """Rows of an interrupted full refresh are sent in the end, and a renamed model forgets nobody."""
    live_few_days(BusyShop, examples=2)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_lists_converge_whatever_was_asked_for_in_many_examples() -> None:
    """The same, with many more and longer histories, others each time."""
    live_many_days(BusyShop, examples=15)
