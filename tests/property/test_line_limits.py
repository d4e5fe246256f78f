"""Lines keep their limits: batteries move first, PV is held back last, load is never cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.property.test_market_meshed import ring_networks
from transactive.core.community.members import Devices
from transactive.core.community.network import Network, tree
from transactive.core.units import IntArray
from transactive.engine.grid.line_limits import within_limits
from transactive.market.mechanisms import Site
from transactive.market.network.line_flows import beyond_wh, line_flows
from transactive.trading.grid.redispatch import OwnPlans

LIMITS = st.sampled_from((0, 100, 700, 2_000, 6_000, 10**6))


@st.composite
def trees(draw: st.DrawFn, most_nodes: int = 6) -> Network:
    nodes = draw(st.integers(2, most_nodes))

    def column(values: st.SearchStrategy[int]) -> IntArray:
        return np.array([0, *draw(st.lists(values, min_size=nodes - 1, max_size=nodes - 1))], np.int64)

    parent = np.array([-1, *(draw(st.integers(max(0, i - 3), i - 1)) for i in range(1, nodes))])
    loss = column(st.sampled_from((0, 1, 20_000, 100_000))) if draw(st.booleans()) else None
    network = tree([f"n{k}" for k in range(nodes)], parent, column(LIMITS), loss)
    return replace(network, back_wh=column(LIMITS)[1:])


@st.composite
def homes(draw: st.DrawFn, networks: st.SearchStrategy[Network], most: int = 6) -> tuple[Site, OwnPlans, Devices]:
    """Homes on a network, each with what it uses, makes and plans; half of them without a battery."""
    network, count = draw(networks), draw(st.integers(1, most))

    def column(most: int) -> IntArray:
        return np.array(draw(st.lists(st.integers(0, most), min_size=count, max_size=count)), np.int64)

    site = Site(column(len(network) - 1), network)
    capacity = column(1) * column(8_000)
    devices = Devices(column(5_000), capacity, column(5_000) * (capacity > 0), np.full(count, 900_000))
    charged = np.minimum(column(8_000), capacity)
    let_in = column(9_000) if draw(st.booleans()) else None
    load = column(5_000)
    waiting = np.minimum(column(5_000), load)
    room = OwnPlans.of(load, column(5_000), (0 * charged, 0 * charged), devices, charged, let_in, waiting)
    charges = column(1)
    charge = charges * np.minimum(column(5_000), room.most_charge_wh)
    discharge = (1 - charges) * np.minimum(column(5_000), room.most_discharge_wh)
    return site, replace(room, charge_wh=charge, discharge_wh=discharge), devices


NETWORKS = st.one_of(trees(), ring_networks(LIMITS, 5))


@given(homes(NETWORKS))
def test_no_line_is_beyond_its_limit_unless_load_alone_is(case: tuple[Site, OwnPlans, Devices]) -> None:
    site, planned, devices = case
    network = site.network
    within, flow = within_limits(site, 0, planned)
    assert not beyond_wh(network, flow).any() or within.cut_wh.any()
    wanted = np.zeros(len(network), np.int64)
    np.add.at(wanted, site.node, within.net_wh(planned))
    if network.radial and not network.lossy:
        assert network.net_wh(flow)[1:].tolist() == wanted[1:].tolist()
    exported = np.maximum(-planned.net_wh, 0)
    assert (within.curtailed_wh >= 0).all()
    assert (within.curtailed_wh <= np.minimum(exported, planned.generation_wh)).all()
    assert (within.charge_wh <= planned.most_charge_wh).all()
    assert (within.discharge_wh <= planned.most_discharge_wh).all()
    assert not (within.charge_wh * within.discharge_wh).any()
    assert (within.waits_wh >= 0).all()
    assert (within.waits_wh <= planned.waiting_wh).all()
    assert (within.charge_wh[devices.capacity_wh == 0] == 0).all()
    assert (within.net_wh(planned) - within.curtailed_wh <= np.maximum(planned.net_wh, planned.let_in_wh)).all()


@given(homes(NETWORKS))
def test_where_no_line_would_pass_its_limit_nothing_is_asked(case: tuple[Site, OwnPlans, Devices]) -> None:
    site, planned, _ = case
    closed = replace(site.network, limit_wh=site.network.limit_wh + 1)
    flow = np.abs(line_flows(closed).of_members(site.node, planned.net_wh))
    wide = replace(closed, limit_wh=flow + 10, back_wh=flow + 10)
    within, _ = within_limits(Site(site.node, wide), 0, planned)
    assert not within.curtailed_wh.any()
    assert not within.cut_wh.any()
    assert not within.waits_wh.any()
    assert (within.charge_wh - within.discharge_wh).tolist() == (planned.charge_wh - planned.discharge_wh).tolist()


@given(homes(trees()))
def test_pv_is_held_back_only_where_the_homes_battery_takes_no_more(case: tuple[Site, OwnPlans, Devices]) -> None:
    site, planned, _ = case
    within, _ = within_limits(site, 0, planned)
    held = within.curtailed_wh > 0
    full = (within.charge_wh == planned.most_charge_wh) | (
        within.net_wh(planned) - within.curtailed_wh >= planned.let_in_wh
    )
    assert full[held].all()


@given(homes(NETWORKS))
def test_flows_bring_each_node_what_its_homes_take(case: tuple[Site, OwnPlans, Devices]) -> None:
    site, planned, _ = case
    network = replace(site.network, limit_wh=site.network.limit_wh + 1)  # no line is open
    flows = line_flows(network)
    many = np.stack((planned.net_wh, 0 * planned.net_wh, -planned.net_wh))
    flow = flows.of_members(site.node, many)
    assert flow.tolist() == [flows.of_members(site.node, row).tolist() for row in many]
    assert not flow[1].any()
    wanted = np.zeros(len(network), np.int64)
    np.add.at(wanted, site.node, planned.net_wh)
    if network.radial:
        left = network.net_wh(flow[0])[1:] - wanted[1:]
        assert (left >= 0).all()
        assert network.lossy or not left.any()  # of a lossy line several whole Wh may arrive as one
    else:
        each = flows.sensitivity_ppm()[:, 1:] @ wanted[1:]
        assert (np.abs(each - flow[0] * 10**6) <= 10**6 + np.abs(wanted).sum()).all()
