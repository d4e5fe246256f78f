"""What the history of a page tells: the figures of a community, a member, its carbon, its grid; each with its unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from transactive.core.slots import HOUR
from transactive.texts.formatting import Words, count_text, kwh_text
from transactive.texts.language import N_, _, figure

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
        return SubjectFigures(_carbon(), _("kg CO₂e by location"), MG_PER_KG, "k-grid")
    if subject == "grid":
        return SubjectFigures(
            _grid(slot_seconds), _("kWh, + from the grid − to it"), 1_000, "k-import", _energy("grid_export_wh", "")
        )
    saved = HistoryFigure(N_("Saved"), "", lambda v: v["saved_n"], lambda v: words.money(v["saved_n"]), "more")
    more = _home() if subject == "member" else _together()
    return SubjectFigures((saved, *more), _("Saved [%(unit)s]", unit=words.currency), 10**9, "k-export")


def _energy(key: str, name: str, wish: Literal["more", "less", ""] = "") -> HistoryFigure:
    return HistoryFigure(name, "kWh", lambda v: v[key], lambda v: kwh_text(v[key]), wish)


def _together() -> tuple[HistoryFigure, ...]:
    return (
        _energy("consumption_wh", N_("Used")),
        HistoryFigure(N_("From the community"), "kWh", _inside, lambda v: kwh_text(_inside(v)), "more"),
        _energy("grid_import_wh", N_("From the grid"), "less"),
        _energy("traded_wh", N_("Traded ahead")),
    )


def _home() -> tuple[HistoryFigure, ...]:
    return (
        _energy("consumption_wh", N_("Used")),
        _energy("generation_wh", N_("Own solar")),
        _energy("import_wh", N_("From the street"), "less"),
        _energy("export_wh", N_("To the street")),
    )


def _carbon() -> tuple[HistoryFigure, ...]:
    return (
        HistoryFigure(N_("By location"), "kg", lambda v: v["location_mg"], lambda v: _kg(v["location_mg"]), "less"),
        HistoryFigure(N_("By claims"), "kg", lambda v: v["market_mg"], lambda v: _kg(v["market_mg"]), "less"),
        HistoryFigure(N_("A kWh"), "g", _intensity, lambda v: _or_dash(_intensity(v)), "less"),
        HistoryFigure(N_("Certified"), "%", _certified, lambda v: _or_dash(_certified(v)), "more"),
        _energy("consumption_wh", N_("Used")),
    )


def _grid(slot_seconds: int) -> tuple[HistoryFigure, ...]:
    def power(key: str, name: str) -> HistoryFigure:
        return HistoryFigure(name, "kW", lambda v: v[key], lambda v: kwh_text(v[key] * HOUR // slot_seconds), "less")

    return (
        _energy("grid_import_wh", N_("From the grid")),
        _energy("grid_export_wh", N_("To the grid")),
        power("most_import_wh", N_("Highest draw")),
        power("most_export_wh", N_("Highest feed-in")),
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
    return figure(f"{mg // 10_000 / 100:,.2f}")


def _or_dash(value: int | None) -> str:
    return "–" if value is None else count_text(value)
