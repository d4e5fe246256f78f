"""What order kinds get: each order's energy by slot, trades, and the figures of the slots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from transactive.core.errors import InputError
from transactive.core.tables import Orders
from transactive.market.auction.blocks.call_auction import clear
from transactive.market.auction.blocks.order_kinds import KindClearing
from transactive.market.auction.merit_order_picture import draw
from transactive.market.result import mean_price
from transactive.market.trades import pair
from transactive.studies.order_books.figures import ClearedBook, Columns, Figures, SlotFigures
from transactive.studies.order_books.kinds import BOTH, KindFile, read_kinds
from transactive.studies.order_books.orders import PRICE, naming
from transactive.tabular.source import Source


@dataclass(frozen=True, slots=True)
class SlotAllocation:
    """What an order got in one slot; side: buy, sell, or both where a storage rests."""

    order: int
    slot: int
    side: str
    energy_wh: int


def clear_kinds(path: Source, mechanism: str) -> ClearedBook:
    """Clear orders of kinds. Raises DataError naming file, row and column."""
    file = read_kinds(path)
    with naming(path):
        clearing = clear(file.book)
    got = parts(file, clearing)
    return ClearedBook(
        _figures(mechanism, file, clearing, got),
        _allocation(file, clearing, got),
        lambda: _trades(file, clearing, got),
        lambda: _picture(file, clearing),
    )


def parts(file: KindFile, clearing: KindClearing) -> list[SlotAllocation]:
    """What every order got in each of its slots, in the order of the file and of time."""
    found: list[SlotAllocation] = []
    curves: dict[tuple[int, int], list[tuple[str, int]]] = {}
    for slot, (numbers, orders, given) in enumerate(zip(file.plain, file.book.plain, clearing.plain_wh, strict=True)):
        for number, is_buy, wh in zip(numbers, orders.is_buy.tolist(), given.tolist(), strict=True):
            curves.setdefault((number, slot), []).append(("buy" if is_buy else "sell", wh))
    for (number, slot), steps in curves.items():  # only one side of a curve can be served
        side = next((side for side, wh in steps if wh), file.sides[number])
        found.append(SlotAllocation(number, slot, side, sum(wh for _, wh in steps)))
    for number, block, wh in zip(file.blocks, file.book.blocks, clearing.block_wh, strict=True):
        found += [SlotAllocation(number, slot, file.sides[number], wh) for slot in block.window]
    moves = zip(file.storages, file.book.storages, clearing.charge_wh, clearing.discharge_wh, strict=True)
    for number, storage, charge, discharge in moves:
        for slot in storage.window:
            taken, gave = int(charge[slot]), int(discharge[slot])
            found.append(SlotAllocation(number, slot, "buy" if taken else "sell" if gave else BOTH, taken + gave))
    return sorted(found, key=lambda part: (part.order, part.slot))


def trade_rows(
    file: KindFile, clearing: KindClearing, got: list[SlotAllocation]
) -> Iterator[tuple[int, str, str, int, int]]:
    """Trades: slot, ids of buyer and seller, Wh and price [µ¤/kWh], slot by slot."""
    by_slot: list[list[SlotAllocation]] = [[] for _ in file.book.plain]
    for part in got:
        if part.energy_wh:
            by_slot[part.slot].append(part)
    for slot, served in enumerate(by_slot):
        given = np.array([part.energy_wh for part in served], np.int64)
        is_buy = np.array([part.side == "buy" for part in served], np.bool_)
        columns = pair(given, np.flatnonzero(is_buy), np.flatnonzero(~is_buy))
        for buy, sell, wh in zip(*(column.tolist() for column in columns), strict=True):
            ids = file.ids[served[buy].order], file.ids[served[sell].order]
            yield slot + file.first_slot, *ids, wh, clearing.price[slot] or 0


def _allocation(file: KindFile, clearing: KindClearing, got: list[SlotAllocation]) -> Columns:
    """Allocation of every order, with slot and side where the file numbers its slots."""
    prices = [clearing.price[part.slot] for part in got]
    signed = (-part.energy_wh if part.side == "buy" else part.energy_wh for part in got)
    place: Columns = {"slot": [part.slot + file.first_slot for part in got], "side": [part.side for part in got]}
    return {
        "id": [file.ids[part.order] for part in got],
        **(place if file.spans_slots else {}),
        "allocated_wh": [part.energy_wh for part in got],
        PRICE: prices,
        "money_n": [wh * (price or 0) for wh, price in zip(signed, prices, strict=True)],
    }


def _trades(file: KindFile, clearing: KindClearing, got: list[SlotAllocation]) -> Columns:
    """Trades; money_n is what the buyer pays to the seller."""
    rows = list(trade_rows(file, clearing, got))
    names = ("slot", "buy_id", "sell_id", "energy_wh", PRICE)
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    columns["money_n"] = [wh * price for _, _, _, wh, price in rows]
    return columns if file.spans_slots else {name: column for name, column in columns.items() if name != "slot"}


def _picture(file: KindFile, clearing: KindClearing) -> str:
    """The merit order. Raises InputError for the orders of several slots."""
    if len(file.book.plain) > 1:
        raise InputError("--svg: the merit order is drawn of one slot; leave it out")
    return draw(_one_slot(file), clearing.price[0], sum(clearing.traded_wh(file.book)))


def _figures(mechanism: str, file: KindFile, clearing: KindClearing, got: list[SlotAllocation]) -> Figures:
    """Figures of all slots; a storage that trades is filled in part."""
    total = [0] * len(file.ids)
    for part in got:
        total[part.order] += part.energy_wh
    asked = list(zip(total, file.asked_wh, strict=True))
    traded = clearing.traded_wh(file.book)
    turnover = sum(wh * (price or 0) for wh, price in zip(traded, clearing.price, strict=True))
    figures = Figures(
        mechanism,
        mean_price(turnover, sum(traded)),
        sum(traded),
        clearing.welfare_n,
        len(asked),
        sum(wh == most for wh, most in asked),
        sum((most is None and wh > 0) or (most is not None and 0 < wh < most) for wh, most in asked),
        welfare_bound_n=clearing.bound_n,
    )
    if not file.spans_slots:
        return figures
    slots = zip(clearing.price, traded, strict=True)
    named = {str(file.first_slot + n): SlotFigures(price, wh) for n, (price, wh) in enumerate(slots)}
    return msgspec.structs.replace(figures, slots=named)


def _one_slot(file: KindFile) -> Orders:
    """Plain orders and blocks of the only slot, for its picture."""
    plain, blocks = file.book.plain[0], file.book.blocks
    columns = [(block.is_buy, block.price, block.most_wh) for block in blocks]
    is_buy, price, energy = (np.array([row[n] for row in columns], np.int64) for n in range(3))
    nothing = np.zeros(len(plain) + len(blocks), np.int64)
    return Orders(
        0,
        nothing,
        np.concatenate([plain.is_buy, is_buy.astype(np.bool_)]),
        np.concatenate([plain.price, price]),
        np.concatenate([plain.energy_wh, energy]),
        nothing,
    )
