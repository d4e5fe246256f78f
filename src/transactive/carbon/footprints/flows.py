"""Where energy went behind each meter, from the five registers alone.

PV serves the load, then charging, then export; a discharging battery serves the load, then export; import serves
what is left of load and charging. What the meter counted in both directions of the slot was not used at home: it takes
the place of own sun in the load first, then of the battery, then of sun that charged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.errors import require
from transactive.core.tables import Readings
from transactive.core.units import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """Flows of one slot, each (members,) Wh, named source_to_use."""

    pv_to_load: IntArray
    pv_to_charge: IntArray
    pv_to_export: IntArray
    discharge_to_load: IntArray
    discharge_to_export: IntArray
    import_to_load: IntArray
    import_to_charge: IntArray


def behind_the_meter(readings: Readings) -> Flows:
    """Split a slot's registers into flows; together they add up to every register."""
    load, generation = readings.consumption_wh, readings.generation_wh
    pv_to_load = np.minimum(generation, load)
    pv_to_charge = np.minimum(generation - pv_to_load, readings.charge_wh)
    discharge_to_load = np.minimum(readings.discharge_wh, load - pv_to_load)
    left = np.minimum(readings.import_wh, readings.export_wh)
    if left.any():
        out, left = np.minimum(pv_to_load, left), np.maximum(left - pv_to_load, 0)
        pv_to_load = pv_to_load - out
        out, left = np.minimum(discharge_to_load, left), np.maximum(left - discharge_to_load, 0)
        discharge_to_load, pv_to_charge = discharge_to_load - out, pv_to_charge - left
    flows = Flows(
        pv_to_load=pv_to_load,
        pv_to_charge=pv_to_charge,
        pv_to_export=generation - pv_to_load - pv_to_charge,
        discharge_to_load=discharge_to_load,
        discharge_to_export=readings.discharge_wh - discharge_to_load,
        import_to_load=load - pv_to_load - discharge_to_load,
        import_to_charge=readings.charge_wh - pv_to_charge,
    )
    exported = flows.pv_to_export + flows.discharge_to_export
    imported = flows.import_to_load + flows.import_to_charge
    require(bool((pv_to_charge >= 0).all()), "exports have a source behind the meter")
    require(bool((exported == readings.export_wh).all()), "exports have a source behind the meter")
    require(bool((imported == readings.import_wh).all()), "imports have a use behind the meter")
    return flows
