"""What a community file says of certificates: the devices they come from, who can claim them, and who wants them.

A certificate travels with the energy that is traded unless its producer keeps or sells it apart, its user wants energy
only, the user's zone cannot be reached from the producer's, or both settle in different groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from transactive.core.community.records import Identifier
from transactive.core.units import BoolArray, IntArray

ONE_ZONE = "local"
"""Name of the zone that everybody is in where a community names none."""
SOLAR = "solar"
SourceName = Annotated[str, Meta(pattern=r"^[a-z][a-z -]{0,31}$", description="small letters, 32 at most")]
Date = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", description="a date in quotes, such as '2016-05-01'"
    ),
]
Factor = Annotated[int, Meta(ge=0, le=10_000)]
Limit = Annotated[int, Meta(ge=0, le=10**9)]


class Generator(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Attributes of a producing device, in EnergyTag's terms; what a member leaves out is the community's.

    factor_g_per_kwh needs the factor_source that it comes from; without both, solar has carbon.pv_g_per_kwh.
    """

    id: Identifier | None = None
    source: SourceName | None = None
    technology: str | None = None
    commissioned: Date | None = None
    location: str | None = None
    support: str | None = None
    factor_g_per_kwh: Factor | None = None
    factor_source: str | None = None

    def over(self, common: Generator) -> Generator:
        """These attributes, with those of the community where there are none; a factor stays with its source."""
        own = {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}
        if {"source", "factor_g_per_kwh", "factor_source"} & own.keys():
            common = msgspec.structs.replace(common, factor_g_per_kwh=None, factor_source=None)
        return msgspec.structs.replace(common, **own)


class CertificateRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Zones and life of certificates.

    zones: where meters can be; without any everybody is in one. reach: pairs of zones, beside each zone itself, from
    whose devices, the first, certificates can be claimed in the second. validity_days: what nobody uses in that time
    expires.
    """

    zones: tuple[str, ...] = ()
    reach: tuple[tuple[str, str], ...] = ()
    validity_days: Annotated[int, Meta(gt=0, le=36_500)] = 730
    generator: Generator = Generator()

    def reaches(self) -> frozenset[tuple[str, str]]:
        """Pairs (zone of the device, zone of the meter) that a claim may join."""
        return frozenset({(zone, zone) for zone in self.zones or (ONE_ZONE,)} | set(self.reach))


class CertificateWishes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a member does with certificates.

    exports: those of what it exports travel with the energy (bundled), stay with it (keep), or stay and are offered
    at ask_micro_per_kwh or more (sell). imports: it takes those that come with energy (bundled), these and others, at
    bid_micro_per_kwh at most, for what it used without any (buy), or no more than its own (none).
    """

    exports: Literal["bundled", "keep", "sell"] = "bundled"
    ask_micro_per_kwh: Limit | None = None
    imports: Literal["bundled", "buy", "none"] = "bundled"
    bid_micro_per_kwh: Limit | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CertificatePolicy:
    """Wishes and zones as columns, (members,).

    ask, bid: limits [µ¤/kWh], −1 for nobody who sells or buys. zone: number of the zone; reachable: (zones, zones),
    from a device's zone, the first, to a meter's. Where members settle in groups, each group has its own zones: a
    contract of certificates knows the members of one group only.
    """

    keeps: BoolArray
    takes: BoolArray
    ask: IntArray
    bid: IntArray
    zone: IntArray
    reachable: BoolArray

    @classmethod
    def of(
        cls,
        wishes: Sequence[CertificateWishes],
        zones: Sequence[str | None],
        rules: CertificateRules,
        groups: Sequence[range] = (),
    ) -> CertificatePolicy:
        """Columns of members with these wishes in these zones, divided into these groups; none for all in one."""
        names = rules.zones or (ONE_ZONE,)
        number = {name: place for place, name in enumerate(names)}
        pairs = rules.reaches()
        reachable = np.array([[(a, b) in pairs for b in names] for a in names], bool)
        zone = np.array([number[zone] if rules.zones and zone else 0 for zone in zones], np.int64)
        for place, members in enumerate(groups):
            zone[members.start : members.stop] += place * len(names)
        return cls(
            keeps=np.array([w.exports != "bundled" for w in wishes], bool),
            takes=np.array([w.imports != "none" for w in wishes], bool),
            ask=np.array([w.ask_micro_per_kwh or 0 if w.exports == "sell" else -1 for w in wishes], np.int64),
            bid=np.array([w.bid_micro_per_kwh or 0 if w.imports == "buy" else -1 for w in wishes], np.int64),
            zone=zone,
            reachable=np.kron(np.eye(max(len(groups), 1), dtype=bool), reachable),
        )

    @property
    def bundles_all(self) -> bool:
        """Whether every certificate travels with its energy and none is traded apart."""
        return bool(not self.keeps.any() and self.takes.all() and self.reachable.all() and (self.bid < 0).all())

    def travels(self, producer: IntArray, user: IntArray) -> BoolArray:
        """Whether certificates go with energy from a producer to a user, elementwise."""
        reached = self.reachable[self.zone[producer], self.zone[user]]
        along: BoolArray = ~self.keeps[producer] & self.takes[user] & reached
        return along
