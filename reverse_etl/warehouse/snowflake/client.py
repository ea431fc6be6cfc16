"""The parts of snowflake-connector-python in use, with the same behaviour for 4.8 and 5.x.

The connector is imported late: its import takes half a second.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REWRITTEN_MAJOR_VERSION = (
    5  # the first major version on the rewritten core, which names its time-outs otherwise
)
NETWORK_TIMEOUT_SECONDS = (
    600  # how long one request is repeated; a statement may run for longer, and is then asked for again
)
PREFETCH_CHUNKS = 2  # result chunks read ahead: each may hold tens of MB


class ColumnDescription(Protocol):
    """A column of a result (PEP 249, `description`)."""

    @property
    def name(self) -> str:
        """Return the name as Snowflake folded it."""
        ...

    @property
    def type_code(self) -> int:
        """Return the connector's code for the type."""
        ...

    @property
    def precision(self) -> int | None:
        """Return the number of digits of a number."""
        ...

    @property
    def scale(self) -> int | None:
        """Return the number of digits after the point, of a number or of seconds."""
        ...


class Cursor(Protocol):
    """A statement and its result."""

    def execute(self, operation: str, params: Sequence[Any] | None = None, **options: Any) -> Any:
        """Run a statement with `?` for each parameter.

        `_statement_params` are Snowflake's parameters for it alone.
        """
        ...

    def describe(self, operation: str) -> Sequence[ColumnDescription] | None:
        """Compile a query and return its columns, without running it."""
        ...

    def fetchall(self) -> Sequence[Any]:
        """Return all remaining rows."""
        ...

    def fetchmany(self, size: int) -> Sequence[Any]:
        """Return at most `size` rows; none at the end."""
        ...

    def close(self) -> Any:
        """Release the result."""
        ...


class Connection(Protocol):
    """A session."""

    def cursor(self) -> Cursor:
        """Return a new cursor."""
        ...

    def close(self) -> Any:
        """Log out."""
        ...


def connect(arguments: Mapping[str, Any]) -> Connection:
    """Open a session. Raises the connector's errors, which are subclasses of `error_class()`."""
    import snowflake.connector  # noqa: PLC0415 - late, as the module says

    options = {
        "paramstyle": "qmark",
        "application": "reverse_etl",
        "client_prefetch_threads": PREFETCH_CHUNKS,
    }
    if int(snowflake.connector.__version__.split(".")[0]) < REWRITTEN_MAJOR_VERSION:
        options |= {"network_timeout": NETWORK_TIMEOUT_SECONDS, "platform_detection_timeout_seconds": 0}
    else:
        options |= {"enable_server_session_keep_alive_auto_detection": False}
        # Without it, 5.x asks the network for this machine's cloud; the argument of 4.8 has no effect.
        os.environ.setdefault("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true")
    # Each session that has ended would warn about future base classes of exceptions.
    warnings.filterwarnings("ignore", message=".*ReauthenticationRequest", category=FutureWarning)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of arguments that users can't change
        return cast("Connection", snowflake.connector.connect(**options | dict(arguments)))


def error_class() -> type[Exception]:
    """Return the root of the connector's errors."""
    import snowflake.connector  # noqa: PLC0415 - as above

    return snowflake.connector.Error
