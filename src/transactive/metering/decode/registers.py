"""What a decoded message says: when, and where the registers stand."""

from __future__ import annotations

from dataclasses import dataclass

from transactive.core.errors import DataError

UNITS = {"Wh": 1, "kWh": 1_000, "MWh": 10**6}
MOST_WH = 10**15
"""No meter of a home or a plant has counted as much [Wh]."""


@dataclass(frozen=True, slots=True)
class MeterState:
    """Registers at a time, in whole Wh. at: by the meter's own clock [Unix s], None where it tells no time.

    meter: the number that the meter says of itself, empty if none. counter: of an encrypted message, which rises;
    0 if none. generation_wh, charge_wh, discharge_wh: where the
    message has such registers.
    """

    at: int | None
    import_wh: int
    export_wh: int
    meter: str = ""
    generation_wh: int = 0
    charge_wh: int = 0
    discharge_wh: int = 0
    counter: int = 0

    @property
    def registers(self) -> tuple[int, int, int, int, int]:
        """In the order of `core.proofs.meter_records.REGISTERS`, without what waits."""
        return self.import_wh, self.export_wh, self.generation_wh, self.charge_wh, self.discharge_wh


def whole_wh(number: str, unit: str) -> int:
    """Whole Wh of a register, rounded down: the rest is in the next reading. Raises DataError."""
    factor = UNITS.get(unit)
    if factor is None:
        raise DataError(f"register of {number} {unit}: the unit is none of {', '.join(UNITS)}")
    whole, _, part = number.partition(".")
    beyond: int = int(part or 0) * factor // 10 ** len(part)
    return int(whole) * factor + beyond


def energy_of(registers: dict[tuple[int, int], int]) -> dict[int, int]:
    """Energy by direction [Wh], 1 is import and 2 export: the total where a meter tells one, else its tariffs added up.

    registers: by direction and tariff, of which 0 is the total.
    """
    found = dict[int, int]()
    for (way, _), energy in registers.items():
        found[way] = found.get(way, 0) + energy
    return found | {way: energy for (way, tariff), energy in registers.items() if tariff == 0}
