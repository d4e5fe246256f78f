"""Losses that grow with the flow: whole Wh that balance, in metered flows and in a clearing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import orders_table
from transactive.core.community.network import Line, NetworkRules, network_of
from transactive.core.errors import DataError
from transactive.core.tariff import PriceGrid
from transactive.core.units import PPM
from transactive.market.network import locational
from transactive.market.network.line_flows import LineFlows


@st.composite
def feeders(draw):
    """A tree, and what its nodes take on balance."""
    count = draw(st.integers(2, 7))
    lines = [
        Line(
            str(draw(st.integers(0, node - 1))),
            str(node),
            draw(st.integers(1, 10**6)),
            loss_at_limit_ppm=draw(st.sampled_from((0, 1, 30_000, 200_000))),
        )
        for node in range(1, count)
    ]
    net = np.array([draw(st.integers(-(10**6), 10**6)) for _ in range(count)])
    return network_of(NetworkRules(tuple(map(str, range(count))), tuple(lines))), net


@given(feeders())
def test_metered_flows_balance_to_the_wh_and_lose_by_the_square(feeder):
    network, net = feeder
    flow = LineFlows(network).of(net)
    brought = network.net_wh(flow)
    assert brought[1:].tolist() == net[1:].tolist(), "every node but the grid's takes what its meters say"
    assert -int(brought[0]) == int(net[1:].sum()) + int(network.lost_wh(flow).sum())
    if network.loss_at_limit_ppm is not None:
        for line, (wh, most, limit) in enumerate(
            zip(np.abs(flow).tolist(), network.loss_at_limit_ppm.tolist(), network.limit_wh.tolist(), strict=True)
        ):
            square = min(wh * wh * most / limit, wh * PPM / 4) / PPM
            assert abs(square - network.lost_wh(flow)[line]) <= 0.5 + wh / PPM


@given(feeders())
def test_a_network_at_a_flow_loses_what_it_loses_there(feeder):
    network, net = feeder
    flow = LineFlows(network).of(net)
    fixed = network.at_flow(flow)
    assert fixed.loss_at_limit_ppm is None
    assert (np.abs(fixed.lost_wh(flow) - network.lost_wh(flow)) <= 1).all(), "but for the last Wh"


@pytest.mark.parametrize("load_w", [2_000, 10_000, 25_000, 40_000, -25_000])
def test_a_line_loses_within_a_tenth_of_what_an_alternating_current_power_flow_says(load_w):
    """One home behind 0.16 Ω a phase at 400 V, limit 40 kW: from the balance of powers U² = U₁U − R P."""
    ohm, volt, limit = 0.16, 400.0, 40_000
    there = (volt + (volt**2 - 4 * ohm * load_w) ** 0.5) / 2
    lost = ohm * (load_w / there) ** 2
    line = Line("grid", "home", limit, loss_at_limit_ppm=round(ohm * limit / volt**2 * PPM))
    network = network_of(NetworkRules(("grid", "home"), (line,)))
    flow = LineFlows(network).of(np.array([0, load_w]))
    assert int(network.lost_wh(flow)[0]) == pytest.approx(lost, rel=0.1, abs=1)


@pytest.mark.parametrize("cosine", [1.0, 0.95, 0.8])
@pytest.mark.parametrize("load_w", [5_000, 15_000, 25_000, -20_000])
def test_reactive_power_is_lost_within_a_tenth_of_what_a_power_flow_says(load_w, cosine):
    """The same line with 0.08 Ω of reactance: U⁴ − (U₁² − 2 (R P + X Q)) U² + (R² + X²) S² = 0."""
    ohm, reactance, volt, limit = 0.16, 0.08, 400.0, 40_000
    apparent = abs(load_w) / cosine
    reactive = (apparent**2 - load_w**2) ** 0.5
    linear = volt**2 - 2 * (ohm * load_w + reactance * reactive)
    there = (linear + (linear**2 - 4 * (ohm**2 + reactance**2) * apparent**2) ** 0.5) / 2
    lost = ohm * apparent**2 / there
    line = Line("grid", "home", limit, loss_at_limit_ppm=round(ohm * limit / volt**2 * PPM))
    rules = NetworkRules(("grid", "home"), (line,), power_factor_ppm=round(cosine * PPM))
    network = network_of(rules)
    flow = LineFlows(network).of(np.array([0, load_w]))
    assert int(network.lost_wh(flow)[0]) == pytest.approx(lost, rel=0.1, abs=1)


@pytest.mark.parametrize("factor", [0, 499_999, 1_000_001])
def test_a_power_factor_that_cannot_be_is_named(factor):
    rules = NetworkRules(("grid", "home"), (Line("grid", "home", 5),), power_factor_ppm=factor)
    with pytest.raises(DataError, match=f"power_factor_ppm = {factor}; give 500000 to 1000000"):
        network_of(rules)


def test_a_clearing_loses_what_its_own_flow_loses():
    """10 kWh over a line that loses 10 % at 20 kWh: half the flow, half the part."""
    network = network_of(NetworkRules(("pv", "home"), (Line("pv", "home", 20_000, loss_at_limit_ppm=100_000),)))
    orders = orders_table([0, 1], [False, True], [100, 200], [15_000, 10_000])
    clearing = locational.clear(orders, PriceGrid(0, 300, 1), 2, np.array([0, 1]), network)
    true = network.lost_wh(clearing.flow_wh)
    assert clearing.allocated_wh.tolist()[1] == 10_000
    assert abs(int(clearing.lost_wh[0]) - int(true[0])) <= true[0] * 0.005
    assert 500 <= clearing.lost_wh[0] <= 560
    little = orders_table([0, 1], [False, True], [100, 200], [15_000, 1_000])
    assert locational.clear(little, PriceGrid(0, 300, 1), 2, np.array([0, 1]), network).lost_wh[0] in (4, 5)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"loss_at_limit_ppm": 200_001}, "loss_at_limit_ppm = 200001; give 0 to 200000"),
        ({"loss_at_limit_ppm": 1, "loss_ppm": 1}, "loss_ppm and loss_at_limit_ppm are both there"),
    ],
)
def test_what_a_line_cannot_lose(keys, message):
    with pytest.raises(DataError, match=message):
        network_of(NetworkRules(("a", "b"), (Line("a", "b", 5, **keys),)))


def test_losses_by_flow_need_a_network_without_rings():
    ring = [Line(*ends, 5, loss_at_limit_ppm=1) for ends in (("a", "b"), ("b", "c"), ("c", "a"))]
    with pytest.raises(DataError, match="loss_at_limit_ppm needs a network without rings"):
        network_of(NetworkRules(("a", "b", "c"), tuple(ring)))
