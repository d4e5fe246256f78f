"""Devices of a replay: they follow the rules that they are sent, on loads as recorded, and their meters are read."""

from __future__ import annotations

from typing import Protocol

from transactive.core.errors import require
from transactive.core.ports import Command, LateReading, MeterHistory, Stored
from transactive.core.tables import Baseline, Readings
from transactive.core.trades.positions import Positions
from transactive.core.units import IntArray
from transactive.engine.devices.fleet import Fleet
from transactive.engine.devices.recorded_history import RecordedHistory
from transactive.engine.late.as_traded import as_traded
from transactive.metering.registers import measure
from transactive.settlement.unmetered_slots import silent


class LineKeeper(Protocol):
    """Who may hold devices back for the sake of lines, as they act."""

    def allow(self, command: Command, load_wh: IntArray, generation_wh: IntArray, draw_wh: IntArray) -> IntArray:
        """What loads that can wait may draw [Wh], (members,), of what they would beside the other load."""
        ...

    def deliver(
        self, command: Command, load_wh: IntArray, generation_wh: IntArray
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Generation, charge and discharge [Wh], (members,), for a slot's real load and possible generation."""
        ...


class ReplayedDevices:
    """`Meters` and `Commands` of a replay. baseline: the same devices under the tariff alone, which nobody commands."""

    def __init__(self, past: RecordedHistory, fleet: Fleet, baseline: Fleet, lines: LineKeeper) -> None:
        self._past, self._fleet, self._baseline, self._lines = past, fleet, baseline, lines
        self._sent: dict[int, Command] = {}

    def history(self, until: int) -> MeterHistory:
        """All slots that ended by `until` [Unix s]. Raises RuleBroken if that is later than now."""
        return self._past.history(until)

    def send(self, command: Command) -> None:
        """Keep the rules of a slot until it is read."""
        self._sent[command.slot] = command

    def readings(self, slot: int, traded: Positions) -> Readings:
        """Let devices act on what happened in a slot, and read the meters; who is late is read as traded.

        Raises RuleBroken unless the slot has ended.
        """
        consumption, generation = self._past.happened(slot)
        require(slot in self._sent, "devices have the rules of a slot before it is read")
        command = self._sent.pop(slot)

        def allow(draw_wh: IntArray) -> IntArray:
            return self._lines.allow(command, consumption, generation, draw_wh)

        load = consumption + self._fleet.shift(command, consumption - generation, allow)
        moved, counted = self._lines.deliver(command, load, generation), self._past.as_counted(slot)
        read = measure(slot, load, *moved, *counted)
        return as_traded(read, whose, traded) if (whose := silent(read)).any() else read

    def are_in(self, slot: int) -> bool:  # noqa: ARG002 - as meters are asked
        """A recording has each slot as it ends."""
        return True

    def late(self) -> tuple[LateReading, ...]:
        """Nothing comes late from a file; what it states otherwise later is a correction."""
        return ()

    def stored(self) -> Stored:
        """What devices hold after the slot that was read last."""
        return self._fleet.stored

    def without_market(self, slot: int) -> Baseline:
        """What the same homes would have taken and given without a market, to compare with."""
        consumption, generation = self._past.happened(slot)
        command = self._baseline.command(slot)
        load = consumption + self._baseline.shift(command, consumption - generation)
        moved = self._baseline.deliver(command, load - generation)
        self._baseline.slot_over(slot, self._baseline.stored)
        readings = measure(slot, load, generation, *moved, *self._past.as_counted(slot))
        return Baseline(slot, readings.import_wh, readings.export_wh)
