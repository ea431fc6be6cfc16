"""Explain a person whose e-mail was, or is now, somebody else's: nobody sees another person's values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reverse_etl.cli.output.explanation import explanation_document, explanation_lines
from reverse_etl.report.text_owner import TextOwner
from tests.core.rows import become, members_model, person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.core.world import PrepareWorld, World

OLD, NEW = "old@example.com", "new@example.com"
ANN_BEFORE = person("ann", email=OLD)
ANN = person("ann", email=NEW)
BOB = person("bob", email=OLD)


def subscribe(world: World, *names: tuple[str, str]) -> None:
    """Let the model that knows people by e-mail alone have these (e-mail, name)."""
    rows = [{"email": email, "first_name": name} for email, name in names]
    world.people(rows, table="subscribers", columns="email VARCHAR, first_name VARCHAR")


def send_ann(world: World) -> None:
    """Let a model with ids and one of e-mails alone have sent Ann with her old e-mail."""
    members_model(world, max_removes=1.0, min_rows=0)
    select = "select email, first_name from subscribers"
    world.model("subscribers", select, surface="profiles", identifiers={"email": "email"})
    become(world, [ANN_BEFORE])
    subscribe(world, (OLD, "Ann"))
    world.run()
    world.calm()


def send_ann_with_values(world: World) -> None:
    """Let them have done so with a journal that keeps values."""
    world.profile(journal={"keep": "90d", "pii": "values"})
    send_ann(world)


def send_ann_with_hashes(world: World) -> None:
    """Let them have done so with a journal that keeps hashes of identifiers."""
    world.profile(journal="90d")
    send_ann(world)


WITHOUT_JOURNAL = pytest.param(send_ann, id="none")
HASHED = pytest.param(send_ann_with_hashes, marks=pytest.mark.long, id="hashed")
JOURNALS: list[Any] = [pytest.param(send_ann_with_values, id="values"), HASHED]


@pytest.fixture
def sent(request: pytest.FixtureRequest, prepare_world: PrepareWorld) -> World:
    """Return a world in which Ann was sent, with or without a journal."""
    return prepare_world(request.param)


def answer(world: World, text: str) -> str:
    """Return all that `explain` says, as text and as JSON."""
    explanation = world.project().explain(text)
    return "\n".join((*explanation_lines(explanation), json.dumps(explanation_document(explanation))))


# The names in the model of e-mails once the old e-mail is Bob's; None if the model is deleted.
SUBSCRIBERS: dict[str, Sequence[tuple[str, str]] | None] = {
    "it has the new owner": [(OLD, "Bob"), (NEW, "Ann")],
    "it has nobody with the e-mail": [(NEW, "Ann")],
    "it is deleted": None,
}


@pytest.mark.parametrize("sent", JOURNALS, indirect=True)
@pytest.mark.parametrize("names", SUBSCRIBERS.values(), ids=SUBSCRIBERS)
def test_an_address_that_passed_on_shows_each_owner_their_own_values(
    sent: World, names: Sequence[tuple[str, str]] | None
) -> None:
    """Before the run that sends it and after it, by each identifier."""
    check_owners(sent, names)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(names, marks=() if number == 0 else pytest.mark.long, id=name)
        for number, (name, names) in enumerate(SUBSCRIBERS.items())
    ],
)
def test_it_does_so_without_a_journal(
    prepare_world: PrepareWorld, names: Sequence[tuple[str, str]] | None
) -> None:
    check_owners(prepare_world(send_ann), names)


def check_owners(sent: World, names: Sequence[tuple[str, str]] | None) -> None:
    """Let the old e-mail be Bob's; check what is said of each, before the run that sends it and after it."""
    become(sent, [ANN, BOB])
    if names is None:
        sent.drop_model("subscribers")
    else:
        subscribe(sent, *names)
    for _ in range(2):
        for text in (OLD, "c-bob"):
            said = answer(sent, text)
            assert "first_name Bob" in said
            assert "Ann" not in said, (text, said)
            assert "c-ann" not in said, (text, said)
        for text in (NEW, "c-ann"):
            said = answer(sent, text)
            assert "first_name Ann" in said
            assert "Bob" not in said, (text, said)
            assert "c-bob" not in said, (text, said)
        sent.run()
        sent.calm()


@pytest.mark.parametrize("sent", [WITHOUT_JOURNAL], indirect=True)
def test_the_update_of_a_row_that_was_another_persons_says_so(sent: World) -> None:
    become(sent, [ANN, BOB])
    subscribe(sent, (OLD, "Bob"))
    lists = {found.model: found for found in sent.project().explain(OLD).lists}
    for found in lists.values():
        assert (found.sent, found.is_sent_for_another) == ((), True)
        assert found.describe_next_run() == "sends the row again"


@pytest.mark.parametrize("sent", JOURNALS, indirect=True)
@pytest.mark.parametrize("is_deleted", [False, True])
def test_an_old_address_leads_to_the_person_although_a_model_of_e_mails_still_has_it(
    sent: World, is_deleted: bool
) -> None:
    """The journal has the id, and with it what the other models sent since.

    The model of e-mails sends the old e-mail again, once Ann's profile no longer has it.
    """
    become(sent, [ANN])
    if is_deleted:
        sent.drop_model("subscribers")
    sent.run()
    sent.calm()
    become(sent, [{**ANN, "first_name": "Anna"}])
    sent.run()
    rows = sent.project().explain(OLD).journal or ()
    assert sorted((row.model, row.op, row.outcome) for row in rows) == [
        ("members", "add", "applied"),
        ("members", "add", "applied"),
        ("members", "remove", "replaced"),
        ("members", "update", "applied"),
        *[("subscribers", "add", "applied")] * (1 if is_deleted else 2),
    ]


@pytest.mark.parametrize("sent", [WITHOUT_JOURNAL], indirect=True)
def test_an_id_leads_to_a_model_of_e_mails_by_the_e_mail_that_is_known_for_it(sent: World) -> None:
    """Without one, the model is not said to know nothing of the id."""
    explanation = sent.project().explain("c-ann")
    assert {found.model: found.found_by for found in explanation.lists} == {
        "members": "",
        "subscribers": f"email {OLD}",
    }
    assert (explanation.other_models, explanation.models_without_identifier) == ((), ())
    assert f"found by   email {OLD}, which is the person's in another model" in answer(sent, "c-ann")
    explanation = sent.project().explain("c-nobody")
    assert (explanation.other_models, explanation.models_without_identifier) == (
        ("members",),
        ("subscribers",),
    )
    assert "no such identifier: subscribers. Ask by" in answer(sent, "c-nobody")
    assert sent.project().explain(NEW).other_models == ("members", "subscribers")


@pytest.mark.parametrize("sent", [WITHOUT_JOURNAL, JOURNALS[0]], indirect=True)
def test_a_row_that_loses_its_id_shows_nobody_the_values_of_the_other(sent: World) -> None:
    """Ann's old e-mail is Bob's, whose row has no id: Klaviyo keeps hers with it, and so does the state."""
    become(sent, [ANN, {**BOB, "customer_id": None}])
    subscribe(sent, (OLD, "Bob"), (NEW, "Ann"))
    for _ in range(2):
        for text in (NEW, "c-ann"):
            said = answer(sent, text)
            assert "first_name Ann" in said
            assert "Bob" not in said, (text, said)
        said = answer(sent, OLD)
        assert "first_name Bob" in said
        assert "c-ann" not in said, said
        assert "Ann" not in said.partition('"other_models"')[0].replace("subscribers", ""), said
        sent.run()
        sent.calm()


def test_people_who_share_a_text_are_all_its_owners() -> None:
    owner = TextOwner({"external_id": {"1", "2"}})  # type: ignore[dict-item]
    assert [owner.owns({"external_id": text}) for text in "123"] == [True, True, False]
    assert owner.owns({"email": OLD}) is None
