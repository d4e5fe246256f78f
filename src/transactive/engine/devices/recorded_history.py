"""Recorded readings as a run may see them: whole behind, and shut for whoever asks for what is later than now."""

from __future__ import annotations

from transactive.config.setting import Setting
from transactive.core.errors import require
from transactive.core.ports import Clock, MeterHistory
from transactive.core.units import IntArray


class ReplayClock:
    """A time that stands until somebody waits, and is then as late as that one waits for."""

    def __init__(self, now: int) -> None:
        self._now = now

    @property
    def now(self) -> int:
        """The time [Unix s]."""
        return self._now

    def wait_until(self, due: int) -> None:
        """Let all the time until `due` pass at once."""
        self._now = max(self._now, due)

    def close(self, gate: int, seen: int) -> bool:  # noqa: ARG002 - as a clock is asked
        """Every gate counts: a replay comes to each in time."""
        return True

    def is_void(self, gate: int) -> bool:  # noqa: ARG002 - as a clock is asked
        """None is."""
        return False

    def seen(self, gate: int) -> int:
        """All that has ended: a recording has each slot at once."""
        return gate


class RecordedHistory:
    """Readings of a file, (slots, members) [Wh], from `first_slot` on in slots of `length` [s]: `PastReadings`."""

    def __init__(
        self,
        clock: Clock,
        first_slot: int,
        length: int,
        consumption_wh: IntArray,
        generation_wh: IntArray,
        feeder_wh: IntArray | None = None,
        both_ways_wh: IntArray | None = None,
        quality: IntArray | None = None,
    ) -> None:
        self._clock, self._first_slot, self._length = clock, first_slot, length
        self._consumption_wh, self._generation_wh, self._feeder_wh = consumption_wh, generation_wh, feeder_wh
        self._net_load_wh = consumption_wh - generation_wh
        self._both_ways_wh, self._quality = both_ways_wh, quality

    @classmethod
    def of(cls, setting: Setting, clock: Clock) -> RecordedHistory:
        """The readings that a community names."""
        recorded, length = setting.measured, setting.community.clock.length
        readings = recorded.consumption_wh, recorded.generation_wh, setting.feeder_wh
        both, quality = (column if column.size else None for column in (recorded.both_ways_wh, recorded.quality))
        return cls(clock, recorded.first_slot, length, *readings, both, quality)

    def history(self, until: int) -> MeterHistory:
        """All slots that ended by `until` [Unix s]. Raises RuleBroken if that is later than now."""
        require(until <= self._clock.now, "nobody sees a reading later than now")
        ended = slice(0, max((until - self._first_slot) // self._length, 0))
        return MeterHistory(
            self._first_slot,
            self._consumption_wh[ended],
            self._generation_wh[ended],
            self._net_load_wh[ended],
            None if self._feeder_wh is None else self._feeder_wh[ended],
            None if self._quality is None else self._quality[ended],
        )

    def happened(self, slot: int) -> tuple[IntArray, IntArray]:
        """Consumption and possible generation of a slot [Wh], (members,). Raises RuleBroken unless it has ended."""
        past = self.history(slot + self._length)
        return past.consumption_wh[-1], past.generation_wh[-1]

    def as_counted(self, slot: int) -> tuple[IntArray | int, IntArray | None]:
        """What meters counted both ways in a slot [Wh] and how good their readings are, (members,), if it is known.

        Raises RuleBroken unless the slot has ended.
        """
        require(slot + self._length <= self._clock.now, "nobody sees a reading later than now")
        row = (slot - self._first_slot) // self._length
        both, quality = self._both_ways_wh, self._quality
        return 0 if both is None else both[row], None if quality is None else quality[row]
