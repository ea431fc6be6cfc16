"""The form that adds a fault: its choices, and the fault that a filled form describes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from reverse_etl.errors import UsageError
from reverse_etl.sandbox.faults import Fault, FaultKind

if TYPE_CHECKING:
    from collections.abc import Mapping

METHODS: Final = ("*", "GET", "POST", "PATCH", "DELETE")
PAYLOADS: Final = ("attributes", "resource", "none")


@dataclass(frozen=True)
class KindChoice:
    """A kind of fault: what it does, and the fields that it uses beside those of all kinds."""

    kind: FaultKind
    effect: str
    fields: tuple[str, ...] = ()


KIND_CHOICES: Final = (
    KindChoice(FaultKind.STATUS, "answer with an error status", ("status", "retry_after", "after")),
    KindChoice(FaultKind.CUT, "close the connection without a response", ("after",)),
    KindChoice(FaultKind.SLOW, "answer late", ("seconds",)),
    KindChoice(FaultKind.HTML, "answer 200 with an HTML page, as a proxy may do", ("after",)),
    KindChoice(FaultKind.DRIP, "send each byte of the response after a pause", ("seconds",)),
    KindChoice(FaultKind.OMIT, "leave members out of the response", ("field",)),
    KindChoice(FaultKind.SET, "put a value in the place of members of the response", ("field", "value")),
    KindChoice(FaultKind.ENDLESS, "link the last page of a collection to another one, without end"),
    KindChoice(FaultKind.FLOOD, "answer with a small body that unpacks to megabytes", ("rows",)),
    KindChoice(FaultKind.TOO_LARGE, "refuse an import that has more rows than this", ("rows",)),
    KindChoice(FaultKind.INVALID_REQUEST, "refuse an import without pointing at a row", ("field", "pattern")),
    KindChoice(FaultKind.INVALID_ROWS, "refuse an import, pointing at rows", ("field", "pattern")),
    KindChoice(
        FaultKind.REFUSE_ROWS, "fail rows in the job", ("field", "pattern", "code", "detail", "payload")
    ),
    KindChoice(FaultKind.MISCOUNT, "fail rows without an error that names them", ("rows",)),
    KindChoice(FaultKind.CANCEL, "end a job as cancelled after this number of rows", ("rows",)),
    KindChoice(FaultKind.STALL, "leave a job in processing for ever"),
    KindChoice(FaultKind.FORGET, "answer 404 for a job after a while", ("seconds",)),
)
DEFAULTS: Final = {
    name: "" if value is None else str(value) for name, value in Fault(FaultKind.STATUS).to_dict().items()
} | {"after": ""}


def parse_fault_form(form: Mapping[str, str]) -> Fault:
    """Return the fault of a filled form. Raises UsageError, as `Fault.parse` does.

    An empty field has its default, but an empty `times` means: until the fault is cleared. Only the fields
    of the chosen kind count.
    """
    chosen = next((choice for choice in KIND_CHOICES if choice.kind == form.get("kind")), None)
    used = {"kind", "method", "path", "probability", "seed", *(chosen.fields if chosen else ())}
    document: dict[str, Any] = {
        name: value.strip() for name, value in form.items() if name in used and value.strip()
    }
    document["times"] = form.get("times", "").strip() or None
    if "after" in document:
        document["after"] = True
    if "value" in document:
        document["value"] = _parse_value(document["value"])
    return Fault.parse(document)


def _parse_value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UsageError.of(
            f"The value is not JSON: {error}.", hint='Write a text with quotes: "paused".'
        ) from error
