"""Order kinds beyond the plain one, for call auctions over consecutive slots.

An order is plain (any part of it), or a block: the same energy in each of its slots, nothing or from `least_wh` to
`most_wh`. A block over one slot is a range; with least = most it is all or nothing. A storage buys and sells as it
pays: it gives back what it took, less losses, and earns at least its spread on each Wh given. A curve is the plain
orders that it consists of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transactive.core.errors import DataError, require
from transactive.core.tables import Orders
from transactive.core.units import PPM, IntArray


@dataclass(frozen=True, slots=True)
class BlockOrder:
    """Buy or sell `least_wh` to `most_wh` in each of `slots` slots from number `first` on, the same in all, or nothing.

    price: limit of the mean price over its slots [µ¤/kWh].
    """

    is_buy: bool
    price: int
    first: int
    slots: int
    least_wh: int
    most_wh: int

    @property
    def window(self) -> range:
        """Its slots."""
        return range(self.first, self.first + self.slots)

    def surplus(self, prices: Sequence[int]) -> int:
        """What each Wh per slot gains against the limit [n¤] at the prices of all slots, negative for a loss."""
        gain = self.price * self.slots - sum(prices[slot] for slot in self.window)
        return gain if self.is_buy else -gain


@dataclass(frozen=True, slots=True)
class Storage:
    """Take and give energy in `slots` slots from number `first` on, beginning empty.

    spread: least gain on each Wh given [µ¤/kWh]. power_wh: most Wh a slot, either way, at the meter. capacity_wh:
    charged Wh that fit; giving d takes ⌈d / efficiency⌉ of them, as in `Devices.drawn_wh`.
    """

    spread: int
    first: int
    slots: int
    power_wh: int
    capacity_wh: int
    efficiency_ppm: int

    @property
    def window(self) -> range:
        """Its slots."""
        return range(self.first, self.first + self.slots)

    def given(self, drawn: int) -> int:
        """Wh at the meter that so many charged Wh can give."""
        return drawn * self.efficiency_ppm // PPM

    def drawn(self, given: int) -> int:
        """Charged Wh that giving takes."""
        return -(-given * PPM // self.efficiency_ppm)


@dataclass(frozen=True, slots=True)
class KindBook:
    """Orders of consecutive slots: plain ones of each slot, blocks and storages; slots are counted from 0."""

    plain: tuple[Orders, ...]
    blocks: tuple[BlockOrder, ...] = ()
    storages: tuple[Storage, ...] = ()


@dataclass(frozen=True, slots=True)
class KindClearing:
    """Result for a book.

    price: µ¤/kWh of each slot, None where nothing trades. plain_wh: of each plain order, slot by slot. block_wh: of
    each block, in each of its slots. charge_wh, discharge_wh: (storages, slots). bound_n: no allocation at whose prices
    nobody loses has a greater welfare than this; how far welfare_n is below it is what the search may have missed.
    """

    price: tuple[int | None, ...]
    plain_wh: tuple[IntArray, ...]
    block_wh: tuple[int, ...]
    charge_wh: IntArray
    discharge_wh: IntArray
    welfare_n: int
    bound_n: int

    def traded_wh(self, book: KindBook) -> list[int]:
        """Wh bought in each slot."""
        bought = [int(given[orders.is_buy].sum()) for orders, given in zip(book.plain, self.plain_wh, strict=True)]
        bought = [wh + int(charge) for wh, charge in zip(bought, self.charge_wh.sum(axis=0), strict=True)]
        for block, wh in zip(book.blocks, self.block_wh, strict=True):
            for slot in block.window:
                bought[slot] += wh * block.is_buy
        return bought


def check_book(book: KindBook) -> None:
    """Raise DataError for a block or a storage that no market could clear."""
    slots = len(book.plain)
    windows: list[BlockOrder | Storage] = [*book.blocks, *book.storages]
    for number, order in enumerate(windows):
        if order.first < 0 or order.slots < 1 or order.first + order.slots > slots:
            raise DataError(f"order {number}: slots {order.first} … {order.first + order.slots - 1} of {slots}")
    for number, block in enumerate(book.blocks):
        if not 0 < block.least_wh <= block.most_wh:
            raise DataError(f"block {number}: needs 0 < least_wh <= energy_wh; it has {block.least_wh}")
    for number, storage in enumerate(book.storages):
        sizes = min(storage.power_wh, storage.capacity_wh, storage.spread + 1)
        if sizes < 1 or not 0 < storage.efficiency_ppm <= PPM:
            raise DataError(f"storage {number}: needs power, capacity > 0, spread >= 0, efficiency 1 … {PPM}")


def check_kinds(book: KindBook, clearing: KindClearing) -> None:
    """Raise RuleBroken unless every slot balances, each kind keeps its own rule and nobody trades beyond its limit."""
    net = clearing.charge_wh.sum(axis=0) - clearing.discharge_wh.sum(axis=0)
    prices = [price or 0 for price in clearing.price]
    for slot, (orders, given) in enumerate(zip(book.plain, clearing.plain_wh, strict=True)):
        require(bool(((given >= 0) & (given <= orders.energy_wh)).all()), "no order gets more than its quantity")
        net[slot] += int(np.where(orders.is_buy, given, -given).sum())
        price = clearing.price[slot]
        require(price is not None or not given.any(), "a slot without a price has no trade")
        beyond = np.where(orders.is_buy, orders.price < prices[slot], orders.price > prices[slot])
        require(not (beyond & (given != 0)).any(), "no order trades beyond its limit")
    for block, wh in zip(book.blocks, clearing.block_wh, strict=True):
        require(wh == 0 or block.least_wh <= wh <= block.most_wh, "a block gets nothing, or from least to most")
        require(wh == 0 or block.surplus(prices) >= 0, "no block trades beyond its limit")
        net[block.first : block.first + block.slots] += wh if block.is_buy else -wh
    require(not net.any(), "Wh bought = Wh sold in every slot")
    for storage, charge, discharge in zip(book.storages, clearing.charge_wh, clearing.discharge_wh, strict=True):
        _check_storage(storage, charge.tolist(), discharge.tolist(), prices)


def _check_storage(storage: Storage, charge: list[int], discharge: list[int], prices: list[int]) -> None:
    """The rules of one storage."""
    level, earned = 0, 0
    for slot, (taken, given) in enumerate(zip(charge, discharge, strict=True)):
        require(slot in storage.window or not (taken or given), "a storage trades in its slots only")
        require(min(taken, given) == 0 <= max(taken, given), "a storage takes or gives")
        require(max(taken, given) <= storage.power_wh, "a storage keeps to its power")
        level += taken - storage.drawn(given)
        require(0 <= level <= storage.capacity_wh, "a storage is never below empty nor above full")
        earned += prices[slot] * (given - taken)
    require(earned >= storage.spread * sum(discharge), "a storage earns its spread")
