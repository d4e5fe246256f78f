"""What is known of a charger: what it says of its meter and of the car, in the words of both versions of OCPP.

Source: Open Charge Alliance, OCPP 1.6 (7.40 SampledValue) and OCPP 2.0.1 part 2 (SampledValueType): a value without a
measurand is the register of imported energy, and one without a unit is in Wh.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from transactive.core.errors import DataError
from transactive.metering.decode.registers import MOST_WH
from transactive.metering.meters.values import ENERGY, number_of

REGISTER, CHARGE = "Energy.Active.Import.Register", "SoC"
MOST_POWER_OF_TEN = 9


@dataclass(slots=True)
class ChargerLimit:
    """How a charger takes a limit. unit: W, or A where it knows no other. volts, phases: of its line."""

    unit: str = "W"
    volts: int = 230
    phases: int = 3

    def number(self, power_w: int) -> float:
        """The number for a power [W]; amperes are rounded down to tenths."""
        return float(power_w) if self.unit == "W" else power_w * 10 // (self.volts * self.phases) / 10


@dataclass(slots=True)
class ChargingStation:
    """A charger, seen from here. connector: the one that is spoken of.

    line: which connection it is, 0 before the first. version: of OCPP, empty while it is not there. security: profile
    of the connection. register_wh: where its meter stands, begun_wh: where it stood as the car was plugged in.
    charge_percent: of the car, where it says so. transaction: of the car that is plugged in, None without one.
    """

    connector: int = 1
    line: int = 0
    version: str = ""
    security: int = 0
    register_wh: int | None = None
    begun_wh: int | None = None
    charge_percent: Fraction | None = None
    transaction: str | None = None
    refused: list[str] = field(default_factory=list)

    @property
    def session_wh(self) -> int:
        """What the car that is plugged in has got [Wh]."""
        if self.transaction is None or self.register_wh is None or self.begun_wh is None:
            return 0
        return max(self.register_wh - self.begun_wh, 0)

    def begin(self, transaction: str, register_wh: int) -> None:
        """A car is plugged in as the meter stands there."""
        self.begin_unseen(transaction)
        self._stands_at(register_wh)

    def begin_unseen(self, transaction: str) -> None:
        """A car is plugged in; what it has got counts from where the meter is next said to stand."""
        self.transaction, self.charge_percent, self.begun_wh = transaction, None, None

    def end(self, register_wh: int | None = None) -> None:
        """The car has gone."""
        if register_wh is not None:
            self._stands_at(register_wh)
        self.transaction, self.charge_percent = None, None

    def take(self, values: Iterable[Mapping[str, Any]]) -> None:
        """Take up what it says of its meter, as OCPP has it; what is no number is left out, and why is kept."""
        for one in values:
            for value in one.get("sampled_value", ()):
                try:
                    self._take(value)
                except DataError as error:
                    self.refused = [*self.refused[-9:], str(error)]

    def _take(self, value: Mapping[str, Any]) -> None:
        """Take up one value. Raises DataError."""
        measurand = value.get("measurand", REGISTER)
        if measurand not in (REGISTER, CHARGE) or "phase" in value:
            return
        unit = value.get("unit_of_measure") or {}
        power = int(unit.get("multiplier", 0))
        if abs(power) > MOST_POWER_OF_TEN:
            raise DataError(f"{measurand}: its power of ten is {power}")
        number = number_of(str(value.get("value")), str(measurand)) * Fraction(10) ** power
        if measurand == CHARGE:
            self.charge_percent = number
            return
        name = value.get("unit") or unit.get("unit") or "Wh"
        if name not in ENERGY:
            raise DataError(f"{measurand}: unit {name!r} is none of {', '.join(ENERGY)}")
        self._stands_at(int(number * ENERGY[name]))

    def _stands_at(self, register_wh: int) -> None:
        """Know where the meter stands. Raises DataError for a place where none does."""
        if not 0 <= register_wh <= MOST_WH:
            raise DataError(f"its meter stands at {register_wh} Wh, which none does")
        self.register_wh = register_wh
        if self.begun_wh is None and self.transaction is not None:
            self.begun_wh = register_wh
