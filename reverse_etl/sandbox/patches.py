"""`meta.patch_properties` of a profile: append to and remove from arrays, and unset custom properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.sandbox.replies import ErrorObject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def find_meta_errors(meta: Any, pointer: str) -> Iterator[ErrorObject]:
    """Yield the errors of a profile's `meta`, which may be null."""
    if meta is None:
        return
    if not isinstance(meta, dict):
        yield ErrorObject("'meta' should be an object.", pointer)
        return
    for name in meta.keys() - {"patch_properties"}:
        yield ErrorObject(f"'{name}' is not known to this sandbox.", f"{pointer}/{name}")
    patch = meta.get("patch_properties")
    if not isinstance(patch, dict | None):
        yield ErrorObject("'patch_properties' should be an object.", f"{pointer}/patch_properties")
        return
    for name, value in (patch or {}).items():
        if not _is_patch(name, value):
            yield ErrorObject(f"'{name}' is not a valid patch.", f"{pointer}/patch_properties/{name}")


def apply_patch(attributes: dict[str, Any], meta: Mapping[str, Any] | None) -> bool:
    """Change the custom properties in `attributes`; return whether anything changed.

    A value is appended as often as it is sent. A property that is not an array becomes one first.
    """
    patch = (meta or {}).get("patch_properties") or {}
    properties = dict(attributes.get("properties", {}))
    for name, values in (patch.get("append") or {}).items():
        properties[name] = [*_to_list(properties.get(name)), *_to_list(values)]
    for name, values in (patch.get("unappend") or {}).items():
        if name in properties:
            removed = _to_list(values)
            properties[name] = [item for item in _to_list(properties[name]) if item not in removed]
    for name in _to_list(patch.get("unset")):
        properties.pop(name, None)
    changed: bool = properties != attributes.get("properties", {})
    if changed:
        attributes["properties"] = properties
    return changed


def _is_patch(name: str, value: Any) -> bool:
    if name == "unset":
        return value is None or all(isinstance(item, str) for item in _to_list(value))
    return name in {"append", "unappend"} and isinstance(value, dict | None)


def _to_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
