"""The energy flow of a slot: what came from where and went to where, from the meters alone, and its drawing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from transactive.carbon.footprints.flows import behind_the_meter
from transactive.core.tables import Readings
from transactive.core.units import share
from transactive.texts.formatting import kwh_text
from transactive.texts.language import N_, _
from transactive.web.charts.draw import number
from transactive.web.charts.icons import PATHS


@dataclass(frozen=True, slots=True)
class Flow:
    """Energy of all members in one slot [Wh]; the seven flows add up to every register.

    What some homes export first serves what others import, split pro rata by source and by use; the rest is the grid's.
    """

    sun_to_homes: int
    sun_to_batteries: int
    sun_to_grid: int
    batteries_to_homes: int
    batteries_to_grid: int
    grid_to_homes: int
    grid_to_batteries: int

    @classmethod
    def of(cls, readings: Readings) -> Flow:
        """Flows of a slot's meters. A battery that charges from another one counts as charged from the grid's side."""
        own = behind_the_meter(readings)
        total = {name: int(getattr(own, name).sum()) for name in own.__slots__}
        exports = (total["pv_to_export"], total["discharge_to_export"])
        imports = (total["import_to_load"], total["import_to_charge"])
        both_ways = int(np.minimum(readings.import_wh, readings.export_wh).sum())  # came from no neighbour
        local = min(sum(exports), sum(imports)) - both_ways
        sun_local, battery_local = share(local, exports)
        homes_local, charge_local = share(local, imports)
        sun_to_homes, sun_to_charge = share(sun_local, (homes_local, charge_local))
        return cls(
            sun_to_homes=total["pv_to_load"] + sun_to_homes,
            sun_to_batteries=total["pv_to_charge"] + sun_to_charge,
            sun_to_grid=exports[0] - sun_local,
            batteries_to_homes=total["discharge_to_load"] + homes_local - sun_to_homes,
            batteries_to_grid=exports[1] - battery_local,
            grid_to_homes=imports[0] - homes_local,
            grid_to_batteries=imports[1] - charge_local,
        )


@dataclass(frozen=True, slots=True)
class Pipe:
    """One flow in the drawing: its path, the tip of its arrow, where its number stands, its colour."""

    name: str
    label: str
    path: str
    tip: str
    at: tuple[int, int]
    colour: str


PIPES = (
    Pipe("sun_to_homes", N_("Sun to homes"), "M210 118V186", "M202 178h16l-8 11z", (233, 158), "solar"),
    Pipe(
        "sun_to_batteries",
        N_("Sun to batteries"),
        "M168 92C104 122 74 162 70 212",
        "M62 205h16l-8 11z",
        (84, 134),
        "solar",
    ),
    Pipe(
        "sun_to_grid", N_("Sun to grid"), "M252 92C316 122 346 162 350 212", "M342 205h16l-8 11z", (336, 134), "solar"
    ),
    Pipe(
        "batteries_to_homes",
        N_("Batteries to homes"),
        "M116 268C134 268 140 262 156 258",
        "M140 251v16l11-8z",
        (134, 294),
        "battery",
    ),
    Pipe(
        "grid_to_homes",
        N_("Grid to homes"),
        "M304 268C286 268 280 262 264 258",
        "M280 251v16l-11-8z",
        (286, 294),
        "grid",
    ),
    Pipe(
        "batteries_to_grid",
        N_("Batteries to grid"),
        "M92 312C150 372 270 372 328 312",
        "M319 312l13 9 2-16z",
        (210, 362),
        "battery",
    ),
    Pipe(
        "grid_to_batteries",
        N_("Grid to batteries"),
        "M328 312C270 372 150 372 92 312",
        "M101 312l-13 9-2-16z",
        (210, 362),
        "grid",
    ),
)
SHOWN_WH = 10
"""Flows below this are in the numbers but not drawn."""


def flow_chart(flow: Flow, readings: Readings, span: str) -> Markup:
    """Draw the flows: width says how much, the arrow tip where to."""
    most = max([getattr(flow, pipe.name) for pipe in PIPES] + [1])
    drawn = [pipe for pipe in PIPES if getattr(flow, pipe.name) >= SHOWN_WH]
    parts = [_pipe(pipe, getattr(flow, pipe.name), most) for pipe in drawn]
    generation, charge, discharge = (
        int(column.sum()) for column in (readings.generation_wh, readings.charge_wh, readings.discharge_wh)
    )
    used = int(readings.consumption_wh.sum())
    net = int(readings.import_wh.sum()) - int(readings.export_wh.sum())
    giving = discharge >= charge
    parts += [
        _node((210, 66, 50), "solar", "sun", generation, _("Sun"), 10),
        _node((210, 246, 58), "home", "home", used, _("Homes"), 322),
        _node(
            (66, 266, 50), "battery", "batt", abs(discharge - charge), _battery_words(giving, charge, discharge), 338
        ),
        _node((354, 266, 50), "grid", "grid", abs(net), _grid_words(net), 338),
    ]
    flows = ", ".join(f"{_(pipe.label)} {kwh_text(getattr(flow, pipe.name), 2)} kWh" for pipe in drawn)
    title = _("Energy flow %(span)s: %(flows)s", span=span, flows=flows)
    return Markup('<svg viewBox="-14 -6 448 384" role="img" aria-label="{}">{}</svg>').format(
        title,
        Markup("".join(parts)),  # noqa: S704 - built above from numbers and fixed words
    )


def _battery_words(giving: bool, charge: int, discharge: int) -> str:
    if charge == discharge:
        return _("Batteries, at rest") if not charge else _("Batteries, even")
    return _("Batteries, net giving") if giving else _("Batteries, net charging")


def _grid_words(net: int) -> str:
    return _("Grid, import") if net > 0 else _("Grid, export") if net < 0 else _("Grid, even")


def _pipe(pipe: Pipe, energy_wh: int, most: int) -> str:
    """A pipe as wide as its share of the largest one, dots along it, its tip and its number."""
    width = 3 + 9 * energy_wh / most
    x, y = pipe.at
    return (
        f'<path class="pipe s-{pipe.colour}" d="{pipe.path}" stroke-width="{number(width)}"/>'
        f'<path class="run s-{pipe.colour}" d="{pipe.path}" stroke-width="{number(min(6, max(3.6, width * 0.6)))}"/>'
        f'<path class="tip k-{pipe.colour}" d="{pipe.tip}"/>'
        f'<text class="f" x="{x}" y="{y}">{kwh_text(energy_wh)}</text>'
    )


def _node(at: tuple[int, int, int], colour: str, icon: str, energy_wh: int, label: str, label_y: int) -> str:
    """A circle with icon, energy and name."""
    x, y, radius = at
    return (
        f'<circle class="node s-{colour}" cx="{x}" cy="{y}" r="{radius}"/>'
        f'<g class="c-{colour}" transform="translate({x - 12} {y - 35})"><path class="ic" d="{PATHS[icon]}"/></g>'
        f'<text class="v" x="{x}" y="{y + 12}">{kwh_text(energy_wh)}</text><text x="{x}" y="{y + 28}">kWh</text>'
        f'<text class="f" x="{x}" y="{label_y}">{escape(label)}</text>'
    )
