"""A box in Home Assistant: it appears there by itself, over the home's own broker.

Source: Home Assistant, "MQTT: device discovery" (2024.11 and later). Energy is `total_increasing`, so that the energy
dashboard takes it. What is not known is unavailable and never zero: each value has a topic of its own for that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from transactive.core.slots import time_text
from transactive.links.mqtt import MqttClient
from transactive.node.status import BoxStatus

DISCOVERY = "homeassistant/device/{name}/config"
ONLINE, OFFLINE = b"online", b"offline"
ON, OFF, PAUSE = b"ON", b"OFF", "pause"
LONGEST_STATE = 255
"""Characters of a state, at most."""
STALE_SECONDS = 300
"""After what silence of the meter its registers are unavailable."""
ENERGY = {"import": ("From the grid", 0), "export": ("To the grid", 1), "generation": ("Generation", 2)}


class HomeAssistant:
    """Tells a Home Assistant of a box. A broken connection is made again, and all of it said anew.

    pause: hears what the switch there says.
    """

    def __init__(self, broker: str, status: BoxStatus, pause: Callable[[bool], None]) -> None:
        """broker: of the home, mqtt(s)://… Raises InputError for another address."""
        self._status, self._pause, self._introduced = status, pause, ""
        self._there = f"{_base(status)}/status"
        will = (self._there, OFFLINE)
        name, asked = f"home-{status.address}", (f"{_base(status)}/{PAUSE}/set",)
        self._client = MqttClient(broker, name, asked, self._hear, self._introduce, hear_kept=False, will=will)
        self._client.begin()

    def tell(self, now: int) -> None:
        """Say how the box is, at a time [Unix s], and what it has where that changed."""
        said = json.dumps(discovery(self._status))
        if said != self._introduced:
            self._introduced = said
            self._client.publish(DISCOVERY.format(name=_name(self._status)), said.encode(), retain=True)
            self._client.publish(self._there, ONLINE, retain=True)
        for topic, payload in states(self._status, now).items():
            self._client.publish(topic, payload.encode(), retain=True)

    def end(self) -> None:
        """Say goodbye."""
        self._client.publish(self._there, OFFLINE, retain=True)
        self._client.end()

    def _introduce(self) -> None:
        """Say what the box has, and that it is there."""
        self._introduced = ""
        self.tell(int(time.time()))

    def _hear(self, _topic: str, payload: bytes) -> None:
        """Do what the switch says, and say that it is done."""
        if payload in (ON, OFF):
            self._pause(payload == ON)
            self._status.is_paused = payload == ON
            self.tell(int(time.time()))


def discovery(status: BoxStatus) -> dict[str, Any]:
    """What a box says of itself once: its device, and each value with where it is told and where it is available."""
    name, base = _name(status), _base(status)
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
            for key, said in _components(status).items()
        },
    }


def _components(status: BoxStatus) -> dict[str, dict[str, str]]:
    """What a box has, with what Home Assistant makes of each; money as soon as its currency is known."""
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
        "next_slot": {"platform": "sensor", "name": "Next slot", "device_class": "timestamp"},
        "plan": {"platform": "sensor", "name": "Devices", "icon": "mdi:home-battery"},
        "market": {"platform": "binary_sensor", "name": "Market", "device_class": "connectivity"},
        "refused": {"platform": "sensor", "name": "Messages refused", "state_class": "total_increasing"},
        "leaf": {"platform": "sensor", "name": "Last slot verified", "device_class": "timestamp"},
        "wrong": {"platform": "binary_sensor", "name": "Settled wrongly", "device_class": "problem"},
        "chain": {"platform": "binary_sensor", "name": "As on chain"},
        PAUSE: {
            "platform": "switch",
            "name": "Pause",
            "icon": "mdi:pause",
            "command_topic": f"{_base(status)}/{PAUSE}/set",
        },
    }
    if not status.currency:
        return energy | others
    price = {"state_class": "measurement", "unit_of_measurement": f"{status.currency}/kWh"}
    money = {"device_class": "monetary", "state_class": "total", "unit_of_measurement": status.currency}
    return (
        energy
        | others
        | {
            "price": {"platform": "sensor", "name": "Price of the supplier", "icon": "mdi:cash", **price},
            "cost": {"platform": "sensor", "name": "Cost at the market", **money},
            "saving": {"platform": "sensor", "name": "Saved by the market", **money},
        }
    )


def states(status: BoxStatus, now: int) -> dict[str, str]:
    """Topics and what is told there: of each value whether it is known, and it, if it is."""
    age = status.age(now)
    fresh = status.standing if age is not None and age <= STALE_SECONDS else None
    connected = status.is_connected
    values: dict[str, str | None] = {
        way: str(fresh[place]) if fresh and (place < 2 or fresh[place]) else None for way, (_, place) in ENERGY.items()
    }
    values |= {
        "waiting": str(status.signed - status.acknowledged) if connected else None,
        "slot": time_text(status.last_slot) if status.last_slot is not None else None,
        "next_slot": time_text(status.next_slot) if status.next_slot is not None and connected else None,
        "plan": status.plan[:LONGEST_STATE] or None,
        "market": _on(connected),
        "refused": str(status.refused),
        "leaf": time_text(status.last_leaf) if status.last_leaf is not None else None,
        "wrong": None if status.last_leaf is None and not status.wrong else _on(bool(status.wrong)),
        "chain": None if status.is_on_chain is None else _on(status.is_on_chain),
        PAUSE: _on(status.is_paused),
    }
    if status.currency:
        values |= {
            "price": None if status.price is None else _decimal(status.price, 6),
            "cost": None if status.cost_n is None else _decimal(status.cost_n, 9),
            "saving": None if status.saving_n is None else _decimal(status.saving_n, 9),
        }
    base = _base(status)
    known = {f"{base}/{key}/known": (OFFLINE if value is None else ONLINE).decode() for key, value in values.items()}
    return {f"{base}/{key}": value for key, value in values.items() if value is not None} | known


def _on(is_so: bool) -> str:
    """A yes or no in words of Home Assistant."""
    return (ON if is_so else OFF).decode()


def _decimal(number: int, digits: int) -> str:
    """A whole number whose last digits are a fraction, exactly."""
    whole, part = divmod(abs(number), 10**digits)
    return f"{'-' if number < 0 else ''}{whole}.{part:0{digits}d}"


def _name(status: BoxStatus) -> str:
    """The box in names of Home Assistant."""
    return f"transactive_{status.address[2:14]}"


def _base(status: BoxStatus) -> str:
    """Where a box tells how it is."""
    return f"transactive-box/{status.address}"
