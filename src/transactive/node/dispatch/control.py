"""What a battery does now: the four levels of a rule, its state of charge and what the home draws, as power.

The rule is that of `trading.devices.follow` for a moment instead of a slot.
"""

from __future__ import annotations

from dataclasses import dataclass

Levels = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Power:
    """Most that a battery may draw and give [W]: what its profile says, and its owner allows."""

    charge_w: int
    discharge_w: int


def power_w(levels: Levels | None, held_wh: int, net_w: int, most: Power, most_import_w: int | None = None) -> int:
    """What a battery draws from the home, below 0 what it gives [W].

    levels: in the order of `DeviceRules` [Wh]; None lets it rest. net_w: what the home takes without the battery, below
    0 what it has to spare. most_import_w: what the home may take from the grid, which goes before the rule: nothing is
    drawn beyond it, and what the home takes beyond it the battery gives as far as it can.
    """
    wanted = 0 if levels is None else _wanted(levels, held_wh, net_w, most)
    if most_import_w is not None:
        wanted = min(wanted, most_import_w - net_w)
    if wanted < 0 and held_wh <= 0:
        return 0
    return max(min(wanted, most.charge_w), -most.discharge_w)


def _wanted(levels: Levels, held_wh: int, net_w: int, most: Power) -> int:
    """What the rule alone wants [W]."""
    grid_charge_to, surplus_charge_to, serve_down_to, export_down_to = levels
    if held_wh < grid_charge_to:
        return most.charge_w
    if held_wh > export_down_to:
        return -most.discharge_w
    if net_w < 0 and held_wh < surplus_charge_to:
        return -net_w
    if net_w > 0 and held_wh > serve_down_to:
        return -net_w
    return 0
