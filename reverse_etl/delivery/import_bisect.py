"""Take a refused import apart.

Klaviyo refuses a request whole for one bad row, and points at the rows it found. Pure. Rows that are pointed
at are refused and the rest is sent again. When so many are refused for one reason that the fault can't be the
rows', everything stops. When five rounds were not enough, the batch is halved until the bad rows stand alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.formatting import counted, sentence
from reverse_etl.klaviyo.batching import Batch, halves, split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.klaviyo.imports import RowError

ROUNDS = 5
MANY_ROWS = 100
MANY_SHARE = 0.1


@dataclass(frozen=True)
class Apart:
    """Send `batches` (none, one, or two halves) next.

    `refused` are the numbers of the rows at fault, with Klaviyo's word.
    """

    batches: tuple[Batch, ...]
    refused: Mapping[int, RowError]


@dataclass(frozen=True)
class NotTheRows:
    """The fault is the model's or the account's.

    Nothing of this list is sent any more, and no row is rejected.
    """

    reason: str


def take_apart(batch: Batch, errors: Mapping[int, RowError], rounds: int, size: int) -> Apart | NotTheRows:
    """Say what to do after a refusal.

    `errors` are by index in `batch`, `rounds` counts the refusals so far, `size` is how many rows the batch
    had at first.
    """
    known = {index: error for index, error in errors.items() if 0 <= index < len(batch)}
    if not known:
        return NotTheRows(
            f"Klaviyo refused the request, and pointed at no row that was in it. {sentence(_first(errors))}"
        )
    if (fault := mass_fault([*known.values()], size)) is not None:
        return NotTheRows(fault)
    if rounds > ROUNDS and len(batch) > 1:
        return Apart(halves(batch), {})
    rest, _ = split(batch, known)
    return Apart((rest,) if rest else (), {batch.seqs[index]: error for index, error in known.items()})


def mass_fault(errors: list[RowError], size: int) -> str | None:
    """Return why so many refusals can't be the rows' fault.

    Over 10 % and over 100 of `size` rows with one code and field.
    """
    if not errors:
        return None
    (code, field), count = Counter((error.code, error.field) for error in errors).most_common(1)[0]
    if count <= MANY_ROWS or count <= MANY_SHARE * size:
        return None
    detail = next(error.detail for error in errors if (error.code, error.field) == (code, field))
    what = f"{code} at {field}" if field else code
    return (
        f"Klaviyo refused {count:,} of {counted(size, 'row')} of one request for the same reason, "
        f"which can't be the rows' ({what}). {sentence(detail)}"
    )


def _first(errors: Mapping[int, RowError]) -> str:
    return next((error.detail for error in errors.values()), "No error was given.")
