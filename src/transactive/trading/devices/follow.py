"""What a battery does in real time: it sees the home's net load and follows the four levels of its rule.

The same function moves the battery at delivery, for each sample of the forecast when orders are made, and in the plan.
"""

from __future__ import annotations

import numpy as np

from transactive.core.community.members import Devices, deliverable_wh
from transactive.core.tables import DeviceRules
from transactive.core.units import IntArray, Whole


def follow(
    rules: DeviceRules, devices: Devices, charged_wh: IntArray, net_load_wh: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Charge, discharge and the new charge level [Wh] for a measured net load.

    charged_wh, net_load_wh: shapes that broadcast with (members,), for example (samples, members); net load is positive
    where the home needs energy. At most one of charge and discharge is positive.
    """
    charge, discharge = act(
        rules.grid_charge_to_wh,
        rules.surplus_charge_to_wh,
        rules.serve_down_to_wh,
        rules.export_down_to_wh,
        devices.power_wh,
        devices.efficiency_ppm,
        charged_wh,
        net_load_wh,
    )
    return charge, discharge, charged_wh + charge - devices.drawn_wh(discharge)


def act(
    grid_charge_to_wh: Whole,
    surplus_charge_to_wh: Whole,
    serve_down_to_wh: Whole,
    export_down_to_wh: Whole,
    power_wh: Whole,
    efficiency_ppm: Whole,
    charged_wh: Whole,
    net_load_wh: Whole,
) -> tuple[Whole, Whole]:
    """Charge and discharge [Wh], of columns or of single numbers."""
    surplus, deficit = np.maximum(-net_load_wh, 0), np.maximum(net_load_wh, 0)
    room = np.maximum(surplus_charge_to_wh - charged_wh, 0)
    from_grid = np.maximum(grid_charge_to_wh - charged_wh, 0)
    charge = np.minimum(np.maximum(np.minimum(surplus, room), from_grid), power_wh)
    to_serve = deliverable_wh(np.maximum(charged_wh - serve_down_to_wh, 0), efficiency_ppm)
    to_export = deliverable_wh(np.maximum(charged_wh - export_down_to_wh, 0), efficiency_ppm)
    discharge = np.minimum(np.maximum(np.minimum(deficit, to_serve), to_export), power_wh)
    return charge, discharge
