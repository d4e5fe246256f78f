"""Reference of the HTTP API, from its OpenAPI description."""

from __future__ import annotations

from typing import Any

HEAD = """# API

`transactive serve --state DIR` answers under `/api/v1`. The whole description, OpenAPI 3.1, is
[openapi.json](openapi.json); a running server shows it at `/api/v1/schema`. Energy is whole Wh, a price µ¤/kWh, money
n¤ as text, times RFC 3339 in UTC. An error is a problem document (RFC 9457). A list has pages: `next` is the cursor of
the next one. From another machine each request needs a token, which `transactive token create` makes.
"""
Part = dict[str, Any]


def api_reference(openapi: Part) -> str:
    """All paths, then all records, as Markdown."""
    operations = [
        (path, method.upper(), operation)
        for path, methods in sorted(openapi["paths"].items())
        for method, operation in methods.items()
    ]
    lines = [HEAD, "| request | gives |", "|---|---|"]
    lines += [f"| [`{method} {path}`](#{_anchor(method, path)}) | {_said(what)} |" for path, method, what in operations]
    lines.append("")
    for path, method, operation in operations:
        lines += _operation(path, method, operation)
    lines += ["## Records", ""]
    for name, record in sorted(openapi["components"]["schemas"].items()):
        lines += _record(name, record)
    return "\n".join(lines)


def _anchor(method: str, path: str) -> str:
    kept = "".join(letter for letter in f"{method} {path}".lower() if letter.isalnum() or letter in "-_ ")
    return kept.replace(" ", "-")


def _said(operation: Part) -> str:
    return " ".join((operation.get("description") or operation.get("summary") or "").split())


def _operation(path: str, method: str, operation: Part) -> list[str]:
    """One request: what it gives, its parameters, its answer."""
    lines = [f"### {method} {path}", "", _said(operation), ""]
    if parameters := operation.get("parameters"):
        lines += ["| parameter | in | means |", "|---|---|---|"]
        lines += [f"| `{one['name']}` | {one['in']} | {_about(one)} |" for one in parameters]
        lines.append("")
    for code, answer in sorted(operation["responses"].items()):
        if code.startswith("2"):
            kinds = [_type(content.get("schema", {})) for content in answer.get("content", {}).values()]
            lines += [f"Answer {code}: {', '.join(kinds) or 'nothing'}.", ""]
    return lines


def _about(parameter: Part) -> str:
    return parameter.get("description") or parameter.get("schema", {}).get("description") or ""


def _record(name: str, record: Part) -> list[str]:
    """One record with its fields."""
    lines = [f"### {name}", ""]
    if said := record.get("description"):
        lines += [" ".join(said.split()), ""]
    if fields := record.get("properties"):
        lines += ["| field | value | means |", "|---|---|---|"]
        lines += [f"| `{key}` | {_type(field)} | {field.get('description', '')} |" for key, field in fields.items()]
        lines.append("")
    return lines


def _type(schema: Part) -> str:
    """What a value is, in words; a record as a link."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return " or ".join(_type(part) for part in schema[key])
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    words = {
        "integer": "whole number",
        "string": "text",
        "boolean": "true or false",
        "null": "null",
        "object": "object",
    }
    kinds = [str(one) for one in (kind if isinstance(kind, list) else [kind])]
    return " or ".join(words.get(one, one) for one in kinds)
