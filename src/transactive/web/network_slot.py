"""The network in a slot: what the market put on each line, its limit, and the price of each node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from transactive.core.tables import Readings
from transactive.core.units import IntArray, kwh_text
from transactive.market.mechanisms import Site
from transactive.store.read.runs import Reader, Run
from transactive.texts.formatting import Words, counted
from transactive.web.charts.network import Cable, Picture, cables, network_chart


@dataclass(frozen=True, slots=True)
class NetworkSlot:
    """Prices [µ¤/kWh] and net imports [Wh] of nodes, and the lines, in one slot."""

    site: Site
    price: IntArray
    net_wh: IntArray
    flow_wh: IntArray
    cables: list[Cable]

    @property
    def congested(self) -> bool:
        """Whether a line is full that energy would flow over."""
        ends = (self.site.network.start, self.site.network.end)
        apart = self.price[ends[0]] != self.price[ends[1]]
        return any(cable.full and apart[line] for line, cable in enumerate(self.cables))

    def of_member(self, member: int) -> tuple[str, int]:
        """Name and price [µ¤/kWh] of a member's node."""
        node = int(self.site.node[member])
        return self.site.network.names[node], int(self.price[node])


def network_slot(reader: Reader, slot: int, run: Run) -> NetworkSlot | None:
    """The network of a slot that was cleared by location, else None."""
    nodes, lines = reader.nodes(slot), reader.lines(slot)
    site = run.site
    if site is None or not nodes:
        return None
    flow, lost = (np.array([row[name] for row in lines], np.int64) for name in ("flow_wh", "lost_wh"))
    price = np.array([row["price"] for row in nodes], np.int64)
    return NetworkSlot(site, price, site.network.net_wh(flow), flow, cables(site.network, flow, lost))


def network_part(shown: NetworkSlot, readings: Readings | None, slot: int, run: Run, words: Words) -> dict[str, Any]:
    """Drawing and tables of the network in a slot; with readings also what its meters say of each line."""
    full = sum(cable.full and bool(cable.flow_wh) for cable in shown.cables)
    metered = _metered(shown.site, readings)
    labels = [f"{words.price(price, 2)} {words.price_unit}" for price in shown.price.tolist()]
    picture = Picture(shown.site.network, shown.net_wh, labels, shown.cables)
    return {
        "chart": network_chart(picture, words.span(slot, run.clock.length)),
        "badge": ("warn", f"{counted(full, 'line')} full") if full else ("ok", "No line full"),
        "lines": [
            (
                f"{cable.start} → {cable.end}",
                kwh_text(cable.flow_wh, 3),
                kwh_text(cable.limit_wh, 3),
                f"{cable.percent} %",
                kwh_text(cable.lost_wh, 3),
                metered[line],
            )
            for line, cable in enumerate(shown.cables)
        ],
        "nodes": [
            (name, words.price(price, 2), kwh_text(net, 3))
            for name, price, net in zip(
                shown.site.network.names, shown.price.tolist(), shown.net_wh.tolist(), strict=True
            )
        ],
    }


def _metered(site: Site, readings: Readings | None) -> Sequence[str]:
    """What the meters below each line took on balance, supplier's energy and all, where lines form a tree."""
    network = site.network
    if readings is None or not network.radial:
        return ["–"] * len(network.start)
    net = np.zeros(len(network), np.int64)
    np.add.at(net, site.node, readings.import_wh - readings.export_wh)
    for node in range(len(network) - 1, 0, -1):  # a parent stands before its children
        net[network.start[node - 1]] += net[node]
    ends = (network.start.tolist(), network.end.tolist(), net[1:].tolist())
    return [
        f"{kwh_text(abs(wh), 3)} → {network.names[end if wh >= 0 else start]}"
        for start, end, wh in zip(*ends, strict=True)
    ]
