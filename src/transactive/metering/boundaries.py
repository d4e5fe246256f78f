"""From what a meter says, again and again, to where its registers stood as each slot ended.

The register of a boundary is that of the last message at or before it, if it is young enough; what the meter counted
after belongs to the next slot. A boundary without such a message gets no register: the next record then tells of
several slots, and nobody says how the energy fell between them. Registers that run backwards are no energy.
"""

from __future__ import annotations

from dataclasses import dataclass

from transactive.core.errors import DataError

YEAR_2010 = 1_262_304_000
"""Before it no meter of this program was read: a clock that says less was never set [Unix s]."""


@dataclass(slots=True)
class SlotBoundaries:
    """Follows one meter. length: of a slot [s]. least_age: how old a message may be at a boundary [s]."""

    length: int
    least_age: int = 60
    _at: int = 0
    _registers: tuple[int, ...] = ()
    _told: int = 0

    def resume(self, slot: int, registers: tuple[int, ...]) -> None:
        """Go on after the record of a slot [Unix s], with its registers."""
        self._told, self._registers = slot + self.length, registers
        self._at = max(self._at, self._told)

    def take(self, at: int, registers: tuple[int, ...]) -> tuple[int, tuple[int, ...]] | None:
        """Take a message in; returns a slot that has ended and the registers at its end, if they are known.

        at: time of the message [Unix s]. Raises DataError for one that can tell nothing: of a clock that was never set,
        of registers that ran backwards or stand at zero again.
        """
        if at < YEAR_2010:
            raise DataError(f"the meter says that it is second {at} since 1970; set its clock")
        if at < self._at:
            raise DataError(f"a message of second {at} comes after one of second {self._at}; the clock went back")
        if any(now < then for now, then in zip(registers, self._registers, strict=False)):
            raise DataError(
                f"registers ran backwards, from {self._registers} to {registers} Wh; was the meter exchanged?"
            )
        boundary = at // self.length * self.length
        before_at, before, self._at, self._registers = self._at, self._registers, at, registers
        if boundary <= self._told:
            return None
        self._told = boundary
        if at == boundary:
            return boundary - self.length, registers
        seen = bool(before) and boundary - before_at <= self.least_age
        return (boundary - self.length, before) if seen else None
