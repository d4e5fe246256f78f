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
            beside = {"description": f"{key}, with its unit."}
            spelled[short[key]] = {**_field(key, {**field, "description": ""}, text_alone=True), **beside}
    needed = definition.get("required", [])
    either = [{"anyOf": [{"required": [key]}, {"required": [short[key]]}]} for key in needed if key in short]
    done = {**definition, "properties": spelled}
    if either:
        done |= {"required": [key for key in needed if key not in short], "allOf": either}
    return done


def _field(key: str, field: Schema, *, text_alone: bool = False) -> Schema:
    """A property that holds whole numbers of a unit, or else as it was. text_alone: its key says no unit."""
    if kind_of(key) is None:
        return field
    beside: Schema = {name: field[name] for name in ("default", "description") if name in field}
    if field.get("type") == "integer":
        if text_alone:
            return _text(key)
        number = {name: value for name, value in field.items() if name not in beside}
        return {"anyOf": [number, _text(key)], **beside}
    if field.get("type") == "object":
        return {**field, "additionalProperties": _field(key, field["additionalProperties"])}
    if field.get("type") == "array" and isinstance(field.get("items"), dict):
        return {**field, "items": _field(key, field["items"])}
    if field.get("type") == "array" and field.get("prefixItems"):
        *first, last = field["prefixItems"]
        return {**field, "prefixItems": [*first, _field(key, last)]}
    if "anyOf" in field:
        return {**field, "anyOf": [_field(key, part, text_alone=text_alone) for part in field["anyOf"]]}
    return field


def _text(key: str) -> Schema:
    """Text with a unit."""
    kind = kind_of(key)
    return {"type": "string", "examples": [kind.example]} if kind else {"type": "string"}
