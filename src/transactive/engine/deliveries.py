"""What trades and meters of a slot make of each other: netted against trades, or shared by keys."""

from __future__ import annotations

import numpy as np

from transactive.config.setting import Setting
from transactive.core.accounts import Accounts
from transactive.core.community.community import Community
from transactive.core.community.sharing_rules import SharingRules
from transactive.core.errors import DataError
from transactive.core.postings import Postings
from transactive.core.slots import time_text
from transactive.core.tables import Readings
from transactive.core.tariff import Tariff
from transactive.core.trades.delivery import Delivery
from transactive.core.trades.positions import Positions
from transactive.core.units import PPM, IntArray
from transactive.market.mechanisms import Site
from transactive.market.network.local_losses import local_losses_wh
from transactive.metering.reported import NOT_REPORTED
from transactive.settlement.netted import deliver, post, untraded_both_ways_wh
from transactive.settlement.shared_postings import post_shared, used_and_given
from transactive.settlement.sharing import Circle, SharedSlot, delivery_of, share_out

EVERYBODY = "community"
"""Name of the circle of all members."""


class Settling:
    """How a run turns a metered slot into a delivery, and a delivery into postings, by the community's rules."""

    def __init__(self, setting: Setting, slots: range, site: Site | None = None) -> None:
        """Raise DataError for a slot that the distributor's report, if it decides, does not have.

        site: the network whose market buys what lines lose, None without such a market.
        """
        self._setting, self._community, self._site = setting, setting.community, site
        unreported = (slot for slot in slots if (got := setting.reported(slot)) and (got[0] == NOT_REPORTED).any())
        if (first := next(unreported, None)) is not None:
            raise DataError(
                f"sharing.report says nothing of {time_text(first)}; give a report of the whole run, or run fewer days"
            )

    def delivery(self, positions: Positions, readings: Readings, tariff: Tariff) -> Delivery:
        """Delivery of a slot."""
        rules = self._community.at(positions.slot).sharing_in_force
        if rules is None:
            return deliver(positions, readings, tariff, self._lost_wh(positions, readings))
        shared = shared_slot(self._setting, rules, readings)
        used, given = shared.used_wh.sum(axis=0), shared.given_wh.sum(axis=0)
        return delivery_of(positions, readings, used, given, billed=rules.incentive is None)

    def _lost_wh(self, positions: Positions, readings: Readings) -> int:
        """What lines lost of what members gave each other [Wh]; what is the supplier's both ways they did not."""
        if self._site is None:
            return 0
        own = untraded_both_ways_wh(positions, readings)
        return local_losses_wh(self._site.network, self._site.node, readings.import_wh - own, readings.export_wh - own)

    def postings(self, of: Delivery, positions: Positions, readings: Readings, tariff: Tariff) -> Postings:
        """Postings of a slot's energy."""
        accounts: Accounts = self._community.chart
        rules = self._community.at(of.slot).sharing_in_force
        if rules is None:
            return post(of, positions, tariff, accounts)
        shared = shared_slot(self._setting, rules, readings)
        return post_shared(of, shared, tariff, accounts, self._setting.incentive(of.slot))


def shared_slot(setting: Setting, rules: SharingRules, readings: Readings) -> SharedSlot:
    """What the rules of a community that shares make of a slot's meters."""
    community, slot = setting.community, readings.slot
    circles = circles_of(community, rules, slot, setting.coefficients(slot))
    reported = setting.reported(slot)
    if reported is not None:
        used, given = (column[None] for column in reported)
        return SharedSlot(circles, used, given, np.zeros(len(community.members), np.int64))
    return share_out(readings, circles, to_holders=rules.surplus == "holder")


def circles_of(
    community: Community, rules: SharingRules, slot: int, coefficients_ppm: IntArray | None = None
) -> tuple[Circle, ...]:
    """Who shares among themselves in a slot, in turn; nobody who is no member then.

    coefficients_ppm: shares of the slot that take the place of the members' own, (members,).
    """
    members = community.at(slot).members
    present = community.membership.present(slot)
    own = np.array([member.share_ppm for member in members], np.int64)
    found = []
    for circle in rules.circles:
        there = present & np.array([member.id in circle.members for member in members])
        part = np.array([circle.parts_ppm.get(member.id, PPM) for member in members], np.int64)
        share = [circle.shares_ppm.get(member.id, 0) for member in members] if circle.shares_ppm else own
        price = rules.price_micro_per_kwh if circle.price_micro_per_kwh is None else circle.price_micro_per_kwh
        fee = rules.fee_ppm if circle.fee_ppm is None else circle.fee_ppm
        shares = np.where(there, np.array(share, np.int64), 0)
        found.append(Circle(circle.name, circle.keys, np.where(there, part, 0), shares, price, fee))
    if rules.keys:
        whole = np.where(present, PPM, 0)
        shares = np.where(present, own if coefficients_ppm is None else coefficients_ppm, 0)
        keys = ["static" if key == "coefficients" else key for key in rules.keys]
        found.append(Circle(EVERYBODY, keys, whole, shares, rules.price_micro_per_kwh, rules.fee_ppm))
    return tuple(found)


def delivered_before(
    community: Community, positions: Positions, readings: Readings, tariff: Tariff, postings: Postings
) -> Delivery:
    """Delivery of a slot that is settled: against its trades, or as its postings say that it was shared.

    What lines lost is what the network bought, ahead and beyond it, and did not give.
    """
    rules = community.at(positions.slot).sharing_in_force
    if rules is None:
        lost_wh = positions.lost_wh + postings.lost_beyond_wh(community.chart.network)
        return deliver(positions, readings, tariff, lost_wh)
    used, given = used_and_given(postings, len(community.members))
    return delivery_of(positions, readings, used, given, billed=rules.incentive is None)
