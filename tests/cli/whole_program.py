"""Imports every module and compiles every SQL template, in the process that commands are forked from.

Each command would import what it needs and compile its templates again, which takes longer than its work.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

import reverse_etl
from reverse_etl.warehouse.sql_template import _ENVIRONMENT

for _module in walk_packages(reverse_etl.__path__, "reverse_etl."):
    if not _module.name.endswith("__main__"):
        import_module(_module.name)
for _name in _ENVIRONMENT.list_templates(filter_func=lambda name: name.endswith(".sql.j2")):
    _ENVIRONMENT.get_template(_name)
