"""Standing charges: what each member owes with the first slot of a local day or month, whatever its meter counts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np

from transactive.core.community.community import Community
from transactive.core.units import IntArray
from transactive.environment.prices import zone_of


def standing_charges_n(community: Community, slot: int) -> IntArray:
    """What each member owes with a slot [Unix s], (members,) [n¤].

    A day and a month are those of tariff.time_zone, and those who are members in the slot owe all of it.
    """
    rules = community.at(slot).tariff
    per_day, per_month = rules.standing_charge_n_per_day, rules.standing_charge_n_per_month
    due = np.zeros(len(community.members), np.int64)
    if not per_day and not per_month:
        return due
    today, before = (_day(time, rules.time_zone) for time in (slot, slot - community.clock.length))
    owed = per_day * (today != before) + per_month * ((today.year, today.month) != (before.year, before.month))
    due[community.membership.present(slot)] = owed
    return due


def _day(time: int, zone: str) -> date:
    """Local day of a time [Unix s]."""
    return datetime.fromtimestamp(time, UTC).astimezone(zone_of(zone)).date()
