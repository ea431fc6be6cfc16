"use strict";
// Reloads the parts of a page that have changed, and shows the fields that a kind of fault uses.
// Everything works without this script, too.
(() => {
  const POLL_MILLISECONDS = 2000;
  const SWITCH = "reload-by-itself";
  const live = document.getElementById("live");
  const liveSwitch = document.getElementById("live-switch");
  const liveState = document.getElementById("live-state");
  let version = document.body.dataset.version;
  let timer = null;

  function say(text) {
    if (liveState.textContent !== text) liveState.textContent = text;
  }

  // A browser may refuse to store anything; then the switch is on again on the next page.
  function recall() {
    try {
      return localStorage.getItem(SWITCH);
    } catch {
      return null;
    }
  }

  function remember(value) {
    try {
      localStorage.setItem(SWITCH, value);
    } catch {
      // nothing to do
    }
  }

  function isOn() {
    return liveSwitch.checked && !document.hidden;
  }

  // A replaced part must not take away what somebody is selecting.
  function isSelecting() {
    const selection = document.getSelection();
    const node = selection.isCollapsed ? null : selection.anchorNode;
    const element = node && (node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement);
    return Boolean(element && element.closest("[data-live]"));
  }

  async function fetchFresh(address) {
    const response = await fetch(address, { cache: "no-store" });
    if (!response.ok) throw new Error(String(response.status));
    return response;
  }

  function findAnchor() {
    if (window.scrollY === 0) return null;
    const rows = [...document.querySelectorAll("[data-live] tr[id]")];
    const row = rows.find((each) => each.getBoundingClientRect().top >= 0);
    return row && { id: row.id, top: row.getBoundingClientRect().top };
  }

  function findFocus(part) {
    const focused = document.activeElement;
    if (!focused || !part.contains(focused)) return null;
    return focused.id ? `#${CSS.escape(focused.id)}` : `a[href="${CSS.escape(focused.getAttribute("href") || "")}"]`;
  }

  function replacePart(part, fresh) {
    if (part.innerHTML === fresh.innerHTML) return;
    const focus = findFocus(part);
    const open = [...part.querySelectorAll("details[open][id]")].map((each) => each.id);
    part.replaceChildren(...fresh.childNodes);
    for (const id of open) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
    if (!focus) return;
    const target = part.querySelector(focus) || part;
    if (target === part) part.tabIndex = -1;
    target.focus({ preventScroll: true });
  }

  async function reload() {
    const text = await (await fetchFresh(location.href)).text();
    if (isSelecting()) return;
    // Without its head: the policy of this page would refuse the style of another one, and say so.
    const page = new DOMParser().parseFromString(text.slice(text.indexOf("<body")), "text/html");
    const anchor = findAnchor();
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (fresh) replacePart(part, fresh);
    }
    const row = anchor && document.getElementById(anchor.id);
    if (row) window.scrollBy(0, row.getBoundingClientRect().top - anchor.top);
    version = page.body.dataset.version;
  }

  async function poll() {
    try {
      const newest = (await (await fetchFresh("/sandbox/version")).json()).data;
      if (newest !== version && !isSelecting()) await reload();
      say("");
    } catch {
      say("No connection: is the sandbox still running?");
    }
  }

  function plan() {
    clearTimeout(timer);
    timer = isOn() ? setTimeout(() => poll().finally(plan), POLL_MILLISECONDS) : null;
  }

  function startReloading() {
    if (!document.querySelector("[data-live]")) return;
    live.hidden = false;
    liveSwitch.checked = recall() !== "off";
    liveSwitch.addEventListener("change", () => {
      remember(liveSwitch.checked ? "on" : "off");
      plan();
    });
    document.addEventListener("visibilitychange", () => (isOn() ? poll().finally(plan) : plan()));
    plan();
  }

  function showFieldsOfKind() {
    const kind = document.getElementById("fault-kind");
    const used = new Set(kind.selectedOptions[0].dataset.fields.split(" "));
    const common = new Set(["path", "times", "probability", "seed"]);
    for (const field of document.querySelectorAll("[data-field]")) {
      field.hidden = !used.has(field.dataset.field) && !common.has(field.dataset.field);
    }
  }

  if (document.getElementById("fault-kind")) {
    document.getElementById("fault-kind").addEventListener("change", showFieldsOfKind);
    showFieldsOfKind();
  }
  startReloading();
})();
