"""JSON Schemas of what users write, for editors: the destinations of profiles.yml, and settings of models.

They are made of the schemas that check the values. A value that a template prints may be text where another
type is expected, and what a validator accepts in a short form is added here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from reverse_etl.config.destinations import DestinationInput
from reverse_etl.config.journal import Pii
from reverse_etl.config.notify import ALERT_KINDS
from reverse_etl.domain.identifiers import IdentifierType
from reverse_etl.domain.null_rules import OnNull
from reverse_etl.models.config import config_schema
from reverse_etl.models.key_descriptions import KEY_DESCRIPTIONS
from reverse_etl.models.request_input import RequestInput
from reverse_etl.surfaces.catalog import SURFACES, surface_names

if TYPE_CHECKING:
    from pydantic import BaseModel

Schema = dict[str, Any]
_DIALECT: Final = "http://json-schema.org/draft-07/schema#"
_TEMPLATE: Final[Schema] = {"type": "string", "pattern": r"\{\{"}
_ON_NULL: Final[Schema] = {"enum": [rule.value for rule in OnNull]}
_LIMIT: Final[Schema] = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {
            "type": "object",
            "properties": {name: {"type": "number", "minimum": 0} for name in ("share", "floor", "cap")},
            "additionalProperties": False,
        },
    ]
}
_ACCEPTED: Final[Schema] = {
    "surface": {"enum": [*surface_names()]},
    "identifiers": {
        "type": "object",
        "propertyNames": {"enum": [kind.value for kind in IdentifierType]},
        "additionalProperties": {"type": "string"},
    },
    "tags": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "on_null": {"anyOf": [_ON_NULL, {"type": "object", "additionalProperties": _ON_NULL}]},
    **dict.fromkeys(("max_removes", "max_adds", "max_updates", "max_rejected", "max_clears"), _LIMIT),
}


class SchemaName(StrEnum):
    """The files for which there is a schema."""

    PROFILES = "profiles.yml"
    DBT = "dbt"


def build_editor_schema(name: SchemaName) -> Schema:
    """Return the JSON Schema of profiles.yml, or of dbt's YAML files."""
    match name:
        case SchemaName.PROFILES:
            return _profiles_schema()
        case SchemaName.DBT:
            return _dbt_schema()


def _profiles_schema() -> Schema:
    """Return the schema of profiles.yml; dbt's own keys are free."""
    definitions: Schema = {}
    destination = _take_definitions(DestinationInput, definitions)
    destination["properties"]["type"] = {"const": "klaviyo"}
    destination["properties"]["journal"]["anyOf"].insert(0, {"type": "string"})  # how long rows are kept
    definitions["JournalInput"]["properties"]["pii"]["enum"] = [*Pii]
    definitions["destination"] = destination
    definitions["NotifyInput"]["properties"]["kinds"]["items"] = {"enum": [*ALERT_KINDS]}
    profile = {
        "type": "object",
        "properties": {
            "destinations": {
                "description": "Where rows are sent; the names are those of targets in outputs.",
                "type": "object",
                "additionalProperties": {"$ref": "#/definitions/destination"},
            }
        },
    }
    return _document(
        "profiles.yml with destinations of reverse-etl",
        {"properties": {"config": {}}, "additionalProperties": profile},
        definitions,
    )


def _dbt_schema() -> Schema:
    """Return the schema of dbt's YAML files with `meta.reverse_etl`; dbt's own keys are free."""
    definitions: Schema = {}
    settings = _settings_schema(definitions)
    meta = {"type": "object", "properties": {"reverse_etl": {"$ref": "#/definitions/model"}}}
    node = {
        "type": "object",
        "properties": {"meta": meta, "config": {"type": "object", "properties": {"meta": meta}}},
    }
    nodes = {"type": "array", "items": node}
    return _document(
        "dbt's YAML files with meta.reverse_etl",
        {"properties": dict.fromkeys(("models", "seeds", "snapshots"), nodes)},
        {"model": settings} | definitions,
    )


def _settings_schema(definitions: Schema) -> Schema:
    """Return the schema of a model's settings: those of all surfaces, each allowed where a surface has it."""
    properties: Schema = {}
    rules: list[Schema] = []
    for surface in SURFACES:
        own = _take_definitions(config_schema(surface.settings), definitions)["properties"]
        for name, schema in own.items():
            known = properties.setdefault(name, schema)
            if known != schema:
                variants = known["anyOf"] if "x-variants" in known else [known]
                properties[name] = {"anyOf": [*variants, schema], "x-variants": True}
        rules.append({"if": _has_surface(surface.name), "then": {"propertyNames": {"enum": sorted(own)}}})
    for schema in properties.values():
        schema.pop("x-variants", None)
    requests = _take_definitions(RequestInput, definitions)
    properties |= _ACCEPTED | {"request": requests}
    return {
        "type": "object",
        "properties": properties,
        "required": ["surface"],
        "additionalProperties": False,
        "allOf": rules,
    }


def _has_surface(name: str) -> Schema:
    return {"properties": {"surface": {"const": name}}, "required": ["surface"]}


def _take_definitions(schema_class: type[BaseModel], definitions: Schema) -> Schema:
    """Return the schema of a class; the definitions that it refers to are added to `definitions`."""
    schema = _adapt(schema_class.model_json_schema(by_alias=True, ref_template="#/definitions/{model}"))
    definitions |= schema.pop("$defs", {})
    return {name: value for name, value in schema.items() if name not in {"title", "description"}}


def _adapt(schema: Any) -> Any:
    """Return a schema without titles, in which a number or a truth value may be the text of a template."""
    if isinstance(schema, list):
        return [_adapt(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    adapted = {
        name: {key: _adapt(part) for key, part in value.items()} if name == "properties" else _adapt(value)
        for name, value in schema.items()
        if not (name == "title" and isinstance(value, str))
    }
    if adapted.get("type") in {"integer", "number", "boolean"}:
        notes = {name: adapted.pop(name) for name in ("default", "description") if name in adapted}
        return {"anyOf": [adapted, _TEMPLATE], **notes}
    return adapted


def _document(title: str, schema: Schema, definitions: Schema) -> Schema:
    request = definitions.get("model", {}).get("properties", {}).get("request", {})
    for name, described in ({"request": request} | definitions).items():
        descriptions = KEY_DESCRIPTIONS.get(name, {})
        for key, key_schema in described.get("properties", {}).items():
            texts = (descriptions.get(key, ""), key_schema.get("description", ""))
            described["properties"][key] = {**key_schema, "description": " ".join(filter(None, texts))}
    return {"$schema": _DIALECT, "title": title, "type": "object", **schema, "definitions": definitions}
