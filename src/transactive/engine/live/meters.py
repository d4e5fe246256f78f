"""The meters of a live market: what has come in by the journal, and a slot's end as the journal says it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from transactive.config.setting import Setting
from transactive.core.errors import require
from transactive.core.ports import LateReading, MeterHistory, Stored
from transactive.core.proofs.meter_records import REGISTERS
from transactive.core.tables import Baseline, ReadingQuality, Readings
from transactive.core.trades.positions import Positions
from transactive.core.units import BoolArray, IntArray
from transactive.engine.devices.fleet import Fleet
from transactive.engine.late.as_traded import as_traded
from transactive.engine.live.arrived import ArrivedRecords, SlotRecords
from transactive.engine.live.waiting import SessionClock
from transactive.metering.registers import measure
from transactive.store.live.journal import ArrivalKind, JournalReader

Wait = Callable[[int], bool]
"""Waits for more records of a slot that ended at a time [Unix s]; returns whether there is still time for them."""
IMPORT, EXPORT, GENERATION, CHARGE, DISCHARGE, WAITED = range(len(REGISTERS))
METERED = tuple(f"{name}_wh" for name in REGISTERS[:WAITED])


class LiveMeters:
    """`Meters` that report. What counts for a slot is what stands in the journal before its entry 'settled'.

    That entry is written when all records of the slot are there, or when nobody waits for them any longer. Whoever
    reads the journal again finds it, and so settles the same.
    """

    def __init__(
        self,
        setting: Setting,
        slots: range,
        clock: SessionClock,
        journal: JournalReader,
        arrived: ArrivedRecords,
        fleets: tuple[Fleet, Fleet],
        wait: Wait,
        wait_at_gate: Wait,
    ) -> None:
        """setting: its readings are those before the market opens. fleets: with the market and without.

        wait_at_gate: as `wait`, for as long as a gate can wait for the slot that ends with it.
        """
        self._wait_at_gate = wait_at_gate
        self._clock, self._market = clock, setting.community.clock
        self._journal, self._arrived, self._wait = journal, arrived, wait
        self._fleet, self._baseline = fleets
        self._read, self._begin, self._last = 0, slots[0], slots[0] - slots.step
        self._first_slot, before = setting.measured.first_slot, setting.measured
        rows = (slots.stop - self._first_slot) // slots.step
        self._known = len(before.consumption_wh)
        members = before.consumption_wh.shape[1]
        self._consumption_wh, self._generation_wh = (np.zeros((rows, members), np.int64) for _ in range(2))
        self._consumption_wh[: self._known] = before.consumption_wh
        self._generation_wh[: self._known] = before.generation_wh
        self._quality = np.full((rows, members), ReadingQuality.METERED, np.int64)
        if before.quality.size:
            self._quality[: self._known] = before.quality

    def history(self, until: int) -> MeterHistory:
        """All slots that ended by `until` [Unix s]. Raises RuleBroken if that is later than now."""
        require(until <= self._clock.now, "nobody sees a reading later than now")
        rows = max((until - self._first_slot) // self._market.length, 0)
        require(rows <= self._known, "what is seen of a slot is what it was settled with")
        consumption, generation = self._consumption_wh[:rows], self._generation_wh[:rows]
        quality = self._quality[:rows] if self._quality[:rows].any() else None
        return MeterHistory(self._first_slot, consumption, generation, consumption - generation, quality=quality)

    def readings(self, slot: int, traded: Positions) -> Readings:
        """Registers of a slot, once it is settled by the journal; waits for that.

        Raises RuleBroken unless the slot has ended.
        """
        end = self._market.end(slot)
        require(end <= self._clock.now, "nobody sees a reading later than now")
        while not self._settled(slot):
            if self._arrived.is_whole(slot) or not self._wait(end):
                self._journal.append(self._clock.now, ArrivalKind.SETTLED, [str(slot).encode()])
        return self._taken(slot, self._arrived.of(slot), traded)

    def are_in(self, slot: int) -> bool:
        """Whether a slot is settled as it ends, so that the gate of that moment sees it; as the journal has it."""
        end = self._market.end(slot)
        seen = self._clock.seen(end)
        if seen is not None and seen < end:
            return False
        while not self._settled(slot):
            if self._arrived.is_whole(slot):
                self._journal.append(self._clock.now, ArrivalKind.SETTLED, [str(slot).encode()])
            elif not self._wait_at_gate(end):
                return False
        return True

    def late(self) -> list[LateReading]:
        """Readings of settled slots that came before the slot that was read last, each once."""
        found = [_late(*place, *told) for place, told in sorted(self._arrived.late().items())]
        return [one for one in found if one.origin >= self._begin]

    def stored(self) -> Stored:
        """What devices hold after the slot that was read last."""
        return self._fleet.stored

    def without_market(self, slot: int) -> Baseline:
        """What the same homes would have taken and given without a market, to compare with."""
        row = (slot - self._first_slot) // self._market.length
        consumption, generation = self._consumption_wh[row], self._generation_wh[row]
        command = self._baseline.command(slot)
        load = consumption + self._baseline.shift(command, consumption - generation)
        moved = self._baseline.deliver(command, load - generation)
        self._baseline.slot_over(slot, self._baseline.stored)
        readings = measure(slot, load, generation, *moved)
        return Baseline(slot, readings.import_wh, readings.export_wh)

    def _settled(self, slot: int) -> bool:
        """Whether the journal says so; reads on in it, to that entry and no further."""
        if slot <= self._last:
            return True
        while entries := self._journal.after(self._read, most=1000):
            for entry in entries:
                self._read = entry.number
                if self._arrived.take(entry) == slot:
                    self._last = slot
                    return True
        return False

    def take_up(self, settled: Readings) -> None:
        """Know again of a slot that was settled with these readings, before a session was interrupted."""
        require(self._settled(settled.slot), "a settled slot stands in the journal")
        found = self._arrived.of(settled.slot)
        self._know(settled, np.where(found.there, found.energy_wh[WAITED], 0))

    def _taken(self, slot: int, found: SlotRecords, traded: Positions) -> Readings:
        """Readings of a settled slot, kept for the history; a silent meter is taken to have read what was traded."""
        energy = found.energy_wh
        energy[GENERATION] = generated(energy)
        read = Readings(slot, **dict(zip(METERED, energy, strict=False)), quality=found.quality)
        silent: BoolArray = np.logical_not(found.there)
        readings = as_traded(read, silent, traded)
        self._know(readings, energy[WAITED])
        self._hold(found.levels)
        return readings

    def _know(self, readings: Readings, waited: IntArray) -> None:
        """Keep a settled slot for the history."""
        row = (readings.slot - self._first_slot) // self._market.length
        self._consumption_wh[row] = readings.consumption_wh - waited
        self._generation_wh[row] = readings.generation_wh
        self._quality[row] = readings.quality
        self._known = row + 1

    def _hold(self, levels: dict[int, tuple[int, ...]]) -> None:
        """Take up what devices say that they hold, as far as they say it and can hold it: a box may say anything."""
        charged, shifting = self._fleet.charged_wh.copy(), self._fleet.shifting
        for member, told in levels.items():
            if not told:
                continue
            charged[member] = min(max(told[0], 0), int(self._fleet.devices.capacity_wh[member]))
            if shifting:
                shifting.take_levels(member, told[1:])
        self._fleet.charged_wh = charged


def generated(energy: IntArray) -> IntArray:
    """What homes made in a slot [Wh], (members,), by what their registers rose, (registers, members).

    No less than what left them and charged their batteries without coming in, also where no meter counts it; a meter
    that counts both ways in a slot gave what it gave, whatever it took.
    """
    given = energy[EXPORT] - energy[DISCHARGE] + np.maximum(energy[CHARGE] - energy[IMPORT], 0)
    made: IntArray = np.maximum(energy[GENERATION], given)
    return made


def levels_of(fleet: Fleet, member: int) -> tuple[int, ...]:
    """What a member's devices hold, as a record tells it: its battery, then its loads that can wait [Wh]."""
    own: IntArray = fleet.stored.held_wh[fleet.shifting.member == member] if fleet.shifting else np.zeros(0, np.int64)
    return int(fleet.charged_wh[member]), *own.tolist()


def _late(slot: int, member: int, energy: IntArray, quality: int) -> LateReading:
    """A reading that came late. What left a home beyond what it made came from a battery, and is no generation."""
    taken, given, made = (int(energy[register]) for register in (IMPORT, EXPORT, GENERATION))
    return LateReading(slot, member, taken, given, made, int(quality == ReadingQuality.METERED))
