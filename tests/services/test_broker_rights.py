"""The broker of the example: a box writes and reads its own topics, and no others."""

import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tools import missing
from tests.waiting import until
from transactive.core.boxes.enrolment import topic
from transactive.links.mqtt import MqttClient

pytestmark = pytest.mark.service
EXAMPLE = Path(__file__).parents[2] / "examples" / "broker"
TLS = ("listener", "cafile", "certfile", "keyfile")
ADA, BEN = "0x" + "aa" * 20, "0x" + "bb" * 20
NAMES = ("market", ADA, BEN)


@pytest.fixture
def guarded(broker, tmp_path):
    """The example's broker, in the clear and on another port."""
    program = shutil.which("mosquitto_passwd")
    if program is None:
        missing("mosquitto_passwd", "the package of Mosquitto brings it")
    broker.kill()
    for number, name in enumerate(NAMES):
        first = ["-c"] if number == 0 else []
        subprocess.run(
            [program, *first, "-b", tmp_path / "passwords", name, f"of-{name}"], check=True, capture_output=True
        )
    lines = [line for line in (EXAMPLE / "mosquitto.conf").read_text().splitlines() if not line.startswith(TLS)]
    lines = [
        line.replace("passwords", str(tmp_path / "passwords")).replace("topics.acl", str(tmp_path / "topics.acl"))
        for line in lines
    ]
    (tmp_path / "topics.acl").write_text((EXAMPLE / "topics.acl").read_text())
    user = f"listener {broker.port} 127.0.0.1\nuser root\n"
    (tmp_path / "mosquitto.conf").write_text(user + "\n".join(lines) + "\n")
    broker.start()
    return broker


@contextmanager
def signed_in(broker, name: str, *subscriptions: str, password: str = ""):
    heard: list[tuple[str, bytes]] = []
    url = broker.url.replace("://", f"://{name}:{password or f'of-{name}'}@")
    client = MqttClient(url, f"client-{name}", subscriptions, lambda *said: heard.append(said))
    client.begin()
    yield client, heard
    client.end()


def test_a_box_writes_and_reads_its_own_topics_alone(guarded):
    everything = "transactive/green-street/#"
    own = {way: topic("green-street", BEN, way) for way in ("up", "enrol", "say", "down", "told")}
    with (
        signed_in(guarded, "market", everything) as (market, to_market),
        signed_in(guarded, ADA, everything) as (ada, to_ada),
        signed_in(guarded, BEN, own["down"], own["up"]) as (ben, to_ben),
    ):
        until(lambda: all(one.is_connected for one in (market, ada, ben)), "all at the broker")
        for way in own.values():
            ada.publish(way, b"forged")
        ben.publish(own["up"], b"record")
        ben.publish(own["enrol"], b"proof")
        until(lambda: len(to_market) == 2, "what Ben's box says")
        market.publish(own["down"], b"count")
        market.publish(topic("green-street", ADA, "down"), b"hers")
        until(lambda: to_ben and to_ada, "what the market answers")
        assert sorted(to_market[:2]) == sorted([(own["enrol"], b"proof"), (own["up"], b"record")])
        assert to_ben == [(own["down"], b"count")]
        assert to_ada == [(topic("green-street", ADA, "down"), b"hers")]


def test_nobody_comes_in_with_a_wrong_password(guarded, caplog):
    with signed_in(guarded, ADA, password="wrong") as (ada, _):
        until(lambda: "refuses" in caplog.text, "the broker's refusal")
        assert not ada.is_connected
