"""Histories of consent: people opt out at any moment, rows come and go, and runs die.

Hypothesis chooses all that is left to chance, and shrinks what goes wrong.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reverse_etl.klaviyo.endpoints import Endpoint
from tests.core.consent import consents, new_list, subscribe_by_hand
from tests.core.random_days import TIMES
from tests.core.suppressions import UNSUPPRESS, block, by_hand
from tests.core.unsteady_network import UnsteadyNetwork, emails_of, survive
from tests.core.world import World

if TYPE_CHECKING:
    from reverse_etl.klaviyo.messages import Request

EMAILS = [f"p{number}@example.com" for number in range(4)]
PHONES = [f"+1415555010{number}" for number in range(4)]
SAYS_NO = frozenset({"UNSUBSCRIBED", "SPAM_REPORT", "USER_SUPPRESSED"})
LONG_AGO = "2020-05-01 12:00:00+00:00"
SHOWS_WITHIN: Final = 6 * 3600.0  # a suppression so soon after a request may be the model's own
RUNS = 3


class Chance(Random):
    """Chance of which the simplest draws let all go well, so that what is left of a failure is its cause."""

    def __init__(self, drawn: Random) -> None:
        super().__init__(0)
        self.drawn = drawn

    def random(self) -> float:
        """Return a number from 0 to 1, the higher the simpler."""
        return min(1.0 - self.drawn.random(), 0.999999)


@dataclass(frozen=True)
class Shown:
    """The reasons why a profile gets no mails or texts, and since when it is suppressed."""

    refused: frozenset[str]
    suppressed_at: str


@dataclass
class History(UnsteadyNetwork):
    """The doings of people while requests go out, and what requests did that they must not do.

    `shown` is what the newest read could show. `suppressed_by_hand` are suppressions, with their times, that
    can't be a model's own.
    """

    shown: dict[str, Shown] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    suppressed_by_hand: set[tuple[str, str]] = field(default_factory=set)
    subscribed: set[str] = field(default_factory=set)
    mistakes: list[str] = field(default_factory=list)

    def begin_by_hand(self) -> None:
        """Subscribe one person and suppress another, as somebody else would: no model may take it back."""
        subscribe_by_hand(self.world, EMAILS[0])
        by_hand(self.world, EMAILS[1])
        self.suppressed_by_hand.add((EMAILS[1], self.look()[EMAILS[1]].suppressed_at))

    def look(self) -> dict[str, Shown]:
        """Return what profiles show, by e-mail and by phone."""
        query = "page%5Bsize%5D=100&additional-fields%5Bprofile%5D=subscriptions"
        shown: dict[str, Shown] = {}
        for profile in self.world.by_hand("GET", f"/api/profiles?{query}")["data"]:
            channels = profile["attributes"]["subscriptions"]
            mails, texts = channels["email"]["marketing"], channels["sms"]["marketing"]
            suppressions = {entry["reason"]: entry["timestamp"] for entry in mails["suppression"]}
            at = suppressions.get("USER_SUPPRESSED", "")
            for kind, leaf in (("email", mails), ("phone_number", texts)):
                reasons = {leaf["consent"], *suppressions} & SAYS_NO
                shown[profile["attributes"][kind]] = Shown(frozenset(reasons), at)
        return shown

    def happen(self) -> None:
        """Let somebody opt out, complain, be suppressed or be freed by hand, perhaps."""
        if self.calm or self.chance.random() > 0.2:
            return
        self.world.wait(2.0)
        number = self.chance.randrange(len(EMAILS))
        email = EMAILS[number]
        match self.chance.randrange(5):
            case 0:
                self.world.sandbox.opt_out(email)
            case 1:
                self.world.sandbox.opt_out(PHONES[number], "sms.marketing")
            case 2:
                self.world.sandbox.suppress(email, "SPAM_REPORT")
            case 3:
                by_hand(self.world, email, path=UNSUPPRESS)
            case _:
                before = self.look()[email].suppressed_at
                self.world.sandbox.suppress(email, "USER_SUPPRESSED")
                if not before and self.world.clock.now() - self.asked.get(email, 0.0) > SHOWS_WITHIN:
                    self.suppressed_by_hand.add((email, self.look()[email].suppressed_at))

    def note(self, request: Request) -> None:
        """Note what a read can show, and what a request does that it must not do."""
        match request.endpoint:
            case Endpoint.PROFILES:
                self.shown = self.look()
            case Endpoint.SUBSCRIBE:
                people = emails_of(request)
                self.subscribed |= people
                self.mistakes += [f"subscribed {each}" for each in people if self.shown[each].refused]
            case Endpoint.UNSUBSCRIBE:
                self.mistakes += [f"unsubscribed {each}" for each in emails_of(request) - self.subscribed]
            case Endpoint.SUPPRESS:
                self.asked |= dict.fromkeys(emails_of(request), self.world.clock.now())
                now = self.look()
                self.suppressed_by_hand -= {
                    (each, now[each].suppressed_at)
                    for each in emails_of(request)
                    if self.shown[each].suppressed_at != now[each].suppressed_at
                }
            case Endpoint.UNSUPPRESS:
                self.mistakes += [
                    f"unsuppressed {each}"
                    for each in emails_of(request)
                    if (each, self.shown[each].suppressed_at) in self.suppressed_by_hand
                ]

    def choose(self, people: list[str]) -> list[str]:
        """Return some of the people."""
        return [each for each in people if self.chance.random() < 0.5]

    def change_rows(self, config: dict[str, Any]) -> None:
        """Let models have other rows: of consents to mails and to texts, and of suppressions."""
        taken_back: dict[str, Any] = {"on_remove": "unsubscribe", "max_removes": 1.0, "min_rows": 0}
        at = None if config.get("consent") else LONG_AGO
        consents(self.world, *((each, at) for each in self.choose(EMAILS)), **config, **taken_back)
        rows = [{"phone": phone, "consented_at": at} for phone in self.choose(PHONES)]
        self.world.people(rows, "phones", "phone VARCHAR, consented_at TIMESTAMPTZ")
        select = "select phone as phone_e164, consented_at from phones"
        self.world.model("texts", select, surface="subscriptions", channel="sms", **config, **taken_back)
        block(self.world, self.choose(EMAILS))
        self.world.model(
            "blocked",
            "select email from blocked",
            surface="suppressions",
            **{**taken_back, "on_remove": "unsuppress"},
        )


def check_history(chance: Random, config: dict[str, Any], seconds: float) -> None:
    """Live through a history. No request may do what the read before it forbids.

    By a past consent nobody is subscribed who opted out, whenever they did.
    """
    with (
        TemporaryDirectory() as folder,
        closing(World(Path(folder) / "shop")) as world,
        pytest.MonkeyPatch.context() as patched,
    ):
        world.sandbox.change_rules(consent_seconds=min(seconds, 40.0), suppression_seconds=seconds)
        for email, phone in zip(EMAILS, PHONES, strict=True):
            world.new_profile(email=email, phone_number=phone)
        if "list" in config:
            new_list(world, "single_opt_in")
        history = History(world, chance)
        history.begin_by_hand()
        history.begin(patched)
        for _ in range(RUNS):
            history.change_rows(config)
            survive(world)
            assert history.mistakes == []
            world.sandbox.finish_jobs()
            said_no = {each for each, shown in history.shown.items() if "UNSUBSCRIBED" in shown.refused}
            now = history.look()
            if "consent" not in config:
                assert all("UNSUBSCRIBED" in now[each].refused for each in said_no)
            world.wait(chance.choice([60.0, 3600.0, 7 * 3600.0]))


CONFIGS = st.sampled_from([{}, {"list": "Members"}, {"consent": "now"}])
CHANCES = st.randoms(use_true_random=False).map(Chance)
SECONDS = st.sampled_from([0.0, 40.0, 3600.0])
QUIET = tuple(HealthCheck)


@settings(max_examples=3, deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
@given(chance=CHANCES, config=CONFIGS, seconds=SECONDS)
def test_no_request_does_what_people_forbid(chance: Random, config: dict[str, Any], seconds: float) -> None:
    check_history(chance, config, seconds)


@pytest.mark.long
@settings(max_examples=30 * TIMES, deadline=None, suppress_health_check=QUIET)
@given(chance=CHANCES, config=CONFIGS, seconds=SECONDS)
def test_no_request_does_what_people_forbid_in_many_histories(
    chance: Random, config: dict[str, Any], seconds: float
) -> None:
    check_history(chance, config, seconds)
