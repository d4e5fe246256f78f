"""Whether a car is charged at home: large blocks of energy above what the home usually draws, again and again.

Readings of a quarter of an hour or an hour cannot tell appliances apart. They can show blocks that hold more energy
than cooking or laundry and are of about the same power each time; that is called a probable car, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transactive.core.units import PPM, IntArray

STRONG_W = 3_000
"""Power above the usual that a session reaches [W]: a wall box gives 3.3 kW at least."""
EDGE_W = 800
"""Power above the usual with which a session begins and ends [W]: slots in which the car is charged in part."""
LEAST_WH = 6_500
"""Energy of a session [Wh]: more than an oven or a dryer takes, about forty kilometres of driving."""
DAYS = 56
"""Days that are looked at, the newest; with fewer nothing is said."""
LEAST_SESSIONS = 8
"""Sessions in those days without which nothing is said: one a week."""
ALIKE_PPM = 350_000
"""How far a session's power may lie from the median of all [ppm] to be of the same charger."""
LEAST_ALIKE_PPM = 600_000
"""Part of the sessions that has to be alike [ppm]."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Charging:
    """A probable car: sessions in the days that were looked at, their median energy [Wh] and highest power [W]."""

    sessions: int
    energy_wh: int
    power_w: int


def charging(consumption_wh: IntArray, length: int) -> list[Charging | None]:
    """Look for a car in whole days of consumption up to now, (slots, members), in slots of `length` [s]."""
    per_day = 86_400 // length
    if len(consumption_wh) < DAYS * per_day:
        return [None] * consumption_wh.shape[1]
    newest = consumption_wh[-DAYS * per_day :]
    usual = np.median(newest.reshape(DAYS, per_day, -1), axis=0)
    above_w = (newest - np.tile(usual, (DAYS, 1))) * 3_600 / length
    return [_of_home(column, length) for column in above_w.T]


def _of_home(above_w: FloatArray, length: int) -> Charging | None:
    """A car in one home's power above the usual [W], (slots,), or None."""
    sessions = _sessions(above_w, length)
    if len(sessions) < LEAST_SESSIONS:
        return None
    powers = np.array([session.max() for session in sessions]).astype(np.int64)
    typical = int(np.median(powers))
    alike = int((np.abs(powers - typical) * PPM <= typical * ALIKE_PPM).sum())
    if alike * PPM < len(sessions) * LEAST_ALIKE_PPM:
        return None
    energies = [session.sum() * length / 3_600 for session in sessions]
    return Charging(len(sessions), int(np.median(energies)), typical)


def _sessions(above_w: FloatArray, length: int) -> list[FloatArray]:
    """The blocks that hold enough energy and reach enough power."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], above_w >= EDGE_W, [False])).astype(np.int8)))
    blocks = [above_w[start:end] for start, end in edges.reshape(-1, 2)]
    return [block for block in blocks if block.max() >= STRONG_W and block.sum() * length >= LEAST_WH * 3_600]
