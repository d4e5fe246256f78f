"""A year of the demo community, with its batteries and a posted levy, slot by slot: nothing is lost or made up.

Once at one node as it is, once with its homes along a street whose lines lose energy. Without chain and database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from time import process_time

import msgspec

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO
from transactive.core.community.community import Community
from transactive.core.community.network import Line, NetworkRules
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_from
from transactive.studies.drift import Drift

NODES = ("grid", "station", "near", "middle", "far")
LOSS_PPM = 20_000
MOST_WH = 10**6


@bench("year", summary="a simulated year of the demo community: drift in Wh, mg and n¤")
def year(_: BenchTimer) -> Iterator[Row]:
    """Walk the year twice and sum every rule; a row a unit."""
    setting = levied(load_setting(DEMO))
    for place, of in (("", setting), (", along a street", on_a_street(setting))):
        slots, began = slots_from(of), process_time()
        drift = walked(of, slots)
        seconds = process_time() - began
        for unit in ("Wh", "mg", "n¤"):
            lines = [line for line in drift.lines() if line.unit == unit]
            yield Row(
                name=f"drift of a year{place}, {len(lines)} rules in {unit}",
                value=float(sum(line.off for line in lines)),
                unit=unit,
                reference="moved in all",
                reference_value=float(max(line.checked for line in lines)),
            )
        yield Row(name=f"{len(slots):,} slots of a year{place}, processor time", value=seconds, unit="s")


def walked(setting: Setting, slots: range) -> Drift:
    """Drift of a walk through the slots."""
    walk = recorded_run(setting, slots)
    drift = Drift(walk)
    walk.run(drift.add)
    return drift


def levied(setting: Setting) -> Setting:
    """The same with a levy that is posted and comes back."""
    rules = setting.community.carbon
    carbon = msgspec.structs.replace(rules, levy=msgspec.structs.replace(rules.levy, mode="floor"))
    return _with(setting, carbon=carbon)


def on_a_street(setting: Setting) -> Setting:
    """The same with its homes spread over the nodes of a street, each line of which loses energy."""
    lines = tuple(Line(a, b, MOST_WH, loss_ppm=LOSS_PPM, transformer=a == "grid") for a, b in pairwise(NODES))
    members = tuple(
        msgspec.structs.replace(member, node=NODES[1 + place % (len(NODES) - 1)])
        for place, member in enumerate(setting.community.members)
    )
    return _with(setting, network=NetworkRules(NODES, lines), members=members)


def _with(setting: Setting, **changes: object) -> Setting:
    """The same with some rules of the community exchanged."""
    community: Community = msgspec.structs.replace(setting.community, **changes)
    return replace(setting, community=community)
