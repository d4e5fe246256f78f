"""What a meter says, for people."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from transactive.core.errors import DataError, InputError
from transactive.core.slots import time_text
from transactive.links.sources.address import open_meter
from transactive.metering.decode.registers import MeterState
from transactive.metering.meters.profile import load_meter_profile, shipped_meters
from transactive.metering.meters.source import MeterSource
from transactive.node.settings import meter_address

MOST = 86_400
"""Messages that are probed, and seconds that one is waited for, at most."""
REGISTERS = ("import_wh", "export_wh", "generation_wh", "charge_wh", "discharge_wh")


def probe_meter(
    meter: str, profile: str, secret: str, winter_seconds: int, count: int, wait: int, *, live: bool
) -> dict[str, Any]:
    """Registers of the last of some messages, and how many could not be read. Raises InputError where none comes.

    live: say of each message, on stderr, what it tells.
    """
    for option, value in (("--count", count), ("--wait", wait)):
        if not 1 <= value <= MOST:
            raise InputError(f"{option} {value}: give a number from 1 to {MOST:,}")
    source = open_meter(meter_address(_address(meter), profile, Path(), winter_seconds, secret, wait))
    read, wrong, state = 0, dict[str, int](), None
    try:
        for said in islice(_messages(source), count):
            if isinstance(said, MeterState):
                state, read = said, read + 1
            else:
                wrong[said] = wrong.get(said, 0) + 1
            if live:
                print(_line(said), file=sys.stderr, flush=True)
    except OSError as error:
        raise InputError(f"{meter}: {error}; is the address right, and does nobody else read the meter?") from None
    if state is None and not wrong:
        raise InputError(f"{meter}: not one message of {source.traits.title!r}; is it that kind of meter?")
    facts: dict[str, Any] = {
        "profile": source.traits.title,
        "proved_with": source.traits.grade,
        "telegrams": read,
        "not_read": sum(wrong.values()),
        "reasons": wrong,
    }
    return facts if state is None else facts | _shown(state)


def known_profiles() -> dict[str, dict[str, str]]:
    """Profiles of the package by name: how each is read, and what it was proved with."""
    profiles = {name: load_meter_profile(name) for name in shipped_meters()}
    return {
        name: {
            "what": profile.title,
            "vendor": profile.vendor,
            "via": str(profile.__struct_config__.tag),
            "proved_with": profile.grade,
            "note": profile.note,
        }
        for name, profile in profiles.items()
    }


def _shown(state: MeterState) -> dict[str, Any]:
    """A message as facts."""
    age = None if state.at is None else int(time.time()) - state.at
    facts: dict[str, Any] = {
        "meter": state.meter or None,
        "meter_says_it_is": None if state.at is None else time_text(state.at),
        "behind_this_clock_s": age,
    }
    return facts | {name: getattr(state, name) for name in REGISTERS}


def _line(said: MeterState | str) -> str:
    """A message in a line."""
    if isinstance(said, str):
        return f"not read: {said}"
    told = ", ".join(f"{name.removesuffix('_wh')} {getattr(said, name)} Wh" for name in REGISTERS[:2])
    more = (f", {name.removesuffix('_wh')} {value} Wh" for name in REGISTERS[2:] if (value := getattr(said, name)))
    return told + "".join(more)


def _messages(source: MeterSource) -> Iterator[MeterState | str]:
    """What each message tells, or why it tells nothing."""
    for raw in source.messages():
        try:
            yield source.decode(raw)
        except DataError as error:
            yield str(error)


def _address(meter: str) -> str:
    """An address; a path is that of a file. Raises InputError for neither."""
    if "://" in meter:
        return meter
    path = Path(meter)
    try:
        is_there = path.is_file()
    except OSError:  # a name longer than any file has
        is_there = False
    if not is_there:
        raise InputError(
            f"{meter[:200]}: is no file and no address; write tcp://HOST:PORT, http://HOST or mqtt://BROKER/NAME"
        )
    return f"file://{path.resolve()}"
