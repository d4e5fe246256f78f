"""Registers that only rise: what a message may say after the one before.

A register that fell is neither energy nor a new beginning, unless the device is known to begin at zero when it loses
power. Then two messages in a row have to agree that it did, and what was counted before stays. A register that jumped
further up than its device can count is refused too, for as long as it stays there: an exchanged meter is another meter.
"""

from __future__ import annotations

from transactive.core.errors import DataError
from transactive.core.slots import HOUR
from transactive.metering.vee import unrolled

SLACK_WH = 1_000
"""What registers may rise beyond what power and time allow: some show whole kWh [Wh]."""
Standing = tuple[int, ...]
"""Where registers stand [Wh]."""


class RisingRegisters:
    """Follows the registers of one meter. base: what was counted before the device last began again [Wh]."""

    def __init__(
        self, most_w: int, *, restarts: bool = False, base: Standing = (), turns_over_wh: int | None = None
    ) -> None:
        """most_w: what it can count at most [W]. restarts: it begins again at zero. turns_over_wh: see `unrolled`."""
        self.base, self._turns_over_wh = base, turns_over_wh
        self._most_w, self._restarts = most_w, restarts
        self._at: int | None = None
        self._last: Standing = ()
        self._refused: tuple[int, Standing] | None = None

    def resume(self, at: int, registers: Standing) -> None:
        """Go on after a record that was signed at a time [Unix s]."""
        self._at, self._last = at, registers

    def take(self, at: int, registers: Standing) -> Standing:
        """Registers counted on from before [Wh]. Raises DataError for those that cannot be."""
        base = self.base or (0,) * len(registers)
        counted = _sum(base, registers)
        if self._last:
            shown = zip(registers, base, self._last, strict=True)
            counted = tuple(old + unrolled(now, last - old, self._turns_over_wh) for now, old, last in shown)
        if self._at is None:
            return self._accept(at, counted, base)
        refused = self._refused
        stays = refused is not None and self._reach(refused[1], registers, at - refused[0])
        if stays and refused is not None and self._began_again(*refused, base):
            return self._accept(at, _sum(self._last, registers), self._last)
        if not stays and self._reach(self._last, counted, at - self._at):
            return self._accept(at, counted, base)
        self._refused = at, registers
        now, before = list(counted), list(self._last)
        if any(new < old for new, old in zip(counted, self._last, strict=True)):
            raise DataError(f"registers ran backwards, from {before} to {now} Wh; was the meter exchanged?")
        raise DataError(
            f"registers jumped from {before} to {now} Wh in {at - self._at} s, beyond {self._most_w} W; was the meter"
            " exchanged, or is its unit another one?"
        )

    def _accept(self, at: int, counted: Standing, base: Standing) -> Standing:
        """Go on from here."""
        self._at, self._last, self.base, self._refused = max(at, self._at or at), counted, base, None
        return counted

    def _began_again(self, at: int, registers: Standing, base: Standing) -> bool:
        """Whether registers that were refused stand as those of a device that lost power since it was last heard."""
        fell = any(now + old < last for now, old, last in zip(registers, base, self._last, strict=True))
        return self._restarts and fell and self._reach((0,) * len(registers), registers, at - (self._at or 0))

    def _reach(self, before: Standing, after: Standing, seconds: int) -> bool:
        """Whether each register rose in that time, and no further than its device can count."""
        most = max(seconds, 0) * self._most_w // HOUR + SLACK_WH
        return all(0 <= now - then <= most for now, then in zip(after, before, strict=True))


def _sum(first: Standing, second: Standing) -> Standing:
    """Registers added up."""
    return tuple(a + b for a, b in zip(first, second, strict=True))
