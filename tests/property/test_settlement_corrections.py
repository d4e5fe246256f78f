"""Corrected readings: a difference at the tariff of the slot that was metered, for one member and the supplier."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.accounts import Accounts
from transactive.core.proofs.corrections import NUMBERS, SIGNATURE_BYTES, Corrections
from transactive.settlement.corrections import charged_n, correct

MEMBERS, SLOTS = 4, 5
ACCOUNTS = Accounts(MEMBERS)
WH = st.integers(0, 50_000)
PRICES = st.tuples(st.integers(-400_000, 900_000), st.integers(-400_000, 500_000))
CHANGES = st.lists(st.tuples(st.integers(0, MEMBERS - 1), st.integers(0, SLOTS - 1), WH, WH), max_size=12)


def line(member: int, origin: int, was: tuple[int, int], now: tuple[int, int], prices: tuple[int, int]) -> list[int]:
    """One correction in the order of its numbers; generation and certificates play no part here."""
    return [member, origin, origin, *was, 0, *now, 0, 0, 0, *prices, 0, 0, 0, 0, 0, 1]


def table(slot: int, lines: list[list[int]]) -> Corrections:
    rows = np.array(lines, np.int64).reshape(-1, len(NUMBERS))
    return Corrections.of(slot, rows, np.zeros((len(rows), SIGNATURE_BYTES), np.int64))


@given(
    st.lists(PRICES, min_size=SLOTS, max_size=SLOTS),
    st.lists(st.tuples(WH, WH), min_size=MEMBERS * SLOTS, max_size=MEMBERS * SLOTS),
    CHANGES,
    st.integers(1, 4),
)
def test_corrections_in_any_order_come_to_the_first_and_the_last_reading(tariffs, settled, changes, at_once):
    readings = {(m, s): settled[m * SLOTS + s] for m in range(MEMBERS) for s in range(SLOTS)}
    last, lines = dict(readings), []
    for member, origin, imported, exported in changes:
        now = (imported, exported)
        lines.append(line(member, origin, last[member, origin], now, tariffs[origin]))
        last[member, origin] = now
    paid = np.zeros(ACCOUNTS.total, np.int64)
    for start in range(0, len(lines), at_once):  # a slot settles some of them
        postings = correct(table(SLOTS + start, lines[start : start + at_once]), ACCOUNTS)
        assert (postings.amount_n == postings.energy_wh * abs(postings.price)).all()
        named = {each[0] for each in lines[start : start + at_once]} | {ACCOUNTS.supplier}
        assert set(postings.payer.tolist()) | set(postings.payee.tolist()) <= named
        net = postings.net_n(ACCOUNTS.total)
        assert net.sum() == 0
        assert (charged_n(postings, MEMBERS) == np.maximum(-net[:MEMBERS], 0)).all()
        paid += net
    due = [
        sum(
            (last[m, s][1] - readings[m, s][1]) * tariffs[s][1] - (last[m, s][0] - readings[m, s][0]) * tariffs[s][0]
            for s in range(SLOTS)
        )
        for m in range(MEMBERS)
    ]
    assert paid[:MEMBERS].tolist() == due
    assert paid[ACCOUNTS.supplier] == -sum(due)


@given(PRICES, st.tuples(WH, WH), st.lists(st.tuples(WH, WH), min_size=1, max_size=6))
def test_back_to_the_first_reading_costs_nothing(prices, first, others):
    way = [first, *others, first]
    lines = [line(1, 0, was, now, prices) for was, now in pairwise(way)]
    net = correct(table(SLOTS, lines), ACCOUNTS).net_n(ACCOUNTS.total)
    assert not net.any()


def test_a_correction_worked_by_hand():
    """5,000 Wh more taken at 280,000 µ¤/kWh, 300 Wh less given at 80,000."""
    lines = [line(0, 0, (400, 0), (5_400, 0), (280_000, 80_000)), line(1, 0, (0, 1_700), (0, 1_400), (280_000, 80_000))]
    net = correct(table(SLOTS, lines), ACCOUNTS).net_n(ACCOUNTS.total)
    assert net[:2].tolist() == [-1_400_000_000, -24_000_000]
    assert net[ACCOUNTS.supplier] == 1_424_000_000
