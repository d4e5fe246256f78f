"""Reference of the community file, from the schema that `transactive config schema` prints."""

from __future__ import annotations

from typing import Any

import msgspec

from transactive.cli.community.actions import schema

HEAD = """# Community file

A community is one TOML file; `transactive init` writes an example with a comment on every line. `transactive config
schema` prints this as JSON Schema, and `transactive check` says what is wrong with a file. Units stand in the names:
`_wh` energy, `_w` power, `_micro_per_kwh` a price in millionths of a currency unit per kWh, `_micro_per_t` the same per
tonne, `_n` money in billionths, `_ppm` millionths. Instead of the whole number you can write text with its unit, and
then leave the unit out of the key: `feed_in_micro_per_kwh = 80_000`, `feed_in_micro_per_kwh = "0.08 EUR/kWh"` and
`feed_in = "8 ct/kWh"` are the same, and so are `pv_w = 4_000` and `pv = "4 kW"`. Text that is no whole
number of base units is an error. Prices may be negative; an unknown key is an error.
"""
Schema = dict[str, Any]


def file_reference() -> str:
    """Every table of the file with its keys as Markdown, in the order of the file."""
    definitions: dict[str, Schema] = schema()["$defs"]
    waiting = [("Community", "")]
    done: list[tuple[str, str]] = []
    for name, path in waiting:  # grows while it is walked
        if name in {known for known, _ in done}:
            continue
        done.append((name, path))
        for key, field in definitions[name]["properties"].items():
            waiting += [(inner, f"{path}.{key}".removeprefix(".")) for inner in _inner(field)]
    places = {name: path or "top" for name, path in done}
    return "\n".join([HEAD, *(_section(definitions[name], path, places) for name, path in done)])


def _section(record: Schema, path: str, places: dict[str, str]) -> str:
    """One table of the file."""
    needed = set(record.get("required", ()))
    kind = record["properties"].get("kind", {}).get("enum")
    title = f"{path}, kind = {kind[0]}" if kind else path or "top"
    lines = [f"## {title}", "", " ".join(record.get("description", "").partition("\n\n")[0].split()), ""]
    lines += ["| key | value | default | means |", "|---|---|---|---|"]
    for key, field in record["properties"].items():
        default = "needed" if key in needed else _default(field.get("default"))
        lines.append(f"| `{key}` | {_value(field, places)} | {default} | {field.get('description', '')} |")
    return "\n".join([*lines, ""])


def _inner(field: Schema) -> list[str]:
    """Names of the records in a field, of the elements of a list or a table too."""
    if "$ref" in field:
        return [field["$ref"].rpartition("/")[2]]
    within = [field[key] for key in ("items", "additionalProperties") if isinstance(field.get(key), dict)]
    parts = [*field.get("anyOf", ()), *within]
    return [name for part in parts for name in _inner(part)]


def _anchor(name: str, places: dict[str, str]) -> str:
    """Anchor of a record's section; of the first one where it has several kinds."""
    anchor = places[name].replace(".", "")
    return f"{anchor}-kind--{name.lower()}" if list(places.values()).count(places[name]) > 1 else anchor


def _value(field: Schema, places: dict[str, str]) -> str:
    """What a value is, in words."""
    if names := _inner(field):
        links = f"[{places[names[0]]}](#{_anchor(names[0], places)})"
        return {"array": f"list of {links}", "object": f"table of {links}"}.get(str(field.get("type")), links)
    if "anyOf" in field:
        return " or ".join(_value(part, places) for part in field["anyOf"] if part.get("type") != "null")
    if "enum" in field:
        return ", ".join(f"`{choice}`" for choice in field["enum"])
    kind = field.get("type")
    if kind == "object":
        return f"table of {_value(field['additionalProperties'], places)}"
    if kind == "array":
        items = field.get("items") or field.get("prefixItems", [{}])[0]
        return f"list of {_value(items, places) if items else 'lists'}"
    return {"integer": _whole(field), "string": "text", "boolean": "`true` or `false`", "number": "number"}[str(kind)]


def _whole(field: Schema) -> str:
    """A whole number with its bounds."""
    least = field.get("minimum", field.get("exclusiveMinimum", -1) + 1 if "exclusiveMinimum" in field else None)
    most = field.get("maximum")
    if least is None and most is None:
        return "whole number"
    return f"{least:,} to {most:,}" if most is not None else f"{least:,} or more"


def _default(value: object) -> str:
    if value in (None, [], ()) or isinstance(value, dict):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{msgspec.json.encode(value).decode()}`" if isinstance(value, list | tuple) else f"`{value}`"
