"""The MQTT client where there is no broker: it says so, once, and tries on."""

import socket
import time

from tests.waiting import until
from transactive.links.mqtt import MqttClient


def test_a_broker_that_was_never_there_is_told_once_however_often_it_is_tried():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gone: list[float] = []
    client = MqttClient(f"mqtt://127.0.0.1:{port}", "one", (), lambda *_: None, gone=lambda: gone.append(time.time()))
    client.begin()
    try:
        until(lambda: bool(gone), "the missing broker is told")
        time.sleep(1.5)  # it has tried again by then
    finally:
        client.end()
    assert len(gone) == 1
