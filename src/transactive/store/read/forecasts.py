"""Forecasts of a run as page and API read them: who makes them, what was said of a slot, and what came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.units import IntArray
from transactive.store.model_records import POOLED, ToldForecast
from transactive.store.read import models as kept
from transactive.store.read.runs import Reader, Run

MEMBERS = ("consumption", "generation", "orders")
"""Targets that have a series for each member."""
ALL = ("community", "price")
EMPIRICAL = "empirical quantiles"


@dataclass(frozen=True, slots=True)
class ForecastOutcome:
    """What was said of one series in one slot, (6,), and what came, None before the slot is over."""

    said: ToldForecast
    member: int | None
    figures: IntArray
    came: int | None


def forecasters(reader: Reader) -> dict[int | None, str]:
    """Names of all models by number, for people."""
    models = kept.models(reader.store)
    return {None: EMPIRICAL, **{m.number: f"{m.learnt.forecaster} no. {m.number}" for m in models}}


def told_of(reader: Reader, run: Run, slot: int) -> list[ForecastOutcome]:
    """Everything that was said of a slot: of all together first, then member by member."""
    came = _came(reader, slot)
    with_pv = np.flatnonzero(run.community.devices.pv_wh).tolist()
    found = []
    for said in kept.said(reader.store, slot, slot):
        if said.target.startswith(POOLED):  # its leaderboard tells of it
            continue
        own = with_pv if said.target == "generation" else range(len(said.figures))
        for figures, place in zip(said.figures, own, strict=True):
            member = None if said.target in ALL else place
            values = came.get(said.target)
            found.append(ForecastOutcome(said, member, figures, None if values is None else values[place]))
    return sorted(found, key=lambda told: (told.member is not None, told.member or 0))


def _came(reader: Reader, slot: int) -> dict[str, list[int]]:
    """What meters and market said of a slot, by target; the price is there once it is cleared."""
    row = reader.slots(slot, slot)[0]
    came = {"price": [row["price"]]} if row["traded_wh"] else {}
    readings = reader.readings(slot)
    if readings is not None:
        net_load = readings.consumption_wh - readings.generation_wh
        came |= {
            "consumption": readings.consumption_wh.tolist(),
            "generation": readings.generation_wh.tolist(),
            "orders": net_load.tolist(),
            "community": [int(net_load.sum())],
        }
    return came
