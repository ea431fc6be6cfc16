"""Whatever happens to the model, to Klaviyo and to the run.

Once faults stop, the lists are what the models say.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.errors import KlaviyoError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.sandbox import Fault
from tests.core.expected_members import check_list, identities, is_of, rejected
from tests.core.killing import nth_event
from tests.core.random_days import live_few_days, live_many_days
from tests.core.world import World
from tests.paths import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from hypothesis.strategies import DrawFn

    from reverse_etl.delivery.results import ListResult

WEEK = 7 * 86_400.0
BOUND = 2  # runs without faults that suffice

EMAIL, PHONE, EXTERNAL = IdentifierType.EMAIL, IdentifierType.PHONE, IdentifierType.EXTERNAL_ID
BY_EMAIL = {EMAIL: "email", EXTERNAL: "customer_id", PHONE: "phone"}
BY_CLUB = {EMAIL: "email", EXTERNAL: "customer_id"}
BY_ID = {IdentifierType.PROFILE_ID: "klaviyo_profile_id"}
BY_ANY = {EXTERNAL: "customer_id", EMAIL: "email"}

COLUMNS = {
    "members": "email VARCHAR, customer_id VARCHAR, phone VARCHAR, first_name VARCHAR, score DOUBLE",
    "clubs": "email VARCHAR, customer_id VARCHAR, club VARCHAR",
    "ids": "klaviyo_profile_id VARCHAR",
    "profiles": "customer_id VARCHAR, email VARCHAR, first_name VARCHAR",
}
LOOSE = {"min_rows": 0, "max_removes": 1.0}
NAMES = st.sampled_from([None, "Ann", "Bo", ""])
SCORES = st.sampled_from([None, 1, 2.5])


@st.composite
def member_rows(draw: DrawFn) -> list[dict[str, Any]]:
    """Draw rows of people with one or two e-mails, some padded, some twice, some that nobody takes."""
    rows = []
    for number in draw(st.lists(st.integers(0, 7), max_size=7)):
        email = f"p{number}{draw(st.sampled_from('ab')) if number < 4 else 'a'}@example.com"
        row = {
            "email": draw(st.sampled_from([email, email, email.upper(), f" {email}\t"])),
            # A person with two e-mails always has the same customer id, or never one.
            "customer_id": f"c{number}"
            if number in {0, 1} or (number == 4 and draw(st.booleans()))
            else None,
            "phone": "+14155550199" if number in {2, 3} else None,
            "first_name": draw(NAMES),
            "score": draw(SCORES),
        }
        rows.append(row)
    bad = st.sampled_from(["not-an-email", "", None, "refused@example.c1", "two@@example.com"])
    rows += [{"email": email, "first_name": "Bad"} for email in draw(st.lists(bad, max_size=2))]
    return rows


@st.composite
def club_rows(draw: DrawFn) -> list[dict[str, Any]]:
    """Draw rows of people in clubs: each club is a list."""
    clubs = st.sampled_from(["Tea", "Coffee", "Cake", " Tea ", "", None])
    return [
        {
            "email": f"p{number}{draw(st.sampled_from('ab'))}@example.com",
            "customer_id": f"c{number}",
            "club": draw(clubs),
        }
        for number in draw(st.lists(st.integers(10, 13), max_size=6))
    ]


@st.composite
def profile_rows(draw: DrawFn) -> list[dict[str, Any]]:
    """Draw rows of people who are on no list."""
    numbers = draw(st.lists(st.integers(20, 23), max_size=4))
    return [
        {"customer_id": f"c{number}", "email": f"p{number}a@example.com", "first_name": draw(NAMES)}
        for number in numbers
    ]


WRITES = st.sampled_from([IMPORTS, "/api/lists/*/relationships/profiles"])
READS = st.sampled_from(["/api/profile-bulk-import-jobs*", "/api/lists*", "/api/profiles*"])
TIMES = st.sampled_from([1, 2, 3, 9])
REQUEST_FAULTS = st.one_of(
    st.builds(
        Fault,
        kind=st.sampled_from(["status", "cut", "html", "slow"]),
        method=st.sampled_from(["POST", "DELETE", "*"]),
        path=st.one_of(WRITES, READS),
        times=TIMES,
        after=st.booleans(),
        status=st.sampled_from([429, 500, 503, 408, 401]),
        retry_after=st.sampled_from([None, 1]),
        seconds=st.just(1.0),
    )
)
PATTERNS = st.sampled_from(["p0", "p[1-3]", "p4", "p1.a", "p2"])
JOB_FAULTS = st.one_of(
    st.builds(Fault, kind=st.just("cancel"), rows=st.integers(0, 2)),
    st.builds(Fault, kind=st.just("miscount"), rows=st.integers(1, 2)),
    st.builds(
        Fault,
        kind=st.sampled_from(["refuse_rows", "invalid_rows"]),
        pattern=PATTERNS,
        payload=st.sampled_from(["attributes", "resource", "none"]),
    ),
)


class ShopMachine(RuleBasedStateMachine):
    """A shop whose data, Klaviyo account and job meet with everything."""

    destination: ClassVar[Mapping[str, Any]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self._written: dict[str, Any] = {}
        self._world: World | None = None

    @property
    def world(self) -> World:
        """Return the shop's world, once it is open."""
        assert self._world is not None
        return self._world

    @initialize(
        match_external_id=st.booleans(),
        errors_per_reply=st.sampled_from([None, 1]),
        unknown_ids=st.sampled_from(["refuse", "ignore"]),
        conflicts=st.sampled_from(["drop", "refuse", "refuse_request"]),
        members=member_rows(),
    )
    def open(self, members: list[dict[str, Any]], **rules: Any) -> None:
        """Open the shop."""
        self._world = world = World(self.folder / "shop", job_seconds=0.2, **rules)
        world.destination |= self.destination
        self.rows: dict[str, list[dict[str, Any]]] = {
            "members": members,
            "clubs": [],
            "ids": [],
            "profiles": [],
        }
        self.before: dict[str, set[str]] = {
            name: set() for name in ("Members", "Tea", "Coffee", "Cake", "By id")
        }
        self.not_ours: set[str] = set()
        self.ever_sent: set[str] = set()
        self.forgotten: set[str] = set()
        self.write_member_model("members")
        clubs = {"list_column": "club", "identifiers": {str(k): v for k, v in BY_CLUB.items()}}
        self.write_model("clubs", ["email", "customer_id", "club"], "clubs", **clubs)
        self.write_ids_model()
        by_any = {str(k): v for k, v in BY_ANY.items()}
        columns = ["customer_id", "email", "first_name"]
        self.write_model("profiles", columns, "profiles", surface="profiles", identifiers=by_any)
        self.ids = [world.new_profile(email=f"h{number}@example.com") for number in range(3)]
        world.new_list("Members")

    def write_ids_model(self) -> None:
        """Write the model of people who are known by their profile id."""
        surface = {"surface": "list_memberships_by_profile_id", "list": "By id"}
        self.world.model("ids", "select klaviyo_profile_id from ids", **surface, **LOOSE)

    def write_member_model(self, name: str) -> None:
        """Write the model of the members, under a name."""
        columns = ["email", "customer_id", "phone", "first_name", "score"]
        identifiers = {str(kind): column for kind, column in BY_EMAIL.items()}
        self.write_model(name, columns, "members", identifiers=identifiers)
        self.member_model = name

    def write_model(self, name: str, columns: Sequence[str], table: str, **config: Any) -> None:
        """Write a model of columns of a table."""
        self.world.model(name, f"select {', '.join(columns)} from {table}", **config, **LOOSE)

    @property
    def list_id(self) -> str:
        """Return the id of the members' list."""
        return self.world.list_id()

    @property
    def all_models(self) -> tuple[str, ...]:
        """Return the names of all models."""
        return (self.member_model, "clubs", "ids", "profiles")

    @rule(rows=member_rows())
    def members_change(self, rows: list[dict[str, Any]]) -> None:
        """Let the members' rows be others."""
        self.rows["members"] = rows

    @rule(at=st.integers(0, 6), name=NAMES, score=SCORES)
    def a_member_changes(self, at: int, name: str | None, score: float | None) -> None:
        """Let one member have other values."""
        rows = self.rows["members"]
        if at < len(rows):
            self.rows["members"] = [
                *rows[:at],
                {**rows[at], "first_name": name, "score": score},
                *rows[at + 1 :],
            ]

    @rule(at=st.integers(0, 6))
    def a_member_leaves(self, at: int) -> None:
        """Let one member be gone."""
        self.rows["members"] = self.rows["members"][:at] + self.rows["members"][at + 1 :]

    @rule(rows=club_rows())
    def clubs_change(self, rows: list[dict[str, Any]]) -> None:
        """Let people change clubs."""
        self.rows["clubs"] = rows

    @rule(numbers=st.lists(st.integers(0, 3), max_size=4))
    def ids_change(self, numbers: list[int]) -> None:
        """Let others be chosen by their profile id; one of the ids is nobody's."""
        known = [*self.ids, "01NOBODY"]
        self.rows["ids"] = [{"klaviyo_profile_id": known[number]} for number in numbers]

    @rule(rows=profile_rows())
    def profiles_change(self, rows: list[dict[str, Any]]) -> None:
        """Let profiles be others."""
        self.rows["profiles"] = rows

    @rule(number=st.integers(5, 7))
    def joins_by_hand(self, number: int) -> None:
        """Let somebody whose row was never sent join manually, and let time pass before and after."""
        email = f"p{number}a@example.com"
        taken = {profile["email"] for profile in self.world.sandbox.profiles()}
        exists = any(listed["name"] == "Members" for listed in self.world.sandbox.lists())
        if email in taken or f"email:{email}" in self.ever_sent or not exists:
            return
        self.world.sandbox.clear_faults()  # they are for the job, not for this hand
        self.world.wait()
        person = self.world.new_profile(email=email)
        self.world.put_on_list(self.list_id, person)
        self.world.wait()
        self.not_ours.add(person)

    @rule(fault=st.one_of(REQUEST_FAULTS, JOB_FAULTS))
    def goes_wrong(self, fault: Fault) -> None:
        """Let something be about to go wrong."""
        self.world.fault(fault)

    @rule()
    def calms_down(self) -> None:
        """Let nothing be wrong."""
        self.world.calm()

    @rule()
    def runs(self) -> None:
        """Run to the end, such as it is."""
        self._around(self._run)

    @rule(nth=st.integers(1, 14))
    def dies(self, nth: int) -> None:
        """Run, and die at some event."""
        self._around(lambda: self._run_that_dies(nth_event(nth)))

    def teardown(self) -> None:
        """Let faults stop, and see that few runs suffice."""
        if self._world is None:
            return
        try:
            self._converges()
        finally:
            self.world.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _converges(self) -> None:
        world = self.world
        world.calm()
        for _ in range(BOUND):
            self._around(self._run)
        writes = len(world.writes())
        result = world.run(allow_removes=self.all_models)
        assert len(world.writes()) == writes, [f"{e.method} {e.path}" for e in world.writes()[writes:]]
        assert result.exit_code in {0, 1}
        assert not any(
            Outcome.UNKNOWN in listed.outcomes or Outcome.NOT_SENT in listed.outcomes
            for listed in result.lists
        )
        for listed in result.lists:
            self._check_list(listed)
        self._check_values()

    def _check_list(self, listed: ListResult) -> None:
        name = listed.list_plan.list_ref.name
        if listed.model == "profiles" or not listed.list_plan.list_ref.id:
            return
        rows = "members" if listed.model == self.member_model else listed.model
        kinds = {"members": BY_EMAIL, "clubs": BY_CLUB, "ids": BY_ID}[rows]
        wanted = identities(self.rows[rows], kinds, name if rows == "clubs" else None)
        refused = rejected(self.world, listed.model, listed.list_plan.list_ref.id)
        key = self.world.state(f"SELECT table_key FROM models WHERE model = '{listed.model}'")[0][0]
        where = f"WHERE retl_list_id = '{listed.list_plan.list_ref.id}'"
        applied, uncertain = (f"SELECT retl_identity FROM {t}_{key} {where}" for t in ("snapshot", "deltas"))
        known = {identity for (identity,) in self.world.state(f"{applied} UNION {uncertain}")}
        held = known - wanted
        assert len(held) == listed.list_plan.held_at_plan + listed.outcomes.get(Outcome.HELD, 0)
        members = self.world.sandbox.members(name)
        strangers = {member["id"] for member in members} if name in self.forgotten else self.not_ours
        check_list(members, wanted - refused, refused | held, strangers)

    def _check_values(self) -> None:
        standing = rejected(self.world, self.member_model, self.list_id)
        for row in self.rows["members"]:
            (identity,) = identities([row], BY_EMAIL) or (None,)
            if identity is None or identity in standing:
                continue
            (profile,) = [p for p in self.world.sandbox.members("Members") if is_of(p, identity)]
            if row["first_name"] is not None:
                assert profile["first_name"] == row["first_name"]
            if row["score"] is not None:
                assert profile["properties"]["score"] == row["score"]

    def _run(self, *, full_refresh: bool = False) -> None:
        with suppress(KlaviyoError):
            self.world.run(allow_removes=self.all_models, options=PlanOptions(full_refresh=full_refresh))

    def _run_that_dies(self, at: Callable[[Any], bool], *, full_refresh: bool = False) -> None:
        with suppress(KlaviyoError):  # a fault may end it first
            options = PlanOptions(full_refresh=full_refresh)
            self.world.dies(at, allow_removes=self.all_models, options=options)

    def _around(self, run: Callable[[], None]) -> None:
        """Write the rows, run, and check that no member was removed who was desired or never ours."""
        world = self.world
        for name, columns in COLUMNS.items():
            if self._written.get(name) != self.rows[name]:
                world.people(self.rows[name], name, columns)
                self._written[name] = self.rows[name]
        wanted = {
            "Members": identities(self.rows["members"], BY_EMAIL),
            "By id": identities(self.rows["ids"], BY_ID),
            **{club: identities(self.rows["clubs"], BY_CLUB, club) for club in ("Tea", "Coffee", "Cake")},
        }
        self.ever_sent |= wanted["Members"]
        stay = {
            (listed["name"], member["id"]): member["joined_group_at"]
            for listed in world.sandbox.lists()
            for member in world.sandbox.members(listed["id"])
            if member["id"] in self.not_ours
            or any(is_of(member, person) for person in wanted[listed["name"]] & self.before[listed["name"]])
        }
        run()
        self.before = wanted
        still = {
            (listed["name"], member["id"]): member["joined_group_at"]
            for listed in world.sandbox.lists()
            for member in world.sandbox.members(listed["id"])
        }
        lost = {key for key, joined in stay.items() if still.get(key) != joined}
        assert not lost, f"removed, though desired all along or never ours: {lost}"


class ShopWithUpdatedAt(ShopMachine):
    """A shop whose models compare the rows that another updated_at shows. It always tells the truth."""

    def updated_at(self, columns: Sequence[str]) -> str:
        """Return the SQL of when a row changed: here a hash of its values."""
        values = ", '|', ".join(f"coalesce(cast({column} as varchar), '~')" for column in columns)
        return f"md5(concat({values}))"

    def write_model(self, name: str, columns: Sequence[str], table: str, **config: Any) -> None:
        """Write a model with updated_at."""
        select = f"select {', '.join(columns)}, {self.updated_at(columns)} as changed from {table}"
        self.world.model(name, select, updated_at="changed", **config, **LOOSE)

    @rule()
    def waits_for_a_full_comparison(self) -> None:
        """Let the next comparison be a full one."""
        self.world.wait(WEEK)


class ShopWithLies(ShopWithUpdatedAt):
    """A shop in which updated_at never changes. A full comparison makes up for it."""

    def updated_at(self, columns: Sequence[str]) -> str:
        """Return the same time for every row."""
        del columns
        return "1"

    def _converges(self) -> None:
        self.world.wait(WEEK)
        super()._converges()


def test_lists_converge_once_faults_stop() -> None:
    """Two runs suffice, and the next sends nothing. No member who was desired all along is ever removed."""
    live_few_days(ShopMachine, examples=3)


@pytest.mark.parametrize("shop", [ShopWithUpdatedAt, ShopWithLies])
def test_lists_converge_with_updated_at(shop: type[ShopMachine]) -> None:
    """Two runs suffice if updated_at tells the truth; if not, the two after the next full comparison."""
    live_few_days(shop, examples=2)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("shop", [ShopMachine, ShopWithUpdatedAt, ShopWithLies])
def test_lists_converge_once_faults_stop_in_many_examples(shop: type[ShopMachine]) -> None:
    live_many_days(shop, examples=12)
