"""Who used which source: exported energy shared among the users by the local energy that they used.

Each source is shared among all users, as long as that stays readable. In a large community most parts would be a Wh or
none; there the sources stand in a line, by device, and so do the users, by member, and each user takes what lies beside
it: the same Wh for every user, from a few sources instead of all.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from transactive.carbon.certificates.sources import ExportSources
from transactive.carbon.footprints.flows import Flows
from transactive.core.community.certificate_rules import CertificatePolicy
from transactive.core.units import BoolArray, IntArray, share_capped, share_columns, split_pair

MOST_PARTS = 20_000
"""With more sources x users than this, sources and users stand in a line."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Parts of sources that users took, (parts,): row of the source, member, Wh and market-based mg by use."""

    source: IntArray
    user: IntArray
    load_wh: IntArray
    charge_wh: IntArray
    load_mg: IntArray
    charge_mg: IntArray

    def only(self, rows: BoolArray) -> Parts:
        """The chosen parts, (parts,)."""
        return Parts(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Allotment:
    """Where every exported Wh went.

    parts: what users took, as far as its certificate came with it. Each (sources,): kept_wh, kept_mg, certificates that
    stayed with the producer; export_wh, export_mg, what left with the supplier.
    """

    parts: Parts
    export_wh: IntArray
    export_mg: IntArray
    kept_wh: IntArray
    kept_mg: IntArray

    def matched(self, sources: ExportSources) -> Allotment:
        """The same energy, with only those parts that a user may count at their own factor."""
        return replace(self, parts=self.parts.only(~sources.given_up[self.parts.source]))

    def apart(self, sources: ExportSources, policy: CertificatePolicy) -> Allotment:
        """The same energy, with those certificates left at their producers that do not travel with it."""
        producer = sources.device // 2
        stays = (sources.certified > 0)[self.parts.source]
        stays &= ~policy.travels(producer[self.parts.source], self.parts.user)
        keeps = policy.keeps[producer] & (sources.certified > 0)
        kept, left = self.parts.only(stays), np.where(keeps, 0, 1)
        kept_wh, kept_mg = self.export_wh * (1 - left), self.export_mg * (1 - left)
        np.add.at(kept_wh, kept.source, kept.load_wh + kept.charge_wh)
        np.add.at(kept_mg, kept.source, kept.load_mg + kept.charge_mg)
        return Allotment(self.parts.only(~stays), self.export_wh * left, self.export_mg * left, kept_wh, kept_mg)


def allot(
    sources: ExportSources, flows: Flows, local_use_wh: IntArray, lost_wh: int = 0, both_ways_wh: int = 0
) -> Allotment:
    """Share each source among local users and supplier; what lines lose leaves with the supplier's part.

    both_ways_wh: counted in both directions by one meter, which the supplier took and gave.

    When exports exceed imports, each source is split pro rata by exported Wh between both. The local part of a source
    goes to the users by local energy used, largest remainder, ties by member, nobody beyond what its meter
    imported; a user's part serves load and charging pro rata. Carbon follows the allotted Wh in the same way.
    """
    imported = flows.import_to_load + flows.import_to_charge
    exported = sources.energy_wh
    local = share_columns(min(int(imported.sum()), int(exported.sum()) - lost_wh) - both_ways_wh, exported)
    local_mg = split_pair(sources.market_mg, local, exported - local)
    together = _each if len(exported) * len(imported) <= MOST_PARTS else _in_line
    return Allotment(
        parts=together(local, local_mg, flows, local_use_wh),
        export_wh=exported - local,
        export_mg=sources.market_mg - local_mg,
        kept_wh=np.zeros_like(exported),
        kept_mg=np.zeros_like(exported),
    )


def _each(local_wh: IntArray, local_mg: IntArray, flows: Flows, local_use_wh: IntArray) -> Parts:
    """Share each source among all users."""
    load_room, charge_room = flows.import_to_load.copy(), flows.import_to_charge.copy()
    found = []
    for source, (stays, mg) in enumerate(zip(local_wh.tolist(), local_mg.tolist(), strict=True)):
        taken = share_capped(stays, local_use_wh, load_room + charge_room)
        users = np.flatnonzero(taken)
        wh = taken[users]
        load = split_pair(wh, load_room[users], charge_room[users])
        load_room[users] -= load
        charge_room[users] -= wh - load
        carbon = share_columns(mg, wh)
        load_mg = split_pair(carbon, load, wh - load)
        found.append((np.full(len(users), source), users, load, wh - load, load_mg, carbon - load_mg))
    if not found:
        return Parts(*np.zeros((6, 0), np.int64))
    return Parts(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _in_line(local_wh: IntArray, local_mg: IntArray, flows: Flows, local_use_wh: IntArray) -> Parts:
    """Lay sources and users side by side: every user's total as a share of all sources, from those beside it."""
    imported = flows.import_to_load + flows.import_to_charge
    taken = share_capped(int(local_wh.sum()), local_use_wh, imported)
    load = split_pair(taken, flows.import_to_load, flows.import_to_charge)
    places = np.stack((load, taken - load), axis=1).ravel()  # each user's load, then its charging
    source, place, wh, mg = side_by_side(local_wh, local_mg, places)
    charging = place % 2 == 1
    nothing = np.zeros_like(wh)
    return Parts(
        source,
        place // 2,
        np.where(charging, nothing, wh),
        np.where(charging, wh, nothing),
        np.where(charging, nothing, mg),
        np.where(charging, mg, nothing),
    )


def side_by_side(source_wh: IntArray, source_mg: IntArray, place_wh: IntArray) -> tuple[IntArray, ...]:
    """Lay sources beside places of the same sum: source, place, Wh and mg of each piece, in their order.

    Carbon goes by running sum within the source, rounded down, so that the pieces of a source sum to its own.
    """
    source_end, place_end = np.cumsum(source_wh), np.cumsum(place_wh)
    ends = np.sort(np.concatenate((source_end, place_end)), kind="stable")  # two rising rows: merged, not sorted anew
    ends = ends[np.diff(ends, prepend=0) > 0]
    wh = np.diff(ends, prepend=0)
    source, place = np.searchsorted(source_end, ends), np.searchsorted(place_end, ends)
    within = ends - (source_end - source_wh)[source]
    upto = carbon_up_to(within, source_mg[source], source_wh[source])
    return source, place, wh, upto - carbon_up_to(within - wh, source_mg[source], source_wh[source])


def carbon_up_to(wh: IntArray, source_mg: IntArray, source_wh: IntArray) -> IntArray:
    """Carbon [mg] of the first Wh of a source, rounded down."""
    carbon: IntArray = wh * source_mg // source_wh
    return carbon
