"""Settings of the documentation site: Sphinx with Markdown pages. `make docs` builds it without a network."""

from __future__ import annotations

from importlib.metadata import version as installed_version
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


def setup(app: Sphinx) -> None:
    """Color the SQL of models: it has Jinja inside."""
    app.add_lexer("sql", SqlJinjaLexer)
    app.add_lexer("rooms", TextLexer)  # the drawing of the packages
