"""Slots that nobody ever metered: they close by themselves after the community's days, at its member's own median."""

from __future__ import annotations

from contextlib import closing as shut
from types import SimpleNamespace
from typing import Any

import numpy as np

from transactive.core.accounts import Accounts
from transactive.core.ports import LateReading, MeterHistory
from transactive.core.slots import DAY
from transactive.core.tables import ReadingQuality
from transactive.engine.books.correcting import Correcting
from transactive.engine.books.signed_run import UnsignedRun
from transactive.engine.late.closing import Closing
from transactive.settlement.ledger import Ledger
from transactive.store import Store

HOUR, FIRST = 3_600, 10 * DAY
HERE = FIRST + 9 * DAY + 7 * HOUR


class Past:
    """Nine days and more of two homes; the second used as many Wh as the day's number, a hundredfold, at each hour."""

    def __init__(self, unmetered: int | None = None) -> None:
        self.rows = 60 * 24
        self.quality = np.zeros((self.rows, 2), np.int64)
        if unmetered is not None:
            self.quality[unmetered] = ReadingQuality.AS_TRADED

    def history(self, until: int) -> MeterHistory:
        rows = (until - FIRST) // HOUR
        used = np.stack((np.zeros(rows, np.int64), 100 * (np.arange(rows) // 24)), axis=1)
        return MeterHistory(FIRST, used, np.zeros_like(used), used, quality=self.quality[:rows])


def closing(past: Past, days: int = 30) -> tuple[Closing, Ledger]:
    """A closing of a community of two, and its ledger."""
    community: Any = SimpleNamespace(clock=SimpleNamespace(length=HOUR), data=SimpleNamespace(close_days=days))
    ledger = Ledger(Accounts(2))
    return Closing(ledger, past, community), ledger


def test_a_slot_closes_after_its_days_at_the_median_of_its_hour():
    of, ledger = closing(Past())
    ledger.unmetered.keep(HERE, np.array([False, True]), np.array([0, 500]), np.array([0, 70]))
    assert of.overdue(HERE + 30 * DAY) == []
    assert of.overdue(HERE + 30 * DAY + HOUR) == [LateReading(HERE, 1, 400, 0, 0, 0)]  # of 0 to 800 Wh
    assert ledger.unmetered.release([(HERE, 1)]).tolist() == [0, 500]
    assert of.overdue(HERE + 40 * DAY) == []


def test_what_nobody_metered_says_nothing_of_the_median():
    of, ledger = closing(Past(unmetered=8 * 24 + 7), days=1)
    ledger.unmetered.keep(HERE, np.array([False, True]), np.zeros(2, np.int64), np.zeros(2, np.int64))
    assert of.overdue(HERE + 2 * DAY) == [LateReading(HERE, 1, 350, 0, 0, 0)]  # of 0 to 700 Wh


def test_a_reading_that_waits_is_not_replaced_as_its_slot_closes(tmp_path):
    community: Any = SimpleNamespace(chart=Accounts(2))
    with shut(Store(tmp_path / "state")) as store:
        correcting = Correcting(store, community, UnsignedRun())
        spread, closed = (LateReading(HERE, 1, used, 0, 0, 0) for used in (9_000, 400))
        correcting.take_in([spread])
        correcting.close([closed, LateReading(HERE + HOUR, 1, 400, 0, 0, 0)])
        assert [(row.origin, row.import_wh) for row in correcting._waiting] == [(HERE, 9_000), (HERE + HOUR, 400)]


def test_what_an_open_slot_can_cost_is_neither_free_nor_taken_out():
    _, ledger = closing(Past())
    ledger.deposit(np.full(ledger.accounts.on_chain, 1_000))
    assert (ledger.free_n(HERE).tolist(), ledger.withdrawable_n(1)) == ([1_000, 1_000], 1_000)
    ledger.unmetered.keep(HERE, np.array([False, True]), np.array([0, 500]), np.array([0, 700]))
    assert (ledger.free_n(HERE).tolist(), ledger.withdrawable_n(1)) == ([1_000, 300], 300)
