"""Devices follow rules with an end: kept through hours without a line, bounded, never before the member's switch."""

import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.modbus import modbus_server
from tests.unit.test_box_trades import ADA, Street, street
from transactive.core.boxes.messages import AskTerms, HasCommand, ImportLimit, LevelRules
from transactive.core.community.shiftable import Appliance, Heater
from transactive.core.errors import ConfigError, InputError
from transactive.core.ports import Command
from transactive.core.slots import HOUR
from transactive.core.tables import DeviceRules
from transactive.engine.live.boxes.commands import BoxCommands
from transactive.engine.live.boxes.import_limits import add_limit, limits_in
from transactive.engine.live.inlet import Inlet
from transactive.engine.live.invitations import Invitations
from transactive.engine.live.session import both
from transactive.engine.live.waiting import WallClock
from transactive.links.modbus import ModbusClient
from transactive.node.dispatch.control import Power, Task, power_w
from transactive.node.dispatch.device import MovedDevice
from transactive.node.dispatch.driver import PAUSED_FILE, DeviceDriver, HomeDriver
from transactive.node.dispatch.hands import Hands
from transactive.node.dispatch.modbus import ModbusDevice
from transactive.node.dispatch.profile import BATTERY, FILES, ModbusDeviceProfile, device_profiles
from transactive.node.dispatch.rulebook import LONGEST, RULES_FILE, RuleBook
from transactive.store.live.journal import ArrivalKind, Enrolment

NOW, SLOT, FULL = 1_717_545_600, 900, 5_000
MOST = Power(charge_w=2_000, discharge_w=2_500)
__all__ = ["street"]


def rules(number: int, slot: int = NOW, levels: tuple[int, int, int, int] = (0, FULL, 0, FULL)) -> LevelRules:
    return LevelRules(number, slot, slot + SLOT, levels)


class Battery(MovedDevice):
    """A battery that does what it is told, unless it is broken."""

    def __init__(self, held_wh: int = 2_500) -> None:
        self.held, self.told, self.is_broken = held_wh, list[int](), False

    def held_wh(self) -> int:
        if self.is_broken:
            raise OSError("the device ended the line")
        return self.held

    def lease(self, task: Task, at: float) -> int:
        self.task = task
        self.told.append(task.power_w or 0)
        return self.told[-1]

    def _tell(self, task: Task) -> None:
        raise NotImplementedError


class House:
    """A home with a meter and a battery: what it needs without it is `need_w`."""

    def __init__(self, folder: Path, need_w: int) -> None:
        self.need_w, self.at, self.wh, self.said = need_w, NOW, 0.0, list[str]()
        self.battery, self.book = Battery(), RuleBook(folder, {BATTERY: FULL})
        self.driver = DeviceDriver("battery", self.battery, MOST, self.said.append)
        self.home = HomeDriver(folder, {BATTERY: self.driver}, self.book)

    def minutes(self, count: int, *, meter: bool = True) -> int:
        """Let minutes pass; what the battery was told last."""
        for _ in range(count):
            self.at += 60
            self.wh += (self.need_w + self.driver.power_w) / 60
            registers = (round(100_000 + self.wh), 0, 0, 0, 0) if meter else None
            self.home.step(self.at, registers, float(self.at))
        return self.battery.told[-1]


def test_rules_and_limits_are_kept_through_an_hour_without_a_line_and_a_lost_power_supply(tmp_path):
    house = House(tmp_path, 1_200)
    for place in range(4):
        assert house.book.take(rules(place + 1, NOW + place * SLOT), NOW) == ""
    assert house.book.take(ImportLimit(9, NOW, NOW + HOUR, 800), NOW) == ""
    assert abs(house.minutes(20) + 1_200) <= 60  # the battery serves the home
    house.book = house.home.book = RuleBook(tmp_path, {BATTERY: FULL})  # the box starts anew, without a line
    assert abs(house.minutes(35) + 1_200) <= 60
    house.minutes(6)
    assert (house.book.levels(house.at, BATTERY), house.book.most_import_w(house.at)) == (None, None)
    assert house.minutes(1) == 0  # everything has an end


def test_a_battery_keeps_the_homes_meter_at_what_was_traded(tmp_path):
    house = House(tmp_path, 1_200)
    sold_wh = 100  # in a quarter of an hour
    house.book.take(LevelRules(1, NOW, NOW + SLOT, (0, FULL, 0, FULL), BATTERY, -sold_wh), NOW)
    assert abs(house.minutes(10) + 1_600) <= 60
    house.book.take(LevelRules(2, NOW, NOW + SLOT, (0, FULL, 0, FULL), BATTERY, 400), NOW)
    assert abs(house.minutes(4) - 400) <= 60  # what was bought beyond its need fills it


def test_a_battery_that_no_longer_says_how_full_it_is_goes_on_with_nothing(tmp_path):
    house = House(tmp_path, 1_200)
    house.book.take(rules(1), NOW)
    assert house.minutes(3) < 0
    house.battery.is_broken = True  # its charge cannot be read, but it still does what it is told
    assert house.minutes(1) == 0
    assert (house.driver.power_w, house.driver.failure) == (0, "the device ended the line")
    house.battery.is_broken = False
    assert house.minutes(2) < 0


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (rules(5), "command 5 came after 7"),
        (LevelRules(8, NOW - 2 * SLOT, NOW - SLOT, (0, 0, 0, 0)), "it is over"),
        (LevelRules(8, NOW, NOW - 1, (0, 0, 0, 0)), "it is over"),
        (rules(8, levels=(0, FULL + 1, 0, FULL)), "beyond the 5000 Wh"),
        (rules(8, levels=(-1, 0, 0, FULL)), "beyond the 5000 Wh"),
        (rules(8, levels=(4_000, FULL, 1_000, FULL)), "charge and discharge at once"),
        (ImportLimit(8, NOW, NOW + LONGEST + 1, 1), "holds too long"),
        (rules(8, NOW + LONGEST + SLOT), "begins too late"),
        (ImportLimit(8, NOW, NOW + 60, -1), "less than nothing"),
    ],
)
def test_what_is_old_out_of_order_or_beyond_the_battery_is_refused(command, why, tmp_path):
    book = RuleBook(tmp_path, {BATTERY: FULL})
    assert book.take(rules(7), NOW) == ""
    before = (tmp_path / RULES_FILE).read_bytes()
    assert why in book.take(command, NOW)
    assert (tmp_path / RULES_FILE).read_bytes() == before
    assert book.take(rules(7), NOW) == ""  # the same again is no fault


def test_the_members_switch_wins(tmp_path):
    house = House(tmp_path, 1_200)
    house.book.take(rules(1), NOW)
    assert house.minutes(3) < 0
    (tmp_path / PAUSED_FILE).touch()
    assert house.minutes(1) == 0
    (tmp_path / PAUSED_FILE).unlink()
    assert house.minutes(2) < 0


def test_the_grids_limit_goes_before_every_plan(tmp_path):
    house = House(tmp_path, 3_000)
    house.home.plan = lambda _: (FULL, FULL, FULL, FULL)  # charge, whatever the home does
    assert house.minutes(3) == MOST.charge_w
    house.book.take(ImportLimit(1, NOW, NOW + HOUR, 4_200), NOW)
    assert abs(house.minutes(3) - 1_200) <= 60
    house.book.take(ImportLimit(2, NOW, NOW + HOUR, 1_000), NOW)
    assert abs(house.minutes(3) + 2_000) <= 60  # and it gives what the home takes beyond


@pytest.mark.parametrize(("limit", "need_w", "most_w"), [(1_500, 500, 1_000), (None, -1_200, 1_200)])
def test_what_the_meter_has_not_seen_yet_is_no_room_for_more(limit, need_w, most_w, tmp_path):
    house = House(tmp_path, need_w)
    house.book.take(rules(1, levels=(FULL if limit else 0, FULL, FULL, FULL)), NOW)
    if limit:
        house.book.take(ImportLimit(2, NOW, NOW + SLOT, limit), NOW)
    registers = (0, 0)
    for second in range(600):  # a meter that tells every 10 s, and a battery that is looked at every 5 s
        house.wh += (need_w + house.driver.power_w) / HOUR
        if second % 10 == 0:
            registers = round(100_000 + house.wh), 0
        if second % 5 == 0:
            house.home.step(NOW + second // 10 * 10, registers, float(second))
    assert max(house.battery.told) <= most_w + 400  # a meter that counts whole Wh is not finer over 10 s
    assert min(house.battery.told[30:]) >= most_w - 400


def test_a_device_that_no_longer_says_how_full_it_is_is_still_held_by_the_grids_limit(tmp_path):
    house = House(tmp_path, 1_200)
    house.book.take(rules(1), NOW)
    house.battery.is_broken = True
    house.minutes(3)
    assert house.battery.task == Task(None)
    house.book.take(ImportLimit(2, NOW, NOW + SLOT, 800), NOW)
    house.minutes(1)
    assert house.battery.task == Task(0, is_blocked=True)


def test_a_battery_gives_at_once_what_the_grids_limit_wants_though_a_street_begins_apart(tmp_path):
    house = House(tmp_path, 1_500)
    house.home = HomeDriver(tmp_path, {BATTERY: house.driver}, house.book, lambda _: SLOT)
    house.book.take(rules(1), NOW)
    assert house.minutes(3) == 0  # not its moment yet
    house.book.take(ImportLimit(2, NOW, NOW + SLOT, 1_000), NOW)
    assert house.minutes(1) < 0


def test_a_plan_that_the_battery_does_not_follow_is_told_and_a_silent_meter_lets_it_rest(tmp_path):
    house = House(tmp_path, 1_200)
    house.book.take(rules(1), NOW)
    house.minutes(3)
    house.battery.is_broken = True
    house.minutes(2)
    assert house.said[-1] == "not followed: the battery does not do what was planned: the device ended the line"
    assert (house.driver.failures, house.driver.held_wh) == (2, None)
    house.battery.is_broken = False
    assert house.minutes(2) < 0
    assert house.driver.failure == ""
    assert house.minutes(3, meter=False) == 0


@given(
    levels=st.none() | st.tuples(*[st.integers(0, FULL)] * 4),
    held=st.integers(0, FULL),
    net=st.integers(-20_000, 20_000),
    limit=st.none() | st.integers(0, 20_000),
)
def test_no_rule_moves_more_than_the_battery_may_or_takes_more_than_the_limit(levels, held, net, limit):
    told = power_w(levels, held, net, MOST, limit)
    assert -MOST.discharge_w <= told <= MOST.charge_w
    if limit is not None and told > -MOST.discharge_w and held > 0:
        assert net + told <= limit
    if levels is None and limit is None:
        assert told == 0
    if held == 0:
        assert told >= 0


PROFILE = """
via = "modbus"
address = "modbus://127.0.0.1:{port}/1"
capacity_wh = 5_000
charge_w = 2_000
discharge_w = 2_500
watchdog = {watchdog}
charge = {{ address = 100, kind = "uint16", full = 1000 }}
registers = [{{ register = "charge", address = 100, kind = "uint16" }}]
power = {{ address = 101, kind = "int16", sign = -1 }}
"""


def test_a_battery_is_told_over_modbus_and_a_lease_is_renewed_at_half_of_its_life(tmp_path):
    with modbus_server(100, [500, 0, 7]) as port:
        (tmp_path / FILES[BATTERY]).write_text(PROFILE.format(port=port, watchdog=60))
        profile = device_profiles(tmp_path)[BATTERY]
        assert isinstance(profile, ModbusDeviceProfile)
        battery = ModbusDevice(profile)

        def written() -> tuple[int, int]:
            with ModbusClient(profile.address) as client:
                power, beyond = struct.unpack(">hh", client.read("holding", 101, 2))
            return power, beyond

        def forget() -> None:
            with ModbusClient(profile.address) as client:
                client.write(101, struct.pack(">h", 1))

        assert battery.held_wh() == 2_500
        battery.lease(Task(-1_500), 100.0)
        assert written() == (1_500, 7)
        forget()
        battery.lease(Task(-1_500), 129.0)
        assert written() == (1, 7)
        battery.lease(Task(-1_500), 130.0)
        assert written() == (1_500, 7)
        battery.lease(Task(400), 131.0)
        assert written() == (-400, 7)
        hands = Hands(tmp_path, print)
        hands.begin(lambda: (NOW, None), lambda _: None)
        hands.end()
        assert written() == (0, 7)


def test_a_profile_that_is_none_is_named(tmp_path):
    assert device_profiles(tmp_path) == {}
    text = PROFILE.format(port=1, watchdog=0)
    for wrong, why in ((text.replace("2_000", "40_000"), "int16 holds at most 32767"), (text + "colour = 1", "colour")):
        (tmp_path / FILES[BATTERY]).write_text(wrong)
        with pytest.raises(ConfigError, match=why):
            device_profiles(tmp_path)


def test_a_command_is_told_until_its_box_has_it_and_what_is_not_followed_is_shown(street: Street, tmp_path):
    said, commands, address = list[str](), street.commands, street.key.address
    commands._tell = said.append
    sent = list[object]()
    commands.publish = lambda _meter, command: sent.append(command)
    add_limit(tmp_path, ADA, (street.clock.now, street.clock.now + HOUR), 4_200, street.clock.now)
    commands.look()
    commands.look()
    (limit,) = sent
    assert isinstance(limit, ImportLimit)
    assert limit.most_w == 4_200
    street.meet()
    told = street.counter.hear(address, street.say(AskTerms()))
    assert street.trader.heard(told[1]) == limit
    street.counter.hear(address, street.say(HasCommand(limit.number, "this box has no device that it could move")))
    assert len(street.counter.hear(address, street.say(AskTerms()))) == 1
    assert "box of ada does not follow the limit until" in said[0]
    assert commands.refused[ADA] == 1
    commands._open[address] = [limit]
    commands.heard(address, ADA, HasCommand(limit.number, "no\x1b[2J" + "o" * 10_000))
    assert said[-1].isprintable()
    assert len(said[-1]) < 300
    with pytest.raises(InputError, match="an end to come"):
        add_limit(tmp_path, ADA, (0, 1), 4_200, street.clock.now)


def test_a_limit_is_told_to_a_box_that_is_enrolled_after_it_was_said(street: Street, tmp_path):
    sent, later = list[str](), "0x" + 20 * "cd"
    street.commands.publish = lambda meter, _: sent.append(meter)
    add_limit(tmp_path, ADA, (street.clock.now, street.clock.now + HOUR), 4_200, street.clock.now)
    street.commands.look()
    street.commands._collector.enrol([Enrolment(later, ADA)])  # the box was exchanged
    street.commands.look()
    street.commands.look()
    assert sent == [street.key.address, later]
    (limit,) = street.commands.open_for(later)
    assert isinstance(limit, ImportLimit)


def test_limits_that_are_said_at_once_all_stand_and_are_in_the_journal_once(street: Street, tmp_path):
    now, said = street.clock.now, range(12)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda watts: add_limit(tmp_path, ADA, (now, now + HOUR), watts, now), said))
    assert sorted(one.most_w for one in limits_in(tmp_path)) == list(said)
    for _ in range(2):
        street.commands.look()
    again = BoxCommands(tmp_path, street.setting, street.commands._collector, street.clock, print, street.journal)
    again.look()
    entries = street.journal.of_kinds((ArrivalKind.LIMIT,), 0)
    assert sorted(msgspec.json.decode(entry.body)["most_w"] for entry in entries) == list(said)
    assert len(again.open_for(street.key.address)) == len(said)


def test_what_nobody_foresaw_ends_the_session_with_its_error(street: Street, monkeypatch):
    inlet = Inlet(
        "mqtt://127.0.0.1:1", "street", street.commands._collector, Invitations(street.box), street.clock, print,
        street.counter, street.commands,
    )  # fmt: skip
    inlet.require_working()
    monkeypatch.setattr(street.counter, "hear", lambda *_: 1 // 0)
    inlet._hear(f"transactive/street/{street.key.address}/say", b"{}")
    inlet._worker.start()
    inlet._worker.join(5)
    clock = WallClock(look=both(lambda: None, inlet.require_working))
    with pytest.raises(ZeroDivisionError):
        clock.wait_until(clock.now + 5)


def test_whatever_comes_the_inlet_looks_at_what_was_said_and_ends(street: Street, monkeypatch):
    told = list[str]()
    invitations, collector = Invitations(street.box), street.commands._collector
    with_broker = "mqtt://127.0.0.1:1", "street", collector, invitations, street.clock, told.append
    inlet = Inlet(*with_broker, street.counter, street.commands)
    looks = list[int]()
    monkeypatch.setattr(street.commands, "look", lambda: looks.append(1))
    inlet._hear(f"transactive/street/{street.key.address}/say", b"{}")
    inlet._hear("transactive/street/\x1b[2J/enrol", b"proof")  # no meter's, and nothing for the operator's screen
    inlet._came.put(None)  # the end comes right behind a message
    inlet._worker.start()
    inlet._worker.join(5)
    assert not inlet._worker.is_alive()
    assert looks
    assert (street.desk.refused["torn"], told) == (1, [])


def test_the_rules_of_each_load_go_to_its_members_box(street: Street):
    heater: Any = Heater(power_w=2_000, band_wh=6_000, drain_wh=(0,) * 24)
    washer: Any = Appliance(power_w=500, earliest="08:00", latest="12:00", runs_minutes=60)
    homes = [SimpleNamespace(devices=devices) for devices in ((washer, heater), (heater,), ())]
    now: Any = SimpleNamespace(devices=SimpleNamespace(capacity_wh=np.zeros(3, np.int64)))
    setting: Any = SimpleNamespace(community=SimpleNamespace(members=homes, at=lambda _: now))
    street.commands._setting = setting
    sent = list[object]()
    street.commands.publish = lambda _meter, command: sent.append(command)
    begin, nothing = street.clock.now, np.zeros(3, np.int64)
    levels = np.array([[1, 10, 100], [2, 20, 200], [3, 30, 300], [4, 40, 400]])
    street.commands.send(Command(DeviceRules(begin, *[nothing] * 4), levels, nothing, begin + SLOT))
    (told,) = sent  # of the heater alone: the washer has no levels, and the other home no box
    assert isinstance(told, LevelRules)
    assert (told.device, told.slot, told.end, told.levels_wh) == (2, begin, begin + SLOT, (10, 20, 30, 40))
