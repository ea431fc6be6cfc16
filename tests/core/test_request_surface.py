"""The surface `request`: rows to any endpoint, by a request that the model describes, against the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.delivery.outcomes import Outcome
from reverse_etl.domain.progress import SendProgress
from reverse_etl.errors import GuardRefused, UsageError
from reverse_etl.planning.plan_options import PlanOptions
from reverse_etl.planning.violations import Allowances
from reverse_etl.sandbox import Fault, FaultKind
from reverse_etl.sandbox.routes.records import CATALOG_ITEM, COUPON, COUPON_CODE, TAG, TAG_LINK
from tests.clocks import stop_while_in_flight
from tests.core.world import only_list
from tests.paths import SUBSCRIBE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World

CODES_PATH = "/api/coupon-code-bulk-create-jobs"
CODES_BODY = (
    '{"data": {"type": "coupon-code-bulk-create-job", "attributes": {"coupon-codes": {"data": {{ rows }}}}}}'
)
CODES_ROW = (
    '{"type": "coupon-code", "attributes": {"unique_code": {{ code }}}, '
    '"relationships": {"coupon": {"data": {"type": "coupon", "id": {{ coupon }}}}}}'
)
CODES: dict[str, Any] = {
    "method": "POST",
    "path": CODES_PATH,
    "mode": "many",
    "body": CODES_BODY,
    "row": CODES_ROW,
}
LINKS: dict[str, Any] = {
    "method": "POST",
    "path": "/api/tags/{{ tag_id }}/relationships/lists",
    "mode": "grouped",
    "body": '{"data": {{ rows }}}',
    "row": '{"type": "list", "id": {{ list_id }}}',
    "repeat": "safe",
    "on_conflict": "applied",
}


def codes(world: World, *rows: tuple[str, str | None], **request: Any) -> None:
    """Let a model send these coupon codes."""
    world.people(
        [{"coupon": coupon, "code": code} for coupon, code in rows], "codes", "coupon VARCHAR, code VARCHAR"
    )
    world.model(
        "codes",
        "select coupon, code from codes",
        surface="request",
        unique_key=["coupon", "code"],
        append=True,
        request={**CODES, **request},
    )


def links(world: World, *rows: tuple[str, str], **settings: Any) -> None:
    """Let a model link lists to tags."""
    world.people(
        [{"tag_id": tag, "list_id": each} for tag, each in rows], "links", "tag_id VARCHAR, list_id VARCHAR"
    )
    world.model(
        "links",
        "select tag_id, list_id from links",
        surface="request",
        unique_key=["list_id", "tag_id"],
        **({"request": LINKS} | settings),
    )


def keep(world: World, kind: str, *ids: str) -> None:
    """Let Klaviyo have these resources."""
    for record_id in ids:
        world.sandbox.put_record(kind, record_id, {"name": record_id})


def kept(world: World, kind: str) -> list[str]:
    """Return the ids of the resources that Klaviyo has."""
    return [*world.sandbox.records(kind)]


def test_rows_are_sent_many_a_request_and_known_ones_never_again(world: World) -> None:
    """Klaviyo's reply to a bulk job (202) proves nothing, so that the rows count as unverified."""
    keep(world, COUPON, "SPRING", "MAY")
    codes(world, ("SPRING", "A1"), ("SPRING", "A2"), ("MAY", 'B "1"'))
    assert only_list(world.run()).outcomes == {Outcome.UNVERIFIED: 3}
    assert kept(world, COUPON_CODE) == ['MAY-B "1"', "SPRING-A1", "SPRING-A2"]
    assert len(world.writes()) == 1
    codes(world, ("SPRING", "A1"), ("SPRING", "A3"))
    assert only_list(world.run()).outcomes == {Outcome.UNVERIFIED: 1}
    assert only_list(world.run()).outcomes == {}


def test_a_run_does_not_wait_for_a_job_that_stays_at_work(world: World) -> None:
    """Jobs of catalog items may say `processing` for hours: the reply (202) settles the rows."""
    world.people([{"sku": "S1"}, {"sku": "S2"}], "items")
    item = '{"external_id": {{ sku }}, "title": {{ sku }}, "description": "", "url": "https://example.com"}'
    world.model(
        "items",
        "select sku from items",
        surface="request",
        unique_key=["sku"],
        request={
            "method": "POST",
            "path": "/api/catalog-item-bulk-create-jobs",
            "mode": "many",
            "max_rows": 100,
            "body": '{"data": {"type": "catalog-item-bulk-create-job", "attributes": {"items": {"data": '
            "{{ rows }}}}}}",
            "row": f'{{"type": "catalog-item", "attributes": {item}}}',
        },
    )
    assert only_list(world.run()).outcomes == {Outcome.UNVERIFIED: 2}
    assert [entry.path for entry in world.sandbox.log() if "catalog" in entry.path] == [
        "/api/catalog-item-bulk-create-jobs"
    ]
    assert only_list(world.run()).outcomes == {}


def test_a_row_at_which_klaviyo_points_is_refused_alone(world: World) -> None:
    """The pointer of Klaviyo's error leads back to the row through the place of `rows` in the body."""
    keep(world, COUPON, "SPRING")
    codes(world, ("SPRING", "A1"), ("AUTUMN", "A2"), ("SPRING", "A3"))
    result = world.run()
    assert only_list(result).outcomes == {Outcome.UNVERIFIED: 2, Outcome.REJECTED: 1}
    assert kept(world, COUPON_CODE) == ["SPRING-A1", "SPRING-A3"]
    (rejected,) = world.project().status().lists[0].rejections
    assert (rejected.reason.code, rejected.reason.field) == ("invalid", "relationships/coupon/data/id")
    assert rejected.example == "key:AUTUMN|A2"
    assert only_list(world.run()).outcomes == {}


def test_rows_of_a_request_have_the_same_values_in_the_path(world: World) -> None:
    """Rows are grouped by the placeholders, and a repeated link counts as applied if the model says so."""
    keep(world, TAG, "t1", "t2")
    lists = [world.new_list(name) for name in ("A", "B")]
    links(world, ("t1", lists[0]), ("t1", lists[1]), ("t2", lists[0]))
    keep(world, TAG_LINK, f"t1|{lists[1]}")
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 3}
    assert kept(world, TAG_LINK) == sorted([f"t1|{lists[0]}", f"t1|{lists[1]}", f"t2|{lists[0]}"])
    assert only_list(world.run()).outcomes == {}


def test_a_row_that_leaves_is_taken_back_by_the_request_on_remove(world: World) -> None:
    """Without on_remove it stays in Klaviyo."""
    keep(world, TAG, "t1")
    lists = [world.new_list(name) for name in ("A", "B")]
    links(world, *(("t1", each) for each in lists), on_remove={**LINKS, "method": "DELETE"})
    world.run()
    links(world, ("t1", lists[0]), on_remove={**LINKS, "method": "DELETE"})
    assert only_list(world.run()).outcomes == {Outcome.REMOVED: 1}
    assert kept(world, TAG_LINK) == [f"t1|{lists[0]}"]


def test_a_row_that_cannot_be_rendered_is_rejected_alone(world: World) -> None:
    """An empty value can't be part of a path."""
    keep(world, TAG, "t1")
    listed = world.new_list("A")
    links(world, ("t1", listed), ("..", listed))
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1, Outcome.REJECTED: 1}


def items(world: World, *rows: tuple[str, str]) -> None:
    """Let a model create catalog items that are new, and change known ones."""
    attributes = '{"external_id": {{ sku }}, "title": {{ title }}, "description": {{ title }}, "url": "x"}'
    body = f'{{"data": {{"type": "catalog-item", "attributes": {attributes}}}}}'
    world.people([{"sku": sku, "title": title} for sku, title in rows], "items", "sku VARCHAR, title VARCHAR")
    world.model(
        "items",
        "select sku, title from items",
        surface="request",
        unique_key=["sku"],
        request={"method": "POST", "path": "/api/catalog-items", "body": body, "on_conflict": "update"},
        on_update={
            "method": "PATCH",
            "path": "/api/catalog-items/$custom:::$default:::{{ sku }}",
            "body": body,
            "on_not_found": "create",
        },
    )


def test_a_new_row_that_exists_is_updated_and_a_known_one_that_does_not_is_created(world: World) -> None:
    """Klaviyo's reply decides, whatever the snapshot knows."""
    items(world, ("S1", "Mug"), ("S2", "Cup"))
    keep(world, CATALOG_ITEM, "$custom:::$default:::S1")
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2}
    titles = {key[-2:]: item["title"] for key, item in world.sandbox.records(CATALOG_ITEM).items()}
    assert titles == {"S1": "Mug", "S2": "Cup"}
    items(world, ("S1", "Mug"), ("S2", "Large cup"))
    world.sandbox.drop_record(CATALOG_ITEM, "$custom:::$default:::S2")
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 1}
    assert world.sandbox.records(CATALOG_ITEM)["$custom:::$default:::S2"]["title"] == "Large cup"
    assert [(entry.method, entry.status) for entry in world.writes()][-2:] == [("PATCH", 404), ("POST", 201)]


def test_twenty_refusals_alike_are_the_models_fault(world: World) -> None:
    """No row is rejected for them, and the list stops."""
    codes(world, *(("SPRING", f"A{number}") for number in range(25)), mode="many", max_rows=5)
    result = world.run()
    assert result.exit_code == 4
    assert Outcome.REJECTED not in only_list(result).outcomes
    assert sum(only_list(result).outcomes.values()) == 25
    assert "for the same reason" in only_list(result).stop_reason
    keep(world, COUPON, "SPRING")
    assert only_list(world.run()).outcomes == {Outcome.UNVERIFIED: 25}


def test_a_group_whose_path_is_gone_does_not_stop_the_others(world: World) -> None:
    """Its rows are rejected, however many they are: the fault is in their values."""
    keep(world, TAG, "t2")
    list_id = world.new_list("A")
    gone = [("t1", f"L{number}") for number in range(25)]
    links(world, *gone, ("t2", list_id))
    assert only_list(world.run()).outcomes == {Outcome.REJECTED: 25, Outcome.APPLIED: 1}
    assert kept(world, TAG_LINK) == [f"t2|{list_id}"]
    links(world, *((tag, f"L{number}") for tag in ("t3", "t4") for number in range(15)))
    result = world.run()
    assert "for the same reason" in only_list(result).stop_reason


@pytest.mark.parametrize(
    "row", ['{"attributes": [1]}', '{"relationships": 1}', '{"relationships": {"coupon": []}}']
)
def test_a_row_of_another_form_is_refused_and_not_an_error_of_the_sandbox(world: World, row: str) -> None:
    """As Klaviyo refuses it."""
    codes(world, ("SPRING", "A1"), row=row)
    assert only_list(world.run()).outcomes == {Outcome.REJECTED: 1}


def test_a_lost_reply_of_a_safe_request_is_sent_again(world: World) -> None:
    """By the same run."""
    keep(world, COUPON, "SPRING")
    codes(world, ("SPRING", "A1"), repeat="safe")
    world.fault(Fault(FaultKind.CUT, "POST", CODES_PATH, times=1, after=True))
    assert only_list(world.run()).outcomes == {Outcome.UNVERIFIED: 1}


def test_a_lost_reply_of_a_request_that_must_not_be_repeated_is_unknown_until_it_is_retried(
    world: World,
) -> None:
    """Neither the run nor a later one sends it again by itself; rows of other requests go on."""
    keep(world, COUPON, "SPRING")
    codes(world, ("SPRING", "A1"), ("SPRING", "A2"))
    world.fault(Fault(FaultKind.CUT, "POST", CODES_PATH, times=1))
    assert only_list(world.run()).outcomes == {Outcome.UNKNOWN: 2}
    codes(world, ("SPRING", "A1"), ("SPRING", "A2"), ("SPRING", "A3"))
    result = world.run(options=PlanOptions(full_refresh=True))
    assert only_list(result).outcomes == {Outcome.UNVERIFIED: 1}
    (rejection,) = only_list(result).list_plan.check_rejections
    assert (rejection.reason.code, rejection.rows) == ("unknown_outcome", 2)
    assert kept(world, COUPON_CODE) == ["SPRING-A3"]
    assert world.project().retry(unknown=True) == {"codes": 2}
    assert only_list(world.run()).outcomes == {Outcome.UNVERIFIED: 2}
    assert kept(world, COUPON_CODE) == ["SPRING-A1", "SPRING-A2", "SPRING-A3"]
    assert world.project().retry(unknown=True) == {"codes": 0}


def test_after_a_kill_only_requests_that_were_under_way_are_unknown(world: World) -> None:
    """Each request that must not be repeated has a receipt before it is sent."""
    keep(world, COUPON, "SPRING")
    rows = [("SPRING", f"A{number}") for number in range(10, 50)]
    codes(world, *rows, max_rows=2)
    assert world.dies(lambda event: isinstance(event, SendProgress) and event.rows >= 10)
    result = only_list(world.run())
    (unknown,) = (each.rows for each in result.list_plan.check_rejections)
    requests_under_way = 2 * 4  # those of the threads, and as many whose receipts were not stored yet
    assert 0 < unknown <= requests_under_way * 2
    assert len(kept(world, COUPON_CODE)) >= len(rows) - unknown
    assert sum(entry.rows for entry in world.writes()) <= len(rows)


UNSOUND: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"path": "/api/../v2/list"}, {}, "is not a path below /api/"),
    ({"path": "/api/v1/list/{{ coupon }}/members"}, {}, "retired on 2024-06-30"),
    ({"path": "https://example.com/api/tags"}, {}, "is not a path below /api/"),
    ({"path": "/client/events"}, {}, "takes no private key"),
    ({"path": SUBSCRIBE}, {}, "changes people's consent"),
    (
        {"path": "/api/lists/{{ coupon }}/relationships/profiles", "mode": "grouped"},
        {},
        "who is on a list",
    ),
    ({"method": "GET"}, {}, "method cannot be 'GET'"),
    ({"headers": {"Authorization": "x"}}, {}, "is set by reverse-etl"),
    ({"row": '{"code": "{{ code }}"}'}, {}, "is not JSON"),
    ({"row": '{"code": {{ kode }}}'}, {}, "The column kode is not selected."),
    ({"body": '{"data": []}'}, {}, "does not print rows exactly once"),
    ({"body": '{"data": {{ rows }}, "coupon": {{ coupon }}}'}, {}, "uses the column coupon once"),
    ({"path": "/api/{{ coupon }}/x"}, {}, "uses the column coupon once"),
    ({"row": ""}, {}, "needs body and row"),
    ({"success": [404]}, {}, "none of 200 to 299"),
    ({}, {"unique_key": ["kode"]}, "The column kode is not selected."),
    ({}, {"unique_key": []}, "needs unique_key"),
    ({}, {"on_remove": {"method": "DELETE", "path": "/api/tags/x"}}, "append and on_remove"),
    ({}, {"request": {}}, "needs request"),
    ({"on_conflict": "update"}, {}, "can't mean that this other request is sent"),
    (
        {},
        {"append": False, "on_update": {"method": "PATCH", "path": "/api/x/y"}},
        "must both hold one row",
    ),
]


def test_a_request_that_cannot_be_right_is_refused_before_anything_is_sent(world: World) -> None:
    """With what is wrong with it."""
    codes(world, ("SPRING", "A1"))
    for number, (request_settings, settings, _) in enumerate(UNSOUND):
        config = {"unique_key": ["coupon", "code"], "append": True, "request": {**CODES, **request_settings}}
        select = "select coupon, code from codes"
        world.model(f"m{number:02}", select, surface="request", **(config | settings))
    with pytest.raises(UsageError) as raised:
        world.plan()
    for number, (request_settings, settings, summary) in enumerate(UNSOUND):
        problems = [str(each) for each in raised.value.problems if f"m{number:02}.sql" in each.where]
        assert summary in " ".join(problems), (request_settings, settings)


def test_more_requests_than_max_requests_are_refused_until_they_are_allowed(world: World) -> None:
    """Before anything is sent; of grouped rows the run stops there, and the next continues."""
    keep(world, COUPON, "SPRING")
    codes(world, *(("SPRING", f"A{number}") for number in range(6)), max_rows=1)
    config: dict[str, Any] = {"unique_key": ["coupon", "code"], "append": True, "max_requests": 5}
    request = {**CODES, "max_rows": 1}
    world.model("codes", "select coupon, code from codes", surface="request", request=request, **config)
    with pytest.raises(GuardRefused, match="max_requests is 5") as raised:
        world.run()
    assert raised.value.problems[0].hint.endswith("--allow-request codes")
    assert world.writes() == []
    allowed = PlanOptions(allow=Allowances(request=["codes"]))
    assert only_list(world.run(options=allowed)).outcomes == {Outcome.UNVERIFIED: 6}


def test_a_run_stops_after_max_requests_of_grouped_rows(world: World) -> None:
    """Their number is not known before, and the next run continues."""
    tags = [f"t{number}" for number in range(5)]
    keep(world, TAG, *tags)
    list_id = world.new_list("A")
    links(world, *((tag, list_id) for tag in tags), max_requests=3)
    first = only_list(world.run())
    assert first.outcomes == {Outcome.APPLIED: 3, Outcome.NOT_SENT: 2}
    assert "max_requests is 3" in first.stop_reason
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 2}


def test_an_unsafe_request_needs_a_flag_in_each_run(world: World) -> None:
    """And `unsafe: true` in the config."""
    list_id = world.new_list("A")
    profile = world.new_profile(email="ann@example.com")
    world.people([{"list_id": list_id, "profile_id": profile}], "additions")
    request = {
        "method": "POST",
        "path": "/api/lists/{{ list_id }}/relationships/profiles",
        "mode": "grouped",
        "body": '{"data": {{ rows }}}',
        "row": '{"type": "profile", "id": {{ profile_id }}}',
        "repeat": "safe",
    }
    select = "select list_id, profile_id from additions"
    key = ["list_id", "profile_id"]
    world.model("additions", select, surface="request", unique_key=key, unsafe=True, request=request)
    with pytest.raises(GuardRefused, match="marked unsafe"):
        world.run()
    assert world.sandbox.members("A") == []
    allowed = PlanOptions(allow=Allowances(request=["additions"]))
    assert only_list(world.run(options=allowed)).outcomes == {Outcome.APPLIED: 1}
    assert [member["id"] for member in world.sandbox.members("A")] == [profile]
    assert world.run().exit_code == 0


def test_the_limit_that_a_reply_states_is_kept_from_then_on(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request starts at one a second; tags allow three, and no request is refused for its rate."""
    world = make_world(limits=True)
    world.clock.tick = 0.0  # only the rate limits take time
    stop_while_in_flight(world.clock, monkeypatch)
    tags = [f"t{number}" for number in range(30)]
    keep(world, TAG, *tags)
    list_id = world.new_list("A")
    links(world, *((tag, list_id) for tag in tags))
    started = world.clock.monotonic()
    assert only_list(world.run()).outcomes == {Outcome.APPLIED: 30}
    assert world.clock.monotonic() - started < 20
    assert {entry.status for entry in world.writes()} == {201, 204}
