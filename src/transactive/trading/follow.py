"""What a battery does in real time: it sees the home's net load and follows the four levels of its rule.

The same function moves the battery at delivery and, for each sample of the forecast, when orders are made.
"""

from __future__ import annotations

import numpy as np

from transactive.core.community import Devices
from transactive.core.tables import DeviceRules
from transactive.core.units import IntArray


def follow(
    rules: DeviceRules, devices: Devices, charged_wh: IntArray, net_load_wh: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Charge, discharge and the new charge level [Wh] for a measured net load.

    charged_wh, net_load_wh: shapes that broadcast with (members,), for example (samples, members); net load is positive
    where the home needs energy. At most one of charge and discharge is positive.
    """
    surplus, deficit = np.maximum(-net_load_wh, 0), np.maximum(net_load_wh, 0)
    room = np.maximum(rules.surplus_charge_to_wh - charged_wh, 0)
    from_grid = np.maximum(rules.grid_charge_to_wh - charged_wh, 0)
    charge = np.minimum(np.maximum(np.minimum(surplus, room), from_grid), devices.power_wh)
    to_serve = devices.deliverable_wh(np.maximum(charged_wh - rules.serve_down_to_wh, 0))
    to_export = devices.deliverable_wh(np.maximum(charged_wh - rules.export_down_to_wh, 0))
    discharge = np.minimum(np.maximum(np.minimum(deficit, to_serve), to_export), devices.power_wh)
    return charge, discharge, charged_wh + charge - devices.drawn_wh(discharge)
