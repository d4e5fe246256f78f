"""Ports of a run: nobody sees a reading later than now, and any meters, commands and clock will do."""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from tests.integration.conftest import START
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.errors import RuleBroken
from transactive.core.ports import Command, LateReading, MeterHistory, Ports, Stored
from transactive.core.slots import parse_time
from transactive.core.tables import Baseline, Readings
from transactive.core.trades.positions import Positions
from transactive.engine.books.logged_acts import NoActs
from transactive.engine.books.signed_run import Gateway
from transactive.engine.devices.building import fleet_of
from transactive.engine.devices.fleet import IN_TURN
from transactive.engine.devices.recorded_history import RecordedHistory, ReplayClock
from transactive.engine.devices.replayed import ReplayedDevices
from transactive.engine.grid.unwatched import Unwatched
from transactive.engine.kernel import Kernel
from transactive.engine.planning.period_plans import Planners
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import replay, slots_of
from transactive.trading.devices.energy_value import inside_prices, tariff_prices

GATEWAY = Gateway(b"\1" * 32, "0x1a642f0e3c3af545e7acbd38b07251b3990914f1")
HOUR = 3_600
NOTHING = np.zeros(14, np.int64)


@pytest.fixture(scope="module")
def setting():
    return load_setting(DEMO)


@pytest.fixture(scope="module")
def slots(setting):
    return slots_of(setting, parse_time(START), 1)


def kernel_on(setting, slots, ports):
    """A kernel with ports of the test's own."""
    community = setting.community
    fleet = fleet_of(community, inside_prices, IN_TURN, community.carbon_price, among=community.plans_among)
    planners = Planners(fleet, fleet_of(setting.community, tariff_prices, IN_TURN), Unwatched(fleet))
    return Kernel(setting, slots, ports, planners, "empirical", GATEWAY)


def test_what_has_not_ended_is_not_to_be_seen(setting, slots):
    past = RecordedHistory.of(setting, clock := ReplayClock(slots[3]))
    rows = (slots[3] - setting.first_slot) // HOUR
    assert past.history(slots[3]).consumption_wh.shape == (rows, 14)
    assert past.happened(slots[2])[0].tolist() == setting.measured.consumption_wh[rows - 1].tolist()
    for ask in (lambda: past.history(slots[3] + 1), lambda: past.happened(slots[3])):
        with pytest.raises(RuleBroken, match="nobody sees a reading later than now"):
            ask()
    clock.wait_until(slots[4])
    assert len(past.history(slots[4]).net_load_wh) == rows + 1
    clock.wait_until(slots[2])
    assert clock.now == slots[4], "time never goes back"


class StrictHistory(RecordedHistory):
    """Gives copies, behind which nothing of the future stands, and notes how late each question was."""

    margins: ClassVar[list[int]] = []

    def history(self, until: int) -> MeterHistory:
        past = super().history(until)
        self.margins.append(self._clock.now - until)
        columns = {name: getattr(past, name).copy() for name in ("consumption_wh", "generation_wh", "net_load_wh")}
        return replace(past, **columns)


@pytest.mark.long
def test_a_run_that_is_shown_only_what_has_ended_is_the_same_run(setting, slots, tmp_path, monkeypatch):
    free, _ = replay(setting, slots, tmp_path / "free", seed="ports")
    monkeypatch.setattr(StrictHistory, "margins", [])
    monkeypatch.setattr("transactive.engine.recorded.RecordedHistory", StrictHistory)
    strict, _ = replay(setting, slots, tmp_path / "strict", seed="ports")
    assert strict.summary.state_hash == free.summary.state_hash
    assert min(StrictHistory.margins) == 0
    assert len(StrictHistory.margins) > 2 * len(slots)


class Noted:
    """Meters and commands that pass everything on, and note it."""

    def __init__(self, inner: ReplayedDevices) -> None:
        self.inner = inner
        self.slots: dict[int, tuple[Readings, Stored, Baseline]] = {}
        self.sent: list[Command] = []

    def history(self, until: int) -> MeterHistory:
        return self.inner.history(until)

    def readings(self, slot: int, traded: Positions) -> Readings:
        self._readings = self.inner.readings(slot, traded)
        return self._readings

    def are_in(self, slot: int) -> bool:
        return self.inner.are_in(slot)

    def late(self) -> Sequence[LateReading]:
        return self.inner.late()

    def stored(self) -> Stored:
        return self.inner.stored()

    def without_market(self, slot: int) -> Baseline:
        found = self.inner.without_market(slot)
        self.slots[slot] = self._readings, self.inner.stored(), found
        return found

    def send(self, command: Command) -> None:
        self.sent.append(command)
        self.inner.send(command)


class Told:
    """Meters that simulate nothing: they say what others have metered."""

    def __init__(self, past: RecordedHistory, slots: dict[int, tuple[Readings, Stored, Baseline]]) -> None:
        self.history, self.slots, self.newest = past.history, slots, 0
        self.sent: list[Command] = []

    def readings(self, slot: int, traded: Positions) -> Readings:
        self.newest = slot
        return self.slots[slot][0]

    def are_in(self, slot: int) -> bool:
        return True

    def late(self) -> Sequence[LateReading]:
        return ()

    def stored(self) -> Stored:
        return self.slots[self.newest][1]

    def without_market(self, slot: int) -> Baseline:
        return self.slots[slot][2]

    def send(self, command: Command) -> None:
        self.sent.append(command)


def test_the_kernel_runs_on_meters_that_it_does_not_simulate(setting, slots):
    recorded = recorded_run(setting, slots, GATEWAY)
    assert isinstance(recorded.meters, ReplayedDevices)
    recorded.meters = recorded.commands = noted = Noted(recorded.meters)
    recorded.run()
    clock = ReplayClock(setting.community.clock.gate(slots[0]))
    told = Told(RecordedHistory.of(setting, clock), noted.slots)
    live = kernel_on(setting, slots, Ports(clock, told, told, NoActs()))
    live.run()
    assert live.state_hash == recorded.state_hash
    assert clock.now == slots[-1] + HOUR
    for one, other in zip(noted.sent, told.sent, strict=True):
        assert (one.slot, one.end) == (other.slot, other.slot + HOUR)
        assert np.array_equal(one.batteries.levels_wh, other.batteries.levels_wh)


def test_devices_have_their_rules_when_the_gate_has_closed_and_before_they_act(setting, slots):
    sent = dict[int, int]()
    recorded = recorded_run(setting, slots)
    inner = recorded.commands

    class Watch:
        def send(self, command: Command) -> None:
            sent[command.slot] = recorded.time.now
            inner.send(command)

    recorded.commands = Watch()
    recorded.run()
    gate = setting.community.clock.gate
    assert sent == {slot: gate(slot) for slot in slots}


def test_a_slot_without_rules_is_not_read(setting, slots):
    recorded = recorded_run(setting, slots)
    recorded.time.wait_until(slots[1])
    with pytest.raises(RuleBroken, match="devices have the rules of a slot before it is read"):
        recorded.meters.readings(slots[0], Positions.at_one_price(slots[0], 0, NOTHING, NOTHING))
