"""The surface `request`: rows sent to any endpoint of Klaviyo, by a request that the model describes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reverse_etl.klaviyo.custom_requests import TextTemplate
from reverse_etl.surfaces.interface import (
    Blocking,
    Columns,
    DiffKind,
    Guards,
    ListRule,
    OtherColumns,
    Phase,
    Surface,
)
from reverse_etl.surfaces.operations import SendRequests
from reverse_etl.surfaces.request_template import SUCCESS, Repeat, RequestMode, RequestTemplate

if TYPE_CHECKING:
    from collections.abc import Sequence

# Stands in the catalog for the requests of models, and is never sent.
_NO_REQUEST: Final = RequestTemplate(
    method="GET",
    path=TextTemplate("/api/accounts"),
    query={},
    headers={},
    body=None,
    row=None,
    mode=RequestMode.ONE,
    group_by=(),
    max_rows=1,
    max_bytes=0,
    success=SUCCESS,
    repeat=Repeat.SAFE,
    meanings={},
)

REQUEST: Final = Surface(
    "request",
    list_rule=ListRule.NONE,
    columns=Columns(OtherColumns.FIELDS, identifiers=()),
    diff=DiffKind.STATE,
    phase=Phase.RECORDS,
    blocking=Blocking.ROWS,
    guards=Guards(min_rows=0),
    upsert=SendRequests(_NO_REQUEST),
    described_by_model=True,
)


@dataclass(frozen=True)
class RequestSettings:
    """The settings of a model that describes its requests.

    `key` names the columns of the row key. `on_update` is sent for a changed row, `request` otherwise.
    `on_remove` is sent for a row that leaves the model, and can use
    the columns of the key alone. If `append`, a known key is never sent again.
    """

    key: Sequence[str]
    request: RequestTemplate
    on_update: RequestTemplate | None = None
    on_remove: RequestTemplate | None = None
    append: bool = False


def configure(settings: RequestSettings) -> Surface:
    """Return the surface of a model.

    The columns by which requests are grouped begin its row key: rows are sent in the order of their keys.
    """
    group_by = settings.request.group_by
    return replace(
        REQUEST,
        columns=replace(
            REQUEST.columns, key=(*group_by, *(name for name in settings.key if name not in group_by))
        ),
        diff=DiffKind.APPEND_ONLY if settings.append else DiffKind.STATE,
        guards=Guards(min_rows=1 if settings.on_remove else 0),
        upsert=SendRequests(settings.request, settings.on_update),
        remove=SendRequests(settings.on_remove, removes=True) if settings.on_remove else None,
    )
