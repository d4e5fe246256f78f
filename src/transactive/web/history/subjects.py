"""What the history of a page tells: the figures of a community, a member, its carbon, its grid; each with its unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from transactive.core.slots import HOUR
from transactive.core.units import kwh_text
from transactive.texts.formatting import Words

Values = Mapping[str, int]
"""Sums of some slots, as `SlotSums.of` gives them."""
Subject = Literal["community", "member", "carbon", "grid"]
MG_PER_KG = 1_000_000


@dataclass(frozen=True, slots=True)
class HistoryFigure:
    """One figure: its name and unit, its value for comparing and drawing, and as text.

    value: None where there is nothing to compare. wish: whether people wish for more or for less of it.
    """

    name: str
    unit: str
    value: Callable[[Values], int | None]
    text: Callable[[Values], str]
    wish: Literal["more", "less", ""] = ""


@dataclass(frozen=True, slots=True)
class SubjectFigures:
    """Figures of a subject; the first one is drawn, `below` under it. scale: what a unit of the drawing holds."""

    figures: tuple[HistoryFigure, ...]
    axis: str
    scale: int
    css: str
    below: HistoryFigure | None = None


def told(subject: Subject, words: Words, slot_seconds: int) -> SubjectFigures:
    """What is told of a subject."""
    if subject == "carbon":
        return SubjectFigures(_carbon(), "kg CO₂e by location", MG_PER_KG, "k-grid")
    if subject == "grid":
        return SubjectFigures(
            _grid(slot_seconds), "kWh, + from the grid − to it", 1_000, "k-import", _energy("grid_export_wh", "")
        )
    saved = HistoryFigure("Saved", "", lambda v: v["saved_n"], lambda v: words.money(v["saved_n"]), "more")
    more = _home() if subject == "member" else _together()
    return SubjectFigures((saved, *more), f"Saved [{words.currency}]", 10**9, "k-export")


def _energy(key: str, name: str, wish: Literal["more", "less", ""] = "") -> HistoryFigure:
    return HistoryFigure(name, "kWh", lambda v: v[key], lambda v: kwh_text(v[key]), wish)


def _together() -> tuple[HistoryFigure, ...]:
    return (
        _energy("consumption_wh", "Used"),
        HistoryFigure("From the community", "kWh", _inside, lambda v: kwh_text(_inside(v)), "more"),
        _energy("grid_import_wh", "From the grid", "less"),
        _energy("traded_wh", "Traded ahead"),
    )


def _home() -> tuple[HistoryFigure, ...]:
    return (
        _energy("consumption_wh", "Used"),
        _energy("generation_wh", "Own solar"),
        _energy("import_wh", "From the street", "less"),
        _energy("export_wh", "To the street"),
    )


def _carbon() -> tuple[HistoryFigure, ...]:
    return (
        HistoryFigure("By location", "kg", lambda v: v["location_mg"], lambda v: _kg(v["location_mg"]), "less"),
        HistoryFigure("By claims", "kg", lambda v: v["market_mg"], lambda v: _kg(v["market_mg"]), "less"),
        HistoryFigure("A kWh", "g", _intensity, lambda v: _or_dash(_intensity(v)), "less"),
        HistoryFigure("Certified", "%", _certified, lambda v: _or_dash(_certified(v)), "more"),
        _energy("consumption_wh", "Used"),
    )


def _grid(slot_seconds: int) -> tuple[HistoryFigure, ...]:
    def power(key: str, name: str) -> HistoryFigure:
        return HistoryFigure(name, "kW", lambda v: v[key], lambda v: kwh_text(v[key] * HOUR // slot_seconds), "less")

    return (
        _energy("grid_import_wh", "From the grid"),
        _energy("grid_export_wh", "To the grid"),
        power("most_import_wh", "Highest draw"),
        power("most_export_wh", "Highest feed-in"),
    )


def _inside(values: Values) -> int:
    """What homes used and the grid did not bring [Wh]."""
    return max(values["consumption_wh"] - values["grid_import_wh"], 0)


def _intensity(values: Values) -> int | None:
    used = values["consumption_wh"]
    return values["location_mg"] // used if used > 0 else None


def _certified(values: Values) -> int | None:
    used = values["consumption_wh"]
    return min(values["claimed_wh"], used) * 100 // used if used > 0 else None


def _kg(mg: int) -> str:
    return f"{mg // 10_000 / 100:,.2f}"


def _or_dash(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
