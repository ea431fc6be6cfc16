"""Rules: state, order, one at a time. What is remembered, what a death leaves, how the next run goes on."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import pairwise

import pytest
from core_rows import BY_EMAIL, SELECT, become, members_model, people, person
from core_world import Interrupted, one

from reverse_etl.delivery.tally import Outcome
from reverse_etl.errors import KlaviyoError, UsageError, WarehouseError
from reverse_etl.events import ListDone, Sending, Settling
from reverse_etl.plan import Wish
from reverse_etl.sandbox import Fault
from reverse_etl.sql.text import Statement
from reverse_etl.state import State
from reverse_etl.state.lease import LEASE_SECONDS, Lease
from reverse_etl.warehouse.duckdb import DuckDB

IMPORTS = "/api/profile-bulk-import-jobs"


@pytest.fixture
def members(world):
    """Make a world with the model of one list."""
    members_model(world)
    return world


def deltas(world):
    """Return the identities of which nobody knows yet whether they were applied."""
    ((key,),) = world.state("SELECT table_key FROM models WHERE model = 'members'")
    return [identity for (identity,) in world.state(f"SELECT retl_identity FROM deltas_{key} ORDER BY 1")]


def test_with_nothing_changed_a_run_sends_nothing(members):
    """Promise 1: no write, and the run is a success."""
    become(members, people("ann", "bob"))
    members.run()
    before = len(members.writes())
    result = members.run()
    assert len(members.writes()) == before
    assert (one(result).plan.unchanged, result.exit_code) == (2, 0)


def test_another_account_begins_with_nothing(members, make_world):
    """The same project sent to another Klaviyo account: what the first one has says nothing of the second."""
    become(members, people("ann", "bob"))
    members.run()
    other = make_world("other", account_seed="another")
    members.profile(origin=other.sandbox.origin)
    assert one(members.run()).outcomes == {Outcome.APPLIED: 2}
    assert other.emails() == ["ann@example.com", "bob@example.com"]
    members.profile(origin=members.sandbox.origin)
    assert one(members.run()).plan.unchanged == 2


def test_a_new_list_begins_with_nothing_and_the_old_ones_rows_stay(members):
    """A model is pointed at another list.

    Its people are sent there. The old list is shown, and nobody is removed from it.
    """
    become(members, people("ann", "bob"))
    members.run()
    members_model(members, list="Others")
    become(members, people("ann"))
    result = members.run()
    assert one(result).outcomes == {Outcome.APPLIED: 1}
    assert members.emails("Others") == ["ann@example.com"]
    assert members.emails("Members") == ["ann@example.com", "bob@example.com"]
    assert result.plan.models[0].orphans == ((members.list_id("Members"), 2),)
    assert any("'Members'" in note and "2 rows" in note for note in result.plan.notes)


def test_a_model_that_is_gone_leaves_its_list_alone_and_is_mentioned(members):
    """A deleted file is no order to empty a list."""
    become(members, people("ann"))
    members.run()
    members.drop_model("members")
    members.model("others", "select email from people", list="Others")
    result = members.run()
    assert members.emails() == ["ann@example.com"]
    assert any("members" in note for note in result.plan.notes)


def test_what_was_sent_is_uncertain_until_it_is_proved(members):
    """The run dies while its import is under way.

    Its rows are deltas of a run that is still `submitting`, and in no snapshot.
    """
    become(members, people("ann", "bob"))
    assert members.dies(lambda event: isinstance(event, Sending))
    assert deltas(members) == ["email:ann@example.com", "email:bob@example.com"]
    assert members.state("SELECT state FROM runs") == [("submitting",)]
    before = len(members.writes())
    result = members.run()
    assert one(result).plan.unchanged == 2
    assert len(members.writes()) == before
    assert deltas(members) == []
    assert members.state("SELECT state FROM runs ORDER BY started_at") == [("recovered",), ("ended",)]


def test_an_uncertain_row_that_is_no_longer_wanted_is_removed(members):
    """Nobody knows whether Bob was put on the list. He is not wanted now: if he is there, he is taken off."""
    become(members, people("ann", "bob"))
    members.fault(Fault("cut", "POST", IMPORTS, after=True, times=8))
    assert one(members.run()).outcomes == {Outcome.UNKNOWN: 2}
    members.calm()
    become(members, people("ann"))
    result = members.run()
    assert one(result).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    assert members.emails() == ["ann@example.com"]


def test_an_unsent_row_is_never_marked_done(members):
    """The key is refused: nothing was sent, nothing is uncertain, and the next run sends it all."""
    become(members, people("ann", "bob"))
    members.fault(Fault("status", "POST", IMPORTS, status=401))
    assert one(members.run()).outcomes == {Outcome.NOT_SENT: 2}
    assert deltas(members) == []
    assert one(members.run()).plan.adds == 2


def test_that_nothing_was_sent_now_says_nothing_about_then(members):
    """Rows are uncertain from one run; the next can't send at all. They stay uncertain."""
    become(members, people("ann", "bob"))
    members.fault(Fault("cut", "POST", IMPORTS, after=True, times=8))
    members.run()
    members.sandbox.clear_faults()
    members.fault(Fault("status", "POST", IMPORTS, status=401))
    assert one(members.run()).outcomes == {Outcome.NOT_SENT: 2}
    assert deltas(members) == ["email:ann@example.com", "email:bob@example.com"]


def test_jobs_of_an_earlier_run_end_before_anything_is_planned_on_them(make_world):
    """An import from yesterday is still under way: what it will do is not known, so nothing is sent."""
    world = make_world(job_seconds=7200.0)
    world.profile(job_timeout_minutes=1)
    members_model(world)
    become(world, people("ann", "bob"))
    world.run()
    before = len(world.writes())
    become(world, people("ann", "cat"))
    with pytest.raises(KlaviyoError, match="have not ended"):
        world.run()
    assert len(world.writes()) == before
    world.sandbox.finish_jobs()
    assert one(world.run()).plan.adds == 1


def test_an_import_of_which_no_receipt_speaks_is_waited_for(make_world, monkeypatch):
    """The run died after it sent and before it kept the job's id.

    The import could yet put Ann on the list, who is not wanted any more: nothing is sent before it has ended.
    """
    world = make_world(job_seconds=3_000.0)
    members_model(world)
    become(world, people("ann", "bob"))
    with monkeypatch.context() as patched:
        patched.setattr(State, "record", lambda *_: (_ for _ in ()).throw(Interrupted))
        with pytest.raises(Interrupted):
            world.run()
    lost = world.writes()[-1]
    assert world.state("SELECT * FROM receipts") == []
    become(world, people("bob"))
    world.run()
    later = world.writes()[-2:]
    assert [entry.method for entry in later] == ["POST", "DELETE"]
    assert all(entry.at >= lost.at + 3_000.0 for entry in later)
    assert world.emails() == ["bob@example.com"]


@pytest.mark.parametrize("dropped", [[], ["first_name"]])
def test_a_dead_run_is_settled_though_the_model_has_other_columns_now(members, dropped):
    """The run died, and then a column was added, or dropped.

    Its rows are taken over by the columns they were sent with.
    """
    become(members, people("ann", "bob"))
    members.dies(lambda event: isinstance(event, Sending))
    kept = [name for name in ("email", "customer_id", "first_name") if name not in dropped]
    members_model(members)
    members.model(
        "members",
        f"select {', '.join(kept)}, 7 as points from people",
        identifiers={"email": "email", "external_id": "customer_id"},
    )
    result = members.run()
    assert one(result).plan.updates == 2
    assert members.person("ann@example.com")["properties"] == {"points": 7}
    before = len(members.writes())
    members.run()
    assert len(members.writes()) == before


@contextmanager
def two_states(world):
    """Open the state twice, as on a warehouse that lets several runs in."""
    project = world.project()
    with project.connections.warehouse(read_only=False) as warehouse:
        warehouse.exclusive = False
        first, second = (project.connections.state(warehouse, world.sandbox.account_id) for _ in range(2))
        yield first, second


def test_only_one_run_of_a_project_works_at_a_time(members):
    """A second run is told who works; when that one is done, it can begin."""
    become(members, people("ann"))
    members.run()
    with two_states(members) as (first, second):
        with first.lease(), pytest.raises(WarehouseError, match="under way"), second.lease():
            pass
        with second.lease():
            pass


def test_a_lease_that_has_expired_is_taken_over(members):
    """A run that died holds its lease no longer than it was good for."""
    become(members, people("ann"))
    members.run()
    with two_states(members) as (first, second), first.lease():
        members.wait(601.0)
        with second.lease(), pytest.raises(WarehouseError, match="lost its lease to another"):
            first.still_leased()


def test_the_lease_is_kept_while_every_request_waits(make_world, monkeypatch):
    """Klaviyo asks for patience for longer than a lease is good for, and another run would be let in."""
    world = make_world(speed=300.0)
    members_model(world)
    become(world, people("ann"))
    world.fault(Fault("status", "POST", IMPORTS, status=429, retry_after=900))
    kept, extend = [], Lease.extend

    def noted(lease):
        kept.append(world.clock.monotonic())
        extend(lease)

    monkeypatch.setattr(Lease, "extend", noted)
    begun = world.clock.monotonic()
    world.run()
    ended = world.clock.monotonic()
    assert ended - begun > 900.0
    assert max(after - before for before, after in pairwise([begun, *kept, ended])) < LEASE_SECONDS


def test_state_of_a_newer_version_is_left_alone(members):
    """What this version does not understand it must not write."""
    become(members, people("ann"))
    members.run()
    with members.project().connections.warehouse(read_only=False) as warehouse:
        warehouse.execute(Statement(f"UPDATE {warehouse.dialect.kept('meta')} SET version = 99"))
    with pytest.raises(UsageError, match="newer"):
        members.run()


def test_a_full_refresh_sends_every_row_again_and_removes_as_ever(members):
    """The snapshot stays: without it, nobody who left could be told."""
    become(members, people("ann", "bob"))
    members.run()
    become(members, people("ann"))
    result = members.run(wish=Wish(full_refresh=True))
    assert one(result).outcomes == {Outcome.APPLIED: 1, Outcome.REMOVED: 1}
    assert members.emails() == ["ann@example.com"]


def test_a_limit_sends_so_many_and_removes_nobody(members):
    """A first send of a few: the rest is not sent, and says so; the next run sends it."""
    become(members, people("ann", "bob", "cat", "dan"))
    result = members.run(wish=Wish(limit=3))
    assert one(result).outcomes == {Outcome.APPLIED: 3, Outcome.NOT_SENT: 1}
    become(members, people("bob", "cat", "dan"))
    result = members.run(wish=Wish(limit=3))
    assert one(result).outcomes == {Outcome.APPLIED: 1}
    assert len(members.emails()) == 4
    members.run()
    assert members.emails() == ["bob@example.com", "cat@example.com", "dan@example.com"]


def test_a_limit_of_0_sends_nothing_and_counts_every_row(members):
    """What waits behind the limit is not sent, and in the counts as ever."""
    become(members, people("ann", "bob"))
    result = members.run(wish=Wish(limit=0))
    assert one(result).outcomes == {Outcome.NOT_SENT: 2}
    assert members.emails() == []


def test_changed_identifiers_are_refused_until_they_are_asked_for(members):
    """Keyed otherwise, every row is another.

    It would look as if everybody had left. Asked for, nobody moves.
    """
    become(members, people("ann", "bob"))
    members.run()
    before = len(members.writes())
    members_model(members, identifiers={"external_id": "customer_id", "email": "email"})
    with pytest.raises(UsageError, match="identifiers of this model changed"):
        members.run()
    assert len(members.writes()) == before
    result = members.run(wish=Wish(rekey=frozenset({"members"})))
    assert (one(result).plan.unchanged, one(result).plan.removes) == (2, 0)
    assert members.emails() == ["ann@example.com", "bob@example.com"]
    become(members, [person("ann", email="ann2@example.com")])
    members.run()
    assert members.emails() == ["ann2@example.com"]


def test_keyed_anew_two_rows_of_one_person_do_not_become_one_key_twice(make_world):
    """Ann's old row and her new one share her customer id.

    Keyed by it, one is hers, and the other leaves like any other row.
    """
    world = make_world(match_external_id=False)
    members_model(world)
    become(world, [person("ann"), person("bob")])
    world.run()
    become(world, [person("ann", customer_id=None), person("ann", email="ann2@example.com"), person("bob")])
    world.run()
    members_model(world, identifiers={"external_id": "customer_id", "email": "email"})
    become(world, [person("ann", email="ann2@example.com"), person("bob")])
    world.run(wish=Wish(rekey=frozenset({"members"})))
    world.run()
    ((key,),) = world.state("SELECT table_key FROM models WHERE model = 'members'")
    assert sorted(world.state(f"SELECT retl_identity FROM snapshot_{key}")) == [
        ("external_id:c-ann",),
        ("external_id:c-bob",),
    ]
    before = len(world.writes())
    world.run()
    assert len(world.writes()) == before


class Dying:
    """Lets a process die at its nth statement."""

    def __init__(self, monkeypatch, nth):
        self.left = nth
        for name in ("execute", "fetch"):
            monkeypatch.setattr(DuckDB, name, self.counted(getattr(DuckDB, name)))

    def counted(self, method):
        """Return the method, which dies when its time has come."""

        def call(*arguments):
            self.left -= 1
            if self.left <= 0:  # the dead do nothing more
                raise Interrupted
            return method(*arguments)

        return call


@pytest.mark.parametrize("table", ["snapshot", "deltas", "rejected"])
def test_a_run_may_die_before_each_of_a_models_tables_is_made(members, monkeypatch, table):
    """A model that has only some of its tables was never sent."""
    become(members, people("ann"))
    execute = DuckDB.execute

    def die(warehouse, statement):
        if " TABLE IF NOT EXISTS" in statement.text and f'"{table}_' in statement.text.lower():
            raise Interrupted
        execute(warehouse, statement)

    with monkeypatch.context() as patched:
        patched.setattr(DuckDB, "execute", die)
        with pytest.raises(Interrupted):
            members.run()
    assert not members.plan().models[0].idle
    assert members.run().exit_code == 0
    assert members.emails() == ["ann@example.com"]


def dies_at(world, nth, monkeypatch):
    """Run, die at the nth statement, and return whether it came to that."""
    with monkeypatch.context() as patched:
        Dying(patched, nth)
        try:
            world.run()
        except Interrupted:
            return True
    return False


def begin_changes(world):
    """Run once; then let rows and values change, and a column and a model be new."""
    members_model(world)
    become(world, [*people("ann", "bob", "cat"), person("bad", email="bad@example.c1")])
    world.run()
    become(
        world,
        [person("ann", first_name="Anna"), *people("bob", "dan"), person("bad", email="worse@example.c1")],
    )
    world.model("members", SELECT.replace("select ", "select 1 as level, "), identifiers=BY_EMAIL)
    world.people([{"email": "zoe@example.com"}], table="others")
    world.model("others", "select email from others", list="Others", identifiers={"email": "email"})


def check_deaths(world, deaths, monkeypatch):
    """Let a run with changes of every kind die, and maybe the next; see that one more run mends it.

    `deaths` are the statements at which they die. Returns of each whether it came to that.
    """
    begin_changes(world)
    died = []
    for nth in deaths:
        died.append(dies_at(world, nth, monkeypatch))
        world.sandbox.finish_jobs()
    world.run()
    assert world.emails() == ["ann@example.com", "bob@example.com", "dan@example.com"]
    assert world.emails("Others") == ["zoe@example.com"]
    ann = world.person("ann@example.com")
    assert (ann["first_name"], ann["properties"]["level"]) == ("Anna", 1)
    before = len(world.writes())
    plan = one(world.run(), "members").plan
    assert len(world.writes()) == before
    assert (plan.unchanged, plan.rejections) == (3, 1)
    # That a row was refused now does not say that the dead run's import did not take it.
    assert {*deltas(world)} <= {"email:worse@example.c1"}
    return died


@pytest.fixture(scope="module")
def counted():
    """Hold what `statements` has counted, once for all tests."""
    return []


@pytest.fixture
def statements(make_world, monkeypatch, counted):
    """Count the statements of a run with changes: a few more or less, by the clock."""
    if not counted:
        world = make_world("counted")
        begin_changes(world)
        with monkeypatch.context() as patched:
            living = Dying(patched, 1_000_000)
            world.run()
        counted.append(1_000_000 - living.left)
    return counted[0]


@pytest.mark.parametrize("part", range(10))
def test_a_run_may_die_between_any_two_statements(world, statements, part, monkeypatch):
    """What belongs together is committed together.

    Wherever the process dies, here in the middle of each tenth, the next run ends what it began.
    """
    assert check_deaths(world, [statements * (2 * part + 1) // 20], monkeypatch) == [True]


@pytest.mark.parametrize("tenths", [(6, 5), (9, 2)])
def test_a_run_that_mends_another_may_die_too(world, statements, tenths, monkeypatch):
    """It dies while it sends, or before that: the third run ends what both began."""
    deaths = [statements * tenth // 10 for tenth in tenths]
    assert check_deaths(world, deaths, monkeypatch) == [True, True]


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("times", [1, 2])
def test_a_run_may_die_between_any_two_statements_at_all(make_world, monkeypatch, times):
    """The same at each and every statement; also where the next run dies at the statement of that number."""
    nth = 1
    while check_deaths(make_world(f"death{nth}"), [nth] * times, monkeypatch)[0]:
        nth += 1
    assert nth > 80


def test_an_import_that_was_perhaps_made_is_not_unsent_because_its_repetition_is_refused(members):
    """The first try was carried out, its reply lost, and the second refused. Ann is a member, and leaves."""
    become(members, people("ann", "bob"))
    members.fault(
        Fault("status", "POST", IMPORTS, status=503, after=True), Fault("status", "POST", IMPORTS, status=409)
    )
    result = members.run()
    assert (one(result).outcomes, result.exit_code) == ({Outcome.UNKNOWN: 2}, 4)
    members.sandbox.finish_jobs()
    become(members, people("bob"))
    members.run()
    assert members.emails() == ["bob@example.com"]


def test_a_group_of_receipts_is_recorded_once_though_its_commit_is_interrupted(members, monkeypatch):
    """The signal came after the commit and before anybody here knew of it."""
    become(members, [*people("ann"), person("bad", email="bad@example.c1")])
    record, left = State.record, [1]

    def interrupted(*group):
        record(*group)
        if group[4] and left and left.pop():  # its refusals
            raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(State, "record", interrupted)
        with pytest.raises(Interrupted):
            members.run()
    members.sandbox.finish_jobs()
    members.run()
    assert members.state("SELECT row_key, row_count FROM rejections") == [("email:bad@example.c1", 1)]


def test_what_went_wrong_is_told_though_the_lease_cannot_be_given_back(members, monkeypatch):
    """The warehouse is out of reach for both."""
    become(members, people("ann"))
    execute = DuckDB.execute

    def fail(warehouse, statement):
        text = statement.text.lower()
        if "planned_" in text or ("lease" in text and text.startswith("delete")):
            raise WarehouseError.of(f"out of reach: {statement.text[:12]}")
        execute(warehouse, statement)

    members.run()
    monkeypatch.setattr(DuckDB, "execute", fail)
    monkeypatch.setattr(DuckDB, "exclusive", False)
    with pytest.raises(WarehouseError, match="out of reach: CREATE"):
        members.run()


def test_a_death_after_the_list_was_told_done_loses_nothing(members):
    """All was sent and settled; only the taking over was left."""
    become(members, people("ann", "bob"))
    assert members.dies(lambda event: isinstance(event, ListDone))
    before = len(members.writes())
    assert one(members.run()).plan.unchanged == 2
    assert len(members.writes()) == before


def test_a_refused_row_stays_refused_however_often_its_run_is_recovered(members):
    """A row was uncertain and then refused.

    Its run died later on, and the next run takes over once more what it proved.
    """
    members.model("z_others", "select email from others", list="Others", identifiers={"email": "email"})
    members.people([{"email": "zoe@example.com"}], table="others")
    become(members, people("ann", "bob", "cat"))
    members.fault(Fault("cancel"))
    assert members.run().lists[0].outcomes == {Outcome.UNKNOWN: 3}
    members.fault(Fault("invalid_rows", pattern="^bob@", times=None))
    members.people([{"email": "yan@example.com"}, {"email": "zoe@example.com"}], table="others")
    assert members.dies(lambda event: isinstance(event, Sending) and event.model == "z_others")
    for _ in range(2):
        members.run()
        assert members.emails() == ["ann@example.com", "cat@example.com"]
        ((key,),) = members.state("SELECT table_key FROM models WHERE model = 'members'")
        assert members.state(f"SELECT retl_email FROM snapshot_{key} ORDER BY 1") == [
            ("ann@example.com",),
            ("cat@example.com",),
        ]
        assert members.state("SELECT row_key FROM rejections") == [("email:bob@example.com",)]


def test_a_recovered_job_is_held_against_the_rows_that_were_sent(members):
    """One of three rows was never sent, since it can't be rendered.

    The job of the other two ends after the run has died.
    """
    members.model(
        "members",
        "select email, customer_id, 'x' as note, case when first_name = 'Bob' then 'NaN'::double "
        "else 1 end as score from people",
        identifiers={"email": "email"},
    )
    become(members, people("ann", "bob", "cat"))
    assert members.dies(lambda event: isinstance(event, Settling))
    before = len(members.writes())
    assert one(members.run()).plan.unchanged == 2
    assert len(members.writes()) == before
