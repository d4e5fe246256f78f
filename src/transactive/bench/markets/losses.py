"""What lines lose by their flow, against the alternating-current power flow of pandapower on networks it publishes.

Copper losses only: iron, capacitances and taps are taken out of both. A load is scaled, or fed back where it is below
zero, at one power factor for all. pandapower says too whether the network could run so: EN 50160 allows voltages from
nine to eleven tenths of the nominal one. pandapower wants an older pandas than our other tools, so it is in no group:
install it beside `transactive` in an environment of its own. Without it this bench yields nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.core.community.network import network_of
from transactive.core.units import PPM
from transactive.market.network.line_flows import LineFlows
from transactive.market.network.pandapower import read_pandapower

NETWORKS = {
    "CIGRE LV": "create_cigre_network_lv",
    "Kerber, Landnetz Freileitung 1": "create_kerber_landnetz_freileitung_1",
    "Kerber, Landnetz Kabel 1": "create_kerber_landnetz_kabel_1",
    "Kerber, Dorfnetz": "create_kerber_dorfnetz",
    "Kerber, Vorstadtnetz Kabel 1": "create_kerber_vorstadtnetz_kabel_1",
    "Dickert, short cables": "create_dickert_lv_network",
}
SCALES = (0.25, 0.5, 1.0, 1.5, -0.5)
FACTORS = (1.0, 0.95)
HOURS = 1_000
"""Time that a load lasts [h]: long enough that whole Wh do not blur what a short cable loses."""
LEAST_VOLTAGE, MOST_VOLTAGE = 0.9, 1.1


@bench("losses", summary="what lines lose by their flow, against an alternating-current power flow")
def losses(_: BenchTimer) -> Iterator[Row]:
    """Compare one network, load and power factor after another; nothing without pandapower."""
    try:
        networks = import_module("pandapower.networks")
    except ImportError:
        return
    worst = 0.0
    for name, factory in NETWORKS.items():
        for factor in FACTORS:
            for scale in SCALES:
                ours, theirs, allowed = compared(getattr(networks, factory)(), scale, factor)
                worst = max(worst, abs(ours / theirs - 1)) if allowed else worst
                yield Row(
                    name=f"{name}, load × {scale:g}, power factor {factor:g}{'' if allowed else ', voltage too low'}",
                    value=ours,
                    unit="kW",
                    reference="pandapower",
                    reference_value=theirs,
                    ratio=ours / theirs,
                )
    yield Row(name="largest deviation where voltages are allowed", value=100 * worst, unit="%")


def compared(net: Any, scale: float, factor: float) -> tuple[float, float, bool]:  # noqa: ANN401 - pandapower's own
    """What lines and transformers lose, ours and pandapower's [kW], and whether its voltages are allowed."""
    power: Any = import_module("pandapower")
    net.load["p_mw"] *= scale
    net.load["q_mvar"] = net.load["p_mw"] * math.tan(math.acos(factor))
    net.trafo[["pfe_kw", "i0_percent"]] = 0.0
    net.trafo["tap_pos"] = net.trafo["tap_neutral"]
    net.line["c_nf_per_km"] = 0.0
    power.runpp(net, numba=False)
    theirs = 1000 * float(net.res_line["pl_mw"].sum() + net.res_trafo["pl_mw"].sum())
    network = network_of(read_pandapower(power.to_json(net).encode(), 60 * HOURS, round(factor * PPM)))
    place = {name: node for node, name in enumerate(network.names)}
    shared = net.bus["name"].duplicated(keep=False)
    net_wh = np.zeros(len(network), np.int64)
    for bus, watts in zip(net.load["bus"], (net.load["p_mw"] * 1e6 * HOURS).round(), strict=True):
        name = net.bus.at[bus, "name"]
        own = isinstance(name, str) and name and not shared[bus]
        net_wh[place[name if own else f"bus {bus}"]] += int(watts)
    ours = int(network.lost_wh(LineFlows(network).of(net_wh)).sum()) / 1000 / HOURS
    volts = net.res_bus["vm_pu"]
    return ours, theirs, bool(((volts >= LEAST_VOLTAGE) & (volts <= MOST_VOLTAGE)).all())
