"""Netted settlement of one cleared slot: who pays whom when the meters differ from the trades.

Deviations meet each other inside the community first, pro rata; only the rest meets the supplier:

    needs (short: sold, not delivered; extra: taken, not bought)       pay n for the part met inside
    gives (bought, not taken; delivered, not sold)                     receive g for the part met inside
    the difference n − g goes to the community account

What a meter counted in both directions of one slot, and did not trade, is settled with the supplier both ways.

So deviating is never worse than the tariff, and trading ahead is better than deviating. Nor does selling without
delivering ever gain: who sold above n and is replaced inside forfeits the difference to the community account, so
that a seller pays at least the price it was promised. A short seller's buyers have
paid price and fee already: where the replacement comes from the grid, the seller pays c = supply − fee and the
fee follows the energy to the supplier, who thus receives its full price.

Where lines lose energy the network is a buyer like others: it buys ahead what will be lost. What was lost follows from
all meters (`market.network.local_losses`), without what is the supplier's both ways: what it bought beyond that is a
give of the network's, what it lacks an extra, which comes before those of members, as what they got from each other is
what arrived. Its price from the supplier has the fee in it, which its users had paid as if it had been local.

What holds for every slot, with any deviations: all postings sum to zero, escrow and pool end at zero, the supplier
receives exactly its tariff on what really flows to or from the community, imports + losses − exports, the network its
fee on local energy that reached somebody, min(imports, exports − losses), and what buyers paid beyond what sellers
receive; members and community account together never pay more than without a market and that rent; and a member that
takes at least what it bought and delivers at least what it sold never loses. It holds at any prices between feed-in
and c, one for all trades or one for each: every Wh is by itself no worse than the tariff. Where feed-in is above c no
price suits both sides: nothing is traded, nothing meets inside, and the supplier receives its tariff on every meter.

A member with prices of its own has them for what its meter counts: the supply price for what it took beyond its trades,
the feed-in for what it gave beyond them, its fee for local energy that it used. The prices between neighbours are those
of the common tariff, and so are those of what was promised and not metered: what replaces a short sale, and what was
bought and not taken. A deviation meets others inside only where that is no worse than the member's own price. So each
member that keeps its word is never worse off than with its own tariff alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from transactive.core.accounts import Accounts
from transactive.core.errors import require
from transactive.core.postings import PostingKind, Postings
from transactive.core.tables import Readings
from transactive.core.tariff import Tariff
from transactive.core.trades.delivery import Delivery
from transactive.core.trades.positions import Positions
from transactive.core.units import BoolArray, IntArray, share_columns
from transactive.settlement.neighbourhood import near_use_wh
from transactive.settlement.netted_rules import check_postings


def deliver(positions: Positions, readings: Readings, tariff: Tariff | None = None, lost_wh: int = 0) -> Delivery:
    """Hold the trades of a slot against its meters and let deviations meet each other.

    tariff: tells for whom a price between neighbours is no worse than the supplier's; without it for all. lost_wh: what
    lines lost of what members gave each other [Wh], at most what they exported; nothing where nobody does.
    """
    meets = tariff is None or tariff.meets
    bought, sold = positions.bought_wh, positions.sold_wh
    imported, exported = readings.import_wh, readings.export_wh
    short = np.maximum(sold - exported, 0)
    extra = np.maximum(imported - bought, 0)
    give = np.maximum(bought - imported, 0) + np.maximum(exported - sold, 0)
    own = untraded_both_ways_wh(positions, readings)
    extra, give = extra - own, give - own
    need_suits, give_suits = _suits(tariff)
    unused = np.maximum(bought - imported, 0)
    meeting = np.where(give_suits, give, np.minimum(give, unused))
    spare = positions.lost_wh - (lost_wh if meets else 0)
    left_over, lacking = max(spare, 0), max(-spare, 0)
    give, meeting, needing = np.append(give, left_over), np.append(meeting, left_over), extra * need_suits
    inside = min(int(short.sum() + needing.sum()) + lacking, int(meeting.sum())) if meets else 0
    lacking_inside = min(lacking, inside)
    # one row of weights, member by member short before extra, so that ties go by member
    met = share_columns(inside - lacking_inside, np.stack((short, needing), axis=1).ravel()).reshape(-1, 2)
    given = share_columns(inside, meeting)
    short_inside, extra_inside = met[:, 0], met[:, 1]
    return Delivery(
        slot=positions.slot,
        bought_wh=bought,
        sold_wh=sold,
        imported_wh=imported,
        exported_wh=exported,
        short_inside_wh=short_inside,
        short_supplier_wh=short - short_inside,
        extra_inside_wh=extra_inside,
        extra_supplier_wh=extra - extra_inside + own,
        give_inside_wh=given[:-1],
        give_supplier_wh=(give - given)[:-1] + own,
        local_use_wh=np.minimum(bought, imported) + extra_inside,
        lost_wh=positions.lost_wh,
        lost_give_inside_wh=int(given[-1]),
        lost_give_supplier_wh=int((give - given)[-1]),
        lost_extra_inside_wh=lacking_inside,
        lost_extra_supplier_wh=lacking - lacking_inside,
    )


def untraded_both_ways_wh(positions: Positions, readings: Readings) -> IntArray:
    """What meters counted in both directions and nobody traded, (members,): their registers never net each other."""
    extra = np.maximum(readings.import_wh - positions.bought_wh, 0)
    unused = np.maximum(positions.bought_wh - readings.import_wh, 0)
    own: IntArray = np.minimum(extra, unused + np.maximum(readings.export_wh - positions.sold_wh, 0))
    return own


def _suits(tariff: Tariff | None) -> tuple[BoolArray | bool, BoolArray | bool]:
    """Whose needs and whose gives do no worse inside than at their own prices, each (members,), or all."""
    if tariff is None or tariff.own is None:
        return True, True
    own = tariff.own
    return own.supply - own.fee >= tariff.needs_pay, own.feed_in <= tariff.gives_receive


def post(delivery: Delivery, positions: Positions, tariff: Tariff, accounts: Accounts) -> Postings:
    """Postings of one slot, each trade at its own price, in the order of `PostingKind`.

    What buyers pay beyond what sellers receive is congestion rent, for the network's account, which pays for losses.
    """
    kind = PostingKind
    member = np.arange(accounts.members)
    buys, sells = np.flatnonzero(positions.is_buy), np.flatnonzero(~positions.is_buy)
    buyer, seller = positions.member[buys], positions.member[sells]
    buy_price, sell_price = positions.price[buys], positions.price[sells]
    certified, short, again = sales_wh(positions, sells, delivery.exported_wh)
    inside = delivery.give_inside_wh.sum() + delivery.lost_give_inside_wh
    left_inside, left_over = (np.int64(wh) for wh in (delivery.lost_give_inside_wh, delivery.lost_give_supplier_wh))
    lacked_inside, lacked = (np.int64(wh) for wh in (delivery.lost_extra_inside_wh, delivery.lost_extra_supplier_wh))
    supplier, network, escrow, pool = accounts.supplier, accounts.network, accounts.escrow, accounts.pool
    near = near_use_wh(delivery, tariff.near)
    spread = tariff.needs_pay - tariff.gives_receive
    replaced = replaced_wh(seller, short, delivery.short_inside_wh)
    above = np.maximum(sell_price - tariff.needs_pay, 0)
    postings = book(
        delivery.slot,
        [
            (kind.BOUGHT, buyer, escrow, positions.energy_wh[buys], buy_price),
            (kind.CERTIFIED, escrow, seller, certified, sell_price),
            (kind.SHORTFALL_REFUND, escrow, seller, short, sell_price),
            (kind.TRADED_AGAIN, escrow, seller, again, sell_price),
            (kind.SHORT_INSIDE, member, pool, delivery.short_inside_wh, tariff.needs_pay),
            (kind.SHORT_SUPPLIER, member, supplier, delivery.short_supplier_wh, tariff.grid_cost),
            (kind.EXTRA_INSIDE, member, pool, delivery.extra_inside_wh, tariff.needs_pay),
            (kind.EXTRA_INSIDE, network, pool, lacked_inside, tariff.needs_pay),
            (kind.EXTRA_SUPPLIER, member, supplier, delivery.extra_supplier_wh, tariff.supply_of),
            (kind.EXTRA_SUPPLIER, network, supplier, lacked, tariff.supply),
            (kind.GIVE_INSIDE, pool, member, delivery.give_inside_wh, tariff.gives_receive),
            (kind.GIVE_INSIDE, pool, network, left_inside, tariff.gives_receive),
            *_given_to_supplier(delivery, tariff, accounts),
            (kind.GIVE_SUPPLIER, supplier, network, left_over, tariff.feed_in),
            (kind.SPREAD, pool, accounts.community, inside, spread),
            (kind.NETWORK_FEE, member, network, delivery.local_use_wh - near, tariff.fee_of),
            (kind.NETWORK_FEE, member, network, near, tariff.near.fee if tariff.near else 0),
            (kind.FEE_FOLLOWS, network, supplier, *_replaced_fees(delivery, tariff)),
        ],
    )
    require(positions.surplus_n >= 0, "buyers pay at least what sellers receive")
    rent, lost = positions.surplus_n + positions.lost_n, positions.lost_n
    for reason, amount, lost_wh in ((kind.CONGESTION_RENT, rent, 0), (kind.LOSSES, -lost, positions.lost_wh)):
        if amount or lost_wh:
            parties = (escrow, network) if amount > 0 else (network, escrow)
            row = (np.array([value], np.int64) for value in (reason, *parties, lost_wh, 0, abs(amount)))
            postings = postings.and_then(Postings(delivery.slot, *row))
    forfeited = [(kind.FORFEIT, seller, accounts.community, np.where(above > 0, replaced, 0), above)]
    postings = postings.and_then(book(delivery.slot, forfeited))
    check_postings(delivery, postings, positions.surplus_n, tariff, accounts)
    return postings


def _given_to_supplier(delivery: Delivery, tariff: Tariff, accounts: Accounts) -> list[Line]:
    """What the supplier took of members: metered surplus at their own prices, what they did not take at the common."""
    member, supplier, given = np.arange(accounts.members), accounts.supplier, delivery.give_supplier_wh
    if tariff.own is None:
        return [(PostingKind.GIVE_SUPPLIER, supplier, member, given, tariff.feed_in)]
    metered = np.minimum(given, np.maximum(delivery.exported_wh - delivery.sold_wh, 0))  # the unused met inside first
    return [
        (PostingKind.GIVE_SUPPLIER, supplier, member, metered, tariff.own.feed_in),
        (PostingKind.GIVE_SUPPLIER, supplier, member, given - metered, tariff.feed_in),
    ]


def _replaced_fees(delivery: Delivery, tariff: Tariff) -> tuple[IntArray | np.int64, IntArray | int]:
    """Energy of short sales that the grid replaced, and the fee that its users had paid, in proportion to their use.

    None of it was near: that is metered.
    """
    replaced = delivery.short_supplier_wh.sum()
    if tariff.own is None:
        return replaced, tariff.fee
    far = delivery.local_use_wh - near_use_wh(delivery, tariff.near)
    return share_columns(int(replaced), far), tariff.own.fee


def sales_wh(positions: Positions, sells: IntArray, exported_wh: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Split each sell row: what the meters, (members,), certify, what is short, and what its seller had bought itself.

    A member's cheapest sales are certified first. A row is paid in full at its own price whatever it is, so this
    decides the names of postings, not anybody's money.
    """
    seller, energy = positions.member[sells], positions.energy_wh[sells]
    total = np.cumsum(energy)
    starts = np.searchsorted(seller, np.arange(len(exported_wh)))
    before = total - energy - np.concatenate(([0], total))[starts][seller]  # of the same member, at lower prices
    due = np.clip(positions.sold_wh[seller] - before, 0, energy)
    certified = np.clip(np.minimum(positions.sold_wh, exported_wh)[seller] - before, 0, energy)
    return certified, due - certified, energy - due


def replaced_wh(member: IntArray, short_wh: IntArray, inside_wh: IntArray) -> IntArray:
    """Part of each sell row's shortfall, (rows,), that counts as replaced inside [Wh]; a member's dearest rows first.

    member, short_wh: of the rows, by member and rising price. inside_wh: of each member, (members,).
    """
    member, short_wh = member[::-1], short_wh[::-1]
    total = np.cumsum(short_wh)
    before = total - short_wh
    first = np.ones(len(member), bool)
    first[1:] = member[1:] != member[:-1]
    before -= np.maximum.accumulate(np.where(first, before, 0))  # of the same member, at higher prices
    replaced: IntArray = np.clip(inside_wh[member] - before, 0, short_wh)[::-1]
    return replaced


Line = tuple[PostingKind, IntArray | int, IntArray | int, IntArray | np.int64, IntArray | int]
"""Kind, payer, payee, energy [Wh], price [µ¤/kWh]; a number goes for every row."""


def book(slot: int, lines: Iterable[Line]) -> Postings:
    """Columns of postings from lines; a line without energy is left out, at a negative price the payee pays."""
    parts = [np.array(np.broadcast_arrays(*line), np.int64).reshape(5, -1) for line in lines]
    rows = np.concatenate(parts, axis=1)
    kind, payer, payee, energy_wh, price = rows[:, rows[3] > 0]
    swapped = price < 0
    return Postings(
        slot,
        kind,
        np.where(swapped, payee, payer),
        np.where(swapped, payer, payee),
        energy_wh,
        price,
        energy_wh * np.abs(price),
    )


def tariff_alone_n(readings: Readings, tariff: Tariff) -> IntArray:
    """What the same readings would bring each member without a market [n¤]; negative: a bill."""
    return readings.export_wh * tariff.feed_in_of - readings.import_wh * tariff.supply_of
