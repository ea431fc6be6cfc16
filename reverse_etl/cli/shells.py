"""Completion in bash and fish where click's own breaks values: names with blanks, colons or commas."""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from click.shell_completion import BashComplete, FishComplete, add_completion_class

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_CURSOR: Final = "\x00"  # in no command line
_BASH: Final = """\
%(complete_func)s() {
    local type value
    COMPREPLY=()
    while IFS=',' read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" \
%(complete_var)s=bash_complete "$1" 2>/dev/null)
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class BashCompletion(BashComplete):
    """Gets the line as it is typed, since bash cuts words at colons, and returns words quoted as bash needs.

    bash replaces only what follows the last `:`, `=` or `@` of an unquoted word, and inside quotes the value
    itself.
    """

    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor without the program, and the word at the cursor."""
        words, _ = _split_line(os.environ["COMP_LINE"])
        return words[1:-1], words[-1]

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return the part of a value that bash inserts."""
        words, quote = _split_line(os.environ["COMP_LINE"])
        if item.type != "plain" or quote:
            return f"{item.type},{item.value}"
        word, value = words[-1], item.value
        if word.startswith("--") and not value.startswith(
            "-"
        ):  # --option=value: the value alone is completed
            value = f"{word.partition('=')[0]}={value}"
        breaks = set(os.environ.get("COMP_BREAKS", "")) & set(":=@")
        start = max((word.rfind(sign) + 1 for sign in breaks), default=0)
        return f"{item.type},{_escape(value[start:])}"


class FishCompletion(FishComplete):
    """Lets a value have commas."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split -m 1 ","')


def _split_line(line: str) -> tuple[list[str], str]:
    """Return the words of a line, of which the last is at the cursor, and the quote that is open there."""
    for quote in ("", "'", '"'):
        with suppress(ValueError):
            words = shlex.split(line + _CURSOR + quote)
            return [*words[:-1], words[-1].removesuffix(_CURSOR)], quote
    return [""], ""


def _escape(text: str) -> str:
    """Return a text as an unquoted word, with a backslash before each sign that a shell would read."""
    return "".join(sign if sign.isalnum() or sign in "-_.:=@/+," else f"\\{sign}" for sign in text)


def install_completion() -> None:
    """Let bash and fish complete with the classes above."""
    add_completion_class(BashCompletion)
    add_completion_class(FishCompletion)
