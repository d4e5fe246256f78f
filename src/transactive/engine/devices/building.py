"""The devices of a community as a fleet, as they are before a run."""

from __future__ import annotations

from transactive.core.community.community import Community
from transactive.core.units import IntArray
from transactive.engine.devices.fleet import Fleet, Prices, Work
from transactive.engine.devices.neighbours import Neighbours
from transactive.engine.devices.shifting import Shifting


def fleet_of(
    community: Community, prices: Prices, work: Work, carbon_price: IntArray | None = None, *, among: bool = False
) -> Fleet:
    """All devices of a community, as they are before a run. among: whether batteries plan among neighbours."""
    shifting = Shifting(community) if any(member.devices for member in community.members) else None
    limited = any(member.connection_w for member in community.members)
    limits = community.most_import_wh if limited else None
    membership = None if community.membership.fixed else community.membership
    neighbours = Neighbours(community.devices) if among else None
    return Fleet(
        community.devices, community.clock, prices, work, carbon_price, shifting, limits, membership, neighbours
    )
