"""The standard environment variables of OpenTelemetry and OpenLineage: whether a run is to be reported."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINEAGE_VARIABLES: Final = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG")


class Signal(StrEnum):
    """A signal of OpenTelemetry, as the variables name it."""

    TRACES = "TRACES"
    METRICS = "METRICS"


def exports_signal(environ: Mapping[str, str], signal: Signal) -> bool:
    """Return whether a signal is to be exported by OTLP."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    return any(map(environ.get, endpoints)) and environ.get(f"OTEL_{signal}_EXPORTER", "otlp") == "otlp"


def exports_lineage(environ: Mapping[str, str]) -> bool:
    """Return whether lineage is to be sent: one of OpenLineage's variables says where."""
    is_disabled = environ.get("OPENLINEAGE_DISABLED", "").lower() == "true"
    names_transport = any(name.startswith("OPENLINEAGE__TRANSPORT") for name in environ)
    return not is_disabled and (names_transport or any(map(environ.get, _LINEAGE_VARIABLES)))
