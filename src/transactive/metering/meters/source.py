"""What a box asks of any meter: raw messages as they come, and what each of them says."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol

from transactive.core.slots import HOUR
from transactive.metering.decode.registers import MeterState

HOURLY_WITHIN = 120
GROUP = "transactive.meters"
"""Entry points: the scheme of an address, to a function that opens such an address."""


@dataclass(frozen=True, slots=True)
class MeterTraits:
    """What is known of a kind of meter beside its numbers.

    least_age: how old its last message may be as a slot ends [s]. silence: after how long without a message its line is
    opened anew [s]. most_w: what it can count at most [W]. restarts: its registers begin again at zero when it loses
    power; else a register that falls is refused. turns_over_wh: first number that a register cannot show, where it
    begins at zero [Wh]. hourly: what it tells within two minutes after a full hour are the registers of that hour, and
    its own clock is not believed. grade: what its profile was proved with.
    """

    title: str
    grade: str
    least_age: int = 60
    silence: int = 30
    most_w: int = 100_000
    restarts: bool = False
    turns_over_wh: int | None = None
    hourly: bool = False

    def time_of(self, state: MeterState, heard: int) -> int:
        """When registers stood so [Unix s]. heard: when the message came, which counts where it tells no time."""
        after = heard % HOUR
        if self.hourly:
            return heard - after if after <= HOURLY_WITHIN else heard
        return heard if state.at is None else state.at


class MeterSource(Protocol):
    """A meter that is read. `decode` knows no time and no state: the same bytes say the same, and are kept as proof."""

    @property
    def traits(self) -> MeterTraits:
        """What is known of this kind of meter."""
        ...

    def messages(self) -> Generator[bytes, None, None]:
        """Raw messages, as long as the line holds. Raises OSError when it does not, or says nothing for too long."""
        ...

    def decode(self, raw: bytes) -> MeterState:
        """Registers that a raw message tells. Raises DataError with the reason for one that tells none."""
        ...
