"""Cars at chargers of OCPP 1.6 and 2.0.1: limits with an end, meters read, and strangers kept out."""

import asyncio
import base64
import socket
import ssl
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from tests.tls import own_certificate
from tests.waiting import until
from transactive.core.errors import ConfigError, InputError
from transactive.links.chargers.knocking import MOST
from transactive.links.chargers.station import ChargerLimit, ChargingStation
from transactive.node.dispatch.charger import Charger
from transactive.node.dispatch.control import LEFT_ALONE, Task
from transactive.node.dispatch.profile import OcppDeviceProfile, device_profiles
from transactive.studies.live_street.charger import SimulatedCharger

PROFILE = """
via = "ocpp"
address = "ocpp://127.0.0.1:0/GARAGE"
capacity_wh = 10_000
charge_w = 11_000
least_w = 4_200
watchdog = 300
"""


@pytest.fixture
def garage(tmp_path):
    """A box with a charger. More of its profile is appended to what is given."""
    opened = list[Charger]()

    def made(more: str = "") -> Charger:
        (tmp_path / "load-1.toml").write_text(PROFILE + more)
        profile = device_profiles(tmp_path)[1]
        assert isinstance(profile, OcppDeviceProfile)
        said.clear()
        opened.append(Charger(profile, tmp_path, said.append))
        return opened[-1]

    said = list[str]()
    made.said = said  # type: ignore[attr-defined]
    yield made
    for charger in opened:
        charger.close()


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_car_is_limited_with_an_end_and_read(version, garage):
    box = garage()
    with pytest.raises(OSError, match="is not connected"):
        box.lease(Task(7_000), 1.0)
    with closing(SimulatedCharger(f"ws://127.0.0.1:{box.system.port}/GARAGE", 11_000, version)) as charger:
        until(lambda: box.system.station.transaction is not None and box.counted_wh(), "a car that is plugged in")
        assert garage.said == [f"charger GARAGE is there: OCPP {version}, security profile 0"]
        assert box.held_wh() == 0
        assert box.lease(Task(7_000), 1.0) == 7_000
        charger.act(3_600)
        until(lambda: box.counted_wh() == (1_007_000, 0), "what the meter counted")
        assert box.held_wh() == 7_000 * 9 // 10
        box.lease(Task(7_000), 100.0)
        box.lease(Task(7_000), 151.0)  # half of the time that a limit holds is over
        (first, again) = charger.limits
        assert again is not None
        assert first is not None
        assert first["duration"] == 300
        assert first["charging_schedule_period"] == [{"start_period": 0, "limit": 7_000}]
        box.lease(LEFT_ALONE, 152.0)
        assert charger.limits[-1] is None
        charger.answer = "Rejected"
        with pytest.raises(OSError, match="refuses: Rejected"):
            box.lease(Task(0), 153.0)
    until(lambda: box.system.station.version == "", "the charger gone")
    assert (box.system.station.transaction, garage.said[-1]) == (None, "charger GARAGE is away")


def test_a_charger_with_its_password_over_tls_is_limited_and_no_other(tmp_path, garage):
    """Security profile 2: the charger knows the box by its certificate, the box the charger by its password."""
    certificate, _ = own_certificate(tmp_path)
    (tmp_path / "password").write_text("a long one\n")
    box = garage('password = "password"\ncertificate = "cert.pem"\nkey = "key.pem"\n')
    trust, at = ssl.create_default_context(cafile=certificate), f"127.0.0.1:{box.system.port}/GARAGE"

    async def knock(url: str, context: ssl.SSLContext | None) -> None:
        async with connect(url, ssl=context, subprotocols=[Subprotocol("ocpp2.0.1")]):
            pass

    with pytest.raises((OSError, WebSocketException, EOFError)):  # in the clear
        asyncio.run(knock(f"ws://{at}", None))
    with pytest.raises(ssl.SSLCertVerificationError):  # a box that the charger does not know
        asyncio.run(knock(f"wss://GARAGE:a%20long%20one@{at}", ssl.create_default_context()))
    for wrong in ("", "GARAGE:other@", "CELLAR:a%20long%20one@"):
        with pytest.raises(InvalidStatus, match="401"):
            asyncio.run(knock(f"wss://{wrong}{at}", trust))
    assert garage.said == []
    with closing(SimulatedCharger(f"wss://GARAGE:a%20long%20one@{at}", 11_000, trust=trust)):
        until(lambda: box.system.station.transaction is not None, "a car that is plugged in")
        assert garage.said == ["charger GARAGE is there: OCPP 2.0.1, security profile 2"]
        assert box.lease(Task(7_000), 1.0) == 7_000


def test_a_charger_that_connects_anew_is_told_again(garage):
    box = garage()
    url = f"ws://127.0.0.1:{box.system.port}/GARAGE"
    for _ in range(2):
        with closing(SimulatedCharger(url, 11_000)) as charger:
            until(lambda: box.system.station.version, "the charger")
            box.lease(Task(4_200), 1.0)
            assert len(charger.limits) == 1
        until(lambda: not box.system.station.version, "the charger gone")


def test_who_knocks_and_says_nothing_does_not_keep_the_charger_out(garage):
    """Nor does a line that a newer one has replaced stay open."""
    box, held = garage(), list[socket.socket]()
    counted = Path("/proc/self/fd")
    files = len(list(counted.iterdir())) if counted.is_dir() else None
    try:
        for _ in range(10 * MOST):
            held.append(socket.create_connection(("127.0.0.1", box.system.port)))
            held[-1].sendall(b"GET /GARAGE HTTP/1.1\r\nHost: ")
        with closing(SimulatedCharger(f"ws://127.0.0.1:{box.system.port}/GARAGE", 11_000)):
            until(lambda: box.system.station.version, "the charger")
            if files is not None:  # ours, those that the box still holds, and the charger's both ends
                most = files + len(held) + 2 * MOST + 8
                until(lambda: len(list(counted.iterdir())) <= most, "lines let go")
    finally:
        for one in held:
            one.close()


def test_strangers_are_kept_out(garage, tmp_path):
    (tmp_path / "secret").write_text("of the charger\n")
    box = garage('password = "secret"\n')

    async def knock(name: str, password: str) -> int:
        shown = base64.b64encode(f"{name}:{password}".encode()).decode()
        url = f"ws://127.0.0.1:{box.system.port}/{name}"
        try:
            async with connect(url, additional_headers={"Authorization": f"Basic {shown}"}, subprotocols=["ocpp1.6"]):  # type: ignore[list-item]
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    asked = [("GARAGE", "of the charger"), ("GARAGE", "wrong"), ("CELLAR", "of the charger")]
    assert [asyncio.run(knock(*each)) for each in asked] == [101, 401, 404]
    assert box.system.station.security == 1


def test_what_a_meter_says_is_read_exactly_and_nonsense_is_left_out():
    station = ChargingStation()
    station.begin("1", 500)
    said = [
        {"value": "1.5", "unit": "kWh"},
        {"value": "nan", "measurand": "SoC"},
        {"value": "9", "unit": "parsec"},
        {"value": "-1"},
        {"value": "7", "phase": "L1"},
        {"value": "230", "measurand": "Voltage"},
        {"value": 42.5, "measurand": "SoC", "unit_of_measure": {"unit": "Percent"}},
        {"value": 2, "unit_of_measure": {"unit": "Wh", "multiplier": 3}},
        {"value": 2, "unit_of_measure": {"unit": "Wh", "multiplier": 10**6}},
    ]
    station.take([{"sampled_value": said}])
    assert (station.register_wh, station.session_wh, station.charge_percent) == (2_000, 1_500, Fraction(85, 2))
    assert len(station.refused) == 4
    assert [ChargerLimit("A", 230, phases).number(4_200) for phases in (1, 3)] == [18.2, 6.0]


def test_a_cars_own_charge_goes_before_what_it_got(garage):
    box = garage("battery_wh = 50_000\ntarget_percent = 80\n")
    station = box.system.station
    station.version = "2.0.1"
    for percent, held in ((80, 10_000), (70, 5_000), (10, 0), (100, 10_000)):
        station.begin_unseen("1")
        station.charge_percent = Fraction(percent)
        assert box.held_wh() == held
    station.version = ""


def test_what_is_wrong_with_a_chargers_profile_is_named(tmp_path, garage):
    for old, new, why in (
        ("/GARAGE", "", "name of the charger"),
        ("watchdog = 300", 'certificate = "c"', "shows a password too"),
        ("watchdog = 300", "watchdog = 0", "watchdog"),
    ):
        (tmp_path / "load-1.toml").write_text(PROFILE.replace(old, new))
        with pytest.raises(ConfigError, match=why):
            device_profiles(tmp_path)
    with pytest.raises(ConfigError, match="password of the charger"):
        garage('password = "nowhere"\n')
    port = garage().system.port
    (tmp_path / "load-1.toml").write_text(PROFILE.replace(":0/", f":{port}/"))
    profile = device_profiles(tmp_path)[1]
    assert isinstance(profile, OcppDeviceProfile)
    with pytest.raises(InputError, match="no charger can connect there"):
        Charger(profile, tmp_path, print)
