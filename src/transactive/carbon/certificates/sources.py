"""Energy that crosses a meter outwards in a slot, by origin: PV, certified storage, uncertified storage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.carbon.certificates.columns import Part, by_device
from transactive.carbon.certificates.storage import CERTIFIED, CHARGED, LOCATION, MARKET
from transactive.carbon.footprints.flows import Flows
from transactive.core.units import BoolArray, IntArray, split_pair


@dataclass(frozen=True, slots=True, eq=False)
class Discharge:
    """What each battery gave in a slot, split by use and origin, (members,): Wh and mg.

    The certified part forms a storage bundle: first the Wh that served the home, then those exported.
    """

    certified_load_wh: IntArray
    certified_export_wh: IntArray
    certified_load_mg: IntArray
    certified_export_mg: IntArray
    load_market_mg: IntArray
    load_location_mg: IntArray
    export_market_mg: IntArray
    export_location_mg: IntArray

    @classmethod
    def of(cls, flows: Flows, drawn: IntArray) -> Discharge:
        """Split what came out of the lots, (members, 4), between load and export, pro rata to the delivered Wh."""
        to_load, to_export = flows.discharge_to_load, flows.discharge_to_export
        delivered = to_load + to_export
        # delivered certified Wh = delivered x certified / charged, rounded down: never more than was taken in
        certified = delivered * drawn[:, CERTIFIED] // np.maximum(drawn[:, CHARGED], 1)
        certified_load = split_pair(certified, to_load, to_export)
        load_market = split_pair(drawn[:, MARKET], to_load, to_export)
        load_location = split_pair(drawn[:, LOCATION], to_load, to_export)
        export_market = drawn[:, MARKET] - load_market
        certified_export = certified - certified_load
        return cls(
            certified_load_wh=certified_load,
            certified_export_wh=certified_export,
            certified_load_mg=split_pair(load_market, certified_load, to_load - certified_load),
            certified_export_mg=split_pair(export_market, certified_export, to_export - certified_export),
            load_market_mg=load_market,
            load_location_mg=load_location,
            export_market_mg=export_market,
            export_location_mg=drawn[:, LOCATION] - load_location,
        )


@dataclass(frozen=True, slots=True, eq=False)
class CertifiedSun:
    """What of each member's own generation gives certificates, by use, (members,) Wh."""

    load_wh: IntArray
    charge_wh: IntArray
    export_wh: IntArray

    @classmethod
    def of(cls, flows: Flows, given_up: BoolArray | None = None, owed_wh: IntArray | None = None) -> CertifiedSun:
        """All of it, but nothing of who gave certificates up, and less by what a shortfall takes back.

        owed_wh: certificates that left each device beyond what it made [Wh], (members,). They are taken from what the
        home used itself, then from what it charged, then from what it gave to others.
        """
        uses = [flows.pv_to_load, flows.pv_to_charge, flows.pv_to_export]
        if given_up is not None:
            uses = [np.where(given_up, 0, wh) for wh in uses]
        if owed_wh is not None:
            for place, wh in enumerate(uses):
                taken = np.minimum(wh, owed_wh)
                uses[place], owed_wh = wh - taken, owed_wh - taken
        return cls(*uses)

    @property
    def total_wh(self) -> IntArray:
        """Certificates of each member's generation [Wh], (members,)."""
        return self.load_wh + self.charge_wh + self.export_wh


@dataclass(frozen=True, slots=True, eq=False)
class ExportSources:
    """Exported energy by origin, (sources,), by device and certified before uncertified.

    device: 2 x member for PV, 2 x member + 1 for the battery. first_wh: where the exported range of the device's bundle
    begins. An uncertified source has no bundle.
    """

    device: IntArray
    certified: IntArray
    first_wh: IntArray
    energy_wh: IntArray
    market_mg: IntArray
    location_mg: IntArray

    @property
    def given_up(self) -> BoolArray:
        """PV whose energy carries no certificate and no factor of its own, as it gave them up, (sources,)."""
        given_up: BoolArray = (self.certified == 0) & (self.device % 2 == 0)
        return given_up

    @classmethod
    def of(
        cls, flows: Flows, discharge: Discharge, pv_g: IntArray | int, sun: CertifiedSun | None = None
    ) -> ExportSources:
        """Sources of one slot; those without energy are left out.

        pv_g: g/kWh of PV, of all or of each member; sun: what of it gives certificates, by default all.
        """
        sun = sun or CertifiedSun.of(flows)
        pv, bare_wh = 2 * np.arange(len(flows.pv_to_export)), flows.pv_to_export - sun.export_wh
        pv_mg, bare_mg = sun.export_wh * pv_g, bare_wh * pv_g
        uncertified_wh = flows.discharge_to_export - discharge.certified_export_wh
        certified_location = split_pair(discharge.export_location_mg, discharge.certified_export_wh, uncertified_wh)
        certified_mg = discharge.certified_export_mg
        parts: list[Part] = [
            (pv, 1, sun.load_wh + sun.charge_wh, sun.export_wh, pv_mg, pv_mg),
            (pv, 0, 0, bare_wh, bare_mg, bare_mg),
            (pv + 1, 1, discharge.certified_load_wh, discharge.certified_export_wh, certified_mg, certified_location),
            (
                *(pv + 1, 0, 0, uncertified_wh),
                *(discharge.export_market_mg - certified_mg, discharge.export_location_mg - certified_location),
            ),
        ]
        return cls(*by_device(parts, wh=3))
