"""What a meter says, for people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from transactive.core.errors import DataError, InputError
from transactive.core.slots import HOUR, time_text
from transactive.links.lines import in_file, telegrams
from transactive.metering.decode.p1 import decode


def probe_meter(meter: str, winter_hours: int, count: int, wait: int) -> dict[str, Any]:
    """Registers of the last of some telegrams, and how many could not be read. Raises InputError where none comes."""
    read, wrong, state = 0, dict[str, int](), None
    try:
        for raw in islice(_messages(meter, wait), count):
            try:
                state, read = decode(raw, winter_hours * HOUR), read + 1
            except DataError as error:
                wrong[str(error)] = wrong.get(str(error), 0) + 1
    except OSError as error:
        raise InputError(f"{meter}: {error}; is the address right, and does nobody else read the port?") from None
    if state is None and not wrong:
        raise InputError(f"{meter}: no telegram between / and !; is it the P1 port of a meter?")
    facts: dict[str, Any] = {"telegrams": read, "not_read": sum(wrong.values()), "reasons": wrong}
    if state is None:
        return facts
    age = None if state.at is None else int(time.time()) - state.at
    said = None if state.at is None else time_text(state.at)
    return facts | {
        "meter_says_it_is": said,
        "behind_this_clock_s": age,
        "import_wh": state.import_wh,
        "export_wh": state.export_wh,
    }


def _messages(meter: str, wait: int) -> Iterator[bytes]:
    """Telegrams from the network or a file."""
    if "://" in meter:
        return telegrams(meter, silence=wait)
    path = Path(meter)
    if not path.is_file():
        raise InputError(f"{meter}: is no file and no address; write tcp://HOST:PORT")
    return in_file(path)
