"""What the postings of a netted slot must never break: who receives exactly what its tariff says."""

from __future__ import annotations

import numpy as np

from transactive.core.accounts import Accounts
from transactive.core.errors import require
from transactive.core.postings import Postings
from transactive.core.tariff import Tariff
from transactive.core.trades.delivery import Delivery
from transactive.core.units import IntArray, share_columns
from transactive.settlement.neighbourhood import near_use_wh


def check_postings(delivery: Delivery, postings: Postings, surplus_n: int, tariff: Tariff, accounts: Accounts) -> None:
    """Raise RuleBroken where the postings of a slot break a rule."""
    net = postings.net_n(accounts.total)
    imports, exports, lost = int(delivery.imported_wh.sum()), int(delivery.exported_wh.sum()), delivery.lost_used_wh
    grid = imports + lost - exports
    require(int(net.sum()) == 0, "postings sum to zero")
    require(int(net[accounts.escrow]) == int(net[accounts.pool]) == 0, "escrow and pool end a slot at zero")
    if tariff.own is not None:
        _check_own(delivery, net, surplus_n, tariff, accounts)
        return
    own = int(delivery.both_ways_wh.sum())
    local = min(imports, exports - lost) - own
    due = grid * (tariff.supply if grid > 0 else tariff.feed_in) + own * (tariff.supply - tariff.feed_in)
    if not tariff.meets:
        local, due = 0, imports * tariff.supply - exports * tariff.feed_in
    require(int(net[accounts.supplier]) == due, "the supplier receives its tariff on the net energy")
    earned = tariff.fee * local + surplus_n - _reduced_n(delivery, tariff) + _deviation_n(delivery, tariff)
    earned += (
        delivery.lost_extra_supplier_wh * tariff.fee
    )  # paid with the price, received from those who had its energy
    require(int(net[accounts.network]) == earned, "the network receives its fee on local energy, and congestion rent")


def _deviation_n(delivery: Delivery, tariff: Tariff) -> int:
    """What the network receives for lost energy that it bought and did not need − pays for what it lacked [n¤]."""
    inside = delivery.lost_give_inside_wh * tariff.gives_receive - delivery.lost_extra_inside_wh * tariff.needs_pay
    return inside + delivery.lost_give_supplier_wh * tariff.feed_in - delivery.lost_extra_supplier_wh * tariff.supply


def _reduced_n(delivery: Delivery, tariff: Tariff) -> int:
    """What the network does not ask of energy that stays near [n¤]."""
    if tariff.near is None:
        return 0
    return int((near_use_wh(delivery, tariff.near) * (tariff.fee_of - tariff.near.fee)).sum())


def _check_own(delivery: Delivery, net: IntArray, surplus_n: int, tariff: Tariff, accounts: Accounts) -> None:
    """Check where members have own prices: net energy is the supplier's, each Wh at the price of its member."""
    bought, replaced = delivery.extra_supplier_wh, int(delivery.short_supplier_wh.sum())
    lacked = delivery.lost_extra_supplier_wh
    given = int(delivery.give_supplier_wh.sum()) + delivery.lost_give_supplier_wh
    grid = int(delivery.imported_wh.sum()) + delivery.lost_used_wh - int(delivery.exported_wh.sum())
    require(int(bought.sum()) + replaced + lacked - given == grid, "the supplier gives and takes the net energy")
    far = delivery.local_use_wh - near_use_wh(delivery, tariff.near)
    followed = int((share_columns(replaced, far) * tariff.fee_of).sum())
    both = int(net[accounts.supplier] + net[accounts.network])
    metered = np.minimum(delivery.give_supplier_wh, np.maximum(delivery.exported_wh - delivery.sold_wh, 0))
    due = int((bought * tariff.supply_of).sum()) + replaced * tariff.grid_cost + followed + lacked * tariff.supply
    due -= int((metered * tariff.feed_in_of).sum()) + int((delivery.give_supplier_wh - metered).sum()) * tariff.feed_in
    due -= delivery.lost_give_supplier_wh * tariff.feed_in
    require(int(net[accounts.supplier]) == due, "the supplier receives its tariffs on the net energy")
    earned = int((delivery.local_use_wh * tariff.fee_of).sum()) - followed + surplus_n - _reduced_n(delivery, tariff)
    earned += _deviation_n(delivery, tariff)
    require(both - due == earned, "the network receives its fees on local energy, and congestion rent")
