"""A person uses the sandbox's pages: with a mouse, with the keyboard alone, and while the state changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.sandbox import Fault, FaultKind
from tests.sandbox.caller import Caller, people
from tests.sandbox.filled import EVIL, fill_sandbox

if TYPE_CHECKING:
    from typing import Any

    from reverse_etl.sandbox import Sandbox

pytestmark = [pytest.mark.pages, pytest.mark.long]

TWO_POLLS_MILLISECONDS = 4500
MOST_TABS = 40
# Chromium shows the focus of a text field and of a link by an outline of the style.
DESCRIBE_FOCUS = """() => {
  const focused = document.activeElement;
  const box = focused.getBoundingClientRect();
  const style = getComputedStyle(focused);
  return {
    text: focused.textContent.trim(), id: focused.id, top: box.top,
    isShown: parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== "none" && box.width > 0,
  };
}"""


def heading(page: Any) -> str:
    """Return the heading of the page."""
    return str(page.locator("h1").inner_text())


def ask(sandbox: Sandbox, *paths: str) -> None:
    """Send requests as another program does."""
    with (caller := Caller(sandbox)).session:
        for path in paths:
            caller.ask("GET", path)


def hide(page: Any, *, hidden: bool) -> None:
    """Let the page believe that its tab was hidden or shown."""
    value = "true" if hidden else "false"
    page.evaluate(
        f"Object.defineProperty(document, 'hidden', {{value: {value}, configurable: true}});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )


def count_polls(page: Any) -> list[str]:
    """Return a list that grows with each request for the version."""
    polls: list[str] = []
    page.on(
        "request", lambda request: polls.append(request.url) if "/sandbox/version" in request.url else None
    )
    return polls


def test_a_person_opens_a_list_and_finds_a_member(page: Any, sandbox: Sandbox) -> None:
    fill_sandbox(sandbox)
    page.goto("/")
    page.get_by_role("link", name=EVIL).first.click()
    assert heading(page) == EVIL
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Lists").click()
    page.get_by_role("link", name="VIP customers").click()
    page.get_by_role("link", name="Next").click()
    assert page.get_by_text("Page 2 of 3").is_visible()
    page.get_by_label("Find a member").fill("lee")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="ann@example.com").click()
    assert heading(page) == "ann@example.com"
    assert page.get_by_role("row", name="email.marketing SUBSCRIBED").is_visible()


def test_a_person_sets_a_fault_and_sees_it_in_the_log(page: Any, sandbox: Sandbox) -> None:
    page.goto("/faults")
    page.get_by_label("Path").fill("/api/lists*")
    page.get_by_label("Status").fill("503")
    page.get_by_role("button", name="Add the fault").click()
    assert page.get_by_text("Fault 1 was added.").is_visible()
    ask(sandbox, "/api/lists")
    page.get_by_role("link", name="Requests").click()
    page.get_by_role("row", name="503").get_by_role("link").click()
    assert heading(page) == "GET /api/lists"
    assert page.get_by_text("not carried out: status").is_visible()
    assert "A fault that was asked for" in page.get_by_role("region", name="Response body").inner_text()


def test_the_form_shows_the_fields_of_the_chosen_kind(page: Any, sandbox: Sandbox) -> None:
    """And clears a fault, alone and with all others."""
    for kind in (FaultKind.CUT, FaultKind.HTML, FaultKind.DRIP):
        sandbox.add_fault(Fault(kind))
    page.goto("/faults")
    page.get_by_label("Kind").select_option("refuse_rows")
    assert page.get_by_label("Pattern").is_visible()
    assert page.get_by_label("Status").is_hidden()
    page.get_by_role("button", name="Clear fault 2").click()
    assert page.locator("#live-faults tbody tr").count() == 2
    page.get_by_role("button", name="Clear all faults").click()
    assert page.get_by_text("None: every request").is_visible()


def test_a_page_reloads_its_parts_by_itself(page: Any, sandbox: Sandbox) -> None:
    """It stays the same page: what was typed is still there."""
    page.goto("/")
    page.get_by_label("Find a person").fill("half a na")
    with (caller := Caller(sandbox)).session:
        caller.run_import(people(3), caller.make_list("Brand new"))
    page.locator("#live-lists").get_by_role("row", name="Brand new").get_by_text("3", exact=True).wait_for()
    assert (
        page.locator("#totals").get_by_text("3", exact=True).count() == 3
    )  # memberships, profiles, requests
    assert page.get_by_label("Find a person").input_value() == "half a na"


def test_a_reload_keeps_the_place_and_the_focus(page: Any, sandbox: Sandbox) -> None:
    """New rows come in above the row that a person looks at, which does not move."""
    ask(sandbox, *["/api/lists"] * 40)
    page.goto("/requests")
    page.get_by_role("row", name="GET /api/lists").nth(30).get_by_role("link").focus()
    before = page.evaluate(DESCRIBE_FOCUS)
    ask(sandbox, *["/api/profiles"] * 5)
    page.locator("#request-45").wait_for(state="attached")
    after = page.evaluate(DESCRIBE_FOCUS)
    assert page.evaluate("window.scrollY") > 0
    assert after["text"] == "GET /api/lists"
    assert abs(after["top"] - before["top"]) < 2


def test_a_selection_is_not_taken_away(page: Any, sandbox: Sandbox) -> None:
    ask(sandbox, "/api/lists")
    page.goto("/requests")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#request-1'))")
    ask(sandbox, "/api/profiles")
    page.wait_for_timeout(TWO_POLLS_MILLISECONDS)
    assert "GET /api/lists" in page.evaluate("getSelection().toString()")
    assert page.locator("#request-2").count() == 0
    page.evaluate("getSelection().removeAllRanges()")
    page.locator("#request-2").wait_for()


def test_a_hidden_page_does_not_ask(page: Any, sandbox: Sandbox) -> None:
    """Shown again, it is up to date at once."""
    page.goto("/requests")
    polls = count_polls(page)
    hide(page, hidden=True)
    page.wait_for_timeout(TWO_POLLS_MILLISECONDS)
    assert polls == []
    ask(sandbox, "/api/lists")
    hide(page, hidden=False)
    page.locator("#request-1").wait_for(timeout=1500)


def test_reloading_can_be_turned_off(page: Any, sandbox: Sandbox) -> None:
    """On the next page, too."""
    page.goto("/requests")
    page.get_by_label("Reload by itself").uncheck()
    page.get_by_role("link", name="Lists").click()
    assert not page.get_by_label("Reload by itself").is_checked()
    polls = count_polls(page)
    page.wait_for_timeout(TWO_POLLS_MILLISECONDS)
    assert polls == []
    page.get_by_label("Reload by itself").check()
    ask(sandbox, "/api/lists")
    page.wait_for_timeout(TWO_POLLS_MILLISECONDS)
    assert polls != []


def test_a_page_says_that_the_sandbox_has_stopped(page: Any, sandbox: Sandbox) -> None:
    page.goto("/")
    sandbox.stop()
    page.get_by_text("No connection: is the sandbox still running?").wait_for()


def press_tab_until(page: Any, text: str = "", element: str = "") -> None:
    """Go on with the tab key until an element has the focus; each on the way shows that it has it."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        focus = page.evaluate(DESCRIBE_FOCUS)
        assert focus["isShown"], focus
        if (text and focus["text"] == text) or (element and focus["id"] == element):
            return
    pytest.fail(f"{text or element} cannot be reached by keyboard")


def test_everything_can_be_done_by_keyboard(page: Any, sandbox: Sandbox) -> None:
    """Skip the menu, find a person, set a fault and clear it, without a mouse."""
    fill_sandbox(sandbox)
    sandbox.clear_faults()
    page.goto("/")
    press_tab_until(page, "Skip to the content")
    page.keyboard.press("Enter")
    press_tab_until(page, element="q")
    page.keyboard.type("ann@")
    page.keyboard.press("Enter")
    page.wait_for_url("**/profiles?q=ann%40")
    press_tab_until(page, "ann@example.com")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Suppressions").wait_for()
    press_tab_until(page, "Faults and rules")
    page.keyboard.press("Enter")
    page.wait_for_url("**/faults")
    press_tab_until(page, element="fault-kind")
    page.keyboard.type("slow")
    press_tab_until(page, element="fault-seconds")
    press_tab_until(page, "Add the fault")
    page.keyboard.press("Enter")
    page.get_by_text("was added.").wait_for()
    assert page.get_by_role("row", name="slow").is_visible()
    press_tab_until(page, "Clear all faults")
    page.keyboard.press("Enter")
    page.get_by_text("None: every request").wait_for()


def test_forms_and_searches_work_without_a_script(chromium: Any, sandbox: Sandbox) -> None:
    fill_sandbox(sandbox)
    context = chromium.new_context(base_url=sandbox.origin, java_script_enabled=False)
    page = context.new_page()
    page.goto("/faults")
    page.get_by_label("Kind").select_option("cut")
    page.get_by_role("button", name="Add the fault").click()
    assert page.get_by_role("row", name="cut").is_visible()
    page.goto("/profiles?q=lee")
    assert page.get_by_role("link", name="ann@example.com").is_visible()
    assert page.get_by_label("Reload by itself").is_hidden()
    context.close()
