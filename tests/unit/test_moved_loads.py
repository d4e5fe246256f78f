"""Batteries and heaters over MQTT: told by rules with an end, counted by their own word, first in the grid's limits."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.boxes.messages import ImportLimit, LevelRules
from transactive.core.errors import ConfigError
from transactive.core.slots import HOUR
from transactive.node.dispatch import mqtt
from transactive.node.dispatch.control import LEFT_ALONE, Task
from transactive.node.dispatch.counting import DeviceCounter
from transactive.node.dispatch.driver import PAUSED_FILE, DeviceDriver, HomeDriver
from transactive.node.dispatch.hands import Hands
from transactive.node.dispatch.mqtt import MqttDevice
from transactive.node.dispatch.profile import MqttDeviceProfile, device_profiles
from transactive.node.dispatch.rulebook import RuleBook

NOW, SLOT = 1_717_545_600, 900
BOILER = """
via = "mqtt"
address = "mqtt://127.0.0.1/boiler"
capacity_wh = 6_000
charge_w = 3_000
watchdog = 60

[charge]
at = "{device}/status"
path = "tank.celsius"
empty = 45
full = 60

[power]
at = "{device}/set"
payload = '{"kw": {power}}'
unit = "kW"
release = '{"auto": true}'

[[registers]]
register = "import"
at = "{device}/status"
path = "kwh"
"""
SG_READY = """
via = "mqtt"
address = "mqtt://127.0.0.1/pump"
capacity_wh = 6_000
charge_w = 2_500
charge = { at = "pump/celsius", empty = 30, full = 45 }

[power]
at = "pump/sg-ready"
blocked = "1"
release = "2"
steps = [{ from_w = 0, payload = "2" }, { from_w = 1_200, payload = "3" }, { from_w = 2_500, payload = "4" }]
"""


class Broker:
    """The broker's end of a device: what the box said, and what it hears."""

    def __init__(self, _url: str, _name: str, topics: tuple[str, ...], hear, **_: object) -> None:
        self.topics, self.hear, self.told = topics, hear, list[tuple[str, str]]()
        self.is_connected = True
        Broker.last = self

    last: "Broker"

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def publish(self, topic: str, payload: bytes) -> None:
        self.told.append((topic, payload.decode()))


@pytest.fixture
def at_a_broker(monkeypatch, tmp_path):
    """Opens the device of a profile; gives it and its broker's end."""
    monkeypatch.setattr(mqtt, "MqttClient", Broker)

    def opened(text: str) -> tuple[MqttDevice, Broker, MqttDeviceProfile]:
        (tmp_path / "load-1.toml").write_text(text)
        profile = device_profiles(tmp_path)[1]
        assert isinstance(profile, MqttDeviceProfile)
        return MqttDevice(profile), Broker.last, profile

    return opened


def says(broker: Broker, celsius: float, kwh: float) -> None:
    broker.hear("boiler/status", json.dumps({"tank": {"celsius": celsius}, "kwh": kwh}).encode())


def test_a_heater_says_what_it_holds_and_is_told_kilowatts_as_a_lease(at_a_broker):
    boiler, broker, _ = at_a_broker(BOILER)
    assert broker.topics == ("boiler/status",)
    with pytest.raises(OSError, match="says nothing on boiler/status"):
        boiler.held_wh()
    says(broker, 52.5, 7.25)
    assert (boiler.held_wh(), boiler.counted_wh()) == (3_000, (7_250, 0))
    says(broker, 44, 7.25)
    assert boiler.held_wh() == 0
    assert boiler.lease(Task(1_500), 100.0) == 1_500
    boiler.lease(Task(1_500), 129.0)
    boiler.lease(Task(1_500), 130.0)  # half of the watchdog's time is over
    boiler.lease(LEFT_ALONE, 131.0)
    half = ("boiler/set", '{"kw": 1.5}')
    assert broker.told == [half, half, ("boiler/set", '{"auto": true}')]
    broker.is_connected = False
    with pytest.raises(OSError, match="broker is away"):
        boiler.lease(Task(0), 132.0)
    broker.hear("boiler/status", b'{"tank": {"celsius": NaN}}')
    with pytest.raises(OSError, match="NaN is no number"):
        boiler.held_wh()
    says(broker, 3_276.7, 7.25)
    with pytest.raises(OSError, match="60 is full"):
        boiler.held_wh()


def test_a_heat_pump_has_the_states_of_sg_ready(at_a_broker):
    pump, broker, _ = at_a_broker(SG_READY)
    tasks = (Task(0), Task(1_199), Task(1_300), Task(2_500), Task(0, is_blocked=True), LEFT_ALONE)
    assert [pump.lease(task, 0.0) for task in tasks] == [0, 0, 1_200, 2_500, 0, 0]
    assert [payload for _, payload in broker.told] == ["2", "2", "3", "4", "1", "2"]


class HeatedHome:
    """A home whose boiler draws what it is told; `need_w` is what the home takes besides."""

    def __init__(self, folder: Path, opened, need_w: int, text: str = BOILER) -> None:
        self.device, self.broker, profile = opened(text)
        self.at, self.wh, self.kwh, self.need_w, self.celsius = NOW, 0.0, 7.0, need_w, 50.0
        self.said = list[str]()
        self.book = RuleBook(folder, {1: 6_000})
        self.driver = DeviceDriver("load 1", self.device, profile.most, self.said.append)
        self.home = HomeDriver(folder, {1: self.driver}, self.book)

    def minutes(self, count: int) -> int:
        for _ in range(count):
            self.at += 60
            self.wh += (self.need_w + self.driver.power_w) / 60
            self.kwh += self.driver.power_w / 60_000
            says(self.broker, self.celsius, round(self.kwh, 3))
            self.home.step(self.at, (round(100_000 + self.wh), 0, 0, 0, 0), float(self.at))
        return self.driver.power_w


def test_a_heater_follows_its_rule_to_its_level_and_its_end(at_a_broker, tmp_path):
    home = HeatedHome(tmp_path, at_a_broker, 500)
    assert home.minutes(2) == 0
    assert home.book.take(LevelRules(1, NOW, NOW + HOUR, (4_000, 6_000, 6_000, 6_000), 1), NOW) == ""
    assert home.minutes(30) == 3_000
    home.celsius = 55.1  # 4040 Wh
    assert home.minutes(2) == 0
    assert abs(home.driver.counter.energy_wh[0] - 1_500) <= 60
    home.celsius = 50.0
    assert home.minutes(10) == 3_000
    assert home.minutes(20) == 0
    assert home.broker.told[-1] == ("boiler/set", '{"auto": true}')
    assert home.said[-1] == "load 1 at 2000 Wh: is left to itself"


def test_the_grids_limit_holds_for_a_heater_with_and_without_a_rule(at_a_broker, tmp_path):
    home = HeatedHome(tmp_path, at_a_broker, 2_000)
    home.minutes(2)
    home.book.take(ImportLimit(1, NOW, NOW + HOUR, 4_200), NOW)
    home.minutes(2)
    assert home.broker.told[-1] == ("boiler/set", '{"kw": 0}')  # by itself it could draw beyond
    home.book.take(LevelRules(2, NOW, NOW + HOUR, (6_000, 6_000, 6_000, 6_000), 1), NOW)
    assert abs(home.minutes(3) - 2_200) <= 60
    assert "as far as the grid's operator allows" in home.said[-1]
    (tmp_path / PAUSED_FILE).touch()
    home.minutes(1)
    assert home.broker.told[-1] == ("boiler/set", '{"auto": true}')


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), max_size=20))
def test_what_a_device_counted_only_rises_whatever_its_counters_do(seen):
    counter, before = DeviceCounter(3_000), (0, 0)
    for place, counted in enumerate(seen):
        counter.see(counted, 60.0 * place)
        assert all(0 <= now - then <= 1_050 for now, then in zip(counter.energy_wh, before, strict=True))
        before = counter.energy_wh


def test_levels_are_told_in_order_as_far_as_they_are_known(at_a_broker, tmp_path):
    at_a_broker(BOILER)
    hands = Hands(tmp_path, print)
    assert (hands.levels(), hands.counted_wh(), hands.counts_battery) == ((), (0, 0, 0), False)
    assert hands.doing() == ""
    says(Broker.last, 60, 1)
    hands._home.step(NOW, None, 0.0)
    assert hands.levels() == (0, 6_000)
    assert hands.doing() == "load 1 is left to itself"
    assert hands.take(LevelRules(1, NOW, NOW + SLOT, (0, 0, 0, 0), 2), NOW).refused
    assert not hands.take(LevelRules(2, NOW, NOW + SLOT, (0, 0, 6_000, 6_000), 1), NOW).refused
    hands.end()
    assert Broker.last.told[-1] == ("boiler/set", '{"auto": true}')


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("charge_w = 3_000", "charge_w = 3_000\ndischarge_w = 1", "gives nothing back"),
        ("full = 60", "full = 45", "the same number"),
        ('register = "import"', 'register = "export"', "is not counted here"),
        ('path = "kwh"', 'path = "kwh"\nunit = "J"', "none of Wh"),
        ("/boiler", "", "name of the device"),
        ("{power}", "1", "does not say {power}"),
        ('at = "{device}/set"', 'at = "+/set"', "named whole"),
        ('unit = "kW"', 'unit = "kW"\nsteps = [{ from_w = 5, payload = "3" }]', "begin with from_w = 0"),
        ("watchdog", "watchdogs", "watchdogs"),
    ],
)
def test_what_is_wrong_with_a_profile_is_named(old, new, why, tmp_path):
    (tmp_path / "load-1.toml").write_text(BOILER.replace(old, new))
    with pytest.raises(ConfigError, match=why):
        device_profiles(tmp_path)
