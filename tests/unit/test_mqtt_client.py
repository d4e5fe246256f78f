"""The MQTT client where there is no broker: it says so, once, and tries on."""

import socket

from tests.waiting import until
from transactive.links.mqtt import MqttClient


def test_a_broker_that_was_never_there_is_told_once_however_often_it_is_tried():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gone: list[str] = []
    client = MqttClient(f"mqtt://127.0.0.1:{port}", "one", (), lambda *_: None, gone=lambda: gone.append("gone"))
    client.begin()
    try:
        until(lambda: bool(gone), "the missing broker is told")
        client._on_connect_fail(client._client, None)  # as paho calls it when it has tried again
    finally:
        client.end()
    assert gone == ["gone"]
