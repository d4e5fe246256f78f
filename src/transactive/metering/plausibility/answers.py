"""What somebody answered about held readings: a CSV beside the community, one row an answer, that people can read."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from transactive.core.errors import DataError, InputError
from transactive.core.slots import parse_time, time_text
from transactive.core.units import BoolArray
from transactive.metering.plausibility.verdicts import Verdicts

RELEASE, REFUSE = "release", "refuse"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer about the reading of one member and slot [Unix s], as it was read [Wh]: another reading has none."""

    member: str
    slot_start: int
    consumption_wh: int
    generation_wh: int
    answer: str


HEAD = [field.name for field in fields(Answer)]


def read_answers(path: Path) -> list[Answer]:
    """Answers that were given; none where there is no file. Raises DataError naming file, row and column."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return []
    rows = csv.DictReader(io.StringIO(text))
    if rows.fieldnames != HEAD:
        raise DataError(f"{path.name}: its head is {', '.join(HEAD)}; `transactive readings` writes it")
    return [_answer(row, f"{path.name}: row {number}") for number, row in enumerate(rows, 2)]


def _answer(row: dict[str, str | None], where: str) -> Answer:
    said = row["answer"]
    if said not in (RELEASE, REFUSE):
        raise DataError(f"{where}: answer = {said!r}: say {RELEASE} or {REFUSE}")
    try:
        wh = [int(row[name] or "") for name in ("consumption_wh", "generation_wh")]
    except ValueError:
        raise DataError(f"{where}: consumption_wh and generation_wh are whole Wh as they were read") from None
    try:
        return Answer(row["member"] or "", parse_time(row["slot_start"] or ""), wh[0], wh[1], said)
    except InputError as error:
        raise DataError(f"{where}: slot_start: {error}") from None


def write_answers(path: Path, answers: Sequence[Answer]) -> None:
    """Write all answers, whole or not at all."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(HEAD)
    for one in answers:
        member, slot, *rest = astuple(one)
        rows.writerow([member, time_text(slot), *rest])
    part = path.with_name(f".{path.name}.part")
    part.write_text(text.getvalue())
    part.replace(path)


def answered(answers: Sequence[Answer], said: str, read: Verdicts, members: Sequence[str]) -> BoolArray:
    """Readings, (slots, members), of which an answer says so, and that are still what was answered about."""
    found = np.zeros(read.consumption_wh.shape, bool)
    index = {member: k for k, member in enumerate(members)}
    for one in answers:
        row, member = (one.slot_start - read.first_slot) // read.length, index.get(one.member)
        if one.answer == said and member is not None and 0 <= row < len(found):
            at = (row, member)
            now = (int(read.consumption_wh[at]), int(read.generation_wh[at]))
            found[at] = now == (one.consumption_wh, one.generation_wh)
    return found
