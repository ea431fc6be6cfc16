"""Explain a person whose row a check rejects: the answer names each reason, by real rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.domain.rejections import PROBLEM_DESCRIPTIONS, RowProblem
from tests.core.consent import ANN, BOB, at, consents
from tests.core.event_rows import order, orders, orders_model
from tests.core.rows import become, clubs_model, many, members_model, person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World

REASONS: dict[RowProblem, dict[str, Any]] = {
    RowProblem.EMAIL_TOO_LONG: {"email": f"{'a' * 100}@example.com"},
    RowProblem.EMAIL_INVISIBLE: {"email": "a\u200bnn@example.com"},
    RowProblem.EMAIL_MALFORMED: {"email": "ann"},
    RowProblem.PHONE_INVISIBLE: {"phone": "+1415\u200b5550100"},
    RowProblem.PHONE_TRUNK_ZERO: {"phone": "+44 (0) 20 7946 0018"},
    RowProblem.PHONE_MALFORMED: {"phone": "+0"},
    RowProblem.ID_TOO_LONG: {"profile_id": "x" * 256},
    RowProblem.INFINITE_TIME: {"seen_at": "infinity"},
    RowProblem.NULL_VALUE: {"city": None},
    RowProblem.NO_LIST: {"club": " "},
    RowProblem.LIST_INVISIBLE: {"club": "a\u200bb"},
    RowProblem.UNKNOWN_LIST: {"club": "Nowhere"},
}


@pytest.mark.parametrize(("problem", "changes"), REASONS.items(), ids=map(str, REASONS))
def test_a_rejected_row_has_its_check_as_the_reason(
    make_world: Callable[..., World], problem: RowProblem, changes: dict[str, Any]
) -> None:
    """The person is found by another identifier than the one that is wrong."""
    world = make_world(create_lists=False)
    world.new_list("Members")
    row = {"email": ANN, "phone": "+14155550100", "id": "c-1", "profile_id": None, "seen_at": None} | {
        "club": "Members",
        "city": "Oslo",
        **changes,
    }
    columns = (f"{name} {'TIMESTAMP' if name == 'seen_at' else 'VARCHAR'}" for name in row)
    world.people([row], columns=", ".join(columns))
    world.model(
        "members",
        "select email, phone, id, profile_id, seen_at, club, city from people",
        list_column="club",
        on_null={"city": "reject"},
        identifiers={
            "email": "email",
            "phone_e164": "phone",
            "external_id": "id",
            "klaviyo_profile_id": "profile_id",
        },
    )
    (listed,) = world.project().explain("c-1").lists
    (rejection,) = [explained.rejection for explained in listed.rows]
    assert rejection is not None
    assert rejection.code == problem
    assert rejection.describe().startswith(PROBLEM_DESCRIPTIONS[problem])
    assert listed.describe_next_run() == "nothing: the row is rejected"


def _share_identifiers(world: World) -> None:
    """Rows that contradict each other, or share identifiers."""
    world.people(
        [
            {"email": "twice@example.com", "phone": None, "id": "c-1", "first_name": "Tom"},
            {"email": "twice@example.com", "phone": None, "id": "c-1", "first_name": "Tim"},
            {"email": ANN, "phone": "+14155550100", "id": "c-2", "first_name": "Ann"},
            {"email": None, "phone": "+14155550100", "id": None, "first_name": "Bo"},
            {"email": "ed@example.com", "phone": None, "id": "c-3", "first_name": "Ed"},
            {"email": "flo@example.com", "phone": None, "id": "c-3", "first_name": "Flo"},
        ]
    )
    world.model(
        "members",
        "select email, phone, id, first_name from people",
        identifiers={"email": "email", "phone_e164": "phone", "external_id": "id"},
        on_shared_identifier="reject",
    )


def _name_lists(world: World) -> None:
    """Names of lists that mean two lists, one list twice, or another model's list."""
    world.new_list("Tea")
    world.new_list("Tea")
    green = world.new_list("Green tea")
    world.profile(lists={"Green": green, "Matcha": green})
    members_model(world)
    clubs_model(world)
    named = {"ann": "Tea", "bob": "Green", "cat": "Matcha", "dan": "Members"}
    become(world, [person(name, club=club) for name, club in named.items()])


def _send_events(world: World) -> None:
    """Events without a key or a time, and one that changed after it was sent."""
    orders_model(world)
    sent = order(world, "o1")
    orders(world, sent)
    world.run()
    world.calm()
    orders(
        world,
        sent | {"item": "coffee"},
        order(world, "o2", email=BOB) | {"unique_id": None},
        order(world, "o3", email="cat@example.com", time=None),
    )


def _consent(world: World) -> None:
    """Consents without a time, and of the future."""
    world.new_list("Members")
    late = at(world, 86_400.0)
    consents(world, (ANN, None), (BOB, late))


def _delete_people(world: World) -> None:
    """One person is deleted by another model."""
    members_model(world)
    become(world, [person("ann"), *many(30)])
    world.run()
    world.calm()
    world.people([{"email": ANN}], table="erase", columns="email VARCHAR")
    world.model("erase", "select email from erase", surface="profile_deletions")


SEVERAL_ROWS: dict[str, tuple[Callable[[World], None], str, dict[str, RowProblem]]] = {
    "identifiers": (
        _share_identifiers,
        "members",
        {
            "twice@example.com": RowProblem.DUPLICATE,
            "+14155550100": RowProblem.IDENTITY_IS_ANOTHER_ROWS_IDENTIFIER,
            "ed@example.com": RowProblem.SHARED_IDENTIFIER,
        },
    ),
    "lists": (
        _name_lists,
        "clubs",
        {
            ANN: RowProblem.AMBIGUOUS_LIST,
            BOB: RowProblem.SAME_LIST,
            "c-cat": RowProblem.SAME_LIST,
            "dan@example.com": RowProblem.OTHER_MODELS_LIST,
        },
    ),
    "events": (
        _send_events,
        "orders",
        {ANN: RowProblem.CHANGED, BOB: RowProblem.NO_KEY, "cat@example.com": RowProblem.MISSING_VALUE},
    ),
    "consents": (_consent, "newsletter", {ANN: RowProblem.NO_TIME, BOB: RowProblem.FUTURE_TIME}),
    "deletions": (_delete_people, "members", {ANN: RowProblem.WITHHELD}),
}


NEXT_RUNS = {
    RowProblem.WITHHELD: "nothing: the person is withheld, because a model of the project deletes them",
    # the other row, which has the text too, is valid
    RowProblem.IDENTITY_IS_ANOTHER_ROWS_IDENTIFIER: "sends the row: it is new, or a run could not finish it",
}


@pytest.mark.parametrize(("build", "model", "problems"), SEVERAL_ROWS.values(), ids=SEVERAL_ROWS)
def test_a_row_that_is_rejected_beside_others_has_its_check_as_the_reason(
    world: World, build: Callable[[World], None], model: str, problems: dict[str, RowProblem]
) -> None:
    """These reasons need several rows, an earlier run, or a surface of their own."""
    build(world)
    for text, problem in problems.items():
        explanations = [listed for listed in world.project().explain(text).lists if listed.model == model]
        rejected = [listed for listed in explanations if any(row.rejection for row in listed.rows)]
        reasons = [row.rejection for listed in rejected for row in listed.rows if row.rejection]
        assert {reason.code for reason in reasons} == {problem}, text
        assert all(reason.describe().startswith(PROBLEM_DESCRIPTIONS[problem]) for reason in reasons)
        next_run = NEXT_RUNS.get(problem, "nothing: the row is rejected")
        assert {listed.describe_next_run() for listed in rejected} == {next_run}, text
        assert not any(other in str(explanations) for other in problems if other != text)


def test_each_reason_about_people_has_a_case() -> None:
    """The others have no person to look up, or another answer."""
    elsewhere = {
        RowProblem.NO_IDENTIFIER,  # the row has nothing to look a person up by
        RowProblem.UNKNOWN_OUTCOME,  # only of the surface `request`, whose rows have no person
        RowProblem.CHANGED_WHILE_READ,  # a race within one plan; `explain` reads the model in full
        RowProblem.STILL_REJECTED,  # the answer is Klaviyo's reason: a refused row in test_explain.py
    }
    several = {problem for _, _, problems in SEVERAL_ROWS.values() for problem in problems.values()}
    assert not elsewhere & ({*REASONS} | several)
    assert {*REASONS} | several | elsewhere == {*RowProblem}
