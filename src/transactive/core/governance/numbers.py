"""The numbers of a community that its members decide on, each within bounds that were fixed when they began to.

Their order is that of the contract `rules`. A number becomes a block of changes of the community file, so that what
members decided and what a file says are versions of the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transactive.core.community.changes.records import (
    CarbonChange,
    LevyChange,
    RulesChange,
    SharingChange,
    TariffChange,
)
from transactive.core.community.community import Community
from transactive.core.errors import InputError
from transactive.core.slots import time_text

LEVY_MODES = ("off", "shadow", "floor", "fixed", "oracle")
LARGEST = 10**12
"""Of a number that people write: no price is near it, and sums of larger ones fit no array."""
FIXED = (0, 0, 0)
"""Bounds and step of a number that a community does not have: it can never change."""


@dataclass(frozen=True, slots=True)
class GovernedNumber:
    """One number: the part and key of the community file that it is, its unit, bounds and the largest step at once."""

    name: str
    part: str
    key: str
    unit: str
    low: int
    high: int
    step: int
    words: tuple[str, ...] = ()

    def of(self, community: Community) -> int | None:
        """Its value in a community; None where the file has none, or prices with hours."""
        part: Any = community.carbon.levy if self.part == "levy" else getattr(community, self.part)
        value = None if part is None else getattr(part, self.key)
        if self.words:
            return self.words.index(value) if value in self.words else None
        return value if isinstance(value, int) else None

    def said(self, value: int) -> int | str:
        """A value as the community file says it."""
        return self.words[value] if self.words else value

    def read(self, text: str) -> int:
        """A value as people write it. Raises InputError."""
        if self.words:
            if text not in self.words:
                raise InputError(f"{self.name} = {text!r}: give one of {', '.join(self.words)}")
            return self.words.index(text)
        try:
            value = int(text)
        except ValueError:
            raise InputError(f"{self.name} = {text!r}: give a whole number of {self.unit}") from None
        if abs(value) > LARGEST:
            raise InputError(f"{self.name} = {text[:40]}: is too large; give at most {LARGEST:,} {self.unit}")
        return value


NUMBERS = (
    GovernedNumber("network-fee", "tariff", "network_fee_micro_per_kwh", "µ¤/kWh", 0, 500_000, 50_000),
    GovernedNumber("near-fee", "tariff", "near_fee_micro_per_kwh", "µ¤/kWh", 0, 500_000, 50_000),
    GovernedNumber("levy-mode", "levy", "mode", "mode", 0, len(LEVY_MODES) - 1, len(LEVY_MODES) - 1, LEVY_MODES),
    GovernedNumber("levy-price", "levy", "price_micro_per_t", "µ¤/t", 0, 500_000_000, 50_000_000),
    GovernedNumber("sharing-price", "sharing", "price_micro_per_kwh", "µ¤/kWh", -500_000, 2_000_000, 100_000),
    GovernedNumber("sharing-fee", "sharing", "fee_ppm", "ppm", 0, 200_000, 50_000),
)
BY_NAME = {number.name: number for number in NUMBERS}


def bounds_of(community: Community) -> list[tuple[int, int, int]]:
    """Bounds and largest step of each number; widened to where a community already stands."""
    found = []
    for number in NUMBERS:
        value = number.of(community)
        found.append(FIXED if value is None else (min(number.low, value), max(number.high, value), number.step))
    return found


def values_of(community: Community) -> list[int]:
    """Today's value of each number; 0 of one that the community does not have."""
    return [number.of(community) or 0 for number in NUMBERS]


def change_of(values: Mapping[str, int], since: int) -> RulesChange:
    """The block of changes that numbers are, by name, from the slot at `since` [Unix s] on."""
    parts: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        number = BY_NAME[name]
        parts.setdefault(number.part, {})[number.key] = number.said(value)
    made: dict[str, Any] = {
        "tariff": TariffChange(**parts["tariff"]) if "tariff" in parts else None,
        "sharing": SharingChange(**parts["sharing"]) if "sharing" in parts else None,
        "carbon": CarbonChange(levy=LevyChange(**parts["levy"])) if "levy" in parts else None,
    }
    return RulesChange(slot=time_text(since), **made)


def numbers_written(texts: Sequence[str]) -> dict[str, int]:
    """Numbers that people write as NAME=VALUE, by name. Raises InputError, also for one that is given twice."""
    values: dict[str, int] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in BY_NAME or not value:
            raise InputError(f"--set {text}: write NAME=VALUE, with one of {', '.join(BY_NAME)}")
        if name in values:
            raise InputError(f"--set {text}: {name} is given twice; give one value")
        values[name] = BY_NAME[name].read(value)
    return values


def number_at(place: int) -> GovernedNumber:
    """The number at a place of the contract. Raises InputError for one that this program does not know."""
    if not 0 <= place < len(NUMBERS):
        raise InputError(f"rule {place} is none of those that this program knows; take the newest one")
    return NUMBERS[place]
