"""Refuses to send requests that Klaviyo retired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.errors import ModelError, Problem
from reverse_etl.formatting import format_location
from reverse_etl.surfaces.request_rules import LIST_WAYS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reverse_etl.models.model import Model


def refuse_retired(models: Iterable[Model]) -> None:
    """Raise ModelError if a model's request is one of an API that Klaviyo retired."""
    problems = [
        Problem(
            f"The model {model.name} describes a request of Klaviyo's API v2, which Klaviyo retired on "
            "2024-06-30. It is never sent.",
            format_location(model.path),
            LIST_WAYS,
            models=(model.name,),
        )
        for model in models
        for operation in (model.config.surface.upsert, model.config.surface.remove)
        if operation is not None and operation.is_retired
    ]
    if problems:
        raise ModelError(*problems)
