"""From what happened behind the meter to the registers of a slot."""

from __future__ import annotations

import numpy as np

from transactive.core.errors import require
from transactive.core.tables import ReadingQuality, Readings
from transactive.core.units import IntArray


def measure(
    slot: int,
    consumption_wh: IntArray,
    generation_wh: IntArray,
    charge_wh: IntArray,
    discharge_wh: IntArray,
    both_ways_wh: IntArray | int = 0,
    quality: IntArray | None = None,
) -> Readings:
    """Registers of one slot from its flows [Wh], all (members,) and not negative.

    The meter nets within the slot, but for what it counted in both directions: both_ways_wh stands in import and
    export.
    """
    net = consumption_wh + charge_wh - generation_wh - discharge_wh
    used_at_home = generation_wh + discharge_wh - np.maximum(-net, 0)
    both_ways_wh = np.minimum(both_ways_wh, used_at_home)  # devices may have acted since: no more than there is
    readings = Readings(
        slot=slot,
        import_wh=np.maximum(net, 0) + both_ways_wh,
        export_wh=np.maximum(-net, 0) + both_ways_wh,
        generation_wh=generation_wh,
        charge_wh=charge_wh,
        discharge_wh=discharge_wh,
        quality=np.full(len(net), ReadingQuality.METERED, np.int64) if quality is None else quality,
    )
    registers = (consumption_wh, generation_wh, charge_wh, discharge_wh)
    require(all(bool((column >= 0).all()) for column in registers), "a register never runs backwards")
    return readings
