"""Imports every module and prepares what commands use, in the process that commands are forked from.

Each command would import what it needs, compile its SQL templates and build its validators again, which takes
longer than its work.
"""

from __future__ import annotations

import gc
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING

from pydantic import BaseModel

import reverse_etl
from reverse_etl.warehouse.sql_template import _ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterator


def _subclasses(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


for _module in walk_packages(reverse_etl.__path__, "reverse_etl."):
    if not _module.name.endswith("__main__"):
        import_module(_module.name)
for _name in _ENVIRONMENT.list_templates(filter_func=lambda name: name.endswith(".sql.j2")):
    _ENVIRONMENT.get_template(_name)
for _validated in _subclasses(BaseModel):
    _validated.model_rebuild()
gc.collect()
gc.freeze()  # a command need not look for garbage in what is imported, and its memory stays shared
