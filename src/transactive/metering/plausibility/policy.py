"""What a community does about doubtful readings: nothing, or hold them until somebody answers or the term is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from transactive.core.slots import DAY
from transactive.metering.feeder import read_feeder
from transactive.metering.plausibility.answers import REFUSE, RELEASE, Answer, answered
from transactive.metering.plausibility.judge import Judged, judge
from transactive.metering.plausibility.verdicts import Doubt, Verdicts


@dataclass(frozen=True, slots=True)
class ReadingPolicy:
    """substitute: fill gaps, and readings that cannot be. late: gaps are readings that are still to come.

    hold: doubtful readings; answers: about them. answer_days: after so many a held reading waits no more. feeder: file
    of the feeder's own meter, if there is one. zone: of the members' days.
    """

    substitute: bool = False
    late: bool = False
    hold: bool = False
    answers: Sequence[Answer] = ()
    answer_days: int = 14
    feeder: Path | None = None
    zone: str = "UTC"

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
        doubts = judge(
            replace(read, released=released, feeder_wh=feeder, day_start=day_start(self.zone, read.first_slot))
        )
        closed = (doubts != Doubt.NONE) & answered(self.answers, REFUSE, found, members)
        over = slots - self.answer_days * DAY // read.length
        closed[: max(over, 0)] |= doubts[: max(over, 0)] != Doubt.NONE
        return replace(found, doubts=doubts, closed=closed)


def day_start(zone: str, moment: int) -> int:
    """When days of a zone begin in the standard time that holds near a moment [s after midnight in UTC]."""
    seasons = (datetime.fromtimestamp(moment, UTC) + timedelta(days=days) for days in (0, 182))
    ahead = min(season.astimezone(ZoneInfo(zone)).utcoffset() or timedelta() for season in seasons)
    return -int(ahead.total_seconds()) % DAY
