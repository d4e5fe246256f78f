"""The worked slot, to the last unit: one slot of four members through orders, clearing, delivery, money and carbon.

Members A (PV), B (PV and battery), C and D; supplier 280,000 / 80,000 and network fee 30,000 µ¤/kWh.
"""

import numpy as np
import pytest

from transactive.carbon.accounting import Factors, account
from transactive.carbon.certificates.storage import Lots
from transactive.core.accounts import Accounts
from transactive.core.certificates import CertificateState
from transactive.core.community.members import Devices, Member
from transactive.core.postings import PostingKind
from transactive.core.tables import Orders, Readings
from transactive.core.tariff import PriceGrid, Tariff
from transactive.market import mechanisms
from transactive.market.auction import uniform
from transactive.settlement.netted import deliver, post
from transactive.trading.escrow import lock_price, locked_after_clearing

A, B, C, D = range(4)
SUPPLIER, NETWORK, COMMUNITY, LEVY, CREDITS, ESCROW, POOL = range(4, 11)
TARIFF = Tariff(supply=280_000, feed_in=80_000, fee=30_000)
GRID = PriceGrid.of(TARIFF, tick=100)
SLOT = 1_496_620_800


def integers(*values):
    return np.array(values, np.int64)


@pytest.fixture(scope="module")
def orders():
    is_buy = np.array([False, False, True, True])
    price = integers(80_000, 120_000, 250_000, 200_000)
    energy = integers(2_000, 1_500, 1_800, 1_000)
    return Orders(SLOT, integers(A, B, C, D), is_buy, price, energy, energy * lock_price(is_buy, price, TARIFF))


@pytest.fixture(scope="module")
def readings():
    return Readings(
        SLOT,
        import_wh=integers(0, 0, 1_900, 900),
        export_wh=integers(1_700, 800, 0, 0),
        generation_wh=integers(2_100, 0, 0, 0),
        charge_wh=integers(0, 0, 0, 0),
        discharge_wh=integers(0, 800, 0, 0),
    )


@pytest.fixture(scope="module")
def cleared(orders):
    return mechanisms.clear(uniform.clear, orders, GRID, 4)


@pytest.fixture(scope="module")
def clearing(cleared):
    return cleared.clearing


@pytest.fixture(scope="module")
def positions(cleared):
    return cleared.positions


@pytest.fixture(scope="module")
def delivery(positions, readings):
    return deliver(positions, readings)


@pytest.fixture(scope="module")
def postings(positions, delivery):
    return post(delivery, positions, TARIFF, Accounts(4))


def test_price_grid_runs_from_feed_in_to_supply_less_fee():
    assert (GRID.floor, GRID.cap) == (80_000, 250_000)
    assert (TARIFF.needs_pay, TARIFF.gives_receive) == (207_500, 122_500)


def test_1_orders_lock(orders):
    assert orders.lock_n.tolist() == [340_000_000, 195_000_000, 504_000_000, 230_000_000]


def test_2_clearing(clearing, positions):
    assert (clearing.price, clearing.traded_wh) == (120_000, 2_800)
    assert clearing.allocated_wh.tolist() == [2_000, 800, 1_800, 1_000]
    assert clearing.sold_wh.tolist() == [2_000, 800, 0, 0]
    assert clearing.bought_wh.tolist() == [0, 0, 1_800, 1_000]
    assert locked_after_clearing(positions, TARIFF).tolist() == [260_000_000, 104_000_000, 270_000_000, 150_000_000]


def test_3_delivery(delivery):
    assert delivery.short_inside_wh.tolist() == [75, 0, 0, 0]
    assert delivery.short_supplier_wh.tolist() == [225, 0, 0, 0]
    assert delivery.extra_inside_wh.tolist() == [0, 0, 25, 0]
    assert delivery.extra_supplier_wh.tolist() == [0, 0, 75, 0]
    assert delivery.give_inside_wh.tolist() == [0, 0, 0, 100]
    assert delivery.give_supplier_wh.tolist() == [0, 0, 0, 0]
    assert delivery.local_use_wh.tolist() == [0, 0, 1_825, 900]


def test_4_postings(postings):
    kind = PostingKind
    rows = zip(
        postings.kind.tolist(),
        postings.payer.tolist(),
        postings.payee.tolist(),
        postings.energy_wh.tolist(),
        postings.price.tolist(),
        postings.amount_n.tolist(),
        strict=True,
    )
    assert list(rows) == [
        (kind.BOUGHT, C, ESCROW, 1_800, 120_000, 216_000_000),
        (kind.BOUGHT, D, ESCROW, 1_000, 120_000, 120_000_000),
        (kind.CERTIFIED, ESCROW, A, 1_700, 120_000, 204_000_000),
        (kind.CERTIFIED, ESCROW, B, 800, 120_000, 96_000_000),
        (kind.SHORTFALL_REFUND, ESCROW, A, 300, 120_000, 36_000_000),
        (kind.SHORT_INSIDE, A, POOL, 75, 207_500, 15_562_500),
        (kind.SHORT_SUPPLIER, A, SUPPLIER, 225, 250_000, 56_250_000),
        (kind.EXTRA_INSIDE, C, POOL, 25, 207_500, 5_187_500),
        (kind.EXTRA_SUPPLIER, C, SUPPLIER, 75, 280_000, 21_000_000),
        (kind.GIVE_INSIDE, POOL, D, 100, 122_500, 12_250_000),
        (kind.SPREAD, POOL, COMMUNITY, 100, 85_000, 8_500_000),
        (kind.NETWORK_FEE, C, NETWORK, 1_825, 30_000, 54_750_000),
        (kind.NETWORK_FEE, D, NETWORK, 900, 30_000, 27_000_000),
        (kind.FEE_FOLLOWS, NETWORK, SUPPLIER, 225, 30_000, 6_750_000),
    ]


def test_4_net(postings):
    net = postings.net_n(11).tolist()
    assert net[:4] == [168_187_500, 96_000_000, -296_937_500, -134_750_000]
    assert net[SUPPLIER:LEVY] == [84_000_000, 75_000_000, 8_500_000]
    assert net[LEVY:] == [0, 0, 0, 0]
    assert sum(net) == 0


@pytest.fixture(scope="module")
def carbon(readings, delivery):
    devices = Devices.of((Member(id="A"), Member(id="B", battery_wh=6_400), Member(id="C"), Member(id="D")), 60)
    certified = integers(0, 1_000, 0, 0)
    lots = Lots.empty(4).put(certified, certified, certified * 45, certified * 45)
    return account(readings, delivery, devices, lots, Factors.whole(pv_g=45, grid_g=350, residual_g=420))


def test_5_certificates(carbon):
    c = carbon.certificates
    claimed = {}
    for device, owner, energy, state, mg in zip(c.device, c.owner, c.energy_wh, c.state, c.market_mg, strict=True):
        assert state == CertificateState.CLAIMED
        claimed[int(device), int(owner)] = (int(energy), int(mg))
    assert claimed == {
        (2 * A, A): (400, 18_000),
        (2 * A, C): (1_139, 51_255),
        (2 * A, D): (561, 25_245),
        (2 * B + 1, C): (536, 26_803),
        (2 * B + 1, D): (264, 13_202),
    }
    assert carbon.lots.charged_wh.tolist() == [0, 1_000 - 889, 0, 0]


def test_5_footprints(carbon):
    f = carbon.footprints
    assert f.market_mg.tolist() == [18_000, 0, 172_558, 69_947]
    assert f.location_mg.tolist() == [18_000, 0, 150_307, 71_198]
    assert f.taken_out_mg == 40_005
    assert f.imported_mg == 105_000
    balance = f.generation_mg + f.imported_mg - f.exported_mg + f.taken_out_mg - f.put_in_mg
    assert int(f.location_mg.sum()) == balance
