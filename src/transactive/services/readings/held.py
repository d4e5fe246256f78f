"""Readings that are held before they are billed, and what somebody answers about them: for commands and the page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from transactive.config.setting import Setting, load_setting
from transactive.core.errors import InputError
from transactive.core.slots import time_text
from transactive.metering.plausibility.answers import REFUSE, RELEASE, Answer, read_answers, write_answers
from transactive.metering.plausibility.held import HeldReadings, held_readings
from transactive.metering.plausibility.verdicts import Verdicts
from transactive.services.readings.inbox import community_file

ANSWERED = {RELEASE: "billed as they were read", REFUSE: "billed by their substitutes"}
"""What an answer does, in words."""


@dataclass(frozen=True, slots=True)
class HeldStretch:
    """A stretch of held readings of a member, by its id."""

    member: str
    held: HeldReadings


def stretches(community: Path) -> list[HeldStretch]:
    """What is not billed as it was read, of a community file, by time and member."""
    setting = load_setting(community)
    ids = setting.community.ids
    return [HeldStretch(ids[one.member], one) for one in held_readings(_verdicts(setting), setting.measured)]


def file_of_state(state: Path) -> Path:
    """Community file of the run in a state folder. Raises InputError where it is not known here."""
    file = community_file(state)
    if file is None:
        raise InputError("the community file of this run is not known here; answer with transactive readings")
    return file


def answer_held(community: Path, member: str, begin: int, end: int, said: str) -> tuple[int, Path]:
    """Write an answer about held readings of a member in a span [Unix s]; returns how many, and the file of answers.

    Raises InputError for another answer, and where nothing is held, or waits no more.
    """
    if said not in ANSWERED:
        raise InputError(f"answer {said!r}: say {' or '.join(ANSWERED)}")
    setting = load_setting(community)
    ids, verdicts = list(setting.community.ids), _verdicts(setting)
    if member not in ids:
        raise InputError(f"{member}: is no member of the community; it has {', '.join(ids[:8])}")
    slots = verdicts.first_slot + verdicts.length * np.arange(len(verdicts.doubts))
    index = ids.index(member)
    inside = (slots >= begin) & (slots < end)
    rows = np.flatnonzero(inside & verdicts.held[:, index] & ~verdicts.closed[:, index])
    if not len(rows):
        late = bool((inside & verdicts.held[:, index]).any())
        why = "are answered or the term is over" if late else "are not held"
        raise InputError(
            f"{member}: readings from {time_text(begin)} {why}; see transactive readings holds {community}"
        )
    new = [
        Answer(member, int(slots[row]), int(verdicts.consumption_wh[row, index]),
               int(verdicts.generation_wh[row, index]), said)
        for row in rows.tolist()
    ]  # fmt: skip
    file = community.parent / setting.community.data.answers
    write_answers(file, [*read_answers(file), *new])
    return len(new), file


def _verdicts(setting: Setting) -> Verdicts:
    return setting.verdicts or Verdicts.none(setting.first_slot, setting.community.clock.length, (0, 0))
