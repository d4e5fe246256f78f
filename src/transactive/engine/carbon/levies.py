"""The carbon levy in a run: its rate in each slot, who pays it, and how it comes back."""

from __future__ import annotations

import numpy as np

from transactive.carbon.accounting import CarbonSlot
from transactive.carbon.levy import LevyMode, feebate, followed, levy, most_per_wh, rate, storage_incentive
from transactive.config.setting import Setting
from transactive.core.community.carbon_rules import LevyRules
from transactive.core.postings import PostingKind, Postings
from transactive.core.tables import Readings
from transactive.core.units import BoolArray, IntArray, share_columns
from transactive.settlement.funds import collect, transfer


class Levies:
    """The levy of the slots of a run, by the rules of its community."""

    def __init__(self, setting: Setting, slots: range) -> None:
        self.accounts, self._community = setting.community.chart, setting.community
        self._clock = setting.community.clock
        self._prices = {
            number: self._followed(setting, own)
            for number, own in setting.community.versions.spans(slots)
            if LevyMode(setting.community.versions.rules[number].carbon.levy.mode) == LevyMode.ORACLE
        }

    def _followed(self, setting: Setting, slots: range) -> dict[int, int]:
        """Price of carbon by period [µ¤/t]: what is quoted in its first slot, followed in bounded steps."""
        first: dict[int, int] = {}
        for slot in slots:
            first.setdefault(self._clock.period(slot), slot)
        begin, length = setting.environment.first_slot, self._clock.length
        quoted = [int(setting.environment.carbon_price[(slot - begin) // length]) for slot in first.values()]
        rules = self.rules(slots[0])
        prices = followed(rules.price_micro_per_t, quoted, rules.step_ppm_per_period)
        return dict(zip(first, prices, strict=True))

    def rules(self, slot: int) -> LevyRules:
        """What the community says of the levy in a slot."""
        return self._community.at(slot).carbon.levy

    def posted(self, slot: int) -> bool:
        """Whether the levy of a slot is paid, and not only shown."""
        return LevyMode(self.rules(slot).mode) not in (LevyMode.OFF, LevyMode.SHADOW)

    def rate(self, slot: int) -> int:
        """Rate in a slot [µ¤/t]."""
        rules, followed_in = self.rules(slot), self._prices.get(self._community.versions.number(slot), {})
        price = followed_in.get(self._clock.period(slot), rules.price_micro_per_t)
        return rate(LevyMode(rules.mode), price, rules.paid_micro_per_t)

    def most_per_wh(self, slot: int, residual_g: int) -> int:
        """Most that a Wh can be levied in a slot [n¤]; nothing where the levy is only shown."""
        return most_per_wh(residual_g, self.rate(slot)) if self.posted(slot) else 0

    def due_n(self, slot: int, carbon: CarbonSlot) -> IntArray:
        """Levy of a slot per member [n¤], (members,), posted or shown."""
        return levy(carbon.unmatched_mg, self.rate(slot))

    def post(self, slot: int, carbon: CarbonSlot, readings: Readings) -> Postings:
        """Postings of a slot's levy, none where it is only shown; a feebate comes back in the same slot, by use."""
        if not self.posted(slot):
            return Postings.none(slot)
        due = self.due_n(slot, carbon)
        postings = collect(slot, PostingKind.LEVY, self.accounts.levy, due)
        if self.rules(slot).use != "feebate":
            return postings
        back = feebate(carbon.unmatched_mg, readings.consumption_wh, self.rate(slot)) + due
        return postings.and_then(self._give_back(slot, back))

    def give_back(
        self, slot: int, treasury_n: int, carbon: CarbonSlot, present: BoolArray, *, period_ends: bool
    ) -> Postings:
        """Postings that return a treasury [n¤]: to storage as it serves, to all as a period ends, or not yet.

        present: who all are in the slot, (members,).
        """
        members, use = self.accounts.members, self.rules(slot).use
        amounts = np.zeros(members, np.int64)
        if use == "storage":
            amounts = storage_incentive(treasury_n, _certified_discharge_wh(carbon, members))
        elif use != "offsets" and period_ends:
            amounts = share_columns(treasury_n, present.astype(np.int64))
        return self._give_back(slot, amounts)

    def _give_back(self, slot: int, amounts_n: IntArray) -> Postings:
        """Postings from the levy's account to members [n¤], (members,)."""
        members = np.arange(self.accounts.members)
        return transfer(slot, PostingKind.LEVY_RETURN, self.accounts.levy, members, amounts_n)


def _certified_discharge_wh(carbon: CarbonSlot, members: int) -> IntArray:
    """What the certified part of each storage gave in a slot [Wh], (members,)."""
    certificates = carbon.certificates
    stored = certificates.device % 2 == 1
    given = np.zeros(members, np.int64)
    np.add.at(given, certificates.device[stored] // 2, certificates.energy_wh[stored])
    return given
