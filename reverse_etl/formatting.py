"""Parts of messages: numbers with nouns, percentages, full stops, paths, locations and escapes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

# They move a cursor, retitle a window, begin a line, or let a text read in another order than it has. Halves
# of a surrogate pair, as in names of files, can't be printed at all.
_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

_PASSWORDS: Final = (
    re.compile(r"""(?i)\b(\w*(?:passw(?:or)?d|pwd|token|secret)\w*\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s'"&;]+)"""),
    re.compile(r"(\w://[^\s/:@]*:)([^\s/@]+)(?=@)"),
)


def format_count(number: int, singular: str, plural: str = "") -> str:
    """Return a number with thousands separators and its noun.

    >>> format_count(1, "row"), format_count(2000, "row"), format_count(0, "box", "boxes")
    ('1 row', '2,000 rows', '0 boxes')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def format_percent(share: float) -> str:
    """Return a share of 1 as a percentage of three significant digits, or four below 20 %.

    >>> format_percent(0.1), format_percent(59 / 60), format_percent(0.1004)
    ('10 %', '98.3 %', '10.04 %')
    """
    return f"{share * 100:.4g} %" if share * 100 < _PRECISE_BELOW else f"{share * 100:.3g} %"


def end_sentence(text: str) -> str:
    """Return `text` with a full stop, unless it already ends a sentence.

    >>> end_sentence("No connection"), end_sentence("No such table!")
    ('No connection.', 'No such table!')
    """
    return text if text.endswith((".", "!", "?")) else f"{text}."


_PRECISE_BELOW = 20  # per cent: guard limits are in this range, and 10.04 % must not read as 10 %


def format_path(path: Path) -> str:
    """Return `path` relative to the current folder if it lies below it, otherwise the absolute path."""
    absolute = Path.cwd() / path
    try:
        return absolute.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(absolute)


def format_location(path: Path, line: int | None = None, column: int | None = None) -> str:
    """Return `path:line:column`; line and column count from 1 and are left out if unknown."""
    parts = [format_path(path)]
    if line is not None:
        parts.append(str(line))
        if column is not None:
            parts.append(str(column))
    return ":".join(parts)


def escape_unsafe(text: str, *, keep: str = "") -> str:
    r"""Return a text in which control characters, line breaks and marks of direction are visible escapes.

    Every text that goes to a terminal, a log or a page passes through this function once: what comes from
    data, Klaviyo or names of files could otherwise forge a line of a log. The characters of `keep` stay.

    >>> escape_unsafe("VIP\nerror \x1b]0;title\x07"), escape_unsafe("a\tb\x9b", keep="\t")
    ('VIP\\nerror \\x1b]0;title\\x07', 'a\tb\\x9b')
    """
    return _UNSAFE.sub(lambda match: match[0] if match[0] in keep else _escape(match[0]), text)


def escape_unsafe_json(text: str) -> str:
    r"""Return JSON in which such characters are escapes of JSON, so that its values stay the same.

    >>> escape_unsafe_json('{"name": "\x9b\u202e"}')
    '{"name": "\\u009b\\u202e"}'
    """
    return _UNSAFE.sub(lambda match: match[0] if match[0] == "\n" else f"\\u{ord(match[0]):04x}", text)


def escape_page_value(value: Any) -> Any:
    """Return a value as a page shows it: texts with `escape_unsafe`, all others as they are."""
    return escape_unsafe(value) if type(value) is str else value


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def hide_passwords(text: str) -> str:
    """Return a text without the passwords of connection strings, which are paths of attached databases.

    >>> hide_passwords("host=db password=top dbname=x, postgresql://ann:top@db/x")
    'host=db password=*** dbname=x, postgresql://ann:***@db/x'
    """
    for pattern in _PASSWORDS:
        text = pattern.sub(r"\1***", text)
    return text
