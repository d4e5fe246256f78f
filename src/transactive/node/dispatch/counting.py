"""What a device has drawn and given, by its own counters, as registers of the box that only rise."""

from __future__ import annotations

from transactive.core.slots import HOUR

SLACK_WH = 1_000
"""What counters may rise beyond power and time: some show whole kWh [Wh]."""


class DeviceCounter:
    """Counts on from where the records of a box stand. most_w: what the device can count at most [W].

    A counter that fell, or jumped beyond what the device can do, is begun anew: what happened between is not the
    device's but the home's. energy_wh: drawn and given in all [Wh].
    """

    def __init__(self, most_w: int) -> None:
        self._most_w = most_w
        self._seen: tuple[int, int] | None = None
        self._at = 0.0
        self.energy_wh = (0, 0)

    def see(self, counted: tuple[int, int], at: float) -> None:
        """See its counters [Wh] at a time that only rises [s]."""
        before, self._seen = self._seen, counted
        seconds, self._at = at - self._at, at
        if before is None:
            return
        rose = counted[0] - before[0], counted[1] - before[1]
        most = int(seconds * self._most_w) // HOUR + SLACK_WH
        if all(0 <= each <= most for each in rose):
            self.energy_wh = self.energy_wh[0] + rose[0], self.energy_wh[1] + rose[1]
