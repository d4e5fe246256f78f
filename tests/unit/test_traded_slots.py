"""Slots that were settled as traded, with a lower fee for what stays near, before and after an interruption."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from transactive.core.accounts import Accounts
from transactive.core.proofs.corrections import NUMBERS
from transactive.core.tables import ReadingQuality, Readings
from transactive.core.tariff import NearFee, Tariff
from transactive.core.trades.positions import Positions
from transactive.engine.late.traded_slots import TradedSlots
from transactive.settlement.netted import deliver, post

SLOT, MEMBERS = 3_600, 4
ACCOUNTS = Accounts(MEMBERS)
TARIFF = Tariff(280_000, 80_000, 30_000)
NEAR = NearFee(10_000, np.array([0, 0, 1, 1]))
QUALITY = np.array([int(ReadingQuality.AS_TRADED), 0, int(ReadingQuality.AS_TRADED), 0])
"""Both sellers are silent: each sold 1,000 Wh, and each has a neighbour that used as much."""
EXPORTS = np.array([1_000, 0, 1_000, 0])
IMPORTS = EXPORTS[[1, 0, 3, 2]]


def settled() -> Readings:
    """The slot as it was settled."""
    zeros = np.zeros(MEMBERS, np.int64)
    return Readings(SLOT, IMPORTS, EXPORTS, EXPORTS, zeros, zeros, quality=QUALITY)


def made() -> TradedSlots:
    """What a run knows of the slot as it begins or goes on."""
    positions = Positions.at_one_price(SLOT, 120_000, IMPORTS, EXPORTS)
    postings = post(deliver(positions, settled(), TARIFF), positions, TARIFF, ACCOUNTS)
    store: Any = SimpleNamespace(trading=lambda *_: (None, None, positions), postings=lambda _: postings)
    community: Any = SimpleNamespace(chart=ACCOUNTS, at=lambda _: SimpleNamespace(near_fee=NEAR, sharing_in_force=None))
    return TradedSlots(store, community)


def late(of: TradedSlots, member: int, exported: int) -> tuple[int, int]:
    """What the community and the network receive of a late reading [n¤]."""
    row: Any = SimpleNamespace(origin=SLOT, member=member, import_wh=0, export_wh=exported)
    assert of.price(row, settled(), TARIFF, own=False) == (280_000, 280_000)
    return of.take_rest()


def line(member: int, exported: int) -> list[int]:
    """The correction that such a reading became."""
    told = dict.fromkeys(NUMBERS, 0) | {
        "member": member, "origin": SLOT, "previous": SLOT, "was_export_wh": 1_000, "now_export_wh": exported,
    }  # fmt: skip
    return list(told.values())


def test_the_network_gives_back_the_fee_that_it_received_of_near_energy():
    """Of 400 Wh that were not delivered it had 10,000 n¤ each, not 30,000; that is the community's."""
    assert late(made(), 0, 600) == (400 * 10_000, -400 * 10_000)


def test_a_run_that_goes_on_prices_the_next_reading_alike():
    whole = made()
    late(whole, 0, 600)
    expected = late(whole, 2, 0)
    again = made()
    again.remember(line(0, 600))
    assert late(again, 2, 0) == expected
    assert expected[1] <= 0
