"""Certificates as bundles: which Wh range of which device ended where."""

from __future__ import annotations

import numpy as np

from transactive.carbon.certificates.allotment import Allotment
from transactive.carbon.certificates.columns import Part, by_device
from transactive.carbon.certificates.sources import CertifiedSun, Discharge, ExportSources
from transactive.carbon.footprints.flows import Flows
from transactive.core.certificates import Certificates, CertificateState
from transactive.core.units import IntArray


def certificates(
    slot: int,
    flows: Flows,
    discharge: Discharge,
    sources: ExportSources,
    shares: Allotment,
    pv_g: IntArray | int,
    sun: CertifiedSun | None = None,
) -> Certificates:
    """All bundles of one slot, by device and range. pv_g, sun: as `ExportSources.of` takes them."""
    sun = sun or CertifiedSun.of(flows)
    claimed, stored = CertificateState.CLAIMED, CertificateState.STORED
    member = np.arange(len(flows.pv_to_load))
    to_load, to_charge = sun.load_wh, sun.charge_wh
    # device, first Wh, energy [Wh], owner, state, market-based carbon [mg], each device's ranges in their order
    parts: list[Part] = [
        (2 * member, 0, to_load, member, claimed, to_load * pv_g),
        (2 * member, to_load, to_charge, member, stored, to_charge * pv_g),
        (2 * member + 1, 0, discharge.certified_load_wh, member, claimed, discharge.certified_load_mg),
        _travelling(sources, shares, len(member)),
    ]
    return Certificates(slot, *by_device(parts, wh=2))


def _travelling(sources: ExportSources, shares: Allotment, members: int) -> Part:
    """Bundles that crossed a meter: per certified source, users in order (load, then charging), producer, supplier."""
    parts, leaves = shares.parts, np.arange(len(sources.device))
    rows = (parts.source, parts.source, leaves, leaves)
    source = np.concatenate(rows)
    owner = np.concatenate((parts.user, parts.user, sources.device // 2, np.full(len(leaves), members)))
    wh = np.concatenate((parts.load_wh, parts.charge_wh, shares.kept_wh, shares.export_wh))
    mg = np.concatenate((parts.load_mg, parts.charge_mg, shares.kept_mg, shares.export_mg))
    counts = [len(row) for row in rows]
    kinds = (CertificateState.CLAIMED, CertificateState.STORED, CertificateState.HELD, CertificateState.HELD)
    state = np.repeat(np.array(kinds, np.int64), counts)
    real = (wh > 0) & (sources.certified[source] > 0)
    place = np.repeat(np.arange(len(rows)), counts)
    order = np.flatnonzero(real)[np.lexsort((owner[real], place[real], source[real]))]
    source, owner, wh, mg, state = (column[order] for column in (source, owner, wh, mg, state))
    running = np.cumsum(wh) - wh
    begins = np.searchsorted(source, source)  # the first bundle of the same source
    first = sources.first_wh[source] + running - running[begins]
    return sources.device[source], first, wh, owner, state, mg
