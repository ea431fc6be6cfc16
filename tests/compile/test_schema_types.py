"""The types of the schemas of user input can be resolved at runtime."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

import pytest

import reverse_etl
from reverse_etl.parsing.validation import StrictModel


def schemas() -> list[type[StrictModel]]:
    """Return all schemas of the package."""
    for module in pkgutil.walk_packages(reverse_etl.__path__, "reverse_etl."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    classes, waiting = set[type[StrictModel]](), [StrictModel]
    while waiting:
        classes |= {waiting[-1]}
        waiting += waiting.pop().__subclasses__()
    return sorted(classes, key=lambda schema: (schema.__module__, schema.__qualname__))


def types_in(annotation: Any) -> list[Any]:
    """Return the types that an annotation is made of."""
    return [annotation, *(part for argument in get_args(annotation) for part in types_in(argument))]


@pytest.mark.parametrize("schema", schemas(), ids=lambda schema: schema.__qualname__)
def test_a_dataclass_in_a_schema_names_types_that_are_imported(schema: type[StrictModel]) -> None:
    """The oldest pydantic that is allowed resolves them, and fails if one is imported for types only."""
    for field in schema.model_fields.values():
        for part in types_in(field.annotation):
            if is_dataclass(part) and isinstance(part, type):
                get_type_hints(part)
