"""`transactive readings`: what is held of a community's readings, and what somebody answers about it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.core.slots import parse_time, time_text
from transactive.services.readings.held import ANSWERED, HeldStretch, answer_held, stretches


def show_held(path: Path, *, json: bool) -> None:
    """Print what is not billed as it was read, and why."""
    found = stretches(path)
    if json:
        print(msgspec.json.encode([_record(one) for one in found]).decode())
        return
    for one in found:
        print(_line(one))
    waiting = sum(one.held.waits for one in found)
    print(f"{len(found)} stretches are not believed, {waiting} of them wait" if found else "every reading is billed")


def answer(path: Path, member: str, first: str, until: str | None, said: str) -> None:
    """Write an answer about held readings of a member from a slot on, to before `until` or for that slot alone.

    Raises InputError where nothing is held, or waits no more.
    """
    begin = parse_time(first)
    count, file = answer_held(path, member, begin, parse_time(until) if until else begin + 1, said)
    print(f"{count} readings of {member} are {ANSWERED[said]}; written to {file}")


def _line(one: HeldStretch) -> str:
    """A stretch in words."""
    held = one.held
    read, billed = (f"{used:,} Wh used, {made:,} Wh made" for used, made in (held.read_wh, held.billed_wh))
    span, state = f"{time_text(held.first)} to {time_text(held.end)}", "waits" if held.waits else "closed"
    return f"{one.member}  {span}  {held.doubt.words}: read {read}; billed {billed}; {state}"


def _record(one: HeldStretch) -> dict[str, object]:
    """A stretch as JSON."""
    held = one.held
    return {
        "member": one.member,
        "first_slot": time_text(held.first),
        "end": time_text(held.end),
        "reason": held.doubt.name.lower().replace("_", " "),
        "read_consumption_wh": held.read_wh[0],
        "read_generation_wh": held.read_wh[1],
        "billed_consumption_wh": held.billed_wh[0],
        "billed_generation_wh": held.billed_wh[1],
        "waits": held.waits,
    }
