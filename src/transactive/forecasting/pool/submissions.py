"""Forecasts that others submit: sealed before the gate, shown after it, so that none can be made from another's.

A forecast is five quantiles (`LEVELS` of `forecasting/series.py`) of a total of the community in a slot [Wh]. Its loss
is the pinball loss summed over the levels, in twentieths of a Wh, because the levels are twentieths: whole numbers, so
that the same forecasts pay the same everywhere. Fifty of them are a Wh of CRPS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from transactive.core.errors import InputError
from transactive.core.slots import time_text
from transactive.forecasting.series import LEVELS

WEIGHTS = tuple(round(20 * level) for level in LEVELS)
"""Levels in twentieths: what a Wh above a quantile counts; one below it counts the rest of twenty."""
WHOLE = 20
SALT_BYTES = 32
LARGEST_WH = 10**12
"""Beyond what any community uses in a slot."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When forecasts of a slot are sealed and shown. lead: from gate to slot [s]; reveal: from the gate on [s]."""

    lead: int
    reveal: int

    def __post_init__(self) -> None:
        if not 0 < self.reveal <= self.lead:
            raise InputError("forecasts are shown before their slot begins: reveal is above zero and at most the lead")

    def gate(self, slot: int) -> int:
        """Last second of sealing, exclusive [Unix s]."""
        return slot - self.lead

    def end(self, slot: int) -> int:
        """Last second of showing, exclusive [Unix s]."""
        return self.gate(slot) + self.reveal


@dataclass(slots=True)
class Submission:
    """What one forecaster sealed for a slot, and what it showed of it."""

    digest: bytes
    quantiles: tuple[int, ...] | None = None


@dataclass(slots=True)
class Submissions:
    """Submissions for one target by slot and forecaster."""

    deadlines: Deadlines
    by_slot: dict[int, dict[str, Submission]] = field(default_factory=dict)

    def seal(self, forecaster: str, slot: int, digest: bytes, at: int) -> None:
        """Take a sealed forecast in at a time [Unix s]; before the gate a later one replaces it. Raises InputError."""
        if at >= self.deadlines.gate(slot):
            raise InputError(f"slot {time_text(slot)}: its gate has closed; submit for a later one")
        self.by_slot.setdefault(slot, {})[forecaster] = Submission(digest)

    def show(self, forecaster: str, slot: int, quantiles: Sequence[int], salt: bytes, at: int) -> None:
        """Open a forecast after the gate at a time [Unix s]. Raises InputError for another one, or another time."""
        if not self.deadlines.gate(slot) <= at < self.deadlines.end(slot):
            begin, end = time_text(self.deadlines.gate(slot)), time_text(self.deadlines.end(slot))
            raise InputError(f"slot {time_text(slot)}: forecasts are shown from {begin} until {end}")
        found = self.by_slot.get(slot, {}).get(forecaster)
        if found is None or found.digest != sealed(forecaster, slot, quantiles, salt):
            raise InputError(f"slot {time_text(slot)}: this is not what {forecaster} sealed before the gate")
        require_quantiles(quantiles)
        found.quantiles = tuple(quantiles)

    def seen(self, slot: int, at: int) -> dict[str, tuple[int, ...]]:
        """Forecasts that anybody may see at a time [Unix s]: all that were shown, once nobody can seal any more."""
        if at < self.deadlines.gate(slot):
            return {}
        shown = self.by_slot.get(slot, {}).items()
        return {name: one.quantiles for name, one in shown if one.quantiles is not None}

    def of(self, slot: int) -> dict[str, tuple[int, ...] | None]:
        """What everybody who sealed a forecast of a slot has shown of it, None for nothing, by name."""
        return {name: one.quantiles for name, one in sorted(self.by_slot.get(slot, {}).items())}

    def forget(self, before: int) -> None:
        """Forget the slots before one [Unix s], which nobody forecasts any more."""
        self.by_slot = {slot: each for slot, each in self.by_slot.items() if slot >= before}


def gains(
    forecasts: Mapping[str, tuple[int, ...] | None], references: Mapping[str, Sequence[int]], totals: Mapping[str, int]
) -> dict[str, int]:
    """Loss of the reference less that of each forecaster in a slot [1/20 Wh]; who did not show has the worst.

    references: quantiles that each is held against; totals: what came of what each forecasts [Wh]. Both are of the
    community without the forecaster's own meters: who moves load moves nothing that it is scored by.
    """
    held = {name: loss(references[name], totals[name]) for name in forecasts}
    gained = {name: held[name] - loss(one, totals[name]) for name, one in forecasts.items() if one is not None}
    worst = min([0, *gained.values()])
    return {name: gained.get(name, worst) for name in forecasts}


def sealed(forecaster: str, slot: int, quantiles: Sequence[int], salt: bytes) -> bytes:
    """Hash that a forecaster submits before the gate. Raises InputError for a salt of another length."""
    if len(salt) != SALT_BYTES:
        raise InputError(f"a salt has {SALT_BYTES} bytes; this one has {len(salt)}")
    words = b"".join(int(one).to_bytes(8, "big", signed=True) for one in (slot, *quantiles))
    return hashlib.sha256(salt + words + forecaster.encode()).digest()


def require_quantiles(quantiles: Sequence[int]) -> None:
    """Raise InputError unless there is one for each level, none falls, and none is beyond what can be."""
    if any(abs(one) > LARGEST_WH for one in quantiles):
        raise InputError(f"quantiles are at most {LARGEST_WH:,} Wh either way; correct them")
    if len(quantiles) != len(LEVELS) or list(quantiles) != sorted(quantiles):
        raise InputError(f"a forecast has {len(LEVELS)} quantiles that do not fall, of the levels {LEVELS}")


def loss(quantiles: Sequence[int], came: int) -> int:
    """Pinball loss, summed over the levels [1/20 Wh]: proper, so that an honest forecast has the least expected one.

    Source: Koenker and Bassett, Regression quantiles, Econometrica 46(1), 1978.
    """
    return sum(
        weight * (came - one) if came >= one else (WHOLE - weight) * (one - came)
        for weight, one in zip(WEIGHTS, quantiles, strict=True)
    )
