"""People opt out at any moment, replies get lost, runs are killed: nobody is subscribed over an opt-out."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.klaviyo.endpoints import Endpoint
from tests.core.consent import consents, marketing, new_list, status, subscribe_by_hand
from tests.core.unsteady_network import UnsteadyNetwork, emails_of, survive

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reverse_etl.klaviyo.messages import Request
    from tests.core.world import World

LONG = pytest.mark.long
PEOPLE = [f"p{number}@example.com" for number in range(8)]
LONG_AGO = "2020-05-01 12:00:00+00:00"
RUNS = 4


@dataclass
class Life(UnsteadyNetwork):
    """People and their doings while requests go out, by chance.

    `opted_out` are those who said no, `unsubscribed` those who did so by a link and not by a complaint, and
    `seen` those who had said no when the newest read began.
    """

    opted_out: set[str] = field(default_factory=set)
    unsubscribed: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    subscribed_over: list[str] = field(default_factory=list)
    opts_out: bool = True
    subscribed_by_job: set[str] = field(default_factory=set)
    unsubscribed_by_job: set[str] = field(default_factory=set)

    def happen(self) -> None:
        """Let somebody opt out, complain or be suppressed, perhaps."""
        if self.calm or not self.opts_out or self.chance.random() > 0.25:
            return
        email = self.chance.choice(PEOPLE)
        if self.chance.random() < 0.5:
            self.world.sandbox.opt_out(email)
            self.unsubscribed.add(email)
        else:
            self.world.sandbox.suppress(email, self.chance.choice(["SPAM_REPORT", "USER_SUPPRESSED"]))
        self.opted_out.add(email)

    def note(self, request: Request) -> None:
        """Note who had said no at a read, and the people that a request names."""
        if request.endpoint is Endpoint.PROFILES:
            self.seen = set(self.opted_out)
        elif request.endpoint is Endpoint.SUBSCRIBE:
            self.subscribed_over += self.seen & emails_of(request)
            self.subscribed_by_job |= emails_of(request)
        elif request.endpoint is Endpoint.UNSUBSCRIBE:
            self.unsubscribed_by_job |= emails_of(request)


@pytest.fixture
def live(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Life]:
    """Return what lets a life begin, with a seed."""

    def begin(seed: int) -> Life:
        for email in PEOPLE:
            world.new_profile(email=email)
        life = Life(world, Random(seed))  # noqa: S311 - no secret
        life.begin(monkeypatch)
        return life

    return begin


CONFIGS: tuple[dict[str, str], ...] = ({}, {"list": "Members"}, {"consent": "now"})


def lives(configs: Sequence[dict[str, str]], *few: tuple[int, dict[str, str]]) -> list[Any]:
    """Return the lives with these configs: a few by default, the others in long tests."""
    every = [(seed, config) for seed in range(3) for config in configs]
    return [pytest.param(*life, marks=() if life in few else LONG) for life in every]


@pytest.mark.parametrize(("seed", "config"), lives(CONFIGS, (0, CONFIGS[0]), (2, CONFIGS[2])))
def test_nobody_is_subscribed_over_an_opt_out(
    world: World, live: Callable[[int], Life], seed: int, config: dict[str, str]
) -> None:
    """Not if the request's own read could show it; and not who unsubscribed, if the consent is a past one.

    Once the world is calm, all others are subscribed.
    """
    world.sandbox.change_rules(consent_seconds=[0, 1, 40][seed % 3])
    if "list" in config:
        new_list(world, "single_opt_in")
    life = live(seed)
    is_past = "consent" not in config
    for number in range(1, RUNS + 1):
        rows = [(email, LONG_AGO if is_past else None) for email in PEOPLE[: 2 * number]]
        consents(world, *rows, **config)
        survive(world)
        assert life.subscribed_over == []
        if is_past:
            assert not {email for email in life.unsubscribed if status(world, email) == "SUBSCRIBED"}
        world.wait(300.0)
    life.calm = True
    codes = [survive(world) for _ in range(3)]
    assert codes[-1] == 0
    world.sandbox.finish_jobs()
    assert {email for email in PEOPLE if status(world, email) == "SUBSCRIBED"} >= {*PEOPLE} - life.opted_out
    assert life.subscribed_over == []


@pytest.mark.parametrize(("seed", "config"), lives(CONFIGS[:2], (0, CONFIGS[0])))
def test_nobody_is_unsubscribed_who_is_not_ours(
    world: World, live: Callable[[int], Life], seed: int, config: dict[str, str]
) -> None:
    """People come and leave; those who subscribed in another way stay so, and everybody keeps other lists."""
    life = live(seed)
    life.calm = True
    others = PEOPLE[::2]
    for email in others:
        subscribe_by_hand(world, email)
    life.calm, life.opts_out = False, False
    for _ in range(RUNS + 2):
        rows = [(email, LONG_AGO) for email in PEOPLE if life.chance.random() < 0.6]
        consents(world, *rows, on_remove="unsubscribe", max_removes=1.0, min_rows=0, **config)
        survive(world)
        assert life.unsubscribed_by_job <= life.subscribed_by_job - {*others}
        world.wait(3600.0)
    life.calm = True
    assert [survive(world) for _ in range(3)][-1] in {0, 1}
    assert [status(world, email) for email in others] == ["SUBSCRIBED"] * len(others)
    if "list" in config:  # the list alone was lost
        assert all(status(world, email) == "SUBSCRIBED" for email in life.unsubscribed_by_job)


def phone_of(email: str) -> str:
    """Return the phone of one of the people."""
    return f"+1415555010{PEOPLE.index(email)}"


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=LONG) for seed in (1, 2, 3))])
def test_two_channels_and_the_members_of_a_list_converge(
    world: World, live: Callable[[int], Life], seed: int
) -> None:
    """People come to and leave two channels of a list while runs die: all are on it in the end.

    Nobody is unsubscribed who is not ours, or from more than the list.
    """
    life = live(seed)
    life.calm = True
    for email in PEOPLE:
        world.rename(email, phone_number=phone_of(email))
    subscribe_by_hand(world, PEOPLE[0])
    life.calm, life.opts_out = False, False
    shared = {"list": "Members", "on_remove": "unsubscribe", "max_removes": 1.0, "min_rows": 0}
    world.people([{"email": email} for email in PEOPLE[:4]])
    world.model("members", "select email from people")
    mailed: set[str] = set()
    left: set[str] = set()
    texted: set[str] = set()
    for _ in range(RUNS):
        mails = {email for email in PEOPLE if life.chance.random() < 0.6}
        texted = {email for email in PEOPLE if life.chance.random() < 0.6}
        left |= mailed - mails
        mailed = mails
        consents(world, *((email, LONG_AGO) for email in sorted(mails)), **shared)
        phones = [{"phone": phone_of(email), "consented_at": LONG_AGO} for email in sorted(texted)]
        world.people(phones, "phones", "phone VARCHAR, consented_at TIMESTAMPTZ")
        select = "select phone as phone_e164, consented_at from phones"
        world.model("texts", select, surface="subscriptions", channel="sms", **shared)
        survive(world)
        assert life.unsubscribed_by_job <= life.subscribed_by_job - {PEOPLE[0]}
        world.wait(3600.0)
    life.calm = True
    assert [survive(world) for _ in range(4)][-1] in {0, 1}
    on_list = {*world.emails()}
    assert on_list >= {*PEOPLE[:4]} | texted | (mailed - left)
    assert {status(world, email) for email in PEOPLE} <= {"SUBSCRIBED", "NEVER_SUBSCRIBED"}
    assert {email for email in PEOPLE if marketing(world, email)["list_suppressions"]} <= left
