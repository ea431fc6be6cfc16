"""Compiled statements, kept where Python keeps compiled modules: in `__pycache__` beside their files.

As for modules, `PYTHONDONTWRITEBYTECODE` and `PYTHONPYCACHEPREFIX` are followed, and a folder that can't be
written keeps nothing. A file is used only for the text and the checks from which it was made.
"""

from __future__ import annotations

import hashlib
import io
import sys
from contextlib import suppress
from importlib.machinery import SourceFileLoader
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from jinja2 import BytecodeCache

import reverse_etl

if TYPE_CHECKING:
    from jinja2.bccache import Bucket


class TemplateCache(BytecodeCache):
    """Keeps compiled templates; `checks` is the Python file that decides what is compiled.

    It is missing where an application was packed without its sources: then only the versions count.
    """

    def __init__(self, checks: Path) -> None:
        self._checks = f"{reverse_etl.__version__} {jinja2.__version__}".encode()
        with suppress(OSError):
            self._checks += checks.read_bytes()

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Return the path at which a template is kept."""
        return cache_from_source(filename or name)

    def get_source_checksum(self, source: str) -> str:
        """Return a hash of a template's text, and of everything else on which its code depends."""
        return hashlib.sha256(self._checks + b"\0" + source.encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load a template, if it is kept."""
        try:
            bucket.load_bytecode(io.BytesIO(Path(bucket.key).read_bytes()))
        except OSError:  # nothing is kept
            return
        except Exception:  # noqa: BLE001 - the bytes of a damaged file may raise anything: it is compiled again
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template, unless Python keeps no modules either."""
        if sys.dont_write_bytecode:
            return
        content = io.BytesIO()
        bucket.write_bytecode(content)
        # The loader of modules writes at once or not at all, and ignores a folder that can't be written.
        SourceFileLoader("", bucket.key).set_data(bucket.key, content.getvalue())
