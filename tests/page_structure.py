"""A plain check of what pages keep for people who use a keyboard, a screen reader or a dark screen.

It needs no browser. `make test-pages` asks axe the same questions, and more, in a real one.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "link", "br", "hr", "img", "input", "line", "rect", "circle", "polyline"}
TEXTS = {"a", "button", "summary", "label", "th", "h1", "h2", "h3"}  # which say nothing without a text
LEAST_CONTRAST = 4.5  # of text, WCAG 2 level AA


@dataclass
class Element:
    """An element with its attributes, its texts in order, and the elements inside it."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    texts: list[str] = field(default_factory=list)
    inner: list[Element] = field(default_factory=list)

    def all(self, *tags: str) -> list[Element]:
        """Return the elements inside with one of these tags, or all, in the order of the page."""
        found = [self] if self.tag in tags or not tags else []
        return found + [each for element in self.inner for each in element.all(*tags)]

    def text(self) -> str:
        """Return the text inside, with that of labels that only a screen reader reads."""
        own = " ".join([*self.texts, *(each.text() for each in self.inner)])
        return f"{own} {self.attributes.get('aria-label', '')}".strip()

    def has_parent(self, tag: str) -> bool:
        """Return whether the element is inside one with this tag."""
        return self.parent is not None and (self.parent.tag == tag or self.parent.has_parent(tag))


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self.current = Element("page", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self.current)
        self.current.inner.append(element)
        if tag not in VOID:
            self.current = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.current.inner.append(Element(tag, {name: value or "" for name, value in attrs}, self.current))

    def handle_endtag(self, tag: str) -> None:
        assert self.current.tag == tag, f"</{tag}> closes <{self.current.tag}>"
        assert self.current.parent is not None
        self.current = self.current.parent

    def handle_data(self, data: str) -> None:
        self.current.texts.append(data.strip())


def parse_page(text: str) -> Element:
    """Return the elements of a page; fails if a tag is not closed in its place."""
    parser = _Parser()
    parser.feed(text)
    assert parser.current is parser.root
    return parser.root


def find_structure_faults(text: str) -> list[str]:
    """Return what is wrong with a page's language, title, landmarks, headings, ids, labels and tables."""
    page = parse_page(text)
    ids = Counter(each.attributes["id"] for each in page.all() if "id" in each.attributes)
    faults = [f"id {name} is there {number} times" for name, number in ids.items() if number > 1]
    for tag in ("main", "h1", "title"):
        found = [each for each in page.all(tag) if not each.has_parent("svg")]
        if len(found) != 1 or not found[0].text():
            faults.append(f"not exactly one <{tag}> with text")
    if [each.attributes.get("lang") for each in page.all("html")] != ["en"]:
        faults.append("the page's language is not named")
    levels = [int(each.tag[1]) for each in page.all("h1", "h2", "h3", "h4")]
    faults += [f"h{after} follows h{before}" for before, after in pairwise(levels) if after > before + 1]
    faults += [fault for each in page.all() for fault in _find_element_faults(page, each, set(ids))]
    return faults


def _find_element_faults(page: Element, element: Element, ids: set[str]) -> list[str]:
    given = element.attributes
    faults = [
        f"{name}={given[name]} names no id"
        for name in ("aria-labelledby", "aria-describedby", "for")
        if name in given and not set(given[name].split()) <= ids
    ]
    faults += [f"{name} on <{element.tag}>" for name in given if name.startswith("on")]
    if given.get("href", "").startswith("#") and given["href"][1:] not in ids:
        faults.append(f"{given['href']} leads nowhere")
    if int(given.get("tabindex", "0")) > 0:
        faults.append("a positive tabindex changes the order of the keyboard")
    if not _is_named(page, element):
        faults.append(f"<{element.tag} {given}> has no name")
    if any(not header.attributes.get("scope") for header in element.all("th") if element.tag == "table"):
        faults.append(f"a table whose headers have no scope: {[each.text() for each in element.all('th')]}")
    return faults


def _is_named(page: Element, element: Element) -> bool:
    """Return whether an element that needs a text, a label or an alternative text has one."""
    given = element.attributes
    if element.tag in {"input", "select", "textarea"}:
        labels = [each for each in page.all("label") if each.attributes.get("for") == given.get("id")]
        return bool(labels) or element.has_parent("label")
    named = {
        "table": bool(element.all("th")),
        "img": "alt" in given,
        "svg": "aria-hidden" in given or bool(given.get("role") and given.get("aria-label")),
        "nav": len(page.all("nav")) == 1 or bool(given.get("aria-label")),
    }
    return named[element.tag] if element.tag in named else element.tag not in TEXTS or bool(element.text())


def read_palettes(css: str) -> dict[str, dict[str, str]]:
    """Return the colours of a style by name, for light and for dark."""
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    first, second = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in (light, dark))
    return {"light": first, "dark": {**first, **second}}


def compute_contrast(one: str, other: str) -> float:
    """Return the contrast of two colours such as #ffffff, from 1 to 21, as WCAG 2 defines it."""
    lighter, darker = sorted((_compute_luminance(one), _compute_luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _compute_luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
