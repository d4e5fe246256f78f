"""The street: five homes, each with a meter and a box; one has a battery, one a car, two trade with their own keys.

Its time runs faster than ours. Homes do what a sunny day asks of them; one box is switched off for a while and comes
back, so that the page shows what a market does about a meter that is silent.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from transactive.core.boxes.enrolment import topic_name
from transactive.core.slots import DAY, HOUR
from transactive.engine.live.boxes.own_accounts import add_account
from transactive.engine.live.invitations import Invitations
from transactive.node.agent.account import make_account
from transactive.node.dispatch.profile import BATTERY, FILES
from transactive.node.life import Box
from transactive.node.settings import BoxSettings, box_key, make_box
from transactive.store.folder import make_private
from transactive.studies.live_street.battery import CHARGE, POWER, WATCHDOG_SECONDS, SimulatedBattery
from transactive.studies.live_street.charger import SimulatedCharger
from transactive.studies.live_street.p1 import P1Port, telegram

SLOT, NAME, CHAIN_ID = 900, "Live street", 31337
FIRST = 1_717_585_200
"""First slot: 2024-06-05T11:00Z, a sunny day."""
BEFORE = 1_500
"""How long before the first gate the street begins, while the market opens [s]."""
TICK = 15
"""How often a meter says how it stands [s of the street]."""
AWAY = (2, 4)
"""From the start of which slot to that of which one box is off."""


@dataclass(frozen=True, slots=True)
class HomeKind:
    """A home. car_wh: what its car needs. own: whether its member keeps its key, and its box trades."""

    name: str
    load_w: int
    pv_w: int = 0
    battery_wh: int = 0
    car_wh: int = 0
    own: bool = False

    def need_w(self, at: float) -> float:
        """What it takes without a battery, below 0 what it has to spare [W], at a time [Unix s]."""
        hour, own = at % DAY / HOUR, sum(map(ord, self.name)) % 7
        sun = max(math.sin((hour - 5) / 14 * math.pi), 0.0) if 5 < hour < 19 else 0.0
        return self.load_w * (1 + 0.3 * math.sin(hour * 3 + own)) - self.pv_w * 0.8 * sun


HOMES = (
    HomeKind("ada", 400, pv_w=8_000, own=True),
    HomeKind("ben", 1_700, car_wh=9_000),
    HomeKind("cem", 2_600, pv_w=3_000, battery_wh=5_000),
    HomeKind("dora", 1_200),
    HomeKind("eve", 900, own=True),
)
GOES_AWAY = "dora"
BATTERY_W, CAR_W, LEAST_CAR_W = 2_500, 7_400, 1_400
CHARGER = "GARAGE"
COMMUNITY = f"""
name = "{NAME}"
currency = "EUR"

[market]
slot_minutes = {SLOT // 60}
gate_closure_minutes = {SLOT // 60}

[tariff]
supply_micro_per_kwh = 280_000
feed_in_micro_per_kwh = 80_000
network_fee_micro_per_kwh = 30_000

[accounts]
opening_n = 12_000_000_000
top_up_below_n = 10_000_000_000
top_up_to_n = 12_000_000_000

[carbon]
pv_g_per_kwh = 45
grid_g_per_kwh = 350

[data]
readings = "readings.csv"
"""

CAR = f"""
[[members.devices]]
kind = "vehicle"
power_w = {CAR_W}
arrives = "09:00"
leaves = "12:15"
needed_wh = {{needs}}
starts_wh = 0
"""


class StreetClock:
    """The street's time, which runs `speed` times as fast as ours from now on."""

    def __init__(self, speed: float) -> None:
        self.speed, self.since, self.begin = speed, time.time(), FIRST - SLOT - BEFORE

    @property
    def now(self) -> float:
        """The time [Unix s]."""
        return self.begin + (time.time() - self.since) * self.speed


class Home:
    """A home with its meter; its registers rise by what it does. battery, charger: the devices, None without."""

    def __init__(self, kind: HomeKind, clock: StreetClock) -> None:
        self.kind, self._clock, self._seen = kind, clock, clock.now
        self._import_wh = self._export_wh = 1_000_000.0
        self.battery = SimulatedBattery(kind.battery_wh, BATTERY_W) if kind.battery_wh else None
        self.charger = SimulatedCharger(f"ws://127.0.0.1:{free_port()}/{CHARGER}", CAR_W) if kind.car_wh else None
        self._counting = threading.Lock()
        self.port = P1Port(self._says, TICK / clock.speed)

    def close(self) -> None:
        """Be still."""
        self.port.close()
        for device in (self.battery, self.charger):
            if device:
                device.close()

    def _says(self) -> bytes:
        """What its meter says now."""
        with self._counting:
            now, before = self._clock.now, self._seen
            self._seen = now
            took = self.kind.need_w(now) * (now - before) / 3_600
            took += sum(device.act(now - before) for device in (self.battery, self.charger) if device)
            self._import_wh += max(took, 0.0)
            self._export_wh += max(-took, 0.0)
            return telegram(now, int(self._import_wh), int(self._export_wh))


def write_street(folder: Path) -> Path:
    """Write the community, and two days of its homes before the first slot; returns its file."""
    rows = ["slot_start,member,consumption_wh,generation_wh"]
    for slot in range(FIRST - 2 * DAY, FIRST, SLOT):
        at = datetime.fromtimestamp(slot, UTC).strftime("%Y-%m-%dT%H:%MZ")
        for kind in HOMES:
            need = kind.need_w(slot) * SLOT / 3_600
            rows.append(f"{at},{kind.name},{round(max(need, 0))},{round(max(-need, 0))}")
    (folder / "readings.csv").write_text("\n".join(rows) + "\n")
    members = "".join(
        f'\n[[members]]\nid = "{kind.name}"\npv_w = {kind.pv_w}\n'
        + (f"battery_wh = {kind.battery_wh}\nbattery_w = {BATTERY_W}\n" if kind.battery_wh else "")
        + (CAR.format(needs=kind.car_wh) if kind.car_wh else "")
        for kind in HOMES
    )
    path = folder / "community.toml"
    path.write_text(COMMUNITY + members)
    return path


@contextmanager
def boxes_of(
    folder: Path, live: Path, broker: str, clock: StreetClock, tell: Callable[[str, str], None]
) -> Iterator[None]:
    """Homes and their boxes, invited to the market in `live`, while the block runs. tell: hears member and words."""
    make_private(live)
    with ExitStack() as street:
        for member, kind in enumerate(HOMES):
            home = Home(kind, clock)
            street.callback(home.close)
            own = folder / kind.name
            if kind.own:
                add_account(live, member, make_account(own), clock.begin)
            code = Invitations(live).add(member, clock.begin, DAY).code
            settings = BoxSettings(topic_name(NAME), broker, home.port.url, SLOT, CHAIN_ID, winter_seconds=0, code=code)
            make_box(own, settings)
            if home.battery:
                (own / FILES[BATTERY]).write_text(_profile(home.battery))
            if home.charger:
                (own / FILES[BATTERY + 1]).write_text(_charger_profile(home.charger, kind.car_wh))
            runner = _Runner(own, settings, partial(tell, kind.name))
            street.callback(runner.end)
            runner.begin()
            if kind.name == GOES_AWAY:
                street.callback(_go_and_come(runner, clock, partial(tell, GOES_AWAY)))
        yield


def _profile(battery: SimulatedBattery) -> str:
    """How a box reaches a battery."""
    return f"""via = "modbus"
address = "{battery.url}"
capacity_wh = {battery.capacity_wh}
charge_w = {BATTERY_W}
discharge_w = {BATTERY_W}
every = 1
watchdog = {WATCHDOG_SECONDS}
charge = {{ address = {CHARGE}, kind = "uint16", full = 1000 }}
power = {{ address = {POWER}, kind = "int16" }}
"""


def _charger_profile(charger: SimulatedCharger, needs_wh: int) -> str:
    """Where a box listens for a charger."""
    return f"""via = "ocpp"
address = "{charger.url.replace("ws", "ocpp", 1)}"
capacity_wh = {needs_wh}
charge_w = {CAR_W}
least_w = {LEAST_CAR_W}
every = 1
"""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


class _Runner:
    """A box in a thread, that can be switched off and on."""

    def __init__(self, folder: Path, settings: BoxSettings, tell: Callable[[str], None]) -> None:
        self._folder, self._settings, self._tell = folder, settings, tell
        self._box: Box | None = None
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Switch it on."""
        self._box = Box(self._settings, self._folder, box_key(self._folder), self._tell)
        self._thread = threading.Thread(target=self._box.run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Switch it off."""
        if self._box and self._thread:
            self._box.end()
            self._thread.join()


def _go_and_come(runner: _Runner, clock: StreetClock, tell: Callable[[str], None]) -> Callable[[], None]:
    """Switch a box off for some slots, in a thread; returns what ends that."""
    over = threading.Event()

    def go_and_come() -> None:
        for slot, act, words in (
            (AWAY[0], runner.end, "the box is switched off"),
            (AWAY[1], runner.begin, "the box is switched on"),
        ):
            wait = (FIRST + slot * SLOT + SLOT // 3 - clock.now) / clock.speed
            if over.wait(max(wait, 0.0)):
                return
            tell(words)
            act()

    thread = threading.Thread(target=go_and_come, daemon=True)
    thread.start()

    def end() -> None:
        over.set()
        thread.join()

    return end
