"""The Jinja environment of HTML pages: every value is escaped, and all pages have the same colours."""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from reverse_etl.formatting import escape_page_value, format_count


def create_page_environment(package: str) -> Environment:
    """Return the environment of a package's pages; its `templates` may include `palette.css`."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("reverse_etl.parsing")]),
        autoescape=True,
        finalize=escape_page_value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["counted"] = format_count
    return environment
