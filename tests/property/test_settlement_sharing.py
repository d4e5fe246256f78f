"""Sharing by keys: exact to the Wh, nobody beyond what it takes, and the supplier and the network get their due."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import Traded, positions_of, traded_slots
from transactive.core.postings import PostingKind
from transactive.core.tariff import Tariff
from transactive.core.units import PPM
from transactive.settlement.netted import post
from transactive.settlement.sharing import allot, deliver_shared

KEYS = st.lists(st.sampled_from(["static", "dynamic", "equal"]), min_size=1, max_size=3)
WH = st.integers(0, 10**6)


@st.composite
def shares(draw: st.DrawFn, members: int) -> list[int]:
    """Shares [ppm] of a million at most in all."""
    cuts = sorted(draw(st.lists(st.integers(0, PPM), min_size=members, max_size=members)))
    return [high - low for low, high in zip([0, *cuts], cuts, strict=False)]


@st.composite
def slots(draw: st.DrawFn) -> tuple[int, list[int], list[str], list[int]]:
    taken = draw(st.lists(WH, min_size=1, max_size=6))
    return draw(WH), taken, draw(KEYS), draw(shares(len(taken)))


@given(slots())
def test_nobody_is_allotted_more_than_it_takes_nor_all_more_than_is_given(slot):
    given_wh, taken, keys, ppm = slot
    used = allot(given_wh, np.array(taken, np.int64), keys, np.array(ppm, np.int64))
    assert (used >= 0).all()
    assert (used <= taken).all()
    assert used.sum() <= given_wh
    if keys[-1] != "static":
        assert used.sum() == min(given_wh, sum(taken))


@given(slots())
def test_each_key_is_within_a_wh_of_its_formula(slot):
    given_wh, taken, _, ppm = slot
    need, share_ppm = np.array(taken, np.int64), np.array(ppm, np.int64)
    fixed = allot(given_wh, need, ["static"], share_ppm).tolist()
    for used, n, share in zip(fixed, taken, ppm, strict=True):
        assert used == n or abs(used * PPM - given_wh * share) <= 2 * PPM
    by_use = allot(given_wh, need, ["dynamic"], share_ppm).tolist()
    for used, n in zip(by_use, taken, strict=True):
        assert used == n or abs(used * sum(taken) - min(given_wh, sum(taken)) * n) < sum(taken)
    alike = allot(given_wh, need, ["equal"], share_ppm).tolist()
    open_parts = [used for used, n in zip(alike, taken, strict=True) if used < n]
    assert max(open_parts, default=0) - min(open_parts, default=0) <= len(taken)
    assert all(used <= max(open_parts, default=used) + len(taken) for used in alike)


@given(slots(), st.integers(2, 9))
def test_who_takes_twice_as_much_of_a_dynamic_key_gets_twice_as_much(slot, factor):
    """Exactly so where the division leaves no remainder."""
    _, taken, _, ppm = slot
    need = np.array(taken, np.int64) * factor
    assert allot(sum(taken), need, ["dynamic"], np.array(ppm, np.int64)).tolist() == taken


def test_the_worked_example():
    """A plant gives 1,000 Wh; three take 600, 900 and 1,500 Wh; agreed are 50, 30 and 20 %."""
    need, agreed = np.array([600, 900, 1_500], np.int64), np.array([500_000, 300_000, 200_000], np.int64)
    assert allot(1_000, need, ["dynamic"], agreed).tolist() == [200, 300, 500]
    assert allot(1_000, need, ["static"], agreed).tolist() == [500, 300, 200]
    assert allot(2_000, need, ["static"], agreed).tolist() == [600, 600, 400]  # 400 of the first are left
    assert allot(2_000, need, ["static", "dynamic"], agreed).tolist() == [600, 686, 714]
    assert allot(1_000, need, ["equal"], agreed).tolist() == [334, 333, 333]
    assert allot(2_100, need, ["equal"], agreed).tolist() == [600, 750, 750]


@given(traded_slots(), KEYS, st.integers(-10_000, 400_000), st.data())
def test_money_of_sharing_sums_to_zero_and_follows_the_meters(slot: Traded, keys, price, data):
    members, accounts = slot.accounts.members, slot.accounts
    untraded = positions_of(slot.positions.slot, 0, [0] * members, [0] * members)
    ppm = np.array(data.draw(shares(members)), np.int64)
    tariff = Tariff(slot.tariff.supply, slot.tariff.feed_in, slot.tariff.fee, shared=price)
    delivery = deliver_shared(untraded, slot.readings, keys, ppm)
    postings = post(delivery, untraded, tariff, accounts)
    net, used, gave = postings.net_n(accounts.total), delivery.local_use_wh, delivery.give_inside_wh
    taken, given_ = slot.readings.import_wh, slot.readings.export_wh
    for member in range(members):
        paid = used[member] * (price + tariff.fee) + (taken - used)[member] * tariff.supply
        assert net[member] == gave[member] * price + (given_ - gave)[member] * tariff.feed_in - paid
    assert net[accounts.network] == used.sum() * tariff.fee
    assert net[accounts.community] == net[accounts.pool] == net[accounts.escrow] == net.sum() == 0
    assert not (set(postings.kind.tolist()) & {PostingKind.BOUGHT, PostingKind.EXTRA_INSIDE, PostingKind.GIVE_INSIDE})
