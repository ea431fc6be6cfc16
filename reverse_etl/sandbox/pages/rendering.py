"""Render the pages: their templates, filters and security headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from flask import Response, g

from reverse_etl.formatting import escape_unsafe
from reverse_etl.parsing.page_templates import create_page_environment
from reverse_etl.sandbox.pages.json_text import indent_json
from reverse_etl.sandbox.times import to_iso
from reverse_etl.sandbox.web_security import generate_nonce, page_headers

if TYPE_CHECKING:
    from jinja2 import Environment

    from reverse_etl.sandbox.account import SandboxAccount

_HTML: Final = "text/html; charset=utf-8"


def render_response(account: SandboxAccount, template: str, status: int = 200, **values: Any) -> Response:
    """Return a page as a response that allows no script, style or form but its own.

    `flask.g.version` is the version of the state before the page's values were read.
    """
    nonce = generate_nonce()
    text = _ENVIRONMENT.get_template(f"{template}.html.j2").render(
        nonce=nonce,
        account=account.id,
        path=account.store.path,
        now=account.now(),
        version=g.version,
        **values,
    )
    return Response(text, status, headers=page_headers(nonce), content_type=_HTML)


def _format_time(seconds: float | None) -> str:
    return (to_iso(seconds) or "")[:19].replace("T", " ")


def _format_json(value: Any) -> str:
    """Return a value as it is in JSON, a text without its quotes."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _split_body(body: bytes) -> list[str]:
    text = body.decode(errors="replace")
    return [escape_unsafe(line, keep="\t") for line in indent_json(text)]


def _create_environment() -> Environment:
    environment = create_page_environment("reverse_etl.sandbox")
    environment.filters |= {
        "n": "{:,}".format,
        "when": _format_time,
        "json": _format_json,
        "body_lines": _split_body,
    }
    return environment


_ENVIRONMENT: Final = _create_environment()
