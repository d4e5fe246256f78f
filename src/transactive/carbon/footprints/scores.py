"""How far a consumption was carbon-free when it happened: three scores, because their gap is the message.

    hourly     Σ min(load, certificates) / Σ load            slot by slot; surplus never counts for another slot
    annual     min(Σ load, Σ certificates) / Σ load          what yearly matching would claim
    with grid  Σ [c + g (load − c)] / Σ load                 c = min(load, certificates), g = the grid's part

Source: Google, 24/7 Carbon-Free Energy: Methodologies and Metrics (2021). The grid's part g is that of the residual
mix, or certificates sold to a neighbour would count twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from transactive.core.errors import DataError
from transactive.core.units import PPM, IntArray


@dataclass(frozen=True, slots=True)
class MatchingScores:
    """Scores of a span: parts of one, exact. matched_wh: Σ min(load, certificates)."""

    hourly: Fraction
    annual: Fraction
    with_grid: Fraction
    matched_wh: int


def scores(load_wh: IntArray, certified_wh: IntArray, grid_free_ppm: IntArray) -> MatchingScores:
    """Score a span of slots, all (slots,): load and carbon-free certificates [Wh], carbon-free part of the grid [ppm].

    Raises DataError without load, for negative energy and for a part of the grid outside 0 … 1,000,000 ppm.
    """
    total = int(load_wh.sum())
    if int(min(load_wh.min(initial=0), certified_wh.min(initial=0))) < 0:
        raise DataError("load and certificates cannot be below 0 Wh; correct the slot's registers")
    if total == 0:
        raise DataError("without load there is no score; choose a span with consumption")
    if len(grid_free_ppm) and not 0 <= int(grid_free_ppm.min()) <= int(grid_free_ppm.max()) <= PPM:
        raise DataError("the grid's carbon-free part lies between 0 and 1,000,000 ppm; correct the series")
    matched = np.minimum(load_wh, certified_wh)
    left = [int(rest) * int(part) for rest, part in zip(load_wh - matched, grid_free_ppm, strict=True)]
    return MatchingScores(
        hourly=Fraction(int(matched.sum()), total),
        annual=Fraction(min(int(certified_wh.sum()), total), total),
        with_grid=Fraction(int(matched.sum()) * PPM + sum(left), total * PPM),
        matched_wh=int(matched.sum()),
    )


def hydrogen_tier(grams_per_kg: Fraction) -> Fraction:
    """Part of the United States' clean-hydrogen credit for so many g CO2e per kg H2.

    Source: 26 U.S.C. 45V (b)(2): below 0.45 kg 100 %, below 1.5 kg 33.4 %, below 2.5 kg 25 %, up to 4 kg 20 %.
    """
    for below_g, part in ((450, Fraction(1)), (1_500, Fraction("0.334")), (2_500, Fraction("0.25"))):
        if grams_per_kg < below_g:
            return part
    return Fraction("0.2") if grams_per_kg <= 4_000 else Fraction(0)
