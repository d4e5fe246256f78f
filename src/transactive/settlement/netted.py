"""Netted settlement of one cleared slot: who pays whom when the meters differ from the trades.

Deviations meet each other inside the community first, pro rata; only the rest meets the supplier:

    needs (short: sold, not delivered; extra: taken, not bought)       pay n for the part met inside
    gives (bought, not taken; delivered, not sold)                     receive g for the part met inside
    the difference n − g goes to the community account

So deviating is never worse than the tariff, and trading ahead is better than deviating. A short seller's buyers have
paid price and fee already: where the replacement comes from the grid, the seller pays c = supply − fee and the
fee follows the energy to the supplier, who thus receives its full price.

What holds for every slot, with any deviations: all postings sum to zero, escrow and pool end at zero, the supplier
receives exactly its tariff on the community's net energy, the network its fee on min(imports, exports), members and
community account together never pay more than without a market, and a member that takes at least what it bought
and delivers at least what it sold never loses.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from transactive.core.accounts import Accounts
from transactive.core.errors import require
from transactive.core.tables import Clearing, Delivery, PostingKind, Postings, Readings
from transactive.core.tariff import Tariff
from transactive.core.units import IntArray, share_columns


def deliver(clearing: Clearing, readings: Readings) -> Delivery:
    """Hold the trades of a slot against its meters and let deviations meet each other."""
    bought, sold = clearing.bought_wh, clearing.sold_wh
    imported, exported = readings.import_wh, readings.export_wh
    short = np.maximum(sold - exported, 0)
    extra = np.maximum(imported - bought, 0)
    give = np.maximum(bought - imported, 0) + np.maximum(exported - sold, 0)
    inside = min(int(short.sum() + extra.sum()), int(give.sum()))
    # one row of weights, member by member short before extra, so that ties go by member
    met = share_columns(inside, np.stack((short, extra), axis=1).ravel()).reshape(-1, 2)
    given = share_columns(inside, give)
    short_inside, extra_inside = met[:, 0], met[:, 1]
    return Delivery(
        slot=clearing.slot,
        bought_wh=bought,
        sold_wh=sold,
        imported_wh=imported,
        exported_wh=exported,
        short_inside_wh=short_inside,
        short_supplier_wh=short - short_inside,
        extra_inside_wh=extra_inside,
        extra_supplier_wh=extra - extra_inside,
        give_inside_wh=given,
        give_supplier_wh=give - given,
        local_use_wh=np.minimum(bought, imported) + extra_inside,
    )


def post(delivery: Delivery, price: int, tariff: Tariff, accounts: Accounts) -> Postings:
    """Postings of one slot at its clearing price [µ¤/kWh], in the order of `PostingKind`."""
    kind = PostingKind
    member = np.arange(accounts.members)
    certified = np.minimum(delivery.sold_wh, delivery.exported_wh)
    short = delivery.sold_wh - certified
    inside = delivery.give_inside_wh.sum()
    supplier, network, escrow, pool = accounts.supplier, accounts.network, accounts.escrow, accounts.pool
    spread = tariff.needs_pay - tariff.gives_receive
    postings = book(
        delivery.slot,
        [
            (kind.BOUGHT, member, escrow, delivery.bought_wh, price),
            (kind.CERTIFIED, escrow, member, certified, price),
            (kind.SHORTFALL_REFUND, escrow, member, short, price),
            (kind.SHORT_INSIDE, member, pool, delivery.short_inside_wh, tariff.needs_pay),
            (kind.SHORT_SUPPLIER, member, supplier, delivery.short_supplier_wh, tariff.grid_cost),
            (kind.EXTRA_INSIDE, member, pool, delivery.extra_inside_wh, tariff.needs_pay),
            (kind.EXTRA_SUPPLIER, member, supplier, delivery.extra_supplier_wh, tariff.supply),
            (kind.GIVE_INSIDE, pool, member, delivery.give_inside_wh, tariff.gives_receive),
            (kind.GIVE_SUPPLIER, supplier, member, delivery.give_supplier_wh, tariff.feed_in),
            (kind.SPREAD, pool, accounts.community, inside, spread),
            (kind.NETWORK_FEE, member, network, delivery.local_use_wh, tariff.fee),
            (kind.FEE_FOLLOWS, network, supplier, delivery.short_supplier_wh.sum(), tariff.fee),
        ],
    )
    _check(delivery, postings, tariff, accounts)
    return postings


Line = tuple[PostingKind, IntArray | int, IntArray | int, IntArray | np.int64, int]
"""Kind, payer, payee, energy [Wh], price [µ¤/kWh]."""


def book(slot: int, lines: Iterable[Line]) -> Postings:
    """Columns of postings from lines; a line without energy is left out, at a negative price the payee pays."""
    kinds, payers, payees, energies, prices = [], [], [], [], []
    for kind, payer, payee, energy_wh, price in lines:
        payer_row, payee_row, energy = (np.atleast_1d(c) for c in np.broadcast_arrays(payer, payee, energy_wh))
        real = energy > 0
        if price < 0:
            payer_row, payee_row = payee_row, payer_row
        kinds.append(np.full(int(real.sum()), int(kind), np.int64))
        payers.append(payer_row[real])
        payees.append(payee_row[real])
        energies.append(energy[real])
        prices.append(np.full(int(real.sum()), price, np.int64))
    energy_wh, price_row = np.concatenate(energies), np.concatenate(prices)
    return Postings(
        slot,
        np.concatenate(kinds),
        np.concatenate(payers),
        np.concatenate(payees),
        energy_wh,
        price_row,
        energy_wh * np.abs(price_row),
    )


def tariff_alone_n(readings: Readings, tariff: Tariff) -> IntArray:
    """What the same readings would bring each member without a market [n¤]; negative: a bill."""
    return readings.export_wh * tariff.feed_in - readings.import_wh * tariff.supply


def _check(delivery: Delivery, postings: Postings, tariff: Tariff, accounts: Accounts) -> None:
    """The rules that the postings of a slot must never break."""
    net = postings.net_n(accounts.total)
    imports, exports = int(delivery.imported_wh.sum()), int(delivery.exported_wh.sum())
    grid = imports - exports
    require(int(net.sum()) == 0, "postings sum to zero")
    require(int(net[accounts.escrow]) == int(net[accounts.pool]) == 0, "escrow and pool end a slot at zero")
    due = grid * (tariff.supply if grid > 0 else tariff.feed_in)
    require(int(net[accounts.supplier]) == due, "the supplier receives its tariff on the net energy")
    fee = tariff.fee * min(imports, exports)
    require(int(net[accounts.network]) == fee, "the network receives its fee on energy exchanged locally")
