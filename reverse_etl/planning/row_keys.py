"""Whether the rows of a model are still found by the keys that they were sent with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.identifiers import KEY_TYPE
from reverse_etl.errors import UsageError

if TYPE_CHECKING:
    from reverse_etl.models.model import Model
    from reverse_etl.state import ModelRecord


def is_rekeyed(model: Model, model_record: ModelRecord | None, *, allowed: bool) -> bool:
    """Return whether a model's identifiers changed since its last run.

    Raises UsageError if they did, unless that is `allowed`; and always if the columns of the row key changed.
    """
    current = model.config.row_key
    if model_record is None or model_record.identifiers == current:
        return False
    previous = ", ".join(f"{kind}: {name}" for kind, name in model_record.identifiers)
    if KEY_TYPE in {kind for kind, _ in (*current, *model_record.identifiers)}:
        raise UsageError.of(
            f"The row key of this model changed. Its rows were sent with {previous}.",
            where=f"{model.path} (model {model.name})",
            models=(model.name,),
            hint="Restore the key, or rename the model: then all of its rows are new.",
        )
    if not allowed:
        raise UsageError.of(
            f"The identifiers of this model changed. Its rows were sent with {previous}.",
            where=f"{model.path} (model {model.name})",
            models=(model.name,),
            hint=f"Restore them, or show what the change means: reverse-etl plan --rekey {model.name}",
        )
    return True
