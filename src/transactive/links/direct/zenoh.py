"""Datagrams over Eclipse Zenoh, for the network of one site: peers find each other through those they are told of.

A contact is a random name under which its node listens; Zenoh finds the way. Nothing is searched for by multicast, and
nobody is connected to but who is named and whom those know. Source: zenoh 1.10, Apache-2.0.
"""

from __future__ import annotations

import json
import queue
import secrets
from importlib import import_module
from typing import Any

from transactive.core.errors import InputError
from transactive.core.installed import named_extras

PLACE = "transactive/direct/1/"
CONTACT = 16
"""Bytes of a contact."""
MOST_WAITING = 10_000
"""Datagrams that wait to be received; more are lost."""


class ZenohTransport:
    """A peer. listen: endpoints as Zenoh writes them, the own one first and those to connect to after it.

    Such as `tcp/0.0.0.0:7447`, or `tcp/127.0.0.1:7448 tcp/127.0.0.1:7447`.
    """

    def __init__(self, listen: str) -> None:
        """Open the peer. Raises InputError for endpoints that cannot be had, MissingExtra without Zenoh."""
        with named_extras("direct trading over Zenoh"):
            zenoh = import_module("zenoh")
        own, *others = listen.split() or [""]
        settings = {
            "mode": "peer",
            "listen/endpoints": [own],
            "connect/endpoints": others,
            "scouting/multicast/enabled": False,
            "scouting/gossip/enabled": True,
        }
        config = zenoh.Config()
        self._contact = secrets.token_bytes(CONTACT)
        self._heard: queue.Queue[tuple[bytes, bytes]] = queue.Queue(MOST_WAITING)
        try:
            for key, value in settings.items():
                config.insert_json5(key, json.dumps(value))
            self._session: Any = zenoh.open(config)
            self._listener = self._session.declare_subscriber(PLACE + self._contact.hex(), self._take)
        except zenoh.ZError as error:
            raise InputError(f"Zenoh cannot listen at {own}: {error}; give an endpoint like tcp/0.0.0.0:7447") from None

    @property
    def contact(self) -> bytes:
        """Its random name."""
        return self._contact

    def send(self, contact: bytes, data: bytes) -> None:
        """Send a datagram, with the own name before it."""
        if len(contact) == CONTACT:
            self._session.put(PLACE + contact.hex(), self._contact + data)

    def receive(self, seconds: float) -> tuple[bytes, bytes] | None:
        """The next datagram and who sent it."""
        try:
            return self._heard.get(timeout=seconds) if seconds > 0 else self._heard.get_nowait()
        except queue.Empty:
            return None

    def close(self) -> None:
        """Leave."""
        self._session.close()

    def _take(self, sample: Any) -> None:  # noqa: ANN401 - Zenoh has no types
        """Keep a datagram that came, unless too many wait."""
        payload = sample.payload.to_bytes()
        try:
            self._heard.put_nowait((payload[:CONTACT], payload[CONTACT:]))
        except queue.Full:
            return
