"""Certificates as bundles: which Wh range of which device ended where."""

from __future__ import annotations

import numpy as np

from transactive.carbon.allotment import Allotment
from transactive.carbon.flows import Flows
from transactive.carbon.sources import Discharge, Sources
from transactive.core.tables import Certificates, CertificateState
from transactive.core.units import IntArray

Columns = tuple[IntArray, IntArray, IntArray, IntArray, IntArray | int, IntArray]
"""Device, first Wh, energy [Wh], owner, state, market-based carbon [mg]."""


def certificates(
    slot: int, flows: Flows, discharge: Discharge, sources: Sources, shares: Allotment, pv_g: int
) -> Certificates:
    """All bundles of one slot, by device and range. pv_g: g/kWh of PV."""
    claimed, stored = CertificateState.CLAIMED, CertificateState.STORED
    member = np.arange(len(flows.pv_to_load))
    nothing = np.zeros_like(member)
    parts: list[Columns] = [
        (2 * member, nothing, flows.pv_to_load, member, claimed, flows.pv_to_load * pv_g),
        (2 * member, flows.pv_to_load, flows.pv_to_charge, member, stored, flows.pv_to_charge * pv_g),
        (2 * member + 1, nothing, discharge.certified_load_wh, member, claimed, discharge.certified_load_mg),
        _travelling(sources, shares, len(member)),
    ]
    columns = [np.concatenate([np.broadcast_to(part[k], part[2].shape) for part in parts]) for k in range(6)]
    real = columns[2] > 0
    order = np.lexsort((columns[1][real], columns[0][real]))
    device, first, energy, owner, state, mg = (column[real][order] for column in columns)
    return Certificates(slot, device, first, energy, owner, state, mg)


def _travelling(sources: Sources, shares: Allotment, members: int) -> Columns:
    """Bundles that crossed a meter: per certified source, users in order (load, charging), then the supplier."""
    certified = sources.certified > 0
    user = np.arange(members)
    states = [CertificateState.CLAIMED] * members + [CertificateState.STORED] * members + [CertificateState.HELD]
    wh = np.concatenate((shares.load_wh, shares.charge_wh, shares.export_wh[:, None]), axis=1)[certified]
    mg = np.concatenate((shares.load_mg, shares.charge_mg, shares.export_mg[:, None]), axis=1)[certified]
    first = sources.first_wh[certified][:, None] + np.cumsum(wh, axis=1) - wh
    device = np.broadcast_to(sources.device[certified][:, None], wh.shape)
    owner = np.broadcast_to(np.concatenate((user, user, [members])), wh.shape)
    state = np.broadcast_to(np.array(states, np.int64), wh.shape)
    return device.ravel(), first.ravel(), wh.ravel(), owner.ravel(), state.ravel(), mg.ravel()
