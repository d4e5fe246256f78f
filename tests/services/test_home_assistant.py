"""A box in Home Assistant, over a real broker: discovered, told, and unavailable when it is gone."""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.conftest import Broker
from tests.waiting import until
from transactive.links.mqtt import MqttClient
from transactive.links.sources.address import open_meter
from transactive.node.home_assistant import HomeAssistant
from transactive.node.settings import meter_address
from transactive.node.status import BoxStatus

pytestmark = pytest.mark.service
ROOT = Path(__file__).parents[2]
ENVIRONMENT, RUNNER = ROOT / "build" / "home-assistant", ROOT / "tests" / "tooling" / "home_assistant" / "run.py"
ADDRESS = "0x" + "ab" * 20
BASE = f"transactive-box/{ADDRESS}"


def test_a_box_is_discovered_and_unavailable_when_it_is_gone(broker):
    status = BoxStatus(ADDRESS, "a meter", standing=(5, 6, 0, 0, 0), heard=2**40)
    home = HomeAssistant(broker.url, status, lambda _: None)
    said: dict[str, bytes] = {}
    listener = MqttClient(
        broker.url, "home", ("homeassistant/#", f"{BASE}/#"), lambda topic, payload: said.update({topic: payload})
    )
    listener.begin()
    until(lambda: said.get(f"{BASE}/import") == b"5", "the box's register")
    (config,) = (payload for topic, payload in said.items() if topic.startswith("homeassistant/device/"))
    components = json.loads(config)["components"].values()
    topics = {there["topic"] for one in components for there in one["availability"]}
    until(lambda: topics <= said.keys(), "what says that it is there")
    assert said[f"{BASE}/status"] == b"online"
    broker.kill()
    said.clear()
    broker.start()
    until(lambda: said.get(f"{BASE}/status") == b"online", "the box, said anew to a broker that forgot it")
    home.end()
    until(lambda: said.get(f"{BASE}/status") == b"offline", "the box gone")
    listener.end()


class RunningHomeAssistant:
    """A real Home Assistant: its entities by name, with the attributes of each."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command: list[str | Path] = [ENVIRONMENT / "bin" / "python", RUNNER, folder, str(broker.port), str(port)]
        with (folder / "said").open("wb") as said, (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=log)
        self._folder = folder

    @property
    def entities(self) -> dict[str, dict[str, Any]]:
        """What it shows now."""
        said = [json.loads(line) for line in (self._folder / "said").read_text().splitlines() if line.endswith("}")]
        return {one["entity"]: one for one in said if one["kind"] == "state"}

    def state(self, entity: str) -> str | None:
        """The state of an entity of the box; None where it has none."""
        return self.entities.get(entity, {}).get("state")

    def act(self, domain: str, action: str, entity: str) -> None:
        """Do what a person would."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps([domain, action, entity]).encode() + b"\n")
        self._process.stdin.flush()

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()


@pytest.fixture
def home_assistant(broker, tmp_path) -> Iterator[RunningHomeAssistant]:
    if not (ENVIRONMENT / "installed").exists():
        pytest.skip("a Home Assistant is not installed here; `make test-home-assistant` brings it, with Python 3.13")
    folder = tmp_path / "home"
    folder.mkdir()
    running = RunningHomeAssistant(folder, broker)
    yield running
    running.close()


SHOWN = {
    "sensor.transactive_box_from_the_grid": ("12345", "energy", "total_increasing", "Wh"),
    "sensor.transactive_box_to_the_grid": ("678", "energy", "total_increasing", "Wh"),
    "sensor.transactive_box_generation": ("unavailable", "energy", "total_increasing", "Wh"),
    "sensor.transactive_box_price_of_the_supplier": ("0.2815", None, "measurement", "EUR/kWh"),
    "sensor.transactive_box_cost_at_the_market": ("-1.25", "monetary", "total", "EUR"),
    "sensor.transactive_box_saved_by_the_market": ("0.75", "monetary", "total", "EUR"),
    "sensor.transactive_box_next_slot": ("2024-06-05T00:15:00+00:00", "timestamp", None, None),
    "sensor.transactive_box_devices": ("battery draws 2500 W", None, None, None),
    "switch.transactive_box_pause": ("off", None, None, None),
    "binary_sensor.transactive_box_market": ("on", "connectivity", None, None),
}


@pytest.mark.home_assistant
def test_a_real_home_assistant_shows_a_box_and_pauses_it(broker, home_assistant):
    status = BoxStatus(ADDRESS, "a meter", standing=(12_345, 678, 0, 0, 0), heard=2**40, is_connected=True)
    status.currency, status.price, status.next_slot = "EUR", 281_500, 1_717_546_500
    status.cost_n, status.saving_n, status.plan = -1_250_000_000, 750_000_000, "battery draws 2500 W"
    paused = list[bool]()
    box = HomeAssistant(broker.url, status, paused.append)

    def shown() -> dict[str, tuple[str | None, ...]]:
        found = {name: one for name, one in home_assistant.entities.items() if name in SHOWN}
        kinds = ("device_class", "state_class", "unit_of_measurement")
        rounded = {name: _short(one["state"]) for name, one in found.items()}
        return {name: (rounded[name], *(one["attributes"].get(kind) for kind in kinds)) for name, one in found.items()}

    until(lambda: shown() == SHOWN, "the box in Home Assistant")
    home_assistant.act("switch", "turn_on", "switch.transactive_box_pause")
    until(lambda: home_assistant.state("switch.transactive_box_pause") == "on", "the switch")
    assert paused == [True]
    box.end()
    energy = "sensor.transactive_box_from_the_grid"
    until(lambda: home_assistant.state(energy) == "unavailable", "a box that is gone, and no zero")
    assert "ERROR" not in home_assistant.log


@pytest.mark.home_assistant
def test_a_box_reads_a_meter_that_home_assistant_has(broker, home_assistant):
    source = open_meter(meter_address(f"{broker.url}/attic", "home-assistant", Path(), 3600, ""))
    meter, raw = source.messages(), list[bytes]()
    listening = threading.Thread(target=lambda: raw.append(next(meter)))
    listening.start()
    until(lambda: home_assistant.state("counter.attic") == "0", "Home Assistant")
    acted = list[str]()

    def counted_on() -> bool:  # again and again, since the box may not listen yet
        if (at := home_assistant.state("counter.attic")) not in acted:
            acted.append(str(at))
            home_assistant.act("counter", "increment", "counter.attic")
        return bool(raw)

    until(counted_on, "what the meter says")
    listening.join()
    meter.close()
    state = source.decode(raw[0])
    assert (state.import_wh % 1_000, state.export_wh % 1_000) == (500, 250)
    assert 1_234_500 <= state.import_wh <= 1_234_500 + 1_000 * len(acted)


def _short(state: str) -> str:
    """A number without zeros at its end, as it means the same."""
    return state.rstrip("0").rstrip(".") if "." in state else state
