"""What a box remembers of its meter beside its records: which one it is, and what it counted before it lost power."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.core.errors import DataError, StateError
from transactive.metering.decode.registers import MeterState
from transactive.metering.meters.rising import RisingRegisters
from transactive.metering.meters.source import MeterTraits
from transactive.node.files import write_whole

MEMORY_FILE = "meter.json"


class _Memory(msgspec.Struct, forbid_unknown_fields=True):
    """The file. number: that the meter says of itself. base: registers before it last began again [Wh].

    counter: of its last encrypted message.
    """

    number: str = ""
    base: tuple[int, ...] = ()
    counter: int = 0


class KnownMeter:
    """The meter that a box was made for: says which messages are of it, and counts on where it began again."""

    def __init__(self, folder: Path, traits: MeterTraits) -> None:
        """Raises StateError where the file of an earlier start cannot be read."""
        self._path, self.traits = folder / MEMORY_FILE, traits
        try:
            self._memory = msgspec.json.decode(self._path.read_bytes(), type=_Memory)
        except FileNotFoundError:
            self._memory = _Memory()
        except (OSError, msgspec.DecodeError) as error:
            raise StateError(f"{self._path}: {error}; enrol the box anew, in a new folder") from None
        self._rising = RisingRegisters(
            traits.most_w, restarts=traits.restarts, base=self._memory.base, turns_over_wh=traits.turns_over_wh
        )

    def resume(self, at: int, registers: tuple[int, ...]) -> None:
        """Go on after a record that ends at a time [Unix s]."""
        self._rising.resume(at, registers)

    def take(self, at: int, state: MeterState) -> tuple[int, ...]:
        """Registers of a message, counted on from before [Wh]. Raises DataError for those of another meter."""
        known = self._memory.number
        if known and state.meter and state.meter != known:
            raise DataError(
                f"the meter says that it is {state.meter}, and was {known}; an exchanged meter is invited anew"
            )
        if state.counter:
            if state.counter <= self._memory.counter:
                raise DataError(
                    f"a message has the counter {state.counter} after {self._memory.counter}: an old one again"
                )
            self._memory.counter = state.counter
        registers = self._rising.take(at, state.registers)
        base = self._rising.base if any(self._rising.base) else ()
        if base != self._memory.base or (state.meter and not known):
            self._memory.number, self._memory.base = known or state.meter, base
            self._write()
        return registers

    def keep(self) -> None:
        """Write what a record goes on from: the counter of an encrypted meter. Raises StateError where it cannot be."""
        if self._memory.counter:
            self._write()

    def _write(self) -> None:
        """Write what is known, whole or not at all."""
        write_whole(self._path, msgspec.json.encode(self._memory))
