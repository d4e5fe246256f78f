"""What lines lost between members: a part of all that was lost, all where the grid has none of it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import whole
from transactive.core.community.network import Line, NetworkRules, network_of
from transactive.market.network.line_flows import LineFlows
from transactive.market.network.local_losses import local_losses_wh


@st.composite
def metered(draw):
    """A tree that loses by flow or a fixed part, and what members at its nodes took and gave."""
    count, members = draw(st.integers(2, 7)), draw(st.integers(1, 8))
    by_flow = draw(st.booleans())
    lines = []
    for number in range(1, count):
        start, end = draw(st.permutations((str(draw(st.integers(0, number - 1))), str(number))))
        loss = draw(st.sampled_from((0, 1, 30_000, 200_000)))
        key = "loss_at_limit_ppm" if by_flow else "loss_ppm"
        lines.append(Line(start, end, draw(st.integers(1, 10**6)), **{key: loss}))
    network = network_of(NetworkRules(tuple(map(str, range(count))), tuple(lines)))
    node = np.array([draw(st.integers(0, count - 1)) for _ in range(members)])
    net = np.array([draw(st.integers(-(10**6), 10**6)) for _ in range(members)])
    return network, node, np.maximum(net, 0), np.maximum(-net, 0)


@given(metered())
def test_no_more_is_lost_between_members_than_was_lost_and_than_they_gave(case):
    network, node, taken, given_wh = case
    flow = LineFlows(network).of_members(node, taken - given_wh)
    lost = int(network.lost_wh(flow).sum())
    local = local_losses_wh(network, node, taken, given_wh)
    assert 0 <= local <= min(lost, int(given_wh.sum()))
    if not given_wh.any() or not taken.any():
        assert local == 0, "all of it is the supplier's"
    if int(taken.sum()) + lost == int(given_wh.sum()):
        assert local == lost, "none of it is the supplier's"


def street(*limits_and_losses):
    names = ("grid", "station", *(f"home {k}" for k in range(1, len(limits_and_losses))))
    starts = ("grid", *["station"] * (len(names) - 2))
    lines = [
        Line(start, end, limit, loss_at_limit_ppm=loss)
        for start, end, (limit, loss) in zip(starts, names[1:], limits_and_losses, strict=True)
    ]
    return network_of(NetworkRules(names, tuple(lines)))


def test_a_line_that_carries_both_loses_for_both():
    """5 kWh from a roof lose 0.25, of 10 kWh that a home takes then 4.75 are the roof's and the rest is the grid's."""
    network = street((100_000, 0), (10_000, 100_000), (10_000, 100_000))
    node, taken, given_wh = np.array([2, 3]), whole(0, 10_000), whole(5_000, 0)
    arrives = 10_000 + int(network.lost_wh(LineFlows(network).of_members(node, taken - given_wh))[2])
    roof, home = 250, arrives - 10_000
    assert 1_100 < home < 1_300
    expected = roof + home * 4_750 / arrives
    assert abs(local_losses_wh(network, node, taken, given_wh) - expected) < 1


def test_a_line_that_brings_the_grid_what_is_left_over_loses_for_the_grid():
    network = street((10_000, 100_000), (100_000, 0), (100_000, 0))
    assert local_losses_wh(network, np.array([2, 3]), whole(0, 4_000), whole(9_000, 0)) == 0
    network = street((100_000, 0), (10_000, 100_000), (100_000, 0))
    # 10 kWh lose 1 on the way to the station; 4 of the 9 that arrive are taken
    assert local_losses_wh(network, np.array([2, 3]), whole(0, 4_000), whole(10_000, 0)) == 444


def test_neighbours_at_one_node_lose_nothing():
    network = street((10_000, 100_000), (10_000, 100_000))
    assert local_losses_wh(network, np.array([2, 2]), whole(0, 8_000), whole(5_000, 0)) == 0
