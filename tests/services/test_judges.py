"""Foreign implementations judge ours, in an environment of their own: `make test-judges` brings them."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.integration.conftest import call
from tests.integration.test_openadr import HOURS, grown_state  # noqa: F401 - a fixture
from tests.tls import own_certificate
from tests.unit.test_s2 import HOUR, NEED, SLOTS, SPARE, START, prices
from transactive.protocols.openadr.server import Served, VtnServer
from transactive.protocols.s2.manager import ManagedDevice
from transactive.protocols.s2.server import DeviceDoor, device_server

pytestmark = [pytest.mark.service, pytest.mark.judge]
ROOT = Path(__file__).parents[2]
JUDGES, TOOLING = ROOT / "build" / "judges", ROOT / "tests" / "tooling" / "judges"


def judge(name: str, *arguments: object) -> dict[str, Any]:
    """What a judge says; skipped where there is none."""
    if not (JUDGES / "installed").exists():
        pytest.skip("the judges are not installed here; `make test-judges` brings them, with Python 3.12 or later")
    command = [str(word) for word in (JUDGES / "bin" / "python", TOOLING / f"{name}.py", *arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    return own_certificate(tmp_path_factory.mktemp("tls"))


def test_openadr3_client_finds_a_vtn_in_both_roles(grown_state, tmp_path, certificate):  # noqa: F811 - the fixture
    shutil.copytree(grown_state.parent, tmp_path, dirs_exist_ok=True)
    state, (cert, key) = tmp_path / "community.state", certificate
    clients = []
    for who in (("bl",), ("ven", "--member", "anna", "--name", "anna's box")):
        said = json.loads(call("openadr", "client", "--state", state, "--json", "--role", *who).out)
        clients += [said["client_id"], said["client_secret"]]
    served = Served(port=0, certificate=cert, key=key, callback_authority=str(cert), inside=True)
    server = VtnServer(state, served)
    server.start()
    document = os.environ.get("OPENADR_DOCUMENT")  # the published openadr3.yaml, which is not ours to ship
    try:
        said = judge("openadr", server.url, cert, key, *clients, *([document] if document else []))
    finally:
        server.stop()
    assert said["programs"] == ["community-prices", "judged", "line-limits"]
    assert said["ven_programs"] == ["community-prices", "line-limits"]
    assert said["event_name"] == ["second"]
    assert said["event_targets"] == [["anna"]]
    assert said["event_values"] == [[0.2, 0.21, 0.22]]
    assert len(said["prices"]) == HOURS - 48
    assert said["vens"] == ["anna's box", "other"]
    assert said["ven_vens"] == ["anna's box"]
    assert said["reports"] == [clients[2]]
    (heard,) = said["heard"]
    assert (heard["bearer"], heard["operation"], heard["object"]["eventName"]) == ("Bearer heard", "PUT", "second")
    assert said["refused"]["status"] == 403
    if document:
        assert "\n".join(said["document"]["faults"]) == ""
        assert said["document"]["answers"] > 20


def test_a_resource_manager_of_s2_python_follows_a_day():
    clock = itertools.count(START, HOUR)
    made = iter([itertools.count(START, HOUR), itertools.count(START, HOUR)])

    def device() -> ManagedDevice:
        times = next(made, clock)
        return ManagedDevice(prices, HOUR, "EUR", times.__next__)

    server = device_server(device, DeviceDoor(port=0, token="a-secret"))
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        port = server.socket.getsockname()[1]
        with pytest.raises(InvalidStatus, match="401"), connect(f"ws://127.0.0.1:{port}"):
            pass
        said = judge("s2", f"ws://127.0.0.1:{port}", "a-secret")
    finally:
        server.shutdown()
        serving.join()
    battery, engine = said["frbc"], said["ombc"]
    assert len(battery["levels"]) == SLOTS
    assert all(-0.1 <= level <= 100.1 for level in battery["levels"])
    assert (battery["levels"][5], battery["levels"][17], battery["levels"][23]) == pytest.approx((100, 100, 0), abs=0.1)
    paid = sum(wh * (NEED if wh > 0 else SPARE)[hour] for hour, wh in enumerate(battery["energy_wh"])) / 1e9
    assert paid == pytest.approx(10 * 0.10 - 9 * 0.35, abs=0.01), "10 kWh at 0.10 become 9 kWh at 0.35"
    assert engine["ran"] == [False] * 18 + [True] * 6
    assert battery["checked"] > 70
    assert engine["checked"] > 50
