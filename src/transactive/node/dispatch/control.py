"""What a device does now: the four levels of a rule, what it holds and what the home draws, as power.

The rule is that of `trading.devices.follow` for a moment instead of a slot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

Levels = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Power:
    """Most that a device may draw and give [W]: what its profile says, and its owner allows.

    least_w: what it draws at least, if it draws.
    """

    charge_w: int
    discharge_w: int
    least_w: int = 0


class Task(NamedTuple):
    """What a device shall do. power_w: what it draws, below 0 gives [W]; None leaves it to itself.

    is_blocked: the grid's operator lets it draw less than it would.
    """

    power_w: int | None
    is_blocked: bool = False


LEFT_ALONE, BLOCKED = Task(None), Task(0, is_blocked=True)


def task_of(levels: Levels | None, held_wh: int, net_w: int, most: Power, most_import_w: int | None = None) -> Task:
    """What a device shall do, for what the home takes without it, `net_w`; as `power_w`, which says the rest."""
    if levels is None and (most_import_w is None or 0 <= most.charge_w <= most_import_w - net_w):
        return LEFT_ALONE
    free = power_w(levels, held_wh, net_w, most)
    found = power_w(levels, held_wh, net_w, most, most_import_w)
    return Task(found, is_blocked=found < free or (levels is None and found <= 0))


def power_w(levels: Levels | None, held_wh: int, net_w: int, most: Power, most_import_w: int | None = None) -> int:
    """What a device draws from the home, below 0 what it gives [W].

    levels: in the order of `DeviceRules` [Wh]; None lets it rest. net_w: what the home takes without the device, below
    0 what it has to spare. most_import_w: what the home may take from the grid, which goes before the rule: nothing is
    drawn beyond it, and what the home takes beyond it the device gives as far as it can.
    """
    wanted = 0 if levels is None else _wanted(levels, held_wh, net_w, most)
    if most_import_w is not None:
        wanted = min(wanted, most_import_w - net_w)
    if wanted < 0 and held_wh <= 0:
        return 0
    if 0 < wanted < most.least_w:
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
