"""Rules by which a register is believed or not: pure functions, each with its source.

Validation, estimation and editing (VEE) is what the trade calls it. Registers are the truth: a rule says whether one
can be, and what it rose; none makes energy of its own.

Source: EEI, *Uniform Business Practices for Unbundled Electricity Metering*, vol. 2 (2000), on VEE: rollover of a
register, usage against what the connection allows, and the sum check of intervals against registers.
"""

from __future__ import annotations

from collections.abc import Sequence


def unrolled(shown_wh: int, last_wh: int, turns_over_wh: int | None) -> int:
    """A register counted on over its turns: what it shows [Wh], after `last_wh` in the same count.

    turns_over_wh: first number that it cannot show, such as 10^9 for six digits of kWh and three behind the point; None
    where it never gets there. A register that shows less than before has turned over once; whether that can be is
    for its caller to say, since one that was reset shows less as well.
    """
    if turns_over_wh is None:
        return shown_wh
    counted = last_wh - last_wh % turns_over_wh + shown_wh
    return counted if counted >= last_wh else counted + turns_over_wh


def spread(rose_wh: Sequence[int], slots: int) -> list[tuple[int, ...]]:
    """What registers rose over a gap, slot by slot: evenly, the remainder in the last, so that the sum stays [Wh]."""
    each = tuple(rise // slots for rise in rose_wh)
    last = tuple(rise // slots + rise % slots for rise in rose_wh)
    return [each] * (slots - 1) + [last]
