"""The judges of a new settlement, and what only they and its certificates need."""

from __future__ import annotations

from dataclasses import dataclass

from web3.contract import Contract

from transactive.chain.keys.keys import Keys
from transactive.chain.nodes.client import ChainClient
from transactive.core.community.community import Community
from transactive.core.community.rules import DirectRules
from transactive.core.tariff import PriceGrid, Tariff

CERTIFICATES_VALID = 730 * 86400
"""Seconds after its slot until a certificate that became a token expires, if nothing else is agreed: two years."""


@dataclass(frozen=True, slots=True)
class DealRules:
    """Deals that can be posted: until so many seconds before their slot begins, at prices within bounds [µ¤/kWh]."""

    ahead: int
    lowest: int
    highest: int

    @classmethod
    def of(cls, community: Community) -> DealRules | None:
        """Those of a community; None where its members do not trade directly, or its prices are no numbers.

        An order that covers an allowance must do so at every price that can be posted, in every slot; so prices of
        posts are those of the market's grid, which has to be the same in all slots. Where an auction trades the rest,
        posts end with the gate; else when the slot begins.
        """
        market, tariff, clock = community.market, community.tariff, community.clock
        supply = tariff.supply_micro_per_kwh
        if market.mechanism != "direct" or not tariff.plain or not isinstance(supply, int) or community.groups:
            return None
        feed_in, fee = tariff.numbers
        grid = PriceGrid.of(Tariff(supply, feed_in, fee), market.tick_micro_per_kwh)
        rest = (community.direct or DirectRules()).rest
        return cls(clock.lead * clock.length if rest == "auction" else 0, grid.floor, grid.cap)


def appoint(
    client: ChainClient,
    keys: Keys,
    settlement: Contract,
    *,
    direct: bool,
    first_slot: int,
    deals: DealRules | None = None,
) -> str:
    """Queue the judges of a settlement of members, its gateway and its certificates; address of the last.

    direct: certificates come from signed readings at once, not from the roots of slots. first_slot: number of the first
    slot that they are issued for. deals: where members trade directly, which the judges are a list for.
    """
    owner = keys.role("owner")
    disputes = client.deploy(owner, "disputes", settlement.address)
    judge = client.deploy(owner, "certificate_disputes", disputes.address)
    client.send(owner, settlement, "setDisputes", disputes.address)
    client.send(owner, disputes, "setCertificateDisputes", judge.address)
    client.send(owner, disputes, "setDemands", _of_demands(client, keys, disputes, deals).address)
    certificates = client.deploy(owner, "certificates", settlement.address, direct, CERTIFICATES_VALID, first_slot)
    client.send(owner, disputes, "setGateway", keys.role("gateway").address)
    return str(certificates.address)


def _of_demands(client: ChainClient, keys: Keys, disputes: Contract, deals: DealRules | None) -> Contract:
    """What stands in the place for the judge of demands: itself, or a list with the judge of deals."""
    owner = keys.role("owner")
    if deals is None:
        return client.deploy(owner, "demands", disputes.address)
    judges = client.deploy(owner, "judges", disputes.address)
    demands = client.deploy(owner, "demands", judges.address)
    rules = deals.ahead, deals.lowest, deals.highest
    listed = [demands.address, client.deploy(owner, "deals", judges.address, *rules).address]
    client.send(owner, judges, "setJudges", listed)
    return judges


def appoint_for_groups(client: ChainClient, keys: Keys, settlement: Contract) -> None:
    """Queue the judges of a settlement of groups: it has no meters and no certificates."""
    owner = keys.role("owner")
    disputes = client.deploy(owner, "disputes", settlement.address)
    client.send(owner, settlement, "setDisputes", disputes.address)
    client.send(owner, disputes, "setDemands", client.deploy(owner, "group_disputes", disputes.address).address)
