"""A street whose meters send P1 telegrams on the network, in a time that runs faster than ours."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from transactive.studies.live_street.p1 import P1Port, telegram

SLOT, SPEED, BEGIN = 900, 300, 1_717_545_600
"""Quarter hours from 2024-06-05T00:00Z on, three seconds each."""
MEMBERS = ("ada", "ben", "eve")
COMMUNITY = """
name = "Live street"
currency = "EUR"

[market]
slot_minutes = 15

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

[[members]]
id = "ada"
pv_w = 8_000

[[members]]
id = "ben"

[[members]]
id = "eve"
"""
IMPORT_W = {"ada": 0, "ben": 1_700, "eve": 900, "fay": 0, "gus": 1_300}
EXPORT_W = {"ada": 3_100, "ben": 0, "eve": 0, "fay": 1_500, "gus": 0}
DIRECT_MEMBERS, DIRECT_SPEED = tuple(IMPORT_W), 100
"""Of a street whose members trade directly: nine seconds a slot, as they have to say much more."""


def now_of(since: float, speed: float = SPEED) -> float:
    """The street's time [Unix s], which was BEGIN when the wall's was `since`."""
    return BEGIN + (time.time() - since) * speed


def write_street(folder: Path, members: Sequence[str] = MEMBERS, *, direct: bool = False) -> Path:
    """Write the community, and two days of history before its first slot.

    direct: members trade directly, and all that they leave is the supplier's.
    """
    more = [f'\n[[members]]\nid = "{name}"\n' + "pv_w = 4_000\n" * bool(EXPORT_W[name]) for name in members[3:]]
    text = COMMUNITY + "".join(more)
    if direct:
        text = text.replace("[market]\n", '[direct]\nrest = "supplier"\n\n[market]\nmechanism = "direct"\n')
    rows = ["slot_start,member,consumption_wh,generation_wh"]
    for step in range(-192, 0):
        at = datetime.fromtimestamp(BEGIN + step * SLOT, UTC).strftime("%Y-%m-%dT%H:%MZ")
        rows += [f"{at},{name},{IMPORT_W[name] * SLOT // 3600},{EXPORT_W[name] * SLOT // 3600}" for name in members]
    (folder / "readings.csv").write_text("\n".join(rows) + "\n")
    path = folder / "community.toml"
    path.write_text(text)
    return path


class P1Meter:
    """A meter on TCP that sends a telegram each half minute of the street's time to whoever listens."""

    def __init__(self, name: str, since: float, speed: float = SPEED) -> None:
        self.name, self._since, self._speed = name, since, speed
        self._port = P1Port(self._telegram, 30 / speed)
        self.url = self._port.url

    def registers(self, at: float) -> tuple[int, int]:
        """Import and export at a time [Wh], since a day before the first slot."""
        seconds = at - BEGIN + 86_400
        return int(IMPORT_W[self.name] * seconds / 3600), int(EXPORT_W[self.name] * seconds / 3600)

    def _telegram(self) -> bytes:
        at = int(now_of(self._since, self._speed))
        return telegram(at, *self.registers(at))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._port.close()
