"""JSON Schema of a file with the ways in which people write quantities, for editors that check while they type."""

from __future__ import annotations

from typing import Any

from transactive.core.spelling.quantities import kind_of, stem_of

Schema = dict[str, Any]


def with_spellings(schema: Schema) -> Schema:
    """A schema of whole numbers in which each quantity may also be text with a unit, and its key be short."""
    definitions = {name: _record(definition) for name, definition in schema["$defs"].items()}
    return {**schema, "$defs": definitions}


def _record(definition: Schema) -> Schema:
    """One record: text beside numbers, short keys beside those with a unit; of a needed key one of the two is there."""
    properties: dict[str, Schema] = definition.get("properties", {})
    stems = {key: stem for key in properties if (stem := stem_of(key)) and stem not in properties}
    short = {key: stem for key, stem in stems.items() if list(stems.values()).count(stem) == 1}
    spelled: dict[str, Schema] = {}
    for key, field in properties.items():
        spelled[key] = _field(key, field)
        if key in short:
            spelled[short[key]] = {**_text(key), "description": f"{key}, with its unit."}
    needed = definition.get("required", [])
    either = [{"anyOf": [{"required": [key]}, {"required": [short[key]]}]} for key in needed if key in short]
    done = {**definition, "properties": spelled}
    if either:
        done |= {"required": [key for key in needed if key not in short], "allOf": either}
    return done


def _field(key: str, field: Schema) -> Schema:
    """A property that holds whole numbers of a unit, or else as it was."""
    if kind_of(key) is None:
        return field
    if field.get("type") == "integer":
        beside: Schema = {name: field[name] for name in ("default", "description") if name in field}
        number = {name: value for name, value in field.items() if name not in beside}
        return {"anyOf": [number, _text(key)], **beside}
    if any(part.get("type") == "integer" for part in field.get("anyOf", ())):
        return {**field, "anyOf": [*field["anyOf"], _text(key)]}
    return field


def _text(key: str) -> Schema:
    """Text with a unit."""
    kind = kind_of(key)
    return {"type": "string", "examples": [kind.example]} if kind else {"type": "string"}
