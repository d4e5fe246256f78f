"""Certificates and both footprints of one slot.

Certificates: metered production is issued as bundles (device, slot, Wh range). What the home uses itself is claimed at
once, what it charges is stored, what crosses the meter travels with the energy and is claimed by whoever used it;
what leaves with the supplier is held there, and so is what lines lose. Certificates that do not travel, by the wish of
producer or user or for their zones, are held by the producer, and the user's energy counts at the residual mix.

Market-based footprint: claimed certificates at their own factor, energy from uncertified storage at what it was charged
with, the rest at the residual mix. Location-based footprint: own production at its factor; imported energy at the mix
of the member's node, to which local exports and the grid flow (`tracing`). The slot's balance closes to the mg:

    footprints = generation + imported − exported + taken out of storage − put into storage
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.carbon.certificates.allotment import Allotment, allot
from transactive.carbon.certificates.bundles import certificates
from transactive.carbon.certificates.sources import CertifiedSun, Discharge, ExportSources
from transactive.carbon.certificates.storage import LOCATION, Lots
from transactive.carbon.footprints.flows import Flows, behind_the_meter
from transactive.carbon.footprints.grid import GridMix
from transactive.carbon.footprints.mixes import Mix
from transactive.carbon.footprints.tracing import Wiring, trace
from transactive.core.certificates import Certificates, CertificateState, Footprints
from transactive.core.community.certificate_rules import CertificatePolicy
from transactive.core.community.members import Devices
from transactive.core.errors import require
from transactive.core.tables import Readings
from transactive.core.trades.delivery import Delivery
from transactive.core.units import BoolArray, IntArray, share_columns, split_pair


@dataclass(frozen=True, slots=True)
class Factors:
    """Emission factors of a slot: generation of all or each member [g/kWh], and the mixes of the grid."""

    pv_g: IntArray | int
    grid: GridMix

    @classmethod
    def whole(cls, pv_g: IntArray | int, grid_g: int, residual_g: int) -> Factors:
        """Factors that are all whole g/kWh."""
        return cls(pv_g, GridMix(Mix(1, grid_g), Mix(1, residual_g)))


@dataclass(frozen=True, slots=True)
class CarbonSlot:
    """Result of the room: certificates, footprints, what the batteries hold now, and the carbon of grid energy.

    unmatched_mg: (members,), what a member imported without a certificate, at the residual mix; what a levy is paid on.
    unmatched_load_wh, unmatched_load_mg: (members,), what of it the home itself used. withheld_wh: (members,), what was
    not issued of generation, as a shortfall took it.
    """

    certificates: Certificates
    footprints: Footprints
    lots: Lots
    unmatched_mg: IntArray
    unmatched_load_wh: IntArray
    unmatched_load_mg: IntArray
    withheld_wh: IntArray


def account(
    readings: Readings,
    delivery: Delivery,
    devices: Devices,
    lots: Lots,
    factors: Factors,
    wiring: Wiring | None = None,
    policy: CertificatePolicy | None = None,
    given_up: BoolArray | None = None,
    owed_wh: IntArray | None = None,
) -> CarbonSlot:
    """Issue, move and claim the certificates of a slot and apportion its carbon; without wiring at one node.

    policy: which certificates stay with their producers; without it all travel with their energy. given_up: whose PV
    gives carbon credits and therefore no certificates, (members,): its energy counts at the residual mix for everybody.
    owed_wh: certificates that left each member's PV beyond what it made [Wh], (members,): so much of it gives none.
    """
    flows = behind_the_meter(readings)
    lots_left, drawn = lots.take(devices.drawn_wh(readings.discharge_wh))
    discharge = Discharge.of(flows, drawn)
    members = len(readings.import_wh)
    sun = CertifiedSun.of(flows, given_up, owed_wh)
    sources = ExportSources.of(flows, discharge, factors.pv_g, sun)
    both_ways = int(delivery.both_ways_wh.sum())
    shares = allot(sources, flows, delivery.local_use_wh, delivery.lost_used_wh, both_ways).matched(sources)
    if policy is not None and not policy.bundles_all:
        shares = shares.apart(sources, policy)
    issued = certificates(readings.slot, flows, discharge, sources, shares, factors.pv_g, sun)

    certified = sources.certified[shares.parts.source]
    wiring = wiring or Wiring.at_one_node(members)
    traced = trace(wiring, readings.import_wh, readings.export_wh, _exported_mg(sources, members), factors.grid.average)
    load_mix = split_pair(traced.imported_mg, flows.import_to_load, flows.import_to_charge)
    charge_mix = traced.imported_mg - load_mix
    market_load, market_charge, unmatched = _market(flows, shares, factors)
    own_load, own_charge = _own_market(flows, factors, sun)
    put_location = flows.pv_to_charge * factors.pv_g + charge_mix
    lots_new = lots_left.put(
        charged_wh=readings.charge_wh,
        certified_wh=sun.charge_wh + _per_user(shares, shares.parts.charge_wh * certified, members),
        market_mg=own_charge + market_charge,
        location_mg=put_location,
    )
    footprints = Footprints(
        slot=readings.slot,
        location_mg=flows.pv_to_load * factors.pv_g + discharge.load_location_mg + load_mix,
        market_mg=own_load + discharge.load_market_mg + market_load,
        mix_mg_per_kwh=traced.mix_mg_per_kwh,
        drawn_mg=drawn[:, LOCATION],
        stored_mg=lots_new.columns[:, :, LOCATION].sum(axis=0),
        generation_mg=int((readings.generation_wh * factors.pv_g).sum()),
        imported_mg=int(traced.from_grid.carbon_mg),
        exported_mg=int(traced.to_grid.carbon_mg),
        taken_out_mg=int(drawn[:, LOCATION].sum()),
        put_in_mg=int(put_location.sum()),
        grid_mg=int(factors.grid.average.carbon_mg),
        grid_wh=factors.grid.average.energy_wh,
        residual_mg=int(factors.grid.residual.carbon_mg),
        residual_wh=factors.grid.residual.energy_wh,
        free_ppm=-1 if factors.grid.free_ppm is None else factors.grid.free_ppm,
    )
    _check(readings, issued, discharge, footprints, sun)
    withheld = CertifiedSun.of(flows, given_up).total_wh - sun.total_wh
    return CarbonSlot(issued, footprints, lots_new, *unmatched, withheld)


def _own_market(flows: Flows, factors: Factors, sun: CertifiedSun) -> tuple[IntArray, IntArray]:
    """Market-based mg of own sun for load and for charging, (members,): at the residual mix what has no certificate."""
    load, charge = (wh * factors.pv_g for wh in (sun.load_wh, sun.charge_wh))
    load_wh, charge_wh = flows.pv_to_load - sun.load_wh, flows.pv_to_charge - sun.charge_wh
    residual = share_columns(factors.grid.residual.of(int((load_wh + charge_wh).sum())), load_wh + charge_wh)
    for_load = split_pair(residual, load_wh, charge_wh)
    return load + for_load, charge + residual - for_load


def _exported_mg(sources: ExportSources, members: int) -> IntArray:
    """Location-based carbon of what each member exported [mg], (members,)."""
    total = np.zeros(members, np.int64)
    np.add.at(total, sources.device // 2, sources.location_mg)
    return total


def _market(
    flows: Flows, shares: Allotment, factors: Factors
) -> tuple[IntArray, IntArray, tuple[IntArray, IntArray, IntArray]]:
    """Market-based mg of imported energy for load and for charging, and what has no certificate, all (members,).

    That is the mg of both, then Wh and mg of load alone.
    """
    parts, members = shares.parts, len(flows.import_to_load)
    unmatched_load = flows.import_to_load - _per_user(shares, parts.load_wh, members)
    unmatched_charge = flows.import_to_charge - _per_user(shares, parts.charge_wh, members)
    unmatched = unmatched_load + unmatched_charge
    unmatched_mg = share_columns(factors.grid.residual.of(int(unmatched.sum())), unmatched)
    for_load = split_pair(unmatched_mg, unmatched_load, unmatched_charge)
    return (
        _per_user(shares, parts.load_mg, members) + for_load,
        _per_user(shares, parts.charge_mg, members) + unmatched_mg - for_load,
        (unmatched_mg, unmatched_load, for_load),
    )


def _per_user(shares: Allotment, column: IntArray, members: int) -> IntArray:
    """Sum of a column of parts by user, (members,)."""
    total = np.zeros(members, np.int64)
    np.add.at(total, shares.parts.user, column)
    return total


def _check(
    readings: Readings, issued: Certificates, discharge: Discharge, footprints: Footprints, sun: CertifiedSun
) -> None:
    """The rules that certificates and carbon must never break."""
    members = len(readings.import_wh)
    per_device = np.zeros(2 * members, np.int64)
    np.add.at(per_device, issued.device, issued.energy_wh)
    made = per_device[0::2]
    require(bool((made == sun.total_wh).all()), "production certificates equal the meter, less what is owed")
    require(bool((made <= readings.generation_wh).all()), "production certificates are within the meter")
    require(bool((per_device[1::2] <= readings.discharge_wh).all()), "storage certificates are within the discharge")
    claimed = np.zeros(members, np.int64)
    mine = issued.state == CertificateState.CLAIMED
    np.add.at(claimed, issued.owner[mine], issued.energy_wh[mine])
    require(bool((claimed <= readings.consumption_wh).all()), "claimed energy is within the consumption")
    certified = discharge.certified_load_wh + discharge.certified_export_wh
    require(bool((per_device[1::2] == certified).all()), "storage certificates equal the certified discharge")
    f = footprints
    balance = f.generation_mg + f.imported_mg - f.exported_mg + f.taken_out_mg - f.put_in_mg
    require(int(f.location_mg.sum()) == balance, "the carbon of a slot balances to the mg")
