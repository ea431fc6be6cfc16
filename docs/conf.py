"""Settings of the documentation site: Sphinx with Markdown pages. `make docs` builds it without a network."""

from __future__ import annotations

from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

from pygments.lexers.special import TextLexer
from pygments.lexers.templates import SqlJinjaLexer

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "reverse_etl"
author = "the authors of reverse_etl"
release = installed_version("reverse-etl")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
exclude_patterns = ["schedules/*"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_title = "reverse_etl"
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False


# The theme's pages lack this: wide code and tables are scrolled by keyboard, and headings have a level.
ACCESSIBLE = {
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
    ' role="heading">': ' role="heading" aria-level="2">',
}


def make_accessible(app: Sphinx, error: Exception | None) -> None:
    """Change the written pages by `ACCESSIBLE`. May be repeated."""
    if error is not None or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for lacking, complete in ACCESSIBLE.items():
            text = text.replace(lacking, complete)
        page.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Color the SQL of models, which has Jinja inside, and complete the pages."""
    app.connect("build-finished", make_accessible)
    app.add_lexer("sql", SqlJinjaLexer)
    app.add_lexer("rooms", TextLexer)  # the drawing of the packages
