"""Make row exceptions of errors: of Klaviyo's, of refused requests, and of values that can't be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reverse_etl.domain.receipts import RowException, RowExceptionKind
from reverse_etl.domain.rejections import UNENCODABLE
from reverse_etl.klaviyo.imports import RowError

if TYPE_CHECKING:
    from reverse_etl.errors import UnusableReply
    from reverse_etl.klaviyo.serialize import EncodingError


def make_row_exception(
    seq: int, error: RowError, kind: RowExceptionKind = RowExceptionKind.REJECTED
) -> RowException:
    """Return the exception of a row with an error of Klaviyo's."""
    return RowException(seq, kind, error.code, error.field, error.detail)


def make_unencodable_exception(seq: int, error: EncodingError) -> RowException:
    """Return the exception of a row with a value that can't be sent."""
    return RowException(seq, RowExceptionKind.REJECTED, UNENCODABLE, error.field, error.reason)


def read_row_error(error: UnusableReply, field: str) -> RowError:
    """Return the refusal of a request of one row as the row's error."""
    return RowError(error.code or str(error.status), field, error.detail or str(error))
