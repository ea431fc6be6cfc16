"""Lost evidence: the shop of test_convergence with a restored state, lost records and unreadable replies.

A restored state removes nobody who was added by others, until it is trusted. Then the lists converge; members
that the restored state does not know stay.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from reverse_etl.errors import KlaviyoError, UsageError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault, FaultKind
from tests.core.random_days import live_few_days, live_many_days
from tests.core.test_convergence import ShopMachine

STATE = "shop.reverse_etl.duckdb"
PROJECT = "name: shop\nversion: '1.0'\nprofile: shop\nmodel-paths: [dbt_models]\n"
REFUSALS = st.builds(
    Fault,
    kind=st.sampled_from(["invalid_request", "too_large", "refuse_rows", "invalid_rows"]),
    pattern=st.sampled_from(["p0", "p[1-3]", "p4", "p1.a", "p2"]),
    times=st.sampled_from([1, 3, 9]),
)


UNREADABLE = st.builds(
    lambda where, value, times: Fault(
        FaultKind.SET, "GET", where[0], field=where[1], value=value, times=times
    ),
    st.sampled_from(
        [
            ("/api/profile-bulk-import-jobs*", "/data/*/attributes/status"),
            ("/api/profile-bulk-import-jobs*", "/data/*/attributes/failed_count"),
            ("/api/profile-bulk-import-jobs*", "/data/*/attributes/created_at"),
            ("/api/profile-bulk-import-jobs/*/import-errors", "/data/*/id"),
            ("/api/profile-bulk-import-jobs/*/import-errors", "/data/*/attributes"),
            ("/api/lists/*/profiles", "/data/*/attributes/joined_group_at"),
            ("/api/lists*", "/data/*/attributes/name"),
            ("/api/profiles", "/data"),
        ]
    ),
    st.sampled_from([None, "odd", -1]),
    st.sampled_from([1, 3, 9]),
)


class ForgetfulShop(ShopMachine):
    """A shop whose state is put back from a backup, and whose records get lost."""

    restored = False

    def __init__(self) -> None:
        super().__init__()
        self.rejoined: set[str] = set()

    @rule()
    def is_backed_up(self) -> None:
        """Keep a copy of the state."""
        self.world.calm()
        if self._path(STATE).exists():
            shutil.copy(self._path(STATE), self._path("backup.duckdb"))

    @precondition(lambda self: self._path("backup.duckdb").exists())
    @rule(record_is_lost=st.booleans())
    def is_restored(self, *, record_is_lost: bool) -> None:
        """Put the copy back, perhaps on a machine without the record of the last run."""
        self.world.calm()
        self.world.wait(600.0)
        shutil.copy(self._path("backup.duckdb"), self._path(STATE))
        if record_is_lost:
            self.records_are_lost()
        if not [*self._path(".reverse_etl").glob("last_run_*")]:
            self.not_ours -= self.rejoined  # nothing shows that runs after the backup removed them
        self.restored = True
        for name in self.before:
            self.before[name] = set()

    @rule(number=st.integers(0, 7))
    def rejoins_by_hand(self, number: int) -> None:
        """Let somebody join manually after a run has removed them."""
        world, email = self.world, f"p{number}a@example.com"
        world.calm()
        for _ in range(2):
            self._around(self._run)
        lists = {listed["name"] for listed in world.sandbox.lists()}
        wanted = any(email == str(row["email"]).strip().lower() for row in self.rows["members"])
        known = [profile for profile in world.sandbox.profiles() if profile["email"] == email]
        if wanted or not known or "Members" not in lists or email in world.emails():
            return
        world.wait()
        world.put_on_list(self.list_id, known[0]["id"])
        world.wait()
        self.not_ours.add(known[0]["id"])
        self.rejoined.add(known[0]["id"])

    @rule()
    def records_are_lost(self) -> None:
        """Delete the records beside profiles.yml."""
        shutil.rmtree(self._path(".reverse_etl"), ignore_errors=True)

    @rule(fault=REFUSALS)
    def requests_are_refused(self, fault: Fault) -> None:
        """Let Klaviyo refuse whole requests, or rows of them."""
        self.world.fault(fault)

    @rule(fault=UNREADABLE)
    def replies_are_unreadable(self, fault: Fault) -> None:
        """Let Klaviyo's replies lack what they should say."""
        self.world.fault(fault)

    @rule()
    def artifacts_are_missing(self) -> None:
        """Run in a dbt project whose artifacts are gone: it is a mistake, and nothing is sent."""
        world = self.world
        (world.folder / "dbt_project.yml").write_text(PROJECT)
        world.model(
            "built", "select email from {{ ref('people') }}", list="Built", identifiers={"email": "email"}
        )
        writes = len(world.writes())
        with pytest.raises(UsageError):
            world.run(allow_removes=self.all_models)
        assert len(world.writes()) == writes
        world.drop_model("built")
        (world.folder / "dbt_project.yml").unlink()

    def _path(self, name: str) -> Any:
        return self.world.folder / name

    def _converges(self) -> None:
        if not self.restored:
            super()._converges()
            return
        world = self.world
        world.calm()
        self._around(self._run)
        world.wait(600.0)
        with suppress(UsageError):  # nothing was ever sent
            world.project().state_changes.trust()
        self.not_ours = set()
        for listed in world.sandbox.lists():
            self.forgotten.add(listed["name"])  # the state may not know who was added after the backup
        super()._converges()

    def _run(self, *, full_refresh: bool = False) -> None:
        with suppress(KlaviyoError):
            self.world.run(allow_removes=self.all_models, options=PlanOptions(full_refresh=full_refresh))


def test_lists_converge_after_lost_evidence() -> None:
    """Nobody who was added by others is removed; what the model has is sent in the end."""
    live_few_days(ForgetfulShop, examples=2)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_lists_converge_after_lost_evidence_in_many_examples() -> None:
    """The same, with many more and longer histories, others each time."""
    live_many_days(ForgetfulShop, examples=15)
