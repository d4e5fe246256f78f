"""`transactive s2 serve`: prices of a member, and the server that devices connect to."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from transactive.config.setting import Setting, load_setting
from transactive.core.errors import InputError
from transactive.core.slots import DAY, HOUR
from transactive.core.units import IntArray
from transactive.protocols.s2.manager import ManagedDevice, Prices
from transactive.protocols.s2.server import DeviceDoor, device_server


def manage(path: Path, member: str, hours: int, door: DeviceDoor) -> None:
    """Serve until Ctrl-C. Raises InputError for nobody, StateError without a port."""
    if hours < 1:
        raise InputError(f"--hours {hours}: give 1 or more")
    prices, length, currency = prices_of_member(path, member, hours)
    server = device_server(lambda: ManagedDevice(prices, length, currency, lambda: int(time.time())), door)
    scheme = "wss" if door.certificate else "ws"
    port = server.socket.getsockname()[1]
    print(f"S2 {scheme}://{door.host}:{port}, Ctrl-C ends it", file=sys.stderr, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.shutdown()


def token_in(path: Path) -> str:
    """The token in a file. Raises InputError without one: nobody shall come in because a file is empty."""
    try:
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--token-file {path}: cannot be read ({error}); correct the path") from None
    if not token:
        raise InputError(f"--token-file {path}: is empty; write the token into it that devices show")
    return token


def prices_of_member(path: Path, member: str, hours: int) -> tuple[Prices, int, str]:
    """Prices of a member from any time on, length of a slot [s], and the currency. Raises InputError, ConfigError.

    Beyond the market: what the supplier takes and pays, which the market only betters. The file is read again where a
    time is asked for that it did not tell, as feeds fill it.
    """
    setting = load_setting(path, until=int(time.time()) + 2 * DAY)
    ids, length = setting.community.ids, setting.community.clock.length
    if member not in ids:
        raise InputError(f"--member {member}: not in this community; its members are {', '.join(ids)}")
    kept = {"setting": setting}

    def prices(now: int) -> tuple[int, IntArray, IntArray]:
        slot = now - now % length
        slots = range(slot, slot + hours * HOUR, length)
        if kept["setting"].end < slots[-1] + length:
            kept["setting"] = load_setting(path, until=slots[-1] + length)
        found = [_of(kept["setting"], one, ids.index(member)) for one in slots]
        need, spare = (np.array(column, np.int64) for column in zip(*found, strict=True))
        return slot, need, spare

    return prices, length, setting.community.currency


def _of(setting: Setting, slot: int, member: int) -> tuple[int, int]:
    """What a Wh costs a member, and what one brings [µ¤/kWh]."""
    tariff = setting.tariff(slot).of_member(member)
    return tariff.supply, min(tariff.feed_in, tariff.supply)
