"""People are suppressed by hand at any moment and runs die: nobody is unsuppressed who was not ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import pytest

from reverse_etl.klaviyo.endpoints import Endpoint
from tests.core.suppressions import UNSUPPRESS, block, by_hand, suppressed
from tests.core.unsteady_network import UnsteadyNetwork, emails_of, survive

if TYPE_CHECKING:
    from collections.abc import Callable

    from reverse_etl.klaviyo.messages import Request
    from tests.core.world import World

PEOPLE = [f"p{number}@example.com" for number in range(8)]
SHOWS_WITHIN = 6 * 3600.0  # a suppression so soon after a model's request may be the model's own
SUPPRESSION_SECONDS = [0, 1, 40, 3600.0, 30 * 86_400.0]  # the last of them: a request comes to nothing
BY_DEFAULT = {(40, 1), (3600.0, 2), (30 * 86_400.0, 1)}  # seconds and models; the others are long
RUNS = 8


@dataclass
class SuppressionLife(UnsteadyNetwork):
    """People who are suppressed and freed by hand while requests go out, by chance.

    `by_hand` has the times of suppressions that can't be a model's own: no request of a model came just
    before, and none was based on an earlier read. `shown` is what the newest read could show.
    """

    blocked: dict[str, set[str]] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    by_hand: set[tuple[str, str]] = field(default_factory=set)
    shown: dict[str, str] = field(default_factory=dict)
    freed: set[str] = field(default_factory=set)
    freed_though_not_ours: list[str] = field(default_factory=list)
    freed_though_blocked: list[str] = field(default_factory=list)

    def happen(self) -> None:
        """Let somebody be suppressed or freed by hand, perhaps."""
        if not self.calm and self.chance.random() < 0.15:
            self.act(self.chance.choice(PEOPLE), free=self.chance.random() < 0.3)

    def act(self, email: str, *, free: bool) -> None:
        """Suppress or free somebody by hand. It takes a moment."""
        self.world.wait(2.0)
        if free:
            by_hand(self.world, email, path=UNSUPPRESS)
            return
        before = self.suppressions()
        self.world.sandbox.suppress(email, "USER_SUPPRESSED")
        now = self.world.clock.now()
        if email not in before and now - self.asked.get(email, -SHOWS_WITHIN) > SHOWS_WITHIN:
            self.by_hand.add((email, self.suppressions()[email]))

    def note(self, request: Request) -> None:
        """Note what a read can show, and the people that a request names."""
        if request.endpoint is Endpoint.PROFILES:
            self.shown = self.suppressions()
        elif request.endpoint is Endpoint.SUPPRESS:
            self._note_suppression(emails_of(request))
        elif request.endpoint is Endpoint.UNSUPPRESS:
            emails = emails_of(request)
            self.freed |= emails
            self.freed_though_not_ours += [
                email for email in emails if (email, self.shown.get(email)) in self.by_hand
            ]
            self.freed_though_blocked += emails & set().union(*self.blocked.values())

    def _note_suppression(self, emails: set[str]) -> None:
        """Forget suppressions between the read and this request: they may be the request's own."""
        self.asked |= dict.fromkeys(emails, self.world.clock.now())
        now = self.suppressions()
        self.by_hand -= {
            (email, now.get(email, "")) for email in emails if self.shown.get(email) != now.get(email)
        }

    def suppressions(self) -> dict[str, str]:
        """Return since when people are suppressed by hand or by a model, by e-mail."""
        query = "page%5Bsize%5D=100&additional-fields%5Bprofile%5D=subscriptions"
        profiles = self.world.by_hand("GET", f"/api/profiles?{query}")["data"]
        return {
            profile["attributes"]["email"]: entry["timestamp"]
            for profile in profiles
            for entry in profile["attributes"]["subscriptions"]["email"]["marketing"]["suppression"]
        }

    def block(self, model: str, emails: set[str]) -> None:
        """Let a model that frees those who leave name these people."""
        self.blocked[model] = emails
        block(self.world, sorted(emails), table=model)
        config = {"surface": "suppressions", "on_remove": "unsuppress", "max_removes": 1.0, "min_rows": 0}
        self.world.model(model, f"select email from {model}", **config)


@pytest.fixture
def live(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], SuppressionLife]:
    """Return what lets a life begin, with a seed."""

    def begin(seed: int) -> SuppressionLife:
        for email in PEOPLE:
            world.new_profile(email=email)
        life = SuppressionLife(world, Random(seed))  # noqa: S311 - no secret
        life.begin(monkeypatch)
        return life

    return begin


@pytest.mark.parametrize(
    ("seconds", "models"),
    [
        pytest.param(seconds, models, marks=() if (seconds, len(models)) in BY_DEFAULT else pytest.mark.long)
        for seconds in SUPPRESSION_SECONDS
        for models in (["blocked"], ["blocked", "fraud"])
    ],
)
def test_nobody_is_unsuppressed_who_was_not_ours(
    world: World, live: Callable[[int], SuppressionLife], seconds: float, models: list[str]
) -> None:
    """Not if the newest read could show that it was done by hand, and not who is still in a model.

    Once the world is calm, a model suppresses all of its people, and frees all of them again.
    """
    world.sandbox.change_rules(suppression_seconds=seconds)
    life = live(300 + int(seconds) + len(models))
    for _ in range(RUNS):
        for model in models:
            life.block(model, {email for email in PEOPLE if life.chance.random() < 0.5})
        survive(world)
        world.wait(life.chance.choice([600.0, 7 * 3600.0]))
        for _ in range(3):
            life.act(life.chance.choice(PEOPLE), free=life.chance.random() < 0.4)
        assert life.freed_though_not_ours == []
        assert life.freed_though_blocked == []
    life.calm = True
    world.sandbox.change_rules(suppression_seconds=1.0)
    world.sandbox.finish_jobs()
    by_hand(world, *PEOPLE, path=UNSUPPRESS)
    for people in ([], PEOPLE, []):
        for model in models:
            life.block(model, {*people})
        world.wait(2 * SHOWS_WITHIN)
        assert [survive(world) for _ in range(3)][-1] == 0
        assert suppressed(world) == people
    assert life.freed == {*PEOPLE}
    assert life.freed_though_not_ours == []
