"""Exact numbers of devices: decimal text or machine words to whole Wh, and to the time.

Nothing is rounded before registers of the same kind are added up; then what is below a Wh is left for the next reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import cast

from transactive.core.errors import DataError
from transactive.metering.decode.registers import MOST_WH, UNITS, MeterState

ENERGY = {unit: Fraction(factor) for unit, factor in UNITS.items()} | {"Wmin": Fraction(1, 60)}
"""Units that devices count in [Wh]."""
NUMBER = re.compile(r"([+-]?)([0-9]{1,24})(?:\.([0-9]{0,24}))?(?:[eE]([+-]?[0-9]{1,2}))?")
"""A number as JSON and devices write it, no longer than any register is."""


@dataclass(frozen=True, slots=True)
class ReadValue:
    """A register as it was read. what: it, in a message."""

    what: str
    register: str
    number: Fraction
    unit: str = "Wh"
    sign: int = 1


def number_of(value: object, what: str) -> Fraction:
    """A number of a text, exactly. Raises DataError for whatever is none: a register that is not known."""
    found = NUMBER.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise DataError(f"{what} is {_shown(value)}, which is no number")
    sign, whole, part, power = found.groups(default="")
    digits = Fraction(int(sign + whole + part), 10 ** len(part))
    return digits * Fraction(10) ** int(power or 0)


def state_of(values: Iterable[ReadValue], at: int | None) -> MeterState:
    """Registers of all values, those of a kind added up. Raises DataError for one below zero or beyond any meter."""
    sums = dict[str, Fraction]()
    for value in values:
        energy = value.number * ENERGY[value.unit] * value.sign
        if energy < 0:
            raise DataError(f"{value.what} is below zero; does its profile need sign = -1?")
        sums[value.register] = sums.get(value.register, Fraction(0)) + energy
    found = {name: int(energy) for name, energy in sums.items() if energy <= MOST_WH}
    for name in sums.keys() - found.keys():
        raise DataError(
            f"register {name} stands at {int(sums[name])} Wh, which no meter counts; which unit does it have?"
        )
    return MeterState(
        at,
        found.get("import", 0),
        found.get("export", 0),
        generation_wh=found.get("generation", 0),
        charge_wh=found.get("charge", 0),
        discharge_wh=found.get("discharge", 0),
    )


def seconds_of(value: object, form: str, what: str) -> int:
    """A time [Unix s]. Raises DataError where it is none."""
    if form == "unix":
        return int(number_of(value, what))
    try:
        time = datetime.fromisoformat(cast("str", value))
        if time.tzinfo is None:
            raise DataError(f"{what} is {_shown(value)}, which names no zone; leave [time] out of its profile")
        return int(time.timestamp())
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{what} is {_shown(value)}, which is no time") from None


def _shown(value: object) -> str:
    """A value in a message, cut where it is long."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
