"""`transactive readings`: what is held of a community's readings, and what somebody answers about it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from transactive.config.setting import Setting, load_setting
from transactive.core.errors import InputError
from transactive.core.slots import parse_time, time_text
from transactive.metering.plausibility.answers import Answer, read_answers, write_answers
from transactive.metering.plausibility.held import HeldReadings, held_readings
from transactive.metering.plausibility.verdicts import Verdicts

ANSWERED = {"release": "billed as they were read", "refuse": "billed by their substitutes"}


def show_held(path: Path, *, json: bool) -> None:
    """Print what is not billed as it was read, and why."""
    setting = load_setting(path)
    found = held_readings(_verdicts(setting), setting.measured)
    if json:
        print(msgspec.json.encode([_record(one, setting) for one in found]).decode())
        return
    for one in found:
        print(_line(one, setting))
    waiting = sum(one.waits for one in found)
    print(f"{len(found)} stretches are not believed, {waiting} of them wait" if found else "every reading is billed")


def answer(path: Path, member: str, first: str, until: str | None, said: str) -> None:
    """Write an answer about held readings of a member from a slot on, to before `until` or for that slot alone.

    Raises InputError where nothing is held, or waits no more.
    """
    setting = load_setting(path)
    ids, verdicts = list(setting.community.ids), _verdicts(setting)
    if member not in ids:
        raise InputError(f"{member}: is no member of the community; it has {', '.join(ids[:8])}")
    begin = parse_time(first)
    end = parse_time(until) if until else begin + 1
    slots = verdicts.first_slot + verdicts.length * np.arange(len(verdicts.doubts))
    index = ids.index(member)
    inside = (slots >= begin) & (slots < end)
    rows = np.flatnonzero(inside & verdicts.held[:, index] & ~verdicts.closed[:, index])
    if not len(rows):
        late = bool((inside & verdicts.held[:, index]).any())
        why = "are answered or the term is over" if late else "are not held"
        raise InputError(f"{member}: readings from {first} {why}; see transactive readings holds {path}")
    new = [
        Answer(member, int(slots[row]), int(verdicts.consumption_wh[row, index]),
               int(verdicts.generation_wh[row, index]), said)
        for row in rows.tolist()
    ]  # fmt: skip
    file = path.parent / setting.community.data.answers
    write_answers(file, [*read_answers(file), *new])
    print(f"{len(new)} readings of {member} are {ANSWERED[said]}; written to {file}")


def _verdicts(setting: Setting) -> Verdicts:
    return setting.verdicts or Verdicts.none(setting.first_slot, setting.community.clock.length, (0, 0))


def _line(one: HeldReadings, setting: Setting) -> str:
    """A stretch in words."""
    read, billed = (f"{used:,} Wh used, {made:,} Wh made" for used, made in (one.read_wh, one.billed_wh))
    who, state = setting.community.members[one.member].id, "waits" if one.waits else "closed"
    span = f"{time_text(one.first)} to {time_text(one.end)}"
    return f"{who}  {span}  {one.doubt.words}: read {read}; billed {billed}; {state}"


def _record(one: HeldReadings, setting: Setting) -> dict[str, object]:
    """A stretch as JSON."""
    return {
        "member": setting.community.members[one.member].id,
        "first_slot": time_text(one.first),
        "end": time_text(one.end),
        "reason": one.doubt.name.lower().replace("_", " "),
        "read_consumption_wh": one.read_wh[0],
        "read_generation_wh": one.read_wh[1],
        "billed_consumption_wh": one.billed_wh[0],
        "billed_generation_wh": one.billed_wh[1],
        "waits": one.waits,
    }
