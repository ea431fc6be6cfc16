"""The surface `suppressions`: e-mails that get no marketing at all, whatever their consent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Literal

from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.klaviyo.endpoints import Endpoint
from reverse_etl.klaviyo.suppressions import MAX_EMAILS
from reverse_etl.surfaces.interface import (
    Blocking,
    Columns,
    DiffKind,
    Guards,
    ListRule,
    OtherColumns,
    Phase,
    Surface,
    SurfaceSettings,
)
from reverse_etl.surfaces.operations import ChangeSuppressions
from reverse_etl.surfaces.read_back import ReadSuppressions

_UNSUPPRESS: Final = ChangeSuppressions(
    Endpoint.UNSUPPRESS, Endpoint.UNSUPPRESSION, max_rows=MAX_EMAILS, removes=True
)

_SUPPRESSED: Final = "These people get no marketing e-mail from then on, whatever their consent."


class SuppressionSettings(SurfaceSettings):
    """The settings of a model of suppressions.

    With `on_remove='unsuppress'`, who leaves the model is unsuppressed, if the model suppressed them.
    """

    on_remove: Literal["unsuppress"] | None = None

    def configure(self, surface: Surface) -> Surface:
        """Return the surface of a model with these settings."""
        if self.on_remove is None:
            return surface
        return replace(
            surface,
            guards=Guards(min_rows=1),
            remove=_UNSUPPRESS,
            upsert_effect=_SUPPRESSED,
            remove_effect="People that this model suppressed may get marketing e-mail again.",
        )

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return {"on_remove": self.on_remove}


SUPPRESSIONS: Final = Surface(
    "suppressions",
    list_rule=ListRule.NONE,
    columns=Columns(OtherColumns.REFUSED, identifiers=(IdentifierType.EMAIL,)),
    diff=DiffKind.STATE,
    phase=Phase.SUPPRESSIONS,
    blocking=Blocking.ROWS,
    guards=Guards(min_rows=0),
    upsert=ChangeSuppressions(Endpoint.SUPPRESS, Endpoint.SUPPRESSION, max_rows=MAX_EMAILS),
    settings=SuppressionSettings,
    read_back=ReadSuppressions(),
    upsert_effect=f"{_SUPPRESSED} The suppression stays when the row leaves the model.",
)
