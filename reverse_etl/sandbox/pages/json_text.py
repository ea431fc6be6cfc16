"""Indent JSON for reading, also JSON that was cut; only blanks between its parts change."""

from __future__ import annotations

import re
from typing import Final

_PARTS: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_OPENING: Final = frozenset("{[")
_CLOSING: Final = frozenset("}]")
_INDENT: Final = "  "
_MAX_INDENTS: Final = 20  # a body of brackets alone would be a page of megabytes


def indent_json(text: str) -> list[str]:
    """Return the lines of a JSON text, one for each member and element; another text as its own lines.

    >>> indent_json('{"a":[1,{}],"b":"x{')
    ['{', '  "a": [', '    1,', '    {}', '  ],', '  "b": "x{']
    """
    if not text.lstrip().startswith(("{", "[")):
        return text.splitlines()
    lines, line, depth, before = [], "", 0, ""
    for part in _PARTS.findall(text):
        if part in _CLOSING:
            depth = max(0, depth - 1)
        is_empty = before in _OPENING and part in _CLOSING
        if before and not is_empty and (before in {*_OPENING, ","} or part in _CLOSING):
            lines.append(line)
            line = _INDENT * min(depth, _MAX_INDENTS)
        line += ": " if part == ":" else part
        depth += part in _OPENING
        before = part
    return [*lines, line]
