"""Faults that change a reply: members missing or replaced, endless pages, endless bytes, slow bytes."""

from __future__ import annotations

import uuid
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.sandbox.faults import Fault, FaultKind
from reverse_etl.sandbox.replies import JSON_API, ApiResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reverse_etl.sandbox.ask import ApiRequest

REPLY_KINDS: Final = frozenset(
    {FaultKind.OMIT, FaultKind.SET, FaultKind.DRIP, FaultKind.ENDLESS, FaultKind.FLOOD}
)
_CURSOR: Final = "page[cursor]"
_ENDLESS_PREFIX: Final = "endless-"
_MEGABYTE: Final = 1_000_000


def change_request(fault: Fault, request: ApiRequest) -> ApiRequest:
    """Return the request as its endpoint sees it: a page that only an endless fault knows is the first."""
    if fault.kind is FaultKind.ENDLESS and request.query.get(_CURSOR, "").startswith(_ENDLESS_PREFIX):
        query = {name: value for name, value in request.query.items() if name != _CURSOR}
        return replace(request, query=query)
    return request


def change_reply(
    fault: Fault, request: ApiRequest, response: ApiResponse, pause: Callable[[float], None]
) -> ApiResponse:
    """Return the reply after a fault of `REPLY_KINDS`. `pause` waits on the sandbox's clock."""
    match fault.kind:
        case FaultKind.DRIP:
            return replace(response, before_each_byte=lambda: pause(fault.seconds))
        case FaultKind.FLOOD:
            return _flood(fault.rows)
        case FaultKind.ENDLESS:
            return _link_to_next_page(request, response)
        case _:
            for parent, name in _find_members(response.body, fault.field.strip("/").split("/")):
                _change_member(fault, parent, name)
            return response


def _link_to_next_page(request: ApiRequest, response: ApiResponse) -> ApiResponse:
    links = response.body.get("links") if isinstance(response.body, dict) else None
    if isinstance(links, dict) and not links.get("next"):
        links["next"] = request.url(page_cursor=_ENDLESS_PREFIX + uuid.uuid4().hex)
    return response


def _flood(megabytes: int) -> ApiResponse:
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)  # 31: with gzip's header
    blanks = b" " * _MEGABYTE
    packed = b"".join(compressor.compress(blanks) for _ in range(megabytes)) + compressor.flush()
    return ApiResponse(200, text=packed, headers={"Content-Encoding": "gzip", "Content-Type": JSON_API})


def _find_members(document: Any, names: list[str]) -> Iterator[tuple[Any, str]]:
    """Yield the object and the name of each member at a JSON pointer; `*` is each element of a list."""
    name, rest = names[0], names[1:]
    if name == "*":
        for item in document if isinstance(document, list) and rest else []:
            yield from _find_members(item, rest)
    elif isinstance(document, dict) and rest:
        yield from _find_members(document.get(name), rest)
    elif isinstance(document, dict):
        yield document, name


def _change_member(fault: Fault, parent: dict[str, Any], name: str) -> None:
    if fault.kind is FaultKind.OMIT:
        parent.pop(name, None)
    else:
        parent[name] = fault.value
