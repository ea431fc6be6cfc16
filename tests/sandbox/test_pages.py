"""The sandbox's pages: what they show and find, their forms, and that they stay quick with many people."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
import requests

from reverse_etl.sandbox import Fault, FaultKind, Sandbox
from reverse_etl.sandbox.pages import routes
from reverse_etl.sandbox.pages.fault_form import DEFAULTS, KIND_CHOICES
from reverse_etl.sandbox.pages.json_text import indent_json
from reverse_etl.sandbox.pages.rendering import render_response
from reverse_etl.sandbox.request_log import MAX_STORED_BYTES, REQUESTS_WITH_BODIES
from tests.page_structure import parse_page
from tests.sandbox.caller import HEADERS, Caller, people, row
from tests.sandbox.filled import EVIL, describe_subscription, fill_sandbox

if TYPE_CHECKING:
    from typing import Any

MANY = 50_000
QUICK_SECONDS = 2.0  # of CPU, whatever else the machine does; a page takes a tenth of it


def show(sandbox: Sandbox, address: str) -> str:
    """Return the text of a page as people read it, with one blank between words."""
    reply = requests.get(sandbox.origin + address, timeout=20)
    assert reply.status_code == 200, address
    return " ".join(parse_page(reply.text).all("main")[0].text().split())


def send_form(sandbox: Sandbox, address: str, **fields: str) -> requests.Response:
    """Send a form of the sandbox's own page, and follow it as a browser does."""
    headers = {"Origin": sandbox.origin}
    return requests.post(sandbox.origin + address, data=fields, headers=headers, timeout=5)


def test_a_body_of_brackets_alone_is_a_small_page() -> None:
    lines = indent_json("[" * MAX_STORED_BYTES)
    assert sum(map(len, lines)) < 1_000_000


def test_a_list_shows_its_members_by_pages(sandbox: Sandbox) -> None:
    """The newest first; a page beyond the last one is the last one."""
    address = fill_sandbox(sandbox)["list"]
    first = show(sandbox, address)
    assert "VIP customers Members 121" in first
    assert "ann@example.com" in first
    assert "Page 1 of 3 Next Last" in first
    assert first.count("@example.com") == 50
    last = show(sandbox, f"{address}?page=9")
    assert "First Previous Page 3 of 3" in last
    assert last.count("@example.com") == 21


def test_a_profile_shows_all_that_belongs_to_it(sandbox: Sandbox) -> None:
    shown = show(sandbox, fill_sandbox(sandbox)["profile"])
    for text in (
        "ann@example.com",
        "+15005550006",
        "first_name Ann",
        "location.city Bern",
        "tier gold",
        f"note {EVIL}",
        "VIP customers",
        "email.marketing SUBSCRIBED 2026-01-02 03:04:05",
        "checkout",
        "SPAM_COMPLAINT all lists",
        '2026-10-01 08:00:00 Placed Order 19.9 EUR order-1 {"sku":"TEA-1"}',
    ):
        assert text in shown


def test_a_profile_shows_that_its_opt_in_waits(caller: Caller, sandbox: Sandbox) -> None:
    """Until the person confirms it, which gives the consent."""
    tea = caller.make_list("Tea")
    document = describe_subscription("ann@example.com")
    document["data"]["relationships"] = {"list": {"data": {"type": "list", "id": tea}}}
    del document["data"]["attributes"]["historical_import"]
    consent = document["data"]["attributes"]["profiles"]["data"][0]["attributes"]["subscriptions"]
    consent["email"]["marketing"] = {"consent": "SUBSCRIBED"}
    assert caller.ask("POST", "/api/profile-subscription-bulk-create-jobs", json=document).status_code == 202
    sandbox.finish_jobs()
    address = f"/profiles/{sandbox.profiles()[0]['id']}"
    waiting = "The subscription to email.marketing for the list Tea waits"
    assert waiting in show(sandbox, address)
    assert "Opt-in double opt-in" in show(sandbox, f"/lists/{tea}")
    sandbox.confirm_opt_in("ann@example.com")
    assert waiting not in (shown := show(sandbox, address))
    assert "email.marketing SUBSCRIBED" in shown


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ANN@", ["ann@example.com"]),
        ("+1500555", ["ann@example.com"]),
        ("17", ["ann@example.com", "u117@example.com", "u17@example.com"]),
        ("ann lee", ["ann@example.com"]),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("nobody", []),
    ],
)
def test_a_person_is_found_by_a_part_of_what_is_known(
    caller: Caller, sandbox: Sandbox, search: str, found: list[str]
) -> None:
    """On the page of all profiles and on that of a list; a pattern's signs mean themselves."""
    vip = caller.make_list("VIP")
    ann = row(
        email="ann@example.com",
        phone_number="+15005550006",
        external_id="17",
        first_name="Ann",
        last_name="Lee",
    )
    caller.run_import([*people(120), ann], vip)
    for address in ("/profiles", f"/lists/{vip}"):
        reply = requests.get(sandbox.origin + address, params={"q": search}, timeout=5)
        assert sorted(re.findall(r">([^<>]+@example.com)</a>", reply.text)) == found


def test_a_search_goes_on_to_the_next_page(caller: Caller, sandbox: Sandbox) -> None:
    caller.run_import([*people(60), row(email="ann@example.org")])
    assert "Page 1 Next" in show(sandbox, "/profiles?q=example.com")
    second = show(sandbox, "/profiles?q=example.com&page=2")
    assert "First Previous Page 2" in second
    assert second.count("@example.com") == 10


@pytest.mark.parametrize("address", ["/lists/nope", "/profiles/nope", "/requests/9", f"/requests/{10**30}"])
def test_an_unknown_id_has_a_page_that_says_so(sandbox: Sandbox, address: str) -> None:
    reply = requests.get(sandbox.origin + address, timeout=5)
    assert reply.status_code == 404
    assert "<h1>No such " in reply.text


@pytest.mark.parametrize("query", ["page=-1", "page=0", "page=x", f"page={10**30}", "page=", "q=%00&page=2"])
def test_a_page_number_of_any_kind_shows_a_page(sandbox: Sandbox, query: str) -> None:
    for address in ("/lists", "/profiles", "/requests"):
        show(sandbox, f"{address}?{query}")


def test_the_log_shows_bodies_but_no_headers(caller: Caller, sandbox: Sandbox) -> None:
    """Indented as JSON; a long body is cut and says so; the key is nowhere, not even in the file."""
    vip = caller.make_list("VIP")
    caller.session.headers["Authorization"] = "Klaviyo-API-Key pk_very_secret"
    caller.run_import(
        [row(email="ann@example.com", properties={"note": f"{EVIL}\u202e"}), *people(2000)], vip
    )
    log = show(sandbox, "/requests")
    assert "POST /api/profile-bulk-import-jobs 2,001" in log
    text = requests.get(f"{sandbox.origin}/requests/2", timeout=5).text
    assert "\n              &#34;email&#34;: &#34;ann@example.com&#34;,\n" in text
    assert "\\u202e" in text
    assert EVIL not in text
    assert f"the first {MAX_STORED_BYTES:,} are kept" in text
    assert "&#34;total_count&#34;: 2001" in text
    for address in ("/", "/requests", "/requests/1", "/requests/2", "/sandbox/log"):
        assert "very_secret" not in requests.get(sandbox.origin + address, timeout=5).text


def test_the_state_file_has_no_key(tmp_path: Any) -> None:
    path = tmp_path / "trial.sqlite"
    with Sandbox(path, limits=False) as sandbox:
        headers = HEADERS | {"Authorization": "Klaviyo-API-Key pk_very_secret"}
        requests.get(f"{sandbox.origin}/api/lists", headers=headers, timeout=5)
        assert b"/api/lists" in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"very_secret" not in path.read_bytes()


def test_only_the_newest_requests_keep_their_bodies(caller: Caller, sandbox: Sandbox) -> None:
    """The log stays whole; clearing it forgets the bodies, too."""
    caller.make_list("VIP")
    for _ in range(REQUESTS_WITH_BODIES):
        caller.ask("GET", "/api/nowhere")
    assert "no longer kept" in show(sandbox, "/requests/1")
    assert "The sandbox has no such endpoint" in show(sandbox, "/requests/2")
    assert f"{REQUESTS_WITH_BODIES + 1} requests" in show(sandbox, "/requests")
    assert send_form(sandbox, "/requests/clear").url == f"{sandbox.origin}/requests"
    assert sandbox.log() == []
    assert requests.get(f"{sandbox.origin}/requests/2", timeout=5).status_code == 404


def test_a_cut_reply_has_no_body(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.add_fault(Fault(FaultKind.CUT, method="GET"))
    with pytest.raises(requests.ConnectionError):
        caller.ask("GET", "/api/lists")
    assert "Status no response" in show(sandbox, "/requests/1")
    assert "not carried out: cut" in show(sandbox, "/requests/1")


@pytest.mark.parametrize("choice", KIND_CHOICES, ids=lambda choice: choice.kind)
def test_a_fault_of_each_kind_is_set_by_the_form(sandbox: Sandbox, choice: Any) -> None:
    """With the values that the form has at first; it leads to the page that shows the fault."""
    page = parse_page(requests.get(f"{sandbox.origin}/faults", timeout=5).text)
    inputs = [each.attributes for each in page.all("input", "select") if "name" in each.attributes]
    fields = {each["name"]: each.get("value", "") for each in inputs if each.get("type") != "checkbox"}
    assert {*fields} | {"after"} == {*DEFAULTS}
    filled = fields | {"kind": choice.kind, "method": "*", "payload": "none", "value": '"x"'}
    reply = send_form(sandbox, "/faults", **filled)
    assert reply.url == f"{sandbox.origin}/faults?added=1"
    assert "Fault 1 was added" in reply.text
    (queued,) = requests.get(f"{sandbox.origin}/sandbox/faults", timeout=5).json()["data"]
    expected = Fault(choice.kind).to_dict()
    expected |= {"payload": "none"} if "payload" in choice.fields else {}
    expected |= {"value": "x"} if "value" in choice.fields else {}
    assert queued["fault"] == expected | {"times": 1}


def test_every_kind_of_fault_is_a_choice_and_every_field_is_used() -> None:
    assert sorted(choice.kind for choice in KIND_CHOICES) == sorted(FaultKind)
    common = {"kind", "method", "path", "times", "probability", "seed"}
    assert common | {name for choice in KIND_CHOICES for name in choice.fields} == {*DEFAULTS}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "status", "probability": "nan"}, "probability: Input should be a finite number"),
        ({"kind": "slow", "seconds": "inf"}, "seconds: Input should be"),
        ({"kind": "status", "seed": "9" * 30}, "seed: Input should be less than"),
        ({"kind": "status", "status": "often"}, "status: Input should be a valid integer"),
        ({"kind": "invalid_rows", "pattern": "("}, "pattern cannot be read"),
        ({"kind": "set", "value": "paused"}, "The value is not JSON"),
        ({"kind": "no such"}, "The fault cannot be read"),
        ({}, "A fault is an object with a kind"),
    ],
)
def test_a_mistake_in_the_form_is_named_and_nothing_is_lost(
    sandbox: Sandbox, fields: dict[str, str], sentence: str
) -> None:
    """The form still has what was entered."""
    reply = send_form(sandbox, "/faults", path="/api/lists*", **fields)
    assert reply.status_code == 400
    assert sentence in " ".join(parse_page(reply.text).all("main")[0].text().split())
    assert 'value="/api/lists*"' in reply.text
    assert 'role="alert"' in reply.text
    assert requests.get(f"{sandbox.origin}/sandbox/faults", timeout=5).json()["data"] == []


def test_faults_are_cleared_one_by_one_or_all_at_once(sandbox: Sandbox) -> None:
    numbers = [sandbox.add_fault(Fault(kind)) for kind in (FaultKind.CUT, FaultKind.SLOW, FaultKind.HTML)]
    assert send_form(sandbox, f"/faults/{numbers[1]}/clear").url == f"{sandbox.origin}/faults"
    shown = show(sandbox, "/faults")
    assert ("cut any *" in shown, "slow any *" in shown) == (True, False)
    send_form(sandbox, "/faults/clear")
    assert "None: every request is answered as Klaviyo does." in show(sandbox, "/faults")


def test_rules_are_shown_with_those_that_were_changed(sandbox: Sandbox) -> None:
    sandbox.change_rules(conflicts="refuse", missing_scopes=("lists:write",))
    shown = show(sandbox, "/faults")
    for text in (
        "conflicts refuse changed",
        'missing_scopes ["lists:write"] changed',
        "patches obey default",
    ):
        assert text in shown


def test_open_jobs_are_finished_by_a_button() -> None:
    with Sandbox(None, job_seconds=3600) as sandbox, (caller := Caller(sandbox)).session:
        caller.start_import(people(3))
        assert "Finish all open jobs now" in show(sandbox, "/")
        send_form(sandbox, "/jobs/finish")
        assert "complete" in (shown := show(sandbox, "/"))
        assert "Finish all open jobs now" not in shown


def test_the_version_changes_with_the_state_and_only_then(caller: Caller, sandbox: Sandbox) -> None:
    """The pages ask for it to see whether to reload; reading pages changes nothing."""

    def version() -> str:
        return str(requests.get(f"{sandbox.origin}/sandbox/version", timeout=5).json()["data"])

    seen = [version()]
    show(sandbox, "/")
    assert version() == seen[0]
    vip = caller.make_list("VIP")
    seen.append(version())
    caller.run_import(people(1), vip)
    seen.append(version())
    sandbox.add_fault(Fault(FaultKind.CUT))
    seen.append(version())
    sandbox.change_rules(patches="ignore")
    seen.append(version())
    assert len({*seen}) == len(seen)
    assert f'data-version="{seen[-1]}"' in requests.get(sandbox.origin, timeout=5).text


def test_a_page_reloads_after_a_change_that_came_while_it_was_made(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows the state before the change, so that it has the version before, too."""
    before = requests.get(f"{sandbox.origin}/sandbox/version", timeout=5).json()["data"]

    def render(*values: Any, **more: Any) -> Any:
        sandbox.change_rules(patches="ignore")
        return render_response(*values, **more)

    monkeypatch.setattr(routes, "render_response", render)
    assert f'data-version="{before}"' in requests.get(f"{sandbox.origin}/lists", timeout=5).text


def test_pages_of_fifty_thousand_people_are_quick_and_small() -> None:
    """Each reads one page of rows, the last one and a search as well."""
    with Sandbox(None, limits=False) as sandbox, (caller := Caller(sandbox)).session:
        vip = caller.make_list("VIP")
        with sandbox._account.transaction() as db:
            numbers = f"WITH n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {MANY}) "
            db.execute(
                f"INSERT INTO profiles {numbers} SELECT n, 'P' || n, 'u' || n || '@example.com', NULL, NULL, "
                'CAST(\'{"first_name": "Ann"}\' AS BLOB), 0, 0 FROM n'
            )
            db.execute(f"INSERT INTO members {numbers} SELECT 1, n, n FROM n")
        before = time.process_time()
        for address in (
            "/",
            f"/lists/{vip}",
            f"/lists/{vip}?page=1000",
            f"/lists/{vip}?q=u49999@",
            "/profiles?page=1000",
            "/profiles?q=u1@",
            "/profiles?q=nobody",
        ):
            assert len(requests.get(sandbox.origin + address, timeout=20).text) < 100_000, address
        assert time.process_time() - before < 7 * QUICK_SECONDS
