"""Who used which source: exported energy shared among the users by the local energy that they used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.carbon.flows import Flows
from transactive.carbon.sources import Sources
from transactive.core.units import IntArray, share, share_capped


@dataclass(frozen=True, slots=True, eq=False)
class Allotment:
    """Wh and market-based mg of every source by use.

    load_*, charge_*: (sources, members); export_*: (sources,), what left with the supplier. local_location_mg:
    (sources,), the location-based part that stayed.
    """

    load_wh: IntArray
    charge_wh: IntArray
    export_wh: IntArray
    load_mg: IntArray
    charge_mg: IntArray
    export_mg: IntArray
    local_location_mg: IntArray


def allot(sources: Sources, flows: Flows, local_use_wh: IntArray) -> Allotment:
    """Share each source among local users and supplier.

    When exports exceed imports, each source is split pro rata by exported Wh between both. The local part of a source
    goes to the users by local energy used, largest remainder, ties by member, nobody beyond what its meter
    imported; a user's part serves load and charging pro rata. Carbon follows the allotted Wh in the same way.
    """
    imported = (flows.import_to_load + flows.import_to_charge).tolist()
    exported = sources.energy_wh.tolist()
    local = share(min(sum(imported), sum(exported)), exported)
    shape = (len(exported), len(imported))
    load_wh, charge_wh, load_mg, charge_mg = (np.zeros(shape, np.int64) for _ in range(4))
    export_mg, local_location = np.zeros(shape[0], np.int64), np.zeros(shape[0], np.int64)
    room = imported
    use_room = np.stack((flows.import_to_load, flows.import_to_charge), axis=1).tolist()
    weights = local_use_wh.tolist()
    for s, stays in enumerate(local):
        leaves = exported[s] - stays
        stays_mg, export_mg[s] = share(int(sources.market_mg[s]), (stays, leaves))
        local_location[s] = share(int(sources.location_mg[s]), (stays, leaves))[0]
        parts = share_capped(stays, weights, room)
        for user, (part, part_mg) in enumerate(zip(parts, share(stays_mg, parts), strict=True)):
            if part:
                room[user] -= part
                wh = share_capped(part, use_room[user], use_room[user])
                use_room[user] = [use_room[user][0] - wh[0], use_room[user][1] - wh[1]]
                load_wh[s, user], charge_wh[s, user] = wh
                load_mg[s, user], charge_mg[s, user] = share(part_mg, wh)
    export_wh = np.array(exported, np.int64) - np.array(local, np.int64)
    return Allotment(load_wh, charge_wh, export_wh, load_mg, charge_mg, export_mg, local_location)
