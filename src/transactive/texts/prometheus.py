"""Metrics as Prometheus reads them.

Source: Prometheus, "Exposition formats", text-based format 0.0.4. What is not known is left out: a gap is seen, a zero
is believed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

CONTENT = "text/plain; version=0.0.4; charset=utf-8"


Values: TypeAlias = dict[tuple[str, str] | None, int | None]
"""By label, as (name, value); None alone for one without labels."""


class Metric(NamedTuple):
    """A metric. kind: counter or gauge."""

    name: str
    kind: str
    text: str
    values: Values


def metrics_page(prefix: str, metrics: Iterable[Metric]) -> str:
    """All metrics whose value is known."""
    lines: list[str] = []
    for metric in metrics:
        known = {label: value for label, value in metric.values.items() if value is not None}
        if known:
            name = f"{prefix}_{metric.name}"
            lines += [f"# HELP {name} {metric.text}", f"# TYPE {name} {metric.kind}"]
            lines += [f"{name}{_label(label)} {value}" for label, value in known.items()]
    return "\n".join(lines) + "\n"


def one(value: int | None) -> Values:
    """The value of a metric without labels."""
    return {None: value}


def _label(label: tuple[str, str] | None) -> str:
    """A label, with what would end it written otherwise."""
    if label is None:
        return ""
    name, value = label
    told = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{{{name}="{told}"}}'
