"""What a community does about doubtful readings: nothing, or hold them until somebody answers or the term is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from transactive.core.slots import DAY
from transactive.metering.feeder import read_feeder
from transactive.metering.plausibility.answers import REFUSE, RELEASE, Answer, answered
from transactive.metering.plausibility.judge import Judged, judge
from transactive.metering.plausibility.verdicts import Doubt, Verdicts


@dataclass(frozen=True, slots=True)
class ReadingPolicy:
    """substitute: fill gaps, and readings that cannot be. hold: doubtful readings; answers: about them.

    answer_days: after so many a held reading waits no more. feeder: file of the feeder's own meter, if there is one.
    """

    substitute: bool = False
    hold: bool = False
    answers: Sequence[Answer] = ()
    answer_days: int = 14
    feeder: Path | None = None

    def verdicts(self, read: Judged, members: Sequence[str]) -> Verdicts:
        """Verdicts on readings of members, as this policy and the answers have it."""
        found = Verdicts(
            read.first_slot, read.length, read.refused, read.consumption_wh, read.generation_wh,
            np.zeros(read.refused.shape, bool),
        )  # fmt: skip
        if not self.hold:
            return found
        slots = len(read.consumption_wh)
        feeder = None if self.feeder is None else read_feeder(self.feeder, read.first_slot, slots, read.length)
        released = answered(self.answers, RELEASE, found, members)
        doubts = judge(replace(read, released=released, feeder_wh=feeder))
        closed = (doubts != Doubt.NONE) & answered(self.answers, REFUSE, found, members)
        over = slots - self.answer_days * DAY // read.length
        closed[: max(over, 0)] |= doubts[: max(over, 0)] != Doubt.NONE
        return replace(found, doubts=doubts, closed=closed)
