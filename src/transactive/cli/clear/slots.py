"""What `transactive clear` gives for order kinds: each order's energy by slot, trades, and the figures of the slots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from transactive.cli.clear.kinds import BOTH, KindFile, read_kinds
from transactive.cli.clear.orders import PRICE, naming
from transactive.cli.clear.report import Figures, Files, Outputs, SlotFigures
from transactive.core.errors import InputError
from transactive.core.tables import Orders
from transactive.market.auction.blocks.call_auction import clear
from transactive.market.auction.blocks.order_kinds import KindClearing
from transactive.market.auction.merit_order import draw
from transactive.market.result import mean_price
from transactive.market.trades import pair
from transactive.tabular.spreadsheet import csv_text


@dataclass(frozen=True, slots=True)
class SlotAllocation:
    """What an order got in one slot; side: buy, sell, or both where a storage rests."""

    order: int
    slot: int
    side: str
    energy_wh: int


def clear_kinds(path: Path, mechanism: str, outputs: Outputs) -> tuple[Files, Figures]:
    """Clear a file with order kinds. Raises DataError naming file, row and column, InputError for a picture of many."""
    file = read_kinds(path)
    if outputs.svg and len(file.book.plain) > 1:
        raise InputError("--svg: the merit order is drawn of one slot; leave it out")
    with naming(path):
        clearing = clear(file.book)
    got = parts(file, clearing)
    files = {outputs.allocation: _allocation_csv(file, clearing, got)}
    if outputs.trades:
        files[outputs.trades] = _trades_csv(file, clearing, got)
    if outputs.svg:
        files[outputs.svg] = draw(_one_slot(file), clearing.price[0], sum(clearing.traded_wh(file.book)))
    return files, _figures(mechanism, file, clearing, got)


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


def _allocation_csv(file: KindFile, clearing: KindClearing, got: list[SlotAllocation]) -> str:
    """Allocation of every order, with slot and side where the file numbers its slots."""
    rows = []
    for part in got:
        price = clearing.price[part.slot]
        money = part.energy_wh * (price or 0) * (-1 if part.side == "buy" else 1)
        place = (part.slot + file.first_slot, part.side) if file.spans_slots else ()
        rows.append((file.ids[part.order], *place, part.energy_wh, price, money))
    place_names = ("slot", "side") if file.spans_slots else ()
    return csv_text(("id", *place_names, "allocated_wh", PRICE, "money_n"), rows)


def _trades_csv(file: KindFile, clearing: KindClearing, got: list[SlotAllocation]) -> str:
    """Trades; money_n is what the buyer pays to the seller."""
    rows = [(*row, row[3] * row[4]) for row in trade_rows(file, clearing, got)]
    header = ("slot", "buy_id", "sell_id", "energy_wh", PRICE, "money_n")
    return csv_text(header, rows) if file.spans_slots else csv_text(header[1:], (row[1:] for row in rows))


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
