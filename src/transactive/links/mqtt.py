"""MQTT: a client that stays connected, over TLS where its address says so."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from transactive.core.errors import InputError
from transactive.links.addresses import broker_parts

PLAIN_PORT, TLS_PORT = 1883, 8883
KEEP_ALIVE = 30
Hear = Callable[[str, bytes], None]
"""Takes topic and payload of a message, in the client's own thread."""
log = logging.getLogger(__name__)


class MqttClient:
    """One connection to a broker, made again whenever it breaks; what is published while it is broken is dropped.

    Nothing here is a promise that a message arrives: who sends says it again until it is answered.
    """

    def __init__(
        self,
        url: str,
        name: str,
        subscriptions: tuple[str, ...],
        hear: Hear,
        connected: Callable[[], None] = lambda: None,
        gone: Callable[[], None] = lambda: None,
        *,
        hear_kept: bool = True,
        will: tuple[str, bytes] | None = None,
    ) -> None:
        """url: mqtt(s)://[USER:PASSWORD@]HOST[:PORT][?ca=FILE&cert=FILE&key=FILE]. name: of the client, unique.

        connected: called whenever the connection is there and subscribed; gone: whenever it broke, or cannot be made,
        once each time. hear_kept: what the broker kept from earlier is heard too. will: topic and payload that the
        broker keeps and tells when this client is gone. Raises InputError for another address.
        """
        parts = broker_parts(url)
        self._subscriptions, self._hear, self._connected, self._gone = subscriptions, hear, connected, gone
        self._hear_kept = hear_kept
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=True)
        if will:
            self._client.will_set(*will, retain=True)
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set_context(_context(dict(part.split("=", 1) for part in parts.query.split("&") if part)))
        self._client.on_connect, self._client.on_message = self._on_connect, self._on_message
        self._client.on_disconnect, self._client.on_connect_fail = self._on_disconnect, self._on_connect_fail
        self._is_known_gone = False
        self._client.reconnect_delay_set(1, 60)
        port = parts.port or (TLS_PORT if parts.scheme == "mqtts" else PLAIN_PORT)
        self._client.connect_async(str(parts.hostname), port, keepalive=KEEP_ALIVE)

    def begin(self) -> None:
        """Connect, in a thread of the client's own."""
        self._client.loop_start()

    def end(self) -> None:
        """Say goodbye."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def is_connected(self) -> bool:
        """Whether the broker is there."""
        return self._client.is_connected()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send a message, if the broker is there."""
        if self._client.is_connected():
            self._client.publish(topic, payload, qos=0, retain=retain)

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:  # noqa: ANN401 - as paho calls it
        """Subscribe, each time anew."""
        if reason.is_failure:
            log.warning("the broker refuses: %s", reason)
            return
        for topic in self._subscriptions:
            client.subscribe(topic, qos=1)
        self._is_known_gone = False
        self._connected()

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _more: Any) -> None:  # noqa: ANN401 - as paho calls it
        """Tell that the connection broke, unless it was ended here."""
        if reason.is_failure:
            self._tell_gone()

    def _on_connect_fail(self, _client: paho.Client, _data: Any) -> None:  # noqa: ANN401 - as paho calls it
        """Tell that nobody answers at the broker's address."""
        self._tell_gone()

    def _tell_gone(self) -> None:
        """Tell it once, however often it is tried again."""
        if not self._is_known_gone:
            self._is_known_gone = True
            self._gone()

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:  # noqa: ANN401 - as paho calls it
        """Pass a message on."""
        if self._hear_kept or not message.retain:
            self._hear(message.topic, bytes(message.payload))


def _context(files: dict[str, str]) -> ssl.SSLContext:
    """TLS that checks the broker, and shows it a certificate where one is given. Raises InputError."""
    try:
        context = ssl.create_default_context(cafile=files.get("ca"))
        if "cert" in files:
            context.load_cert_chain(Path(files["cert"]), files.get("key"))
    except OSError as error:
        raise InputError(f"TLS of the broker: {error}; check the files after ?ca=, &cert= and &key=") from None
    return context
