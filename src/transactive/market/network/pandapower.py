"""A network file of pandapower (JSON) as `NetworkRules`; pandapower is not needed, and nothing in the file is run.

What is read: buses, lines, two-winding transformers, switches and the first external grid, whose bus becomes the first
node. With U the rated voltage, I the rated current, S the rated power and cos φ the power factor, three-phase:

    limit      √3 U I cos φ of a line, S cos φ of a transformer, times derating and number of parallel ones, for the
               slot's length
    loss       √3 R I cos φ / U of a line, vkr cos φ of a transformer: what would be lost of the energy at the limit
               without reactive power, in ppm; of a smaller flow less in proportion
    reactance  X / U² of a line, vk / S of a transformer

Losses are left out where lines form a ring. Iron losses, capacitances and taps are not looked at.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from transactive.core.community.network import MOST_LOSS_AT_LIMIT_PPM, MOST_REACTANCE, Line, NetworkRules
from transactive.core.errors import DataError
from transactive.core.units import PPM

MEGA, NANO_PER = 1e6, 1e9
SWITCH_WH = 10**12
"""Limit of a closed switch between two buses: none."""
Rows = dict[int, dict[str, Any]]


def read_pandapower(text: bytes, slot_minutes: int, power_factor_ppm: int = PPM) -> NetworkRules:
    """Nodes and lines of a pandapower file, limits in Wh for a slot of so many minutes at a power factor.

    Raises DataError, naming the table, for what is no such file or lacks a grid, a rating or a bus.
    """
    tables = _tables(text)
    buses = {index: row for index, row in tables["bus"].items() if row.get("in_service", True)}
    grids = [row["bus"] for row in tables["ext_grid"].values() if row.get("in_service", True)]
    if not grids or grids[0] not in buses:
        raise DataError("ext_grid: there is none in service; the network needs a side of the grid")
    names = _names(buses)
    open_ = {(row["et"], row["element"]) for row in tables["switch"].values() if not row["closed"]}
    lines = [
        *_lines(tables["line"], buses, names, open_, slot_minutes),
        *_transformers(tables["trafo"], buses, names, open_, slot_minutes),
        *_switches(tables["switch"], names),
    ]
    nodes = [names[grids[0]], *(name for index, name in names.items() if index != grids[0])]
    if len(lines) >= len(nodes):
        lines = [msgspec.structs.replace(line, loss_at_limit_ppm=0) for line in lines]
    if power_factor_ppm != PPM:
        lines = [_active(line, power_factor_ppm) for line in lines]
    return NetworkRules(tuple(nodes), tuple(lines), power_factor_ppm=power_factor_ppm)


def _active(line: Line, power_factor_ppm: int) -> Line:
    """The line with the active part of its limit, and what is lost there without the reactive part."""
    limit, loss = (wh * power_factor_ppm // PPM for wh in (line.limit_wh, line.loss_at_limit_ppm))
    return msgspec.structs.replace(line, limit_wh=limit, loss_at_limit_ppm=loss)


def _tables(text: bytes) -> dict[str, Rows]:
    """The tables that are needed: rows by index."""
    try:
        found = msgspec.json.decode(text)["_object"]
        return {name: _rows(found.get(name)) for name in ("bus", "line", "trafo", "switch", "ext_grid")}
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError, ValueError):
        raise DataError("is not a network of pandapower; write it with pandapower.to_json") from None


def _rows(table: Mapping[str, Any] | None) -> Rows:
    """Rows of a table, which is JSON in a text of its own."""
    if table is None:
        return {}
    content = msgspec.json.decode(table["_object"])
    columns, index, data = (content[key] for key in ("columns", "index", "data"))
    return {int(number): dict(zip(columns, row, strict=True)) for number, row in zip(index, data, strict=True)}


def _names(buses: Rows) -> dict[int, str]:
    """A name for each bus: its own, or its number where it has none or shares it."""
    count = Counter(row.get("name") for row in buses.values())
    return {
        index: row["name"] if row.get("name") and count[row["name"]] == 1 else f"bus {index}"
        for index, row in buses.items()
    }


def _lines(
    table: Rows, buses: Rows, names: Mapping[int, str], open_: set[tuple[str, int]], slot_minutes: int
) -> Iterator[Line]:
    """Lines in service."""
    for index, row in table.items():
        ends = (row["from_bus"], row["to_bus"])
        if not row.get("in_service", True) or ("l", index) in open_ or not all(end in names for end in ends):
            continue
        current, voltage = _rating(row, "max_i_ka", "line", index), _rating(buses[ends[0]], "vn_kv", "bus", ends[0])
        length = _rating(row, "length_km", "line", index)
        beside = int(row.get("parallel") or 1)
        derated = current * (row.get("df") or 1)
        power = math.sqrt(3) * voltage * derated * MEGA * beside
        lost = math.sqrt(3) * (row["r_ohm_per_km"] or 0) * length * derated / voltage
        reactance = (row["x_ohm_per_km"] or 0) * length / beside / voltage**2
        yield _line(names, ends, power * slot_minutes / 60, lost, reactance)


def _transformers(
    table: Rows, buses: Rows, names: Mapping[int, str], open_: set[tuple[str, int]], slot_minutes: int
) -> Iterator[Line]:
    """Transformers in service, from the higher voltage down."""
    for index, row in table.items():
        ends = (row["hv_bus"], row["lv_bus"])
        if not row.get("in_service", True) or ("t", index) in open_ or not all(end in buses for end in ends):
            continue
        rated = _rating(row, "sn_mva", "trafo", index)
        beside = int(row.get("parallel") or 1)
        derating = row.get("df") or 1
        power = rated * MEGA * derating * beside
        lost, reactance = row["vkr_percent"] * derating / 100, row["vk_percent"] / 100 / rated / beside
        line = _line(names, ends, power * slot_minutes / 60, lost, reactance)
        yield msgspec.structs.replace(line, transformer=True)


def _switches(table: Rows, names: Mapping[int, str]) -> Iterator[Line]:
    """Closed switches between two buses."""
    for row in table.values():
        if row["et"] == "b" and row["closed"] and row["bus"] in names and row["element"] in names:
            yield Line(names[row["bus"]], names[row["element"]], SWITCH_WH, reactance=1)


def _line(names: Mapping[int, str], ends: tuple[int, int], energy: float, lost: float, reactance: float) -> Line:
    """A line in whole Wh, ppm and units of reactance."""
    return Line(
        names[ends[0]],
        names[ends[1]],
        int(energy),
        loss_at_limit_ppm=min(round(lost * PPM), MOST_LOSS_AT_LIMIT_PPM),
        reactance=min(max(round(reactance * NANO_PER), 1), MOST_REACTANCE),
    )


def _rating(row: Mapping[str, Any], key: str, table: str, index: int) -> float:
    """A rating above zero. Raises DataError naming table, row and column."""
    value = row.get(key)
    if not isinstance(value, int | float) or not 0 < value < math.inf:
        raise DataError(f"{table} {index}: {key} = {value}; give a rating above 0")
    return float(value)
