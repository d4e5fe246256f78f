"""The drawing of a network: every node and line is named, however deep or ringed it is."""

import re

import numpy as np
import pytest

from transactive.core.community.network import Line, NetworkRules, network_of
from transactive.market.mechanisms import Site
from transactive.web.charts.network import Picture, cables, network_chart
from transactive.web.network_slot import NetworkSlot


def slot_of(rules: NetworkRules, *flows: int) -> NetworkSlot:
    network = network_of(rules)
    flow = np.array(flows, np.int64)
    price = np.arange(len(network), dtype=np.int64) * 1000 + 100_000
    site = Site(np.zeros(1, np.int64), network)
    return NetworkSlot(site, price, network.net_wh(flow), flow, cables(network, flow, network.lost_wh(flow)))


def picture_of(shown: NetworkSlot) -> Picture:
    return Picture(shown.site.network, shown.net_wh, [f"{price} ct" for price in shown.price.tolist()], shown.cables)


CHAIN = NetworkRules(tuple(f"n{k}" for k in range(12)), tuple(Line(f"n{k}", f"n{k + 1}", 100) for k in range(11)))
STAR = NetworkRules(
    ("grid", "<a>", "b"), (Line("grid", "<a>", 100, 50, 20_000), Line("b", "grid", 300, transformer=True))
)
RING = NetworkRules(("a", "b", "c"), (Line("a", "b", 100), Line("b", "c", 100), Line("c", "a", 100)))


@pytest.mark.parametrize(
    ("rules", "flows", "words"),
    [
        (CHAIN, [0] * 10 + [100], ("n10 to n11 0.10 of 0.10 kWh, full", "n0 to n1 0.00 of 0.10 kWh, idle")),
        (
            STAR,
            [-50, 30],
            ("&lt;a&gt; to grid 0.05 of 0.05 kWh, full", "grid to b 0.03 of 0.30 kWh, transformer, 10 %"),
        ),
        (RING, [40, 40, -60], ("a to b 0.04 of 0.10 kWh, 40 %", "a to c 0.06 of 0.10 kWh, 60 %")),
        (NetworkRules(("alone",)), [], ("Network now",)),
    ],
    ids=["deep", "star", "ring", "one node"],
)
def test_both_drawings_name_every_node_and_the_title_every_line(rules, flows, words):
    drawing = str(network_chart(picture_of(slot_of(rules, *flows)), "now"))
    wide, narrow = re.findall("<svg.*?</svg>", drawing)
    for name in rules.nodes:
        text = name.replace("<", "&lt;").replace(">", "&gt;")
        assert f">{text}<" in wide
        assert f">{text}<" in narrow
    assert all(word in wide and word in narrow for word in words)
    assert ("load full" in wide) == any("full" in word for word in words)
    assert ("ring" in wide) == (rules is RING)
    assert "nan" not in drawing


def test_a_line_without_a_limit_on_its_way_is_full_and_one_at_rest_is_not_congested():
    closed = slot_of(NetworkRules(("a", "b"), (Line("a", "b", 0),)), 0)
    assert closed.cables[0].percent == 100
    assert closed.congested  # its prices differ
    still = slot_of(NetworkRules(("a", "b"), (Line("a", "b", 10),)), 0)
    assert not still.congested
    assert closed.of_member(0) == ("a", 100_000)
