"""docs/keys.md lists all keys with their meaning, values and defaults, as the JSON Schemas have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.gold import Gold

DOCS = Path(__file__).parents[1] / "docs"
_INTRODUCTION = """\
# All keys

Taken from the [JSON Schemas](editors.md). The pages that are named say more.
A number or a truth value may be a template, such as `"{{ env_var('SANDBOX') }}"`.
"""
_TABLES = {
    "A destination": ("profiles", "destination", "[profiles.md](profiles.md)"),
    "Alerts: `notify`": ("profiles", "NotifyInput", "[alerts.md](alerts.md)"),
    "The journal: `journal`": ("profiles", "JournalInput", "[journal.md](journal.md)"),
    "A model: `config()` and `meta.reverse_etl`": ("dbt", "model", "[models.md](models.md#config)"),
}


def describe_values(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:  # noqa: C901, PLR0911 - a table
    """Return in words which values a schema takes."""
    match schema:
        case {"$ref": str(name)}:
            return describe_values(definitions[name.rpartition("/")[2]], definitions)
        case {"anyOf": [*choices]}:
            # The template of a number is in the introduction, and null is the default.
            known = [one for one in choices if "pattern" not in one and one.get("type") != "null"]
            return " or ".join(dict.fromkeys(describe_values(one, definitions) for one in known))
        case {"const": value}:
            return f"`{value}`"
        case {"enum": [*values]}:
            return ", ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": items}:
            return f"a list of: {describe_values(items, definitions)}"
        case {"properties": dict(keys)}:
            return f"keys {', '.join(f'`{key}`' for key in keys)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"name to {describe_values(values, definitions)}"
        case {"type": "string"}:
            return "text"
        case {"type": "integer" | "number" as kind}:
            names = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to"}
            return " ".join(
                [kind, *(f"{word} {schema[limit]:,}" for limit, word in names.items() if limit in schema)]
            )
        case {"type": "boolean"}:
            return "`true`, `false`"
    return "a mapping"


def rows(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[str]:
    """Yield a row of the table for each key, in order."""
    for key, value in schema["properties"].items():
        default = json.dumps(value.get("default")).strip('"')
        shown = "required" if key in schema.get("required", ()) else ""
        if default[:1] not in {"", "[", "{"} and default != "null":
            shown = f"`{default}`"
        yield f"| `{key}` | {value['description']} | {describe_values(value, definitions)} | {shown} |"


def test_the_page_of_keys_is_that_of_the_schemas(gold: Gold) -> None:
    parts = [_INTRODUCTION]
    for title, (file, name, page) in _TABLES.items():
        definitions = json.loads((DOCS / "schemas" / f"{file}.schema.json").read_text("utf-8"))["definitions"]
        table = "\n".join(rows(definitions[name], definitions))
        parts.append(
            f"## {title}\n\nSee {page}.\n\n| key | meaning | values | default |\n|---|---|---|---|\n{table}\n"
        )
    gold.check(DOCS / "keys.md", "\n".join(parts))
