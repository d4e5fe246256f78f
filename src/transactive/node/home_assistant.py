"""A box in Home Assistant: it appears there by itself, over the home's own broker.

Source: Home Assistant, "MQTT: device discovery" (2024.11 and later). Energy is `total_increasing`, so that the energy
dashboard takes it. What is not known is unavailable and never zero: each value has a topic of its own for that.
"""

from __future__ import annotations

import json
import time
from typing import Any

from transactive.core.slots import time_text
from transactive.links.mqtt import MqttClient
from transactive.node.status import BoxStatus

DISCOVERY = "homeassistant/device/{name}/config"
ONLINE, OFFLINE = b"online", b"offline"
STALE_SECONDS = 300
"""After what silence of the meter its registers are unavailable."""
ENERGY = {"import": ("From the grid", 0), "export": ("To the grid", 1), "generation": ("Generation", 2)}


class HomeAssistant:
    """Tells a Home Assistant of a box. A broken connection is made again, and all of it said anew."""

    def __init__(self, broker: str, status: BoxStatus) -> None:
        """broker: of the home, mqtt(s)://… Raises InputError for another address."""
        self._status = status
        self._there = f"{_base(status)}/status"
        will = (self._there, OFFLINE)
        self._client = MqttClient(broker, f"home-{status.address}", (), lambda *_: None, self._introduce, will=will)
        self._client.begin()

    def tell(self, now: int) -> None:
        """Say how the box is, at a time [Unix s]."""
        for topic, payload in states(self._status, now).items():
            self._client.publish(topic, payload.encode(), retain=True)

    def end(self) -> None:
        """Say goodbye."""
        self._client.publish(self._there, OFFLINE, retain=True)
        self._client.end()

    def _introduce(self) -> None:
        """Say what the box has, and that it is there."""
        topic = DISCOVERY.format(name=_name(self._status))
        self._client.publish(topic, json.dumps(discovery(self._status)).encode(), retain=True)
        self._client.publish(self._there, ONLINE, retain=True)
        self.tell(int(time.time()))


def discovery(status: BoxStatus) -> dict[str, Any]:
    """What a box says of itself once: its device, and each value with where it is told and where it is available."""
    name, base = _name(status), _base(status)
    energy = {
        way: {
            "platform": "sensor",
            "name": label,
            "device_class": "energy",
            "state_class": "total_increasing",
            "unit_of_measurement": "Wh",
        }
        for way, (label, _) in ENERGY.items()
    }
    others: dict[str, dict[str, str]] = {
        "waiting": {"platform": "sensor", "name": "Records not yet at the market", "state_class": "measurement"},
        "slot": {"platform": "sensor", "name": "Last slot signed", "device_class": "timestamp"},
        "market": {"platform": "binary_sensor", "name": "Market", "device_class": "connectivity"},
        "refused": {"platform": "sensor", "name": "Messages refused", "state_class": "total_increasing"},
        "leaf": {"platform": "sensor", "name": "Last slot verified", "device_class": "timestamp"},
        "wrong": {"platform": "binary_sensor", "name": "Settled wrongly", "device_class": "problem"},
        "chain": {"platform": "binary_sensor", "name": "As on chain"},
    }
    own = [{"topic": f"{base}/status"}]
    return {
        "device": {
            "identifiers": [name],
            "name": "TransActive box",
            "model": status.kind,
            "manufacturer": "TransActive",
        },
        "origin": {"name": "TransActive"},
        "components": {
            key: said
            | {
                "unique_id": f"{name}_{key}",
                "state_topic": f"{base}/{key}",
                "availability": [*own, {"topic": f"{base}/{key}/known"}],
                "availability_mode": "all",
            }
            for key, said in {**energy, **others}.items()
        },
    }


def states(status: BoxStatus, now: int) -> dict[str, str]:
    """Topics and what is told there: of each value whether it is known, and it, if it is."""
    age = status.age(now)
    fresh = status.standing if age is not None and age <= STALE_SECONDS else None
    values: dict[str, str | None] = {
        way: str(fresh[place]) if fresh and (place < 2 or fresh[place]) else None for way, (_, place) in ENERGY.items()
    }
    values |= {
        "waiting": str(status.signed - status.acknowledged) if status.is_connected else None,
        "slot": time_text(status.last_slot) if status.last_slot is not None else None,
        "market": _on(status.is_connected),
        "refused": str(status.refused),
        "leaf": time_text(status.last_leaf) if status.last_leaf is not None else None,
        "wrong": None if status.last_leaf is None and not status.wrong else _on(bool(status.wrong)),
        "chain": None if status.is_on_chain is None else _on(status.is_on_chain),
    }
    base = _base(status)
    known = {f"{base}/{key}/known": (OFFLINE if value is None else ONLINE).decode() for key, value in values.items()}
    return {f"{base}/{key}": value for key, value in values.items() if value is not None} | known


def _on(is_so: bool) -> str:
    """A yes or no in words of Home Assistant."""
    return "ON" if is_so else "OFF"


def _name(status: BoxStatus) -> str:
    """The box in names of Home Assistant."""
    return f"transactive_{status.address[2:14]}"


def _base(status: BoxStatus) -> str:
    """Where a box tells how it is."""
    return f"transactive-box/{status.address}"
