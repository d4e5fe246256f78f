"""The forecasts of a slot on its page: what was said the day before and at the gate, beside what came."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from transactive.services.privacy.consents import withheld
from transactive.store.read.forecasts import ForecastOutcome, forecasters, told_of
from transactive.store.read.runs import Reader, Run
from transactive.texts.formatting import Words, kwh_text
from transactive.texts.language import N_, _, known
from transactive.web.viewers import Viewer

TITLES = {
    ("community", "day"): N_("Net load, the day before"),
    ("community", "slot"): N_("Net load, at the gate"),
    ("price", "day"): N_("Price, the day before"),
    ("consumption", "day"): N_("Consumption, the day before"),
    ("generation", "day"): N_("Generation, the day before"),
    ("orders", "slot"): N_("Net load, at the gate"),
}
MOST_HOMES = 20
"""Homes whose forecasts the page lists; the API has all."""
LOW, MEDIAN, HIGH = 0, 2, 4
"""Places of the 5, 50 and 95 % quantiles."""


def forecast_part(reader: Reader, run: Run, slot: int, viewer: Viewer, words: Words) -> dict[str, Any] | None:
    """Rows of all together and of each member that the viewer may see; None where nothing was kept."""
    hidden = set[int]()
    if viewer.member is None:
        hidden = withheld(reader.store.path.parent, run.community, "forecasts", int(time.time()))
    told = [one for one in told_of(reader, run, slot) if one.member not in hidden]
    if not told:
        return None
    names = forecasters(reader)
    homes: dict[str, list[tuple[str, ...]]] = {}
    for one in told:
        home = None if one.member is None or not viewer.sees_members else run.names[one.member]
        if home is not None and (viewer.sees_all or home == viewer.member):
            homes.setdefault(home, []).append((home, *_row(one, names, words)))
    together = [one for one in told if one.member is None]
    return {
        "columns": (
            *(_("What"), _("Known until"), _("Forecast by"), "=5 %"),
            *("=" + _("Median"), "=95 %", "=" + _("Came")),
        ),
        "rows": [_row(one, names, words) for one in together],
        "homes": [row for rows in list(homes.values())[:MOST_HOMES] for row in rows],
        "more_homes": max(len(homes) - MOST_HOMES, 0),
        "text": _sentence(together),
    }


def _sentence(told: Sequence[ForecastOutcome]) -> str:
    """How the forecast at the gate fared."""
    near = next((one for one in told if one.said.ahead == "slot"), None)
    if near is None:
        return ""
    low, high = (kwh_text(int(near.figures[place])) for place in (LOW, HIGH))
    if near.came is None:
        return _("At the gate nine in ten cases lay between %(low)s and %(high)s kWh net.", low=low, high=high)
    inside = near.figures[LOW] <= near.came <= near.figures[HIGH]
    return _(INSIDE if inside else OUTSIDE, came=kwh_text(near.came), low=low, high=high)


INSIDE = N_("%(came)s kWh net came, within the %(low)s to %(high)s kWh of the gate.")
OUTSIDE = N_("%(came)s kWh net came, outside the %(low)s to %(high)s kWh of the gate.")


def _row(told: ForecastOutcome, names: dict[int | None, str], words: Words) -> tuple[str, ...]:
    """What, from when, by whom, 5 %, median, 95 %, and what came."""

    def text(value: int) -> str:
        return words.price(value, 2) if told.said.target == "price" else kwh_text(value, 3)

    title = _(TITLES[told.said.target, told.said.ahead])
    unit = words.price_unit if told.said.target == "price" else "kWh"
    figures = [text(int(told.figures[place])) for place in (LOW, MEDIAN, HIGH)]
    came = "–" if told.came is None else text(told.came)
    return (f"{title} [{unit}]", words.clock(told.said.issued), known(names[told.said.model]), *figures, came)
