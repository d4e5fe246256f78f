"""Silent meters: nobody gains by being late or never read, and nobody else's money changes by it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.accounts import Accounts
from transactive.core.postings import PostingKind
from transactive.core.proofs.corrections import NUMBERS, Corrections
from transactive.core.tables import ReadingQuality, Readings
from transactive.core.tariff import NearFee, Tariff
from transactive.core.trades.positions import Positions
from transactive.core.units import IntArray
from transactive.settlement.corrections import correct
from transactive.settlement.neighbourhood import near_use_wh
from transactive.settlement.netted import deliver, post
from transactive.settlement.unmetered import (
    SlotFlow,
    closing_use_wh,
    hold_unmetered,
    most_cost_n,
    price_again,
    price_late,
    release,
    share_late,
)
from transactive.settlement.unmetered_slots import UnmeteredSlots, marks_of, silent

MEMBERS, SLOT = 5, 3_600
ACCOUNTS = Accounts(MEMBERS)
ZEROS = np.zeros(MEMBERS, np.int64)


def drawn(rng: np.random.Generator) -> tuple[Tariff, Positions, IntArray]:
    """A slot: its tariff, what was traded at one price, and what the meters count, (2, members)."""
    feed_in = int(rng.integers(-50, 150)) * 1_000
    fee = int(rng.integers(0, 60)) * 1_000
    near = None
    if rng.random() < 0.3:
        near = NearFee(int(rng.integers(0, fee + 1)), rng.integers(-1, 2, MEMBERS))
    tariff = Tariff(feed_in + fee + int(rng.integers(0, 250)) * 1_000, feed_in, fee, near=near)
    price = int(rng.integers(tariff.feed_in, tariff.grid_cost + 1))
    wanted = rng.integers(-900, 900, MEMBERS) * (rng.random(MEMBERS) < 0.7)
    volume = min(int(wanted.clip(min=0).sum()), int((-wanted).clip(min=0).sum()))
    bought, sold = (cut(side.clip(min=0), volume) for side in (wanted, -wanted))
    positions = Positions.at_one_price(SLOT, price, bought, sold)
    net = bought - sold + rng.integers(-400, 400, MEMBERS) * (rng.random(MEMBERS) < 0.7)
    both = rng.integers(0, 100, MEMBERS) * (rng.random(MEMBERS) < 0.2)
    return tariff, positions, np.stack((net.clip(min=0) + both, (-net).clip(min=0) + both))


def cut(wanted: IntArray, volume: int) -> IntArray:
    """The first `volume` of what is wanted."""
    taken: IntArray = np.clip(volume - (np.cumsum(wanted) - wanted), 0, wanted)
    return taken


def read(registers: IntArray, quality: IntArray = ZEROS) -> Readings:
    """Registers as a slot's readings."""
    return Readings(SLOT, registers[0], registers[1], registers[1], ZEROS, ZEROS, quality=quality)


def settled_n(tariff: Tariff, positions: Positions, registers: IntArray) -> IntArray:
    """What a slot brings every account [n¤]."""
    return post(deliver(positions, read(registers), tariff), positions, tariff, ACCOUNTS).net_n(ACCOUNTS.total)


def near_of(tariff: Tariff, positions: Positions, registers: IntArray) -> int:
    """What of a slot's energy stays near [Wh]; zero where that bears no other fee."""
    if tariff.near is None:
        return 0
    return int(near_use_wh(deliver(positions, read(registers), tariff), tariff.near).sum())


def late_n(
    tariff: Tariff, traded: tuple[int, int], now: tuple[int, int], flow: SlotFlow, member: int, near_wh: int
) -> tuple[IntArray, SlotFlow]:
    """What a late reading brings every account in a later slot [n¤]."""
    late = price_late(traded, now, flow, tariff, own=False, near_wh=near_wh)
    told = dict.fromkeys(NUMBERS, 0) | {
        "member": member, "was_import_wh": traded[0], "was_export_wh": traded[1], "now_import_wh": now[0],
        "now_export_wh": now[1], "supply": late.import_price, "feed_in": late.export_price,
    }  # fmt: skip
    line = Corrections.of(2 * SLOT, np.array([list(told.values())], np.int64), np.zeros((1, 65), np.int64))
    rest = share_late(2 * SLOT, late.community_n, late.network_n, ACCOUNTS)
    return correct(line, ACCOUNTS).and_then(rest).net_n(ACCOUNTS.total), late.flow


def check(rng: np.random.Generator) -> None:
    """One slot in which some are silent, and report later, or never."""
    tariff, positions, true = drawn(rng)
    whose = rng.random(MEMBERS) < rng.choice([0.2, 0.6, 1.0])
    net = positions.bought_wh - positions.sold_wh
    traded = np.stack((net.clip(min=0), (-net).clip(min=0)))
    first = np.where(whose, traded, true)
    now_n = settled_n(tariff, positions, first)
    flow = SlotFlow(int(first[0].sum()), int(first[1].sum()), near_of(tariff, positions, first))
    at_first, received_n = now_n[ACCOUNTS.network], now_n[ACCOUNTS.network]
    fees_n, known = tariff.fee * flow.local_wh, first.copy()
    fees_n -= (tariff.fee - tariff.near.fee) * flow.near_wh if tariff.near else 0
    order = rng.permutation(np.flatnonzero(whose))
    later_n = np.zeros(ACCOUNTS.total, np.int64)
    for i in order.tolist():
        on_time = np.where(np.arange(MEMBERS) == i, true, first)
        alone_n = settled_n(tariff, positions, on_time)[i]
        own = int(traded[0, i]), int(traded[1, i])
        counted = int(true[0, i]), int(true[1, i])
        known[:, i] = true[:, i]
        undelivered = np.where(np.arange(MEMBERS) == i, [[counted[0]], [0]], known)
        near, near_never = (near_of(tariff, positions, registers) for registers in (known, undelivered))
        brought, flow_then = late_n(tariff, own, counted, flow, i, near)
        never, _ = late_n(tariff, own, (counted[0], 0), flow, i, near_never)
        assert now_n[i] + brought[i] <= alone_n, "nobody gains by being late"
        assert never[i] <= brought[i] - min(tariff.feed_in, 0) * counted[1], "nor by never delivering what it sold"
        others = np.delete(brought[:MEMBERS], i)
        assert not others.any(), "nobody else's posting changes"
        assert brought[ACCOUNTS.community] >= 0, "the community account never falls"
        later_n += brought
        flow, received_n = flow_then, received_n + brought[ACCOUNTS.network]
        assert received_n - at_first + fees_n >= 0, "the network gives back no more than it received"
        assert flow.owed_n >= 0, "nor does it receive more than its fees"
    assert int(later_n.sum()) == 0
    whole = settled_n(tariff, positions, true)
    for account, owed in ((ACCOUNTS.supplier, 0), (ACCOUNTS.network, flow.owed_n)):
        assert now_n[account] + later_n[account] + owed == whole[account], "supplier and network end with their tariff"


AMOUNT = st.integers(0, 3_000)
REGISTERS = st.tuples(AMOUNT, AMOUNT)
NO_FLOW = SlotFlow(0, 0)


def brought_n(was: tuple[int, int], now: tuple[int, int], prices: tuple[int, int]) -> int:
    """What a difference brings its member [n¤]."""
    return (was[0] - now[0]) * prices[0] + (now[1] - was[1]) * prices[1]


@given(REGISTERS, REGISTERS, REGISTERS, st.integers(-50_000, 150_000), st.integers(0, 300_000))
def test_who_lets_a_slot_close_first_and_reports_later_gains_nothing(traded, closed, read, feed_in, above):
    tariff = Tariff(feed_in + above, feed_in, 0)
    once, first = (price_late(traded, now, NO_FLOW, tariff, own=True) for now in (read, closed))
    at_once = brought_n(traded, read, (once.import_price, once.export_price))
    then = brought_n(traded, closed, (first.import_price, first.export_price))
    assert then + brought_n(closed, read, price_again(traded, closed, read, tariff)) <= at_once


def test_what_was_bought_and_not_needed_is_no_dearer_after_its_slot_has_closed():
    tariff = Tariff(300_000, 80_000, 50_000)
    assert price_again((1_000, 0), (1_000, 0), (0, 0), tariff) == (80_000, 80_000)
    assert price_again((1_000, 0), (1_500, 0), (500, 0), tariff) == (190_000, 80_000)  # half of it needed
    assert price_again((0, 1_000), (0, 1_000), (0, 0), tariff) == (300_000, 300_000)
    assert price_again((1_000, 0), (400, 0), (900, 0), tariff) == (300_000, 80_000)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2, 3))])
def test_nobody_gains_by_a_silent_meter(seed):
    rng = np.random.default_rng(seed)
    for _ in range(250):
        check(rng)


@pytest.mark.long
def test_nobody_gains_by_a_silent_meter_in_many_slots():
    rng = np.random.default_rng()
    for _ in range(20_000):
        check(rng)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, MEMBERS - 1)), max_size=12), st.integers(0, 2**32))
def test_what_is_held_is_given_back_once(places, seed):
    rng = np.random.default_rng(seed)
    kept, total = UnmeteredSlots(MEMBERS), ZEROS.copy()
    for slot in range(4):
        whose, held, locked = rng.random(MEMBERS) < 0.5, rng.integers(0, 99, MEMBERS), rng.integers(0, 99, MEMBERS)
        kept.keep(slot, whose, held, locked)
        total = total + np.where(whose, held, 0)
    before = len(kept.before(4))
    given_back = kept.release(places) + kept.release(places)
    assert (given_back + kept.held_n() == total).all()
    assert len(kept.before(4)) <= before
    kept.release(kept.before(4))
    assert not kept.held_n().any()
    assert not kept.locked_n().any()
    assert not kept.waiting


def test_a_silent_seller_is_paid_once_its_reading_comes():
    """The worked slot: A sold 2,000 Wh at 120,000 and was silent; it exported 1,700."""
    tariff = Tariff(280_000, 80_000, 30_000)
    bought, sold = (np.where(np.arange(MEMBERS) == i, 2_000, 0) for i in (2, 0))
    positions = Positions.at_one_price(SLOT, 120_000, bought, sold)
    quality = np.where(np.arange(MEMBERS) == 0, int(ReadingQuality.AS_TRADED), 0)
    readings = read(np.array([[0, 0, 2_000, 0, 0], [2_000, 0, 0, 0, 0]]), quality)
    postings = post(deliver(positions, readings, tariff), positions, tariff, ACCOUNTS)
    assert postings.net_n(ACCOUNTS.total)[0] == 240_000_000
    held = hold_unmetered(postings, silent(readings), ACCOUNTS)
    both = postings.and_then(held)
    assert both.net_n(ACCOUNTS.total)[0] == 0
    assert marks_of(readings, is_void=False).tolist() == [1, 0, 0, 0, 0]
    cost = most_cost_n(positions, tariff, ZEROS, held.held_n(MEMBERS))
    assert cost[0] == 2_000 * 280_000 - 240_000_000
    free = release(2 * SLOT, held.held_n(MEMBERS), ACCOUNTS)
    assert set(free.kind.tolist()) == {int(PostingKind.RELEASE)}
    brought, _ = late_n(tariff, (0, 2_000), (0, 1_700), SlotFlow(2_000, 2_000), 0, 0)
    assert brought[0] == -300 * 280_000
    assert brought[ACCOUNTS.supplier] == 300 * 280_000
    assert brought[ACCOUNTS.network] == -300 * 30_000
    assert brought[ACCOUNTS.community] == 300 * 30_000


def test_a_slot_closes_at_no_less_than_the_median():
    past = np.array([300, 100, 200])
    assert (closing_use_wh(past), closing_use_wh(past, 150), closing_use_wh(past, 250)) == (200, 200, 250)
    assert closing_use_wh(past[:0]) == 0
