"""Who is taken off a list, and who never is."""

from __future__ import annotations

from core_world import one

from reverse_etl.delivery.tally import Outcome

SELECT = "select email, customer_id from people"
BY_EMAIL = {"email": "email", "external_id": "customer_id"}


def people(*names):
    """Return a row for each name: an e-mail and a customer id."""
    return [{"email": f"{name}@example.com", "customer_id": f"c-{name}"} for name in names]


def test_a_person_who_left_the_model_is_taken_off_the_list(world):
    """Ann and Bob are sent; Bob leaves the model, and so the list. His profile stays."""
    world.model("members", SELECT, identifiers=BY_EMAIL)
    world.people(people("ann", "bob"))
    world.run()
    assert world.emails() == ["ann@example.com", "bob@example.com"]
    world.people(people("ann"))
    result = world.run()
    assert one(result).outcomes == {Outcome.REMOVED: 1}
    assert world.emails() == ["ann@example.com"]
    assert world.sandbox.profile_count() == 2


def test_a_person_with_a_new_e_mail_is_superseded_and_can_leave_later(world):
    """Ann's e-mail changes and Klaviyo gives it to the same profile, which stays on the list. When she leaves, she is taken off."""
    world.model("members", SELECT, identifiers=BY_EMAIL)
    world.people(people("ann", "bob"))
    world.run()
    world.wait()
    world.people([{"email": "ann2@example.com", "customer_id": "c-ann"}, *people("bob")])
    result = world.run()
    assert one(result).outcomes == {Outcome.APPLIED: 1, Outcome.SUPERSEDED: 1}
    assert world.emails() == ["ann2@example.com", "bob@example.com"]
    world.wait()
    world.people(people("bob"))
    result = world.run()
    assert one(result).outcomes == {Outcome.REMOVED: 1}
    assert world.emails() == ["bob@example.com"]
