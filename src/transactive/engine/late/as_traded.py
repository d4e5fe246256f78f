"""Readings of members whose meter was silent: until one comes, each is taken to have read what it traded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from transactive.core.tables import ReadingQuality, Readings
from transactive.core.trades.positions import Positions
from transactive.core.units import BoolArray


def as_traded(readings: Readings, silent: BoolArray, traded: Positions) -> Readings:
    """The readings with import and export of the silent as traded, (members,); what batteries did stands.

    Generation is what that needs at least, so that no more is used than is there.
    """
    net = traded.bought_wh - traded.sold_wh
    taken, given = np.maximum(net, 0), np.maximum(-net, 0)
    made = np.maximum(given, given + readings.charge_wh - taken - readings.discharge_wh)
    return replace(
        readings,
        import_wh=np.where(silent, taken, readings.import_wh),
        export_wh=np.where(silent, given, readings.export_wh),
        generation_wh=np.where(silent, made, readings.generation_wh),
        quality=np.where(silent, ReadingQuality.AS_TRADED, readings.quality),
    )
