"""Proportional sharing on any network: no mg is lost, every node has one mix, and it is the one that the shares say."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import whole
from transactive.carbon.footprints.mixes import Mix
from transactive.carbon.footprints.tracing import Wiring, trace
from transactive.core.community.network import Line, Network, NetworkRules, network_of
from transactive.core.errors import RuleBroken
from transactive.core.units import PPM
from transactive.market.network.metered_flow import MeteredFlow


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Trees with losses, and networks with rings, some of whose lines are open."""
    nodes = draw(st.integers(1, 7))
    names = [f"n{k}" for k in range(nodes)]
    lines = [(draw(st.integers(0, k - 1)), k) for k in range(1, nodes)]
    rings = nodes > 2 and draw(st.booleans())
    if rings:
        lines += draw(st.lists(st.sampled_from([(a, b) for a in range(nodes) for b in range(a)]), max_size=4))
    rings = len(lines) >= nodes
    losses = st.one_of(st.just(0), st.integers(0, PPM // 2))
    made = []
    for start, end in lines:
        a, b = (start, end) if draw(st.booleans()) else (end, start)
        limit = draw(st.sampled_from((0, 500, 500, 500))) if rings else 500
        loss = 0 if rings else draw(losses)
        made.append(
            Line(names[a], names[b], limit, loss_ppm=loss, reactance=draw(st.integers(1, 9)) if rings else None)
        )
    return network_of(NetworkRules(tuple(names), tuple(made)))


@st.composite
def wired(draw: st.DrawFn):
    """Members anywhere on a network that take or give; what they give has carbon; the grid's mix is a fraction."""
    network = draw(networks())
    members = draw(st.integers(1, 8))
    most = draw(st.sampled_from((1, 7, 4_000)))
    node = np.array([draw(st.integers(0, len(network) - 1)) for _ in range(members)], np.int64)
    net = np.array([draw(st.integers(-most, most)) for _ in range(members)], np.int64)
    imported, exported = np.maximum(net, 0), np.maximum(-net, 0)
    carbon = exported * np.array([draw(st.integers(0, 900)) for _ in range(members)], np.int64)
    at_node = np.zeros(len(network), np.int64)
    np.add.at(at_node, node, net)
    grid = Mix(draw(st.integers(1, 1_000)), draw(st.integers(0, 900_000)))
    return Wiring(network, node, MeteredFlow(network).flows(at_node)), imported, exported, carbon, grid


@given(wired())
def test_flows_bring_every_node_what_its_meters_say_and_the_rest_is_the_grids(case):
    wiring, imported, exported, _, _ = case
    brought = wiring.network.net_wh(wiring.flow_wh)
    missing = -brought
    np.add.at(missing, wiring.node, imported - exported)
    closed = (wiring.network.limit_wh > 0) | (wiring.network.back_wh > 0) | wiring.network.radial
    assert not wiring.flow_wh[~closed].any()
    if closed.all():
        assert not missing[1:].any()


@given(wired())
def test_i7_no_mg_is_lost_between_nodes_also_where_lines_lose_energy(case):
    wiring, imported, exported, carbon, grid = case
    found = trace(wiring, imported, exported, carbon, grid)
    lost = int(wiring.network.lost_wh(wiring.flow_wh).sum())
    assert found.from_grid.energy_wh + exported.sum() == found.to_grid.energy_wh + imported.sum() + lost
    assert found.from_grid.carbon_mg == found.from_grid.energy_wh * grid.carbon_mg // grid.energy_wh
    assert int(found.imported_mg.sum()) + found.to_grid.carbon_mg == found.from_grid.carbon_mg + int(carbon.sum())
    assert (found.imported_mg >= 0).all()
    assert not found.imported_mg[imported == 0].any()


@given(wired())
def test_mixes_are_those_of_proportional_sharing_to_a_mg_for_each_step(case):
    """Fractions solved as a linear system in every node's mix, as Bialek states it."""
    wiring, imported, exported, carbon, grid = case
    network, nodes = wiring.network, len(wiring.network)
    found = trace(wiring, imported, exported, carbon, grid)
    sender, receiver = network.ways(wiring.flow_wh)
    sent = np.abs(wiring.flow_wh)
    through = [Fraction(0)] * nodes
    source = [Fraction(0)] * nodes
    missing = -network.net_wh(wiring.flow_wh)
    np.add.at(missing, wiring.node, imported - exported)
    for k in range(nodes):
        here = wiring.node == k
        from_grid = max(int(missing[k]), 0)
        source[k] = int(carbon[here].sum()) + from_grid * grid.g_per_kwh
        through[k] = Fraction(int(imported[here].sum()) + max(-int(missing[k]), 0) + int(sent[sender == k].sum()))
    mix = [Fraction(0)] * nodes
    for _ in range(nodes):  # acyclic, so that after so many rounds nothing changes
        for k in range(nodes):
            came = sum(
                (int(sent[line]) * mix[sender[line]] for line in np.flatnonzero((receiver == k) & (sent > 0))),
                Fraction(0),
            )
            mix[k] = (source[k] + came) / through[k] if through[k] else Fraction(0)
    for k, member_mg in enumerate(found.imported_mg.tolist()):
        exact = int(imported[k]) * mix[wiring.node[k]]
        assert abs(member_mg - exact) <= 2 * nodes + len(sent)
        assert abs(found.mix_mg_per_kwh[k] - 1_000 * mix[wiring.node[k]]) * max(int(imported[k]), 0) <= 1_000 * (
            2 * nodes + len(sent) + int(imported[k])
        )


def test_flows_in_a_circle_are_refused():
    names = ("a", "b", "c")
    ring = network_of(NetworkRules(names, (Line("a", "b", 9), Line("b", "c", 9), Line("c", "a", 9))))
    nothing = whole(0)
    with pytest.raises(RuleBroken, match="never in a circle"):
        trace(Wiring(ring, whole(0), whole(1, 1, 1)), nothing, nothing, nothing, Mix(1, 1))


def test_a_street_by_hand():
    """The grid feeds 599 Wh at 400 g into the station; 1,000 Wh of sun at 40 g join there; behind it a line loses."""
    lines = (Line("grid", "station", 9_999), Line("station", "end", 9_999, loss_ppm=200_000))
    street = network_of(NetworkRules(("grid", "station", "end"), lines))
    node = whole(1, 1, 2)  # sun and a home at the station, a home at the end
    imported, exported = whole(0, 600, 800), whole(1_000, 0, 0)
    flow = MeteredFlow(street).flows(whole(0, -400, 800))
    assert flow.tolist() == [599, 999]  # 199.8 Wh of 999 are lost on the way to the end, rounded down
    found = trace(Wiring(street, node, flow), imported, exported, exported * 40, Mix(1, 400))
    assert found.from_grid == Mix(599, 239_600)
    assert found.imported_mg.tolist() == [0, 104_916, 174_684]  # 279,600 mg over 600 and 999 Wh
    assert found.mix_mg_per_kwh.tolist() == [174_860, 174_860, 218_355]
